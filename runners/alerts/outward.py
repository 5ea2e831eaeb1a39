"""Whether a host lies on the public internet: a webhook must not be a way into our own network."""

import asyncio
import socket
from ipaddress import IPv6Address, ip_address
from typing import NewType

Address = NewType("Address", str)
"""An IP address as text."""


async def public_address(host: str, port: int) -> Address | None:
    """An address of the host, if all that it has are public; None where one is not.

    Whoever connects must take this very address: a second look-up might answer otherwise. Raises `OSError`.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(one[4][0]) for one in found]
    if not addresses or not all(is_public(one) for one in addresses):
        return None
    return Address(addresses[0])


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet (the registries of RFC 6890), also one hidden in IPv6."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if inner is not None:
            return is_public(str(inner))
        # 64:ff9b::/96 translates to IPv4 (RFC 6052): what it leads to is in its last four bytes.
        if parsed.packed[:12] == bytes.fromhex("0064ff9b") + bytes(8):
            return is_public(".".join(str(one) for one in parsed.packed[12:]))
    return parsed.is_global and not parsed.is_multicast
