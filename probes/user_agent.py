"""Who asks, in the words that a target's logs keep: RFC 9110 section 10.1.5."""

from functools import cache
from typing import Final

ANONYMOUS: Final = "intake-prober (synthetic)"


@cache
def user_agent(contact: str | None = None) -> str:
    """Program, version, that it is no customer, and where to complain: ``intake-prober/1.0 (synthetic; +https://…)``."""
    from importlib.metadata import version

    return f"intake-prober/{version('intake-prober')} (synthetic{f'; +{contact}' if contact else ''})"
