"""The places of a configuration: those of which a reading still matters.

The store keeps readings for months, also of a mailbox that is configured no more: what it came to last would be shown
as if it were so now. Wiring makes the readers; this only names them, so that whoever reads the store needs no secret.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from probes.message.addresses import ascii_domain
from probes.servers import TlsMode
from runners.config.config import Config, PathConfig
from runners.config.sending import EmailConfig


def gauged_places(config: Config) -> frozenset[str]:
    """Every place of which a reading matters, by the name that its readings have in the store."""
    paths = list(config.paths.values())
    senders = {name for one in paths for name in one.senders}
    return frozenset(
        {
            *config.mailboxes,
            *config.ticketing,
            *(own_mailbox(name) for name in senders if config.accounts[name].imap is not None),
            *(
                f"{one.imap.host}:{one.imap.port}"
                for one in config.mailboxes.values()
                if one.imap.tls is not TlsMode.NONE
            ),
            *(place for one in paths for place in _of_path(one)),
        }
    )


def own_mailbox(account: str) -> str:
    """The place of an account's own mailbox; it can't have the name of a support mailbox."""
    return f"account {account}"


def _of_path(one: PathConfig) -> Iterator[str]:
    """What it goes through: its places, the domains that its mail goes to, the site's certificate."""
    yield from (name for name in (one.path.mailbox, one.path.ticketing, one.path.domain) if name)
    if isinstance(one.sending, EmailConfig):
        for address in (one.sending.to, one.sending.bisect_to):
            if address is not None:
                yield ascii_domain(address).rpartition("@")[2]
    elif (site := web_site(one.sending.url)) is not None:
        yield f"{site[0]}:{site[1]}"


def web_site(url: str) -> tuple[str, int] | None:
    """Host (in ASCII) and port of an address by HTTPS; None of any other."""
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    host = parts.hostname if parts.hostname.isascii() else ascii_domain(f"x@{parts.hostname}")[2:]
    return host, parts.port or 443
