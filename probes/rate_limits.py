"""The rate-limit windows that an API's answers tell of, at no call's cost."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from probes.contracts import Budget

_FAMILIES: Final = ("ratelimit", "x-ratelimit", "x-rate-limit")
_EPOCH_SECONDS: Final = 1_000_000_000
"""A reset beyond this is a point in time (GitHub, Zendesk), below it a number of seconds (the IETF's draft)."""


class RateLimits:
    """Reads ``RateLimit-Limit``, ``-Remaining`` and ``-Reset`` with their older ``X-`` spellings.

    The plain names are those of the IETF httpapi working group's drafts (rate-limit headers, draft 03); the others
    are what vendors sent before it and send still.
    """

    def __init__(self) -> None:
        self._windows: dict[str, Budget] = {}

    def note(self, headers: Mapping[str, str], *, now: datetime) -> None:
        """Take one answer's headers into account."""
        lower = {name.lower(): value for name, value in headers.items()}
        for family in _FAMILIES:
            left = _number(lower.get(f"{family}-remaining"))
            limit = _number(lower.get(f"{family}-limit"))
            if left is None and limit is None:
                continue
            reset = _number(lower.get(f"{family}-reset"))
            self._windows[family] = Budget(family, left, limit, _reset_at(reset, now))

    def windows(self, *, now: datetime) -> tuple[Budget, ...]:
        """What is known and not yet past its reset."""
        return tuple(one for one in self._windows.values() if one.resets_at is None or one.resets_at > now)


def _number(value: str | None) -> int | None:
    found = re.match(r"\s*(\d{1,15})", value or "")
    return int(found.group(1)) if found is not None else None


def _reset_at(reset: int | None, now: datetime) -> datetime | None:
    if reset is None:
        return None
    if reset >= _EPOCH_SECONDS:
        return datetime.fromtimestamp(min(reset, 4 * _EPOCH_SECONDS), UTC)
    return now + timedelta(seconds=min(reset, 86400))
