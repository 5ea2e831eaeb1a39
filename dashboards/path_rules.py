"""Alerts about paths: broken, refused for good, unseen, not probed, what canaries left behind."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from canary.instruments import Instrument, metrics
from canary.path import PathName
from canary.reason import CAUSES, Reason, Side
from dashboards.estate import Estate
from dashboards.promql import (
    Matcher,
    Query,
    any_of,
    current,
    duration,
    either,
    increase,
    last,
    max_by,
    none_of,
    renamed,
    sum_by,
)
from dashboards.recording import ELIGIBLE, INCONCLUSIVE, MISSED, of_path, unless_silenced
from dashboards.rule import About, AlertRule, Category, Severity
from dashboards.timing import INTERVALS, Timing, rounded

FINAL_REASONS: Final = tuple(
    sorted(one for one in Reason if CAUSES[one].is_final and CAUSES[one].side is Side.TARGET)
)
"""The target's own word that a request will not become a ticket: nobody need wait for a second one."""
_UNKNOWN_LIMIT_SECONDS: Final = 14400.0
"""No path has a schedule, where rules are rendered: one that is shown all the same is known for this long first."""
_LEAST_ANSWERED: Final = 3600.0
"""A final answer is looked for at least this long, in seconds."""
_REMEMBERED_SECONDS: Final = 14 * 86400.0
"""Prometheus keeps 15 days by default."""
_LABELS: Final = ("path", "blame", "reason")


def path_rules(estate: Estate, timing: Timing) -> Iterator[AlertRule]:
    """The pages about a target."""
    is_open = current(_LABELS, metrics.INCIDENT_OPEN, timing.remembered)
    yield AlertRule(
        name="IntakePathBroken",
        query=unless_silenced(of_path(Query(f"{is_open} == 1", is_open.labels)), timing),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PATH,
        keep_seconds=timing.keep,
        summary="Support intake {{ $labels.path }} is broken at {{ $labels.blame }} ({{ $labels.reason }})",
        description=(
            f"Canaries fail since {_at(metrics.INCIDENT_START, timing)}; the last one that came through: "
            f"{_at(metrics.PATH_LAST_SUCCESS, timing)}. Whoever wrote since then may be affected. "
            "First: intake-prober incidents --path {{ $labels.path }} --limit 1, "
            f"then intake-prober trace with the canary that it names.{_own_runbooks(estate)}"
        ),
    )
    yield AlertRule(
        name="IntakeFinalAnswer",
        query=unless_silenced(of_path(_final_answers(estate, timing)), timing),
        severity=Severity.PAGE,
        category=Category.TARGET,
        about=About.PATH,
        summary="{{ $labels.path }} refused a request for good at {{ $labels.blame }} ({{ $labels.reason }})",
        description=(
            "One canary was refused by the target's own final word, and none has come through since; the last one that "
            f"did: {_at(metrics.PATH_LAST_SUCCESS, timing)}. First: intake-prober canaries --path {{{{ $labels.path }}}} --limit 3, "
            f"then intake-prober trace with the newest.{_own_runbooks(estate)}"
        ),
    )


def seen_rules(estate: Estate, timing: Timing) -> Iterator[AlertRule]:
    """Paths of which nothing is known, and slots that nobody launched: a rule for each usual interval."""
    yield AlertRule(
        name="IntakePathNotProbed",
        query=of_path(_silences(estate, timing)),
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PATH,
        for_seconds=300,
        summary="No verdict for {{ $labels.path }} for {{ $value | humanizeDuration }}",
        description=(
            "Whether customers reach support by it is not known. First: intake-prober status; is the prober running, and "
            "may it launch (leftovers, the sender's cap)?"
        ),
    )
    for window, paths in _by_window(estate, INTERVALS, least=0.0):
        yield from _unseen(window, _only(estate, paths))
    for window, paths in _by_window(estate, INTERVALS + 1, least=3600.0):
        yield _slots_missed(window, _only(estate, paths))


def _silences(estate: Estate, timing: Timing) -> Query:
    """Paths whose last verdict is too old, and those that never had any; of those that were known that long ago.

    A schedule that rests over a weekend is given that weekend once, and not as often as launches may be missed. A path
    that was switched on again of late has an old verdict, and is given as long as a new one.
    """
    back = timing.lookback(600)
    resting: dict[float, list[PathName]] = {}
    limits: dict[float, list[PathName]] = {}
    for path, usual in estate.scheduled:
        longest = path.interval_seconds or usual
        if usual < longest:
            resting.setdefault(usual, []).append(path.name)
        limit = longest + (INTERVALS - 1) * usual + path.slo.deadline_seconds
        limits.setdefault(rounded(limit), []).append(path.name)
    silent = [_silence(_but(resting.values()), None, back)]
    silent += [_silence((any_of("path", resting[usual]),), usual, back) for usual in sorted(resting)]
    # Whoever is not known here has the longest patience of all.
    most = max(limits, default=_UNKNOWN_LIMIT_SECONDS)
    patient = {
        most: _but(names for limit, names in limits.items() if limit != most),
        **{limit: (any_of("path", limits[limit]),) for limit in sorted(limits.keys() - {most})},
    }
    silent += [_never(these, limit, back) for limit, these in patient.items()]
    known = either([_known(these, limit, back) for limit, these in patient.items()])
    return Query(f"({either(silent)})\n  and on (path) ({known})", frozenset({"path"}))


def _but(named: Iterable[Sequence[PathName]]) -> tuple[Matcher, ...]:
    names = sorted(name for some in named for name in some)
    return (none_of("path", names),) if names else ()


def _silence(these: tuple[Matcher, ...], usual: float | None, back: float) -> Query:
    """The last verdict of these is too old; ``usual``: seconds between launches where the longest are others."""
    verdict_at = max_by(("path",), last(metrics.PATH_LAST_VERDICT, back, *these))
    interval = max_by(("path",), last(metrics.PATH_INTERVAL, back, *these))
    deadline = max_by(("path",), last(metrics.PATH_DEADLINE, back))
    patience = f"{INTERVALS} * {interval}" if usual is None else f"{interval} + {(INTERVALS - 1) * usual:.0f}"
    return Query(f"time() - {verdict_at}\n  > {patience} + {deadline}", verdict_at.labels)


def _never(these: tuple[Matcher, ...], limit: float, back: float) -> Query:
    interval = max_by(("path",), last(metrics.PATH_INTERVAL, back, *these))
    verdict = max_by(("path",), last(metrics.PATH_LAST_VERDICT, back))
    return Query(f"{limit:.0f} + 0 * {interval}\n  unless on (path) {verdict}", interval.labels)


def _known(these: tuple[Matcher, ...], limit: float, back: float) -> Query:
    """Paths that had a schedule this long ago, or as long ago as Prometheus can be trusted to remember."""
    then = max(back, rounded(limit / 8))
    before = min(limit, _REMEMBERED_SECONDS)
    return max_by(("path",), last(metrics.PATH_INTERVAL, then, *these, before=before))


def leftover_rule(timing: Timing) -> AlertRule:
    """What is left of a path that is configured no more has no team, and is told all the same."""
    left = current(("path", "kind"), metrics.CLEANUP_LEFTOVERS, timing.lookback(1800))
    some = Query(f"{left} > 0", left.labels)
    joined = of_path(some)
    return AlertRule(
        name="IntakeLeftovers",
        query=Query(f"{joined}\nor on (path, kind) ({some})", joined.labels),
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PATH,
        for_seconds=3600,
        summary="{{ $value }} synthetic {{ $labels.kind }}s of {{ $labels.path }} are left behind",
        description=(
            "Agents may see them, and a path with too many of them launches nothing. First: intake-prober audit; then "
            "intake-prober sweep"
        ),
    )


def _final_answers(estate: Estate, timing: Timing) -> Query:
    """Answers of some time, while no canary has come through since.

    The series begins with its first failure, which increase() doesn't see, so it is compared with what it was before;
    where nobody knew the path then, nothing is said. Of all failures of that time, those in a row came after the last
    success: more answers than the rest has room for, and one of them is since then. A quarter of that time is asked by
    itself, since an earlier failure hides an answer from the proof.

    That time is each path's own: by that of a path that is launched daily, no other would be known for hours, and any
    failure of the days before would hide an answer.
    """
    final = any_of("reason", FINAL_REASONS)
    back = timing.lookback(900)
    failing = current(("path",), metrics.PATH_CONSECUTIVE_FAILURES, back)
    *shorter, (longest, _) = _by_window(estate, INTERVALS, least=_LEAST_ANSWERED) or [(_LEAST_ANSWERED, ())]
    # Whoever is not known here, or is launched by hand, has the longest.
    windows: list[tuple[float, tuple[Matcher, ...]]] = [
        *((window, (any_of("path", names),)) for window, names in shorter),
        (longest, _but(names for _, names in shorter)),
    ]
    return either(
        [
            _proved(seconds, back, failing, final, these)
            for window, these in windows
            for seconds in (rounded(window / 4), window)
        ]
    )


def _proved(window: float, back: float, failing: Query, final: Matcher, these: tuple[Matcher, ...]) -> Query:
    answers = max_by(_LABELS, renamed(_grown(window, back, final, *these), "hop", "blame"))
    failures = sum_by(("path",), _grown(window, back, *these))
    text = f"{answers}\n  > on (path) group_left () clamp_min({failures} - {failing}, 0)"
    return Query(text, answers.labels)


def _grown(window: float, back: float, *these: Matcher) -> Query:
    labels = ("path", "hop", "reason")
    now = max_by(labels, last(metrics.CANARY_FAILURES, back, *these))
    before = max_by(labels, last(metrics.CANARY_FAILURES, back, *these, before=window))
    known = max_by(("path",), last(metrics.PATH_CONSECUTIVE_FAILURES, back, before=window))
    return Query(f"({now} - ({before} or ({now} * 0 and on (path) {known})))", now.labels)


def _unseen(window: float, of_these: tuple[Matcher, ...]) -> Iterator[AlertRule]:
    """All canaries of some time were inconclusive: the prober is blind there, whatever the cause."""
    for severity, seconds, lasting in (
        (Severity.TICKET, 0.0, ""),
        (Severity.PAGE, max(3600.0, window), f" for {duration(max(3600.0, window))}"),
    ):
        blind = max_by(("path",), increase(INCONCLUSIVE, window, *of_these))
        seen = increase(ELIGIBLE, window)
        yield AlertRule(
            name="IntakePathUnseen",
            query=of_path(Query(f"{blind} > 1.5\n  unless on (path) {seen} > 0", blind.labels)),
            severity=severity,
            category=Category.PROBER,
            about=About.PATH,
            for_seconds=seconds,
            labels={"blame": "prober", "window": duration(window)},
            summary=f"The prober can't see{lasting} whether {{{{ $labels.path }}}} works",
            description=(
                "All its canaries are inconclusive: the fault is ours, and meanwhile nobody watches this path. "
                "First: intake-prober status, then intake-prober check"
            ),
        )


def _slots_missed(window: float, of_these: tuple[Matcher, ...]) -> AlertRule:
    by_path = sum_by(("path",), increase(MISSED, window, *of_these))
    return AlertRule(
        name="IntakeSlotsMissed",
        query=Query(f"{by_path} > 2.5", by_path.labels),
        severity=Severity.TICKET,
        category=Category.PROBER,
        about=About.PATH,
        labels={"window": duration(window)},
        summary="{{ $labels.path }}: scheduled canaries were not launched",
        description=(
            f"Three or more in {duration(window)}: unprobed is not good. First: intake-prober status; it says "
            "why: not running, the sender's cap, leftovers, too many without a verdict"
        ),
    )


def _by_window(estate: Estate, intervals: int, *, least: float) -> list[tuple[float, tuple[PathName, ...]]]:
    """The windows that hold so many launches, each with the paths of which that is true."""
    found: dict[float, list[PathName]] = {}
    for path, usual in estate.scheduled:
        found.setdefault(max(least, rounded(intervals * usual)), []).append(path.name)
    return [(window, tuple(found[window])) for window in sorted(found)]


def _only(estate: Estate, paths: tuple[PathName, ...]) -> tuple[Matcher, ...]:
    return () if paths == estate.names else (any_of("path", paths),)


def _at(instrument: Instrument, timing: Timing) -> str:
    """A template that says a path's time."""
    asked = f"max({last(instrument, timing.remembered, Matcher('path', '=', '%q'))})".replace('"%q"', "%q")
    return (
        f"{{{{ with printf {json.dumps(asked)} $labels.path | query }}}}"
        "{{ . | first | value | humanizeTimestamp }}{{ else }}not known{{ end }}"
    )


def _own_runbooks(estate: Estate) -> str:
    """What the configuration names as a path's own page, said in its alerts."""
    return "".join(
        f"{{{{ if eq $labels.path {json.dumps(str(one.path.name))} }}}}"
        f" Your runbook: {{{{ {json.dumps(one.path.runbook, ensure_ascii=False)} }}}}{{{{ end }}}}"
        for one in estate.paths
        if one.path.runbook is not None
    )
