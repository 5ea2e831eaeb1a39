"""The state of a path, of what the store knows: the first that holds of unknown, broken, stale, blind, degraded, ok."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from canary.ahead import is_ahead
from canary.gauge import Gauge, GaugeState
from canary.incident import BLIND_RUN, Incident, IncidentKind
from canary.path import Path
from canary.quarantine import Quarantine, quarantine_words
from canary.slot import slots_took
from canary.verdict import Verdict
from runners.contracts import PathFacts
from runners.history import Gist

_STALE_SLOTS = 3


class PathState(StrEnum):
    """How a path is, the worst first."""

    UNKNOWN = "unknown"
    BROKEN = "broken"
    STALE = "stale"
    BLIND = "blind"
    DEGRADED = "degraded"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class PathView:
    """A path's state, and why it is so.

    Attributes:
        why: one sentence without a full stop; empty where all is well.
        incident: the open one that makes it broken (or blind), else None.
        is_unproved: its canaries were judged, and none was ever confirmed: it is not known to be well.
        quarantine: that its tickets were first seen without the mark of the quarantine rule; empty where they bear it.
    """

    path: Path
    state: PathState
    why: str
    incident: Incident | None = None
    is_silenced: bool = False
    quarantine: str = ""
    is_unproved: bool = False


def view_path(
    path: Path,
    facts: PathFacts,
    *,
    incidents: Sequence[Incident],
    recent: Sequence[Gist],
    gauges: Sequence[Gauge],
    now: datetime,
    quarantine: Quarantine = Quarantine(),  # noqa: B008 -- frozen
    first_slot_at: datetime | None = None,
) -> PathView:
    """Judge a path by what the store knows.

    Args:
        path: as configured.
        facts: when it was last heard of.
        incidents: those of this path; closed ones don't matter.
        recent: what was judged of its last canaries, newest launch first.
        gauges: the newest readings of all places.
        now: aware UTC.
        quarantine: how well the rule works that keeps its tickets from agents.
        first_slot_at: of a path without a verdict, the first slot that came of its schedule.
    """
    if not facts.verdicts:
        view = _never_judged(path, facts, first_slot_at, now)
        return replace(view, quarantine=quarantine_words(quarantine, path.quarantine_misses))
    is_held = path.is_enabled and quarantine.stops(path.quarantine_misses)
    told = quarantine_words(quarantine, path.quarantine_misses)
    view = _judged(path, facts, incidents=incidents, recent=recent, gauges=gauges, now=now, is_held=is_held)
    return replace(view, quarantine=told)


def _judged(
    path: Path,
    facts: PathFacts,
    *,
    incidents: Sequence[Incident],
    recent: Sequence[Gist],
    gauges: Sequence[Gauge],
    now: datetime,
    is_held: bool,
) -> PathView:
    opened = {one.kind: one for one in incidents if one.is_open and one.path == path.name}
    broken = opened.get(IncidentKind.TARGET)
    if broken is not None:
        stop = broken.sharper or broken.stop
        why = f"{stop.hop} is broken: {stop.reason}"
        if broken.works_from is not None:
            why = f"{stop.hop} was broken: {stop.reason}; it flaps, and has come through since {broken.works_from:%Y-%m-%d %H:%M} UTC"
        return PathView(path, PathState.BROKEN, why, broken)
    verdicts = [(at, verdict) for at, verdict in facts.verdicts if not is_ahead(at, now)]
    if why := _why_stale(path, facts, [at for at, _ in verdicts], now, is_held=is_held):
        return PathView(path, PathState.STALE, why)
    newest = [verdict for _, verdict in verdicts[:BLIND_RUN]]
    if len(newest) == BLIND_RUN and all(one is Verdict.INCONCLUSIVE for one in newest):
        blindness = opened.get(IncidentKind.BLIND)
        why = f": {blindness.stop.hop}, {blindness.stop.reason}" if blindness is not None else ""
        return PathView(path, PathState.BLIND, f"the prober can't see{why}", blindness)
    was_proved = facts.last_success_at is not None or Verdict.CONFIRMED in {one for _, one in facts.verdicts}
    if not was_proved:
        # What was seen to fail was seen; whether the path ever worked, nobody knows.
        was_seen = any(one.is_breach for _, one in facts.verdicts)
        state = PathState.UNKNOWN if was_seen else PathState.BLIND
        return PathView(path, state, f"no canary was confirmed yet{_first_reason(recent)}", is_unproved=True)
    why = _degraded(path, recent, gauges)
    return PathView(path, PathState.DEGRADED if why else PathState.OK, why)


def _never_judged(path: Path, facts: PathFacts, first_slot_at: datetime | None, now: datetime) -> PathView:
    """A path of which nothing was ever known: new for a while, and then nobody probes it."""
    launch = facts.last_launch_at
    why = "no canary was launched yet" if launch is None else "no canary has a verdict yet"
    begun_at = min((one for one in (first_slot_at, launch) if one is not None), default=None)
    if begun_at is not None and stale_since(path, begun_at, now) is not None:
        since = f"{begun_at:%Y-%m-%d %H:%M} UTC"
        return PathView(path, PathState.STALE, f"{why}, and it was due since {since}")
    return PathView(path, PathState.UNKNOWN, why)


def _why_stale(
    path: Path, facts: PathFacts, known: Sequence[datetime], now: datetime, *, is_held: bool
) -> str:
    """Why nothing is known of now, empty if something is; ``known``: when its verdicts came, none of the future."""
    is_scheduled = path.interval_seconds is not None and path.is_enabled
    if not known and is_scheduled:
        ahead = _words(facts.verdicts[-1][0] - now)
        return f"its verdicts are dated {ahead} in the future: the clock was set back, or is wrong"
    last_at = known[0] if 0 < len(known) < len(facts.verdicts) else facts.last_verdict_at
    age = stale_since(path, last_at, now)
    if age is None:
        return ""
    cause = "its tickets are not kept in quarantine" if is_held else "the prober does not run"
    return f"no verdict for {_words(age)}: {cause}"


def _first_reason(recent: Sequence[Gist]) -> str:
    stops = [one.stop for one in recent if one.stop is not None]
    return f": {stops[0].hop}, {stops[0].reason}" if stops else ""


def stale_since(path: Path, last_verdict_at: datetime | None, now: datetime) -> timedelta | None:
    """How long a scheduled path has had no verdict, if that is too long: three slots, and the deadline of the last.

    Of one that is dated in the future nobody knows how long: no time at all, and too long.
    """
    if not path.is_enabled or path.interval_seconds is None or last_verdict_at is None:
        return None
    if is_ahead(last_verdict_at, now):
        return timedelta(0)
    due_by = now - timedelta(seconds=path.slo.deadline_seconds)
    took = slots_took(path, _STALE_SLOTS, due_by)
    return now - last_verdict_at if took is not None and due_by - last_verdict_at > took else None


def _degraded(path: Path, recent: Sequence[Gist], gauges: Sequence[Gauge]) -> str:
    """Why a path is worse than it should be although it works; empty if it is not."""
    places = {path.mailbox, path.ticketing, path.domain} - {None, ""}
    for gauge in gauges:
        if gauge.place in places and gauge.state in {GaugeState.WARN, GaugeState.PAGE}:
            return f"{gauge.name} of {gauge.place} is at {gauge.state}" + (
                f": {gauge.detail}" if gauge.detail else ""
            )
    counting = [one for one in recent if one.verdict is Verdict.CONFIRMED or one.verdict.is_breach]
    for rule in path.incidents.open:
        worse = [one for one in counting[: rule.of] if one.slow or one.flaws]
        if len(worse) >= rule.failed:
            words = [f"{hop} slow" for hop in worse[0].slow] + [
                f"{one.hop} {one.reason}" for one in worse[0].flaws
            ]
            return f"{len(worse)} of the last {rule.of} canaries were slow or flawed: {', '.join(words)}"
    return ""


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts[:2]) or "a moment"
