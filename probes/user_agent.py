"""Who asks, in the words that a target's logs keep: RFC 9110 section 10.1.5."""

from typing import Final

from probes.program import program_version

ANONYMOUS: Final = "intake-prober (synthetic)"


def user_agent(contact: str | None = None) -> str:
    """Program, version, that it is no customer, and where to complain: ``intake-prober/1.0 (synthetic; +https://…)``."""
    return f"intake-prober/{program_version()} (synthetic{f'; +{contact}' if contact else ''})"
