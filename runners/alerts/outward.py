"""Whether a host lies on the public internet: a webhook must not be a way into our own network."""

import asyncio
import socket
from ipaddress import IPv6Address, IPv6Network, ip_address
from itertools import islice, zip_longest
from typing import Final, NewType

Address = NewType("Address", str)
"""An IP address as text."""


_OURS: Final = tuple(IPv6Network(one) for one in ("::/96", "64:ff9b:1::/48", "fec0::/10"))
"""IPv4 in IPv6 as it once was, translation within a network (RFC 8215), site-local: some Pythons hold them for public."""
_MOST: Final = 4


async def public_addresses(host: str, port: int) -> tuple[Address, ...]:
    """Addresses of the host to try in turn, if all that it has are public; none where one is not.

    Whoever connects must take these very addresses: a second look-up might answer otherwise. The families alternate:
    where the route of one is dead, the next try is of the other. Raises `OSError`.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not all(is_public(one) for one in addresses):
        return ()
    # The resolver's order stands within each family, and its first address stays the first.
    first: list[str] = []
    second: list[str] = []
    for one in addresses:
        (first if (":" in one) == (":" in addresses[0]) else second).append(one)
    mixed = (one for pair in zip_longest(first, second) for one in pair if one is not None)
    return tuple(Address(one) for one in islice(mixed, _MOST))


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet (the registries of RFC 6890), also one hidden in IPv6."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        if any(parsed in one for one in _OURS):
            return False
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is not None:
            return is_public(str(inner))
        # 64:ff9b::/96 translates to IPv4 (RFC 6052): what it leads to is in its last four bytes.
        if parsed.packed[:12] == bytes.fromhex("0064ff9b") + bytes(8):
            return is_public(".".join(str(one) for one in parsed.packed[12:]))
    return parsed.is_global and not parsed.is_multicast
