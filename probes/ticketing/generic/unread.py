"""Rows whose text could not be read: how many and why, and whose canary's ticket none of them can be.

A ticket is made after its canary left. So a row that was made before, or was shown before, can't be its ticket, and one
odd ticket of a stranger hides nothing from the canaries that are launched after it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from canary.canary import Canary
from canary.signature import CanaryId
from probes.contracts import Blind
from probes.ticketing.settings import LOOK_BACK_SECONDS

MOST_ODD: Final = 10
"""So many, and not one that could be read: it is not the rows that are odd."""
_MOST: Final = 2_000
_SLACK: Final = timedelta(seconds=60)
"""What a stamp may be off where the system's clock is known."""
_OF_THE_SYSTEM: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)


@dataclass(frozen=True, slots=True)
class Unread:
    """One row: it was made no later than ``until``, by our clock."""

    until: datetime
    error: Blind


class UnreadRows:
    """When each was first shown. Forgets the one that was not met for longest."""

    def __init__(self) -> None:
        self._shown: OrderedDict[str, datetime] = OrderedDict()

    def has(self, mark: str) -> bool:
        """Whether a row could not be read before: others go first."""
        return mark in self._shown

    def until(self, mark: str, *, born_at: datetime | None, skew_is_known: bool, now: datetime) -> datetime:
        """The latest moment at which a row can have been made.

        Args:
            mark: the row as it is.
            born_at: when it says that it was made, by our clock; None: it does not say.
            skew_is_known: whether the system's clock is.
            now: when it is shown.
        """
        shown_at = self._shown.setdefault(mark, now)
        self._shown.move_to_end(mark)
        if len(self._shown) > _MOST:
            self._shown.popitem(last=False)
        if born_at is None:
            return shown_at
        return min(shown_at, born_at + (_SLACK if skew_is_known else timedelta(seconds=LOOK_BACK_SECONDS)))


def hidden_by(rows: Iterable[Unread], canaries: Sequence[Canary]) -> frozenset[CanaryId]:
    """Whose ticket one of the rows may be."""
    until = max((one.until for one in rows), default=None)
    return frozenset(one.id for one in canaries if until is not None and one.launched_at <= until)


def is_of_the_row(error: Blind, *, was_answered: bool) -> bool:
    """Whether a failure may be this row's alone; ``was_answered``: the request was, and its answer is odd."""
    if error.retry_after_seconds is not None or error.status in _OF_THE_SYSTEM:
        return False
    return was_answered or error.status is not None


def told(rows: Sequence[Unread], system: str) -> Blind:
    """The blindness that unread rows are: how many, and why the first."""
    statuses = {one.error.status for one in rows}
    things = "ticket" if len(rows) == 1 else "tickets"
    why = str(rows[0].error).removeprefix(f"{system}: ")
    error = Blind(
        f"{system}: the text of {len(rows)} {things} could not be read, and any may be the one that is sought: {why}",
        status=statuses.pop() if len(statuses) == 1 and statuses != {HTTPStatus.NOT_FOUND} else None,
    )
    error.answered = rows[0].error.answered if error.status is not None else None
    return error
