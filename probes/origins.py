"""Where an address leads: its origin, and whether that is this machine."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from probes.contracts import Blind

_NOWHERE: Final = SplitResult("", "", "", "", "")


class SentElsewhere(Blind):
    """The way leads to another origin than the configured one; nothing was asked there."""


def _split(url: str) -> SplitResult:
    """The parts; of what is no address, none: an answer's text may be anything."""
    try:
        return urlsplit(url)
    except ValueError:
        return _NOWHERE


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; of what is no address, nothing that equals another's."""
    parts = _split(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port


def shown_origin(url: str) -> str:
    """Scheme and host, for messages."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "what is no address"


def is_loopback(url: str) -> bool:
    """Whether no proxy may stand in between: a proxy's own loopback is another machine."""
    host = _split(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
