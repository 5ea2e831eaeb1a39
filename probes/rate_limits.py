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
            reset = lower.get(f"{family}-reset")
            dated = _date(reset)
            resets_at = dated if dated is not None else _reset_at(_number(reset), now)
            self._windows[family] = Budget(family, left, limit, resets_at)

    def windows(self, *, now: datetime) -> tuple[Budget, ...]:
        """What is known and not yet past its reset."""
        return tuple(one for one in self._windows.values() if one.resets_at is None or one.resets_at > now)


def _number(value: str | None) -> int | None:
    found = re.match(r"\s*(\d{1,15})", value or "")
    return int(found.group(1)) if found is not None else None


def _date(value: str | None) -> datetime | None:
    """A date in RFC 3339, as Jira writes it: its year alone would be a number of seconds."""
    if value is None or "-" not in value:
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _reset_at(reset: int | None, now: datetime) -> datetime | None:
    if reset is None:
        return None
    if reset >= _EPOCH_SECONDS:
        return datetime.fromtimestamp(min(reset, 4 * _EPOCH_SECONDS), UTC)
    return now + timedelta(seconds=min(reset, 86400))
