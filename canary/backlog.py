"""The backlog of an incident: how many of its canaries are still missing, how fast they come in late, until when.

After a full mailbox is emptied, or a fetcher is started again, what piled up drains for a while. Canaries are a
sample of it: those that arrive late show how far the queue has come.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from canary.incident import Incident, IncidentKind
from canary.verdict import Verdict

READINGS = 6
"""The rate is taken of the last so many moments at which late tickets came."""
QUIET = timedelta(minutes=30)
"""Where no late ticket has come for so long, nothing drains."""


class BacklogState(StrEnum):
    """Where a backlog stands."""

    NONE = "none"
    """No ticket of the incident is awaited, and none came late."""
    WAITING = "waiting"
    """Tickets are missing, and none arrives."""
    DRAINING = "draining"
    DRAINED = "drained"
    """The last one that was awaited has come, or was given up."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """A canary as a backlog sees it.

    Attributes:
        horizon_at: it is given up then; what is lost is not awaited any more.
        came_at: when its intact ticket was seen; None: it was not, or nobody knows when.
    """

    launched_at: datetime
    horizon_at: datetime
    verdict: Verdict
    came_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """A backlog at one moment.

    Attributes:
        missing: breached canaries whose tickets may still come; the lost are none of them.
        late: those whose tickets came after their deadline.
        rate_per_minute: late tickets a minute over the last `READINGS` moments; None: too few came to tell.
        ends_at: the estimated end, never before the moment of the estimate; None: nothing can be said.
    """

    missing: int
    late: int
    rate_per_minute: float | None
    ends_at: datetime | None
    state: BacklogState


NOTHING = Backlog(0, 0, 0.0, None, BacklogState.NONE)


def backlog(incident: Incident, canaries: Iterable[Awaited], now: datetime) -> Backlog:
    """Where an incident's backlog stands.

    Args:
        incident: one of the target; where the prober is blind nothing piles up.
        canaries: of its path; those that were not launched within the incident are left out.
        now: aware UTC; tickets that came after it are taken as missing.
    """
    if incident.kind is IncidentKind.BLIND:
        return NOTHING
    mine = [one for one in canaries if _is_of(incident, one)]
    late = [
        one for one in mine if one.verdict is Verdict.LATE and (one.came_at is None or one.came_at <= now)
    ]
    missing = [one for one in mine if _is_missing(one, now)]
    if not missing:
        state = BacklogState.DRAINED if late else BacklogState.NONE
        return Backlog(0, len(late), 0.0, None, state)
    readings = _readings(late)[-READINGS:]
    if not readings or readings[-1].at < now - QUIET:
        return Backlog(len(missing), len(late), 0.0, None, BacklogState.WAITING)
    return Backlog(
        missing=len(missing),
        late=len(late),
        rate_per_minute=_rate_per_minute(readings, now),
        ends_at=_ends_at(incident, readings, max(one.launched_at for one in missing), now),
        state=BacklogState.DRAINING,
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """A moment at which late tickets came: how many, and the latest launch among all that have come by then."""

    at: datetime
    count: int
    front_at: datetime


def _is_of(incident: Incident, one: Awaited) -> bool:
    until = incident.impact_until
    return one.launched_at >= incident.onset_at and (until is None or one.launched_at < until)


def _is_missing(one: Awaited, now: datetime) -> bool:
    if one.verdict is Verdict.LATE:
        return one.came_at is not None and one.came_at > now
    return one.verdict is Verdict.BREACHED and one.horizon_at > now


def _readings(late: Sequence[Awaited]) -> list[_Reading]:
    """Oldest first. Several that came in one look say only how many they were."""
    came = sorted((one.came_at, one.launched_at) for one in late if one.came_at is not None)
    found: list[_Reading] = []
    for at, some in groupby(came, key=lambda pair: pair[0]):
        launches = [launched_at for _, launched_at in some]
        before = [found[-1].front_at] if found else []
        found.append(_Reading(at, len(launches), max([*launches, *before])))
    return found


def _rate_per_minute(readings: Sequence[_Reading], now: datetime) -> float | None:
    """What came after the first reading, by the time since: it falls while nothing more comes."""
    minutes = (now - readings[0].at) / timedelta(minutes=1)
    came = sum(one.count for one in readings[1:])
    return came / minutes if came and minutes > 0 else None


def _ends_at(
    incident: Incident, readings: Sequence[_Reading], newest_missing_at: datetime, now: datetime
) -> datetime | None:
    """When the launches of what arrives have caught up.

    While the incident lasts they must catch up with now, for what customers write joins the queue's end. Once canaries
    come in time again, the queue ends at the newest one that is missing.
    """
    first, last = readings[0], readings[-1]
    if last.at <= first.at:
        return None
    pace = (last.front_at - first.front_at) / (last.at - first.at)
    if incident.impact_until is not None:
        left, speed = newest_missing_at - last.front_at, pace
    else:
        left, speed = last.at - last.front_at, pace - 1
    if speed <= 0:
        return None
    seconds = max(0.0, left.total_seconds()) / speed
    if seconds > _FURTHEST.total_seconds():
        return None
    return max(now, last.at + timedelta(seconds=seconds))


_FURTHEST = timedelta(days=7)
"""A queue that would need longer does not drain, whatever the figures say."""
