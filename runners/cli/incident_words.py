"""One incident whole, for people; and a backlog in words."""

from collections.abc import Iterator
from datetime import datetime

from canary.backlog import Backlog, BacklogState
from canary.incident import Incident, Transition
from canary.quantity import duration
from canary.reason import CAUSES
from runners.cli.output import Output, Style
from runners.cli.words import clock
from runners.dossier import Dossier
from runners.escalation import bisect_words
from runners.runbook import runbook_place

_HAPPENED = {
    Transition.OPENED: "known: the incident opened",
    Transition.CHANGED: "its blame is known better",
    Transition.RESOLVED: "over: it works again",
    Transition.RETIRED: "retired: the path is disabled or gone",
}


def backlog_words(found: Backlog, now: datetime) -> str:
    """How a backlog stands, in one line; empty where there is none."""
    counts = f"{found.missing} missing, {found.late} came late"
    match found.state:
        case BacklogState.NONE:
            return ""
        case BacklogState.WAITING:
            return f"backlog: {counts}; nothing arrives"
        case BacklogState.DRAINED:
            return f"backlog: drained, {found.late} came late"
        case BacklogState.DRAINING:
            pace = f", {found.rate_per_minute:.2g} a minute" if found.rate_per_minute is not None else ""
            end = "its end can't be told yet"
            if found.ends_at is not None:
                left = duration((found.ends_at - now).total_seconds())
                end = f"drained by about {clock(found.ends_at)}, in {left}"
            return f"backlog: {counts}, draining{pace}; {end}"


def timeline(
    incident: Incident, happened: tuple[tuple[datetime, Transition], ...]
) -> list[tuple[datetime, str]]:
    """What happened around an incident, oldest first."""
    lines = [(incident.onset_at, "onset: launch of the first failed canary")]
    if incident.impact_from is not None:
        lines.append((incident.impact_from, "launch of the last confirmed canary before it"))
    if incident.impact_until is not None:
        lines.append((incident.impact_until, "launch of the first confirmed canary after it"))
    lines += [(at, _HAPPENED[transition]) for at, transition in happened]
    return sorted(lines, key=lambda one: one[0])


def whole_incident(found: Dossier, output: Output, *, runbook: str | None) -> Iterator[str]:
    """The lines below an incident's own: whose, since when what, which canaries, what to do."""
    incident, stop = found.incident, found.stop
    if found.whose is not None:
        yield f"  it lies with {found.whose}"
    if incident.sharper is not None:
        yield f"  at first it was taken for {incident.stop.hop}, {incident.stop.reason}"
    if incident.only_sender is not None:
        yield output.paint(
            f"  only canaries from {incident.only_sender} fail; others come through", Style.WARN
        )
    if incident.bisected is None and found.bisect_verdict is not None:
        yield f"  {bisect_words(found.bisect_verdict, found.stop)}"
    if others := [one for one in found.paths if one != incident.path]:
        yield f"  one cause with {', '.join(others)}"
    yield ""
    yield output.paint("Timeline", Style.STRONG)
    for at, what in timeline(incident, found.timeline):
        yield f"  {clock(at)}  {what}"
    yield ""
    yield output.paint(
        f"Canaries: {found.failed} of {found.judged} failed"
        + (f", {found.pending} pending" if found.pending else ""),
        Style.STRONG,
    )
    if len(found.canaries) < found.failed:
        yield f"  the first and the last {len(found.canaries) // 2}:"
    for record in found.canaries:
        judgement = record.judgement
        where = judgement.stop if judgement is not None else None
        blame = f"{where.hop}: {where.reason}" if where is not None else ""
        came = (
            f"  ticket after {duration(judgement.seconds)}"
            if judgement is not None and judgement.seconds is not None
            else ""
        )
        yield f"  {clock(record.canary.launched_at)}  {record.canary.id}  {record.verdict:<12}  {blame}{came}".rstrip()
    yield ""
    yield CAUSES[stop.reason].remedy
    yield f"See {runbook_place(stop.reason)}" + (f" and {runbook}" if runbook is not None else "")
    yield f"For whoever runs it: intake-prober incidents {incident.id} --escalation"
