"""Where an address leads: its origin, and whether that is this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; of what is no address, nothing that equals another's."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port


def shown_origin(url: str) -> str:
    """Scheme and host, for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def is_loopback(url: str) -> bool:
    """Whether no proxy may stand in between: a proxy's own loopback is another machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
