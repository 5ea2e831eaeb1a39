"""Concerns: what people should know of now, out of open incidents, gauges and what is left over.

Incidents of several paths that have one cause are one concern: a mailbox that is full breaks every path through it,
and whoever is woken should be woken once. Each path keeps its own incident.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from canary.alert import AlertKind, Concern, PathBlame, Severity, Subject
from canary.blame import Stop
from canary.flapping import flap_words
from canary.gauge import Gauge, GaugeName, GaugeState
from canary.gauge_words import called, headline, is_full
from canary.hop import Hop
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName, is_bisect
from canary.reason import Reason, Side
from canary.verdict import Verdict

BLIND_INTERVALS = 3
BLIND_LEAST = timedelta(minutes=60)
"""Blindness becomes a page after so many intervals, and no sooner than after this time."""
UNREADABLE = timedelta(minutes=30)
"""A gauge that can't be read for so long is told."""
LEFT_OVER = timedelta(hours=1)
"""What could not be removed for so long is told."""

_PLACES: Mapping[GaugeName, str] = MappingProxyType(
    {
        GaugeName.MAILBOX_CAPACITY: "mailbox",
        GaugeName.MAILBOX_BACKLOG: "mailbox",
        GaugeName.TICKET_API: "ticketing",
        GaugeName.INTAKE_TRAFFIC: "ticketing",
        GaugeName.DNS_MAIL: "dns",
    }
)
"""What the place of a gauge is, in the words of `common_cause`."""
_OF_ACCOUNTS = frozenset(
    {
        Reason.CREDENTIALS_REJECTED,
        Reason.RATE_LIMITED,
        Reason.OWN_MAILBOX_FULL,
        Reason.MAILBOX_UNREADABLE,
    }
)
"""Our own trouble with one account, which says nothing of another one."""
_AGAIN = "#"
"""In the subject of incidents that opened beside others of the same cause: their number follows."""
_MAILBOX_REASONS = frozenset({Reason.MAILBOX_FULL, Reason.BACKLOG_GROWING})


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """How much of a path waits for its removal, and since when the oldest does."""

    path: PathName
    count: int
    since: datetime


def common_cause(path: Path, stop: Stop, senders: Collection[str] = ()) -> str:
    """What incidents of several paths have in common if they have one cause: a place, by its name.

    A name server, a relay or a website is known by the path's domain; a path without one shares its cause with none.
    ``senders`` are those whose canaries failed: what their provider refuses is no other's trouble.
    """
    domain = path.domain or f"path {path.name}"
    if stop.side is Side.PROBER:
        return f"prober/{stop.reason}/{_own_place(path, stop, senders)}"
    if stop.reason in _MAILBOX_REASONS or stop.hop is Hop.MAILBOX_ARRIVAL:
        return f"mailbox/{path.mailbox or domain}"
    if stop.hop in {Hop.TICKET_CREATED, Hop.TICKET_CONTENT, Hop.REPLY_RECEIVED}:
        return f"ticketing/{path.ticketing or domain}"
    if stop.hop is Hop.DNS:
        return f"dns/{domain}"
    return f"{'mail' if stop.hop.value.startswith('smtp.') else 'web'}/{domain}"


def incident_concerns(
    incidents: Iterable[Incident],
    paths: Mapping[PathName, Path],
    *,
    now: datetime,
    known: Mapping[IncidentId, Subject] = MappingProxyType({}),
) -> list[Concern]:
    """One concern for all open incidents of one cause, by subject.

    Args:
        incidents: any; those that are over are left out, and those of paths that are not configured here, unless
            somebody was told of them: another replica may well know the path.
        paths: as configured.
        now: decides whether blindness has lasted long enough to page.
        known: the subjects under which incidents were told of: a configuration that calls a place by another name
            makes no other concern of one that lasts.
    """
    groups: dict[Subject, list[Incident]] = {}
    lasting = [one for one in incidents if one.is_open]
    # Those that were told of come first: what is new joins them, or stands beside them.
    for one in sorted(lasting, key=lambda one: (one.id not in known, one.opened_at, one.id)):
        subject = known.get(one.id) or _subject_of(one, paths)
        if subject is not None and one.id not in known:
            subject = _beside(subject, one, groups)
        if subject is not None:
            groups.setdefault(subject, []).append(one)
    for some in groups.values():
        some.sort(key=lambda one: (one.opened_at, one.id))
    return [_of_incidents(subject, groups[subject], paths, now) for subject in sorted(groups)]


def _beside(subject: Subject, one: Incident, groups: Mapping[Subject, Sequence[Incident]]) -> Subject:
    """Where an incident belongs that nobody was told of: beside those that only prove themselves it is news, and pages.

    One that joined them would wake nobody, though the last outage is over for all that customers feel.
    """
    numbers = range(1, len(groups) + 2)
    named = [subject if number == 1 else Subject(f"{subject}{_AGAIN}{number}") for number in numbers]
    failing = [name for name in named if any(other.works_from is None for other in groups.get(name, ()))]
    if failing or one.works_from is not None:
        return (failing or named)[0]
    return next(name for name in named if name not in groups)


def _subject_of(incident: Incident, paths: Mapping[PathName, Path]) -> Subject | None:
    path = paths.get(incident.path)
    if path is None:
        return None
    kind = AlertKind.INCIDENT if incident.kind is IncidentKind.TARGET else AlertKind.BLINDNESS
    return Subject(f"{kind}/{common_cause(path, incident.stop, incident.failed_senders)}")


def may_break_alike(broken: Path, stop: Stop | None, other: Path) -> bool:
    """Whether what broke one path there may break the other: it goes through the place that is blamed.

    A full mailbox is no trouble of a contact form, though their tickets end in one system. A ticket that is missing may
    be stuck on its way from the mailbox, too. Without a blame that is sure, any place that both share is suspect.
    """
    return bool(_suspects(broken, stop) & {other.mailbox, other.ticketing, other.domain})


def _suspects(broken: Path, stop: Stop | None) -> set[str]:
    if stop is None or stop.side is Side.PROBER:
        places = {broken.mailbox, broken.ticketing, broken.domain}
    elif stop.reason in _MAILBOX_REASONS or stop.hop is Hop.MAILBOX_ARRIVAL:
        places = {broken.mailbox}
    elif stop.hop in {Hop.TICKET_CREATED, Hop.TICKET_CONTENT, Hop.REPLY_RECEIVED}:
        places = {broken.mailbox, broken.ticketing}
    else:
        places = {broken.domain}
    return {one for one in places if one}


def gauge_concerns(gauges: Iterable[Gauge], paths: Mapping[PathName, Path]) -> list[Concern]:
    """A concern for each gauge at warn or page.

    One that can't be read is none, and ends none either: leave its subject alone as long as `GaugeState.UNKNOWN` lasts.

    Args:
        gauges: the newest reading of each.
        paths: as configured: those through the place are named.
    """
    found = []
    for one in gauges:
        if one.state in {GaugeState.OK, GaugeState.UNKNOWN}:
            continue
        found.append(
            Concern(
                subject=gauge_subject(one),
                kind=AlertKind.GAUGE,
                severity=Severity.PAGE if one.state is GaugeState.PAGE else Severity.TICKET,
                since=one.read_at,
                paths=paths_through(one.place, paths),
                place=one.place,
                detail=one.detail,
                headline=headline(one),
                read_at=one.read_at,
                is_full=is_full(one),
            )
        )
    return sorted(found, key=lambda one: one.subject)


def gauge_name(concern: Concern) -> GaugeName | None:
    """Which gauge a concern of kind ``gauge`` is about, by its subject; None where it is none that we know."""
    if concern.place is None:
        return None
    name = concern.subject.removeprefix(f"gauge/{concern.place}/").partition("/")[0]
    return GaugeName(name) if name in set(GaugeName) else None


def cause_of(concern: Concern) -> str | None:
    """What a concern has in common with others of the same cause: ``mailbox/support``; None: it stands alone.

    A full mailbox pages by itself, and so does the path that it breaks: whoever hears of both is to know them for one.
    """
    match concern.kind:
        case AlertKind.INCIDENT:
            return concern.subject.removeprefix(f"{AlertKind.INCIDENT}/").partition(_AGAIN)[0]
        case AlertKind.GAUGE:
            name = gauge_name(concern)
            kind = _PLACES.get(name) if name is not None else None
            return f"{kind}/{concern.place}" if kind is not None else None
        case _:
            return None


def gauge_subject(gauge: Gauge) -> Subject:
    """What a gauge's concern is called."""
    return Subject(
        "/".join(("gauge", gauge.place, gauge.name, *([gauge.resource] if gauge.resource else [])))
    )


def unreadable_concerns(
    gauges: Iterable[Gauge],
    unread_since: Mapping[Subject, datetime],
    paths: Mapping[PathName, Path],
    *,
    now: datetime,
) -> list[Concern]:
    """A concern for each gauge that could not be read for `UNREADABLE`.

    Args:
        gauges: the newest reading of each.
        unread_since: since when each gauge's readings are unknown, by `gauge_subject`.
        paths: as configured.
        now: aware UTC.
    """
    found = []
    for one in gauges:
        if one.name is GaugeName.INTAKE_TRAFFIC:
            continue  # what is usual is learnt in weeks, and nobody looks where nothing is launched
        since = unread_since.get(gauge_subject(one))
        if one.state is GaugeState.UNKNOWN and since is not None and now - since >= UNREADABLE:
            found.append(
                Concern(
                    subject=Subject(f"unreadable/{gauge_subject(one)}"),
                    kind=AlertKind.UNREADABLE,
                    severity=Severity.TICKET,
                    since=since,
                    paths=paths_through(one.place, paths),
                    place=one.place,
                    detail=f"{called(one)} of {one.place} can't be read"
                    + (f": {one.detail}" if one.detail else ""),
                )
            )
    return sorted(found, key=lambda one: one.subject)


def leftover_concerns(left: Iterable[LeftBehind], *, now: datetime) -> list[Concern]:
    """A concern for each path whose tickets or mails wait for their removal too long."""
    return [
        Concern(
            subject=Subject(f"{AlertKind.LEFTOVERS}/{one.path}"),
            kind=AlertKind.LEFTOVERS,
            severity=Severity.TICKET,
            since=one.since,
            paths=(one.path,),
            detail=f"{one.count} tickets and mails of canaries could not be removed",
        )
        for one in sorted(left, key=lambda one: one.path)
        if now - one.since >= LEFT_OVER
    ]


def paths_through(place: str, paths: Mapping[PathName, Path]) -> tuple[PathName, ...]:
    """The enabled paths that go through a mailbox, domain or ticketing system."""
    return tuple(
        sorted(
            name
            for name, one in paths.items()
            if one.is_enabled and not is_bisect(name) and place in {one.mailbox, one.ticketing, one.domain}
        )
    )


def _of_incidents(
    subject: Subject, incidents: Sequence[Incident], paths: Mapping[PathName, Path], now: datetime
) -> Concern:
    first = incidents[0]
    named = tuple(sorted({one.path for one in incidents}))
    onset_at = min(one.onset_at for one in incidents)
    known = [one.impact_from for one in incidents if one.impact_from is not None]
    senders = {one.only_sender for one in incidents}
    works = [one.works_from for one in incidents if one.works_from is not None]
    is_target = first.kind is IncidentKind.TARGET
    each = _each(incidents)
    return Concern(
        subject=subject,
        kind=AlertKind.INCIDENT if is_target else AlertKind.BLINDNESS,
        severity=Severity.PAGE if is_target or _is_blind_too_long(incidents, paths, now) else Severity.TICKET,
        since=onset_at,
        paths=named,
        place=None,
        stop=first.sharper or first.stop,
        detail="; ".join(f"{one.path}: {_flaps(one)}" for one in incidents if one.relapses),
        incidents=tuple(one.id for one in incidents),
        canary=first.opened_by or first.first_canary,
        impact_from=min(known) if len(known) == len(incidents) else None,
        failures=sum(one.failures for one in incidents),
        only_sender=next(iter(senders)) if len(senders) == 1 else None,
        bisected=_bisected(first) if not each else None,
        each=each,
        works_from=max(works) if len(works) == len(incidents) else None,
        broke_again=sum(one.broke_again for one in incidents),
    )


def _flaps(one: Incident) -> str:
    return flap_words(one.relapses, works_from=one.works_from, broke_again=one.broke_again)


def _each(incidents: Sequence[Incident]) -> tuple[PathBlame, ...]:
    """What each path bears, where they differ: what is known of one must not be said of another."""
    found: dict[PathName, PathBlame] = {}
    for one in incidents:
        found.setdefault(
            one.path,
            PathBlame(one.path, one.sharper or one.stop, _bisected(one), one.opened_by or one.first_canary),
        )
    if len({(one.stop, one.bisected) for one in found.values()}) == 1:
        return ()
    return tuple(found[name] for name in sorted(found))


def _bisected(incident: Incident) -> Verdict | None:
    return incident.bisected.verdict if incident.bisected is not None else None


def _is_blind_too_long(incidents: Iterable[Incident], paths: Mapping[PathName, Path], now: datetime) -> bool:
    return any(
        now - one.onset_at
        >= max(BLIND_LEAST, timedelta(seconds=BLIND_INTERVALS * _usual_seconds(one.path, paths)))
        for one in incidents
    )


def _usual_seconds(name: PathName, paths: Mapping[PathName, Path]) -> float:
    path = paths.get(name)
    return (path.usual_seconds or 0.0) if path is not None else 0.0


def _own_place(path: Path, stop: Stop, senders: Collection[str]) -> str:
    """Where we can't see: what is refused at one place is no other's trouble."""
    if stop.reason is Reason.TICKET_API_UNREADABLE or stop.hop in {Hop.TICKET_CREATED, Hop.TICKET_CONTENT}:
        return path.ticketing or path.name
    if stop.hop is Hop.MAILBOX_ARRIVAL:
        return path.mailbox or path.name
    if stop.reason not in _OF_ACCOUNTS:
        return ""
    if stop.hop is Hop.REPLY_RECEIVED or stop.hop.value.startswith("smtp."):
        return ", ".join(sorted(one for one in senders if one))
    return path.domain or path.name
