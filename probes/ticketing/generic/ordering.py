"""The order of rows: when all that follows is older than what is wanted, by times that may be coarse."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from probes.ticketing.generic.conversions import TimeFormat
from probes.ticketing.generic.settings import LookSettings, Order
from probes.ticketing.generic.tickets import Values, created_of

_ORDER_TOLERANCE: Final = timedelta(seconds=2)
_COARSE: Final = (
    (("%S", "%T", "%c", "%X", "%s"), timedelta(minutes=1)),
    (("%M", "%R", "%T", "%c", "%X", "%s"), timedelta(hours=1)),
    (("%H", "%I", "%R", "%T", "%c", "%X", "%s"), timedelta(days=1)),
)
"""What a format without any of these leaves out of a moment."""


def newest_of(look: LookSettings, rows: Sequence[Values]) -> datetime | None:
    """When the newest of the rows was created at the latest: a time without seconds may be up to a minute later."""
    stamps = _stamps(rows)
    return max(stamps) + coarseness(_format(look), stamps) if stamps else None


def born_of(look: LookSettings, values: Values) -> datetime | None:
    """When the system made the ticket of a row, at the latest."""
    return newest_of(look, [values])


def is_past(
    look: LookSettings, rows: Sequence[Values], newest_before: datetime | None, since: datetime
) -> bool:
    """Whether all that follows is older than what is wanted; never, where the rows are not in the order asked for.

    Args:
        look: whose order is meant.
        rows: of one page, as they came.
        newest_before: the newest of the page before, by `newest_of`.
        since: what is wanted begins here, by the system's clock.
    """
    newest = newest_of(look, rows)
    if look.order is Order.ANY or newest is None or newest >= since:
        return False
    known = _stamps(rows)
    if look.order is Order.NEWEST_FIRST and known[0] < known[-1] - _ORDER_TOLERANCE:
        return False
    return newest_before is None or newest <= newest_before + _ORDER_TOLERANCE


def coarseness(form: TimeFormat, stamps: Sequence[datetime]) -> timedelta:
    """How much later than it says a ticket may have been created: by the format, and by what all stamps leave out."""
    by_format = timedelta()
    if "%" in form.form:
        for directives, left_out in _COARSE:
            if not any(one in form.form for one in directives):
                by_format = left_out
    local = [one.astimezone(form.zone or UTC) for one in stamps]
    shown = timedelta()
    for is_whole, left_out in (
        (all(not one.second and not one.microsecond for one in local), timedelta(minutes=1)),
        (all(not one.minute for one in local), timedelta(hours=1)),
        (all(not one.hour for one in local), timedelta(days=1)),
    ):
        if not is_whole:
            break
        shown = left_out
    return max(by_format, shown)


def _format(look: LookSettings) -> TimeFormat:
    pick = look.ticket.picks.get("created_at")
    return pick.time if pick is not None and pick.time is not None else TimeFormat()


def _stamps(rows: Sequence[Values]) -> list[datetime]:
    return [one for one in map(created_of, rows) if one is not None]
