"""Review a concern: what is to be told of it now, and to whom. Pure; the same review twice tells nothing twice.

A concern is a level, not an edge: whoever comes next, after a crash, a silence or a change of shift, compares what is
with what was told, and tells the rest. So nothing is lost by having been looked away.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from canary.ahead import is_ahead
from canary.alert import AlertKind, AlertTransition, Concern, Severity
from canary.incident import IncidentId

CALM = {
    AlertKind.GAUGE: timedelta(minutes=5),
    AlertKind.DEGRADED: timedelta(minutes=15),
    # As long as pages are counted for: so there is no second word of a flood within the hour of the first.
    AlertKind.FLOOD: timedelta(hours=1),
}
"""What wavers at its limit is over only when it was seen to be away twice, at least so long apart."""


@dataclass(frozen=True, slots=True)
class Reminding:
    """When people are told again of what still lasts.

    Attributes:
        first: after the opening of a page; ``then``: after that, again and again.
        ticket: of what is no page, again and again.
    """

    first: timedelta = timedelta(minutes=30)
    then: timedelta = timedelta(hours=4)
    ticket: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Told:
    """A sink that knows of a concern: it gets what follows, and the end.

    Attributes:
        key: by which it knows it.
        seq: of the last message to it.
    """

    sink: str
    key: str
    severity: Severity
    seq: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What was told of a concern.

    Attributes:
        concern: as it was at the last review.
        episode: the name of this occurrence; the next one of the same subject has another.
        opened_at: when it was first reviewed.
        told: who knows; nobody while it is silenced.
        told_at: when they were last told anything.
        reminders: how often they were reminded.
        gone_at: since when it is away, where it is not yet over: when it was first seen so.
        incidents: all that it ever grouped, also those that are over by now.
    """

    concern: Concern
    episode: str
    opened_at: datetime
    told: tuple[Told, ...] = ()
    told_at: datetime | None = None
    reminders: int = 0
    gone_at: datetime | None = None
    incidents: tuple[IncidentId, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One message that is to be written to a sink's outbox."""

    sink: str
    key: str
    seq: int
    transition: AlertTransition
    severity: Severity


@dataclass(frozen=True, slots=True)
class Review:
    """What a review came to; ``standing`` None: the concern is over, and everybody was told."""

    standing: Standing | None
    notices: tuple[Notice, ...] = ()


def review(
    standing: Standing | None,
    concern: Concern | None,
    *,
    sinks: Sequence[str],
    is_silenced: bool,
    namespace: str,
    now: datetime,
    reminding: Reminding = Reminding(),
    configured: Collection[str] | None = None,
    well_at: datetime | None = None,
    reminds: bool = True,
) -> Review:
    """Compare what is with what was told.

    Args:
        standing: what was told; None: nothing, there was no such concern.
        concern: as it is now; None: it is over.
        sinks: who is to know of it at this hour, at its severity.
        is_silenced: holds back whatever is new; an end is told to whoever knows of the beginning.
        namespace: of this deployment, in the keys.
        now: aware UTC.
        reminding: when to tell again.
        well_at: of a concern that is over, when it was last looked at and away: of a gauge, when it was read. None: now.
        reminds: whether people are to be told again of what still lasts.
        configured: all sinks that there are here; None: whoever was told. Another one is not reminded. What changes and
            the end are written for whoever knows of the beginning: another process may have that sink, and one that is
            put back goes on where it was.
    """
    if concern is None:
        return _over(standing, well_at or now) if standing is not None else Review(None)
    if standing is None:
        standing = Standing(concern, _episode(concern, now), now)
    else:
        concern = replace(concern, since=min(concern.since, standing.concern.since))
    notices = (
        [] if is_silenced else [*_changes(standing, concern), *_openings(standing, concern, sinks, namespace)]
    )
    is_reminder = (
        reminds and not is_silenced and not notices and _is_reminder_due(standing, concern, now, reminding)
    )
    if is_reminder:
        # Who is to be told of it at this hour: a sink of the day is not reminded at night.
        here = sinks if configured is None else [one for one in sinks if one in configured]
        notices = _to_all([one for one in standing.told if one.sink in here], AlertTransition.REMINDER)
        # One that nobody got is still to be given: as soon as somebody is on duty again.
        is_reminder = bool(notices)
    kept = replace(
        standing,
        concern=_as_told(standing, concern, is_silenced=is_silenced),
        gone_at=None,
        incidents=tuple(dict.fromkeys((*standing.incidents, *concern.incidents))),
    )
    if notices:
        kept = replace(
            kept,
            told=_told(standing.told, notices),
            told_at=now,
            reminders=standing.reminders + 1 if is_reminder else standing.reminders,
        )
    return Review(kept, tuple(notices))


def end(standing: Standing) -> Review:
    """End a concern at once, however it wavers."""
    return Review(None, tuple(_to_all(standing.told, AlertTransition.RESOLVED)))


def _over(standing: Standing, well_at: datetime) -> Review:
    """End what is away, unless it wavers: then only what was seen away again, a while after the first time.

    That time passed is no proof: between two readings nobody knows, and a single good one is how wavering looks.
    """
    calm = CALM.get(standing.concern.kind)
    if calm is not None:
        # Not in the future: it would be one of a clock that was set back since.
        gone_at = min(standing.gone_at or well_at, well_at)
        if well_at - gone_at < calm:
            return Review(replace(standing, gone_at=gone_at))
    return end(standing)


def _changes(standing: Standing, concern: Concern) -> list[Notice]:
    before = standing.concern
    if _telling(before) == _telling(concern):
        return []
    return _to_all(standing.told, AlertTransition.CHANGED)


def _openings(standing: Standing, concern: Concern, sinks: Sequence[str], namespace: str) -> list[Notice]:
    """Whoever does not know of it yet, or knows of it as less than it is by now, hears of it anew.

    A page that grew out of a ticket has a key of its own: to a pager, more of a known key wakes nobody.
    """
    knowing = {one.sink for one in standing.told if one.severity is concern.severity}
    knowing |= {one.sink for one in standing.told if one.severity is Severity.PAGE}
    return [
        Notice(
            sink=sink,
            key=_key(namespace, standing, concern.severity),
            seq=1,
            transition=AlertTransition.OPENED,
            severity=concern.severity,
        )
        for sink in dict.fromkeys(sinks)
        if sink not in knowing
    ]


def _key(namespace: str, standing: Standing, severity: Severity) -> str:
    grown = severity is Severity.PAGE and any(one.severity is Severity.TICKET for one in standing.told)
    return f"intake/{namespace}/{standing.episode}" + ("/page" if grown else "")


def _episode(concern: Concern, now: datetime) -> str:
    """An incident's concern is called by its first incident, any other by its subject and when it began."""
    if concern.incidents:
        return concern.incidents[0]
    return f"{concern.subject}/{now:%Y%m%dT%H%M%SZ}"


def _as_told(standing: Standing, concern: Concern, *, is_silenced: bool) -> Concern:
    """What the next review compares with: a change that a silence held back is still to be told."""
    if not is_silenced or not standing.told:
        return concern
    before = standing.concern
    return replace(
        concern,
        severity=before.severity,
        stop=before.stop,
        paths=before.paths,
        only_sender=before.only_sender,
        bisected=before.bisected,
        each=before.each,
        broke_again=before.broke_again,
    )


def _telling(concern: Concern) -> tuple[object, ...]:
    """What is news when it changes."""
    return (
        concern.severity,
        concern.stop,
        concern.paths,
        concern.only_sender,
        concern.bisected,
        concern.each,
        concern.broke_again,
    )


def _to_all(told: Sequence[Told], transition: AlertTransition) -> list[Notice]:
    return [Notice(one.sink, one.key, one.seq + 1, transition, one.severity) for one in told]


def _told(before: Sequence[Told], notices: Sequence[Notice]) -> tuple[Told, ...]:
    known = {(one.sink, one.key): one for one in before}
    for one in notices:
        known[one.sink, one.key] = Told(one.sink, one.key, one.severity, one.seq)
    return tuple(known.values())


def _is_reminder_due(standing: Standing, concern: Concern, now: datetime, reminding: Reminding) -> bool:
    if not standing.told or standing.told_at is None:
        return False
    wait = reminding.first if standing.reminders == 0 else reminding.then
    if concern.severity is Severity.TICKET:
        wait = reminding.ticket
    return now - standing.told_at >= wait or is_ahead(standing.told_at, now)
