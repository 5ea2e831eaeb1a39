"""Dates and waits in HTTP's header fields."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST_SECONDS: Final = 31 * 86400.0
"""No server means more: a number without end would only break whoever adds it to a time."""


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """How long we are asked to stay away, by ``Retry-After`` (RFC 9110 section 10.2.3); None where it says nothing.

    It is a number of seconds or a date; a date is taken by the server's own ``Date``, where there is one.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    value = lower.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_SECONDS)
    until = http_date(value)
    if until is None:
        return None
    wait = (until - (http_date(lower.get("date")) or now)).total_seconds()
    return min(max(0.0, wait), _LONGEST_SECONDS)


def http_date(value: str | None) -> datetime | None:
    """An HTTP date (RFC 9110 section 5.6.7), aware UTC; None where it is none."""
    if not value:
        return None
    try:
        stamp = parsedate_to_datetime(value)
        return stamp.astimezone(UTC) if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
