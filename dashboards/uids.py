"""What the dashboards are called in Grafana, and the prefix by which several probers share one."""

import re
from typing import Final

UIDS: Final = (
    "intake-overview",
    "intake-path",
    "intake-explorer",
    "intake-places",
    "intake-slo",
    "intake-prober",
)
LONGEST_PREFIX: Final = 40 - max(map(len, UIDS))
"""Grafana's uids have at most 40 characters."""
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]*")


def check_prefix(prefix: str) -> None:
    """Refuse a prefix that Grafana would refuse.

    Raises:
        ValueError: it has other characters than a uid may have, or is too long.
    """
    if not _PREFIX.fullmatch(prefix) or len(prefix) > LONGEST_PREFIX:
        raise ValueError(
            f"the prefix of uids has letters, digits, hyphens and underscores, at most {LONGEST_PREFIX} of them"
        )
