"""The recorded series that alerts are made of, and the joins with what a path or a place is."""

from collections.abc import Iterable
from typing import Final

from canary.instruments import Instrument, metrics
from canary.verdict import Verdict
from dashboards.promql import (
    Matcher,
    Query,
    Recorded,
    current,
    duration,
    increase,
    last,
    max_by,
    pushed,
    series,
)
from dashboards.rule import RecordingRule
from dashboards.timing import Timing

PATH_INFO: Final = Recorded("path:intake_info", ("path", "channel", "team", "domain"))
PLACE_INFO: Final = Recorded("place:intake_info", ("place", "kind", "team", "domain"))
BUDGET: Final = Recorded("path:intake_slo_budget:ratio", ("path",))
ELIGIBLE: Final = Recorded("path:intake_slo_eligible:max", ("path",))
GOOD: Final = Recorded("path:intake_slo_good:max", ("path",))
INCONCLUSIVE: Final = Recorded("path_channel:intake_canary_inconclusive:max", ("path", "channel"))
MISSED: Final = Recorded("path_prober:intake_prober_misfires:max", ("path", "prober"))
"""Counters that the store keeps, whoever shows them: the increase of one pod's copy ends with the pod."""


def bad(seconds: float) -> Recorded:
    """How many eligible canaries of a path failed in some time."""
    return Recorded(f"path:intake_slo_bad:increase{duration(seconds)}", ("path",))


def errors(seconds: float) -> Recorded:
    """The share of a path's eligible canaries that failed in some time; absent where none was eligible."""
    return Recorded(f"path:intake_slo_errors:ratio{duration(seconds)}", ("path",))


def recording_rules(timing: Timing, windows: Iterable[float]) -> list[RecordingRule]:
    """What a path and a place is, the budget, and failures in each window, shortest first."""
    objective = current(("path",), metrics.SLO_OBJECTIVE, timing.lookback(1800))
    rules = [
        RecordingRule(BUDGET, Query(f"1 - {objective}", objective.labels)),
        RecordingRule(PATH_INFO, _info(metrics.PATH_INFO, PATH_INFO, timing)),
        RecordingRule(PLACE_INFO, _info(metrics.PLACE_INFO, PLACE_INFO, timing)),
        *_kept(timing),
    ]
    for seconds in sorted(windows):
        eligible, good = increase(ELIGIBLE, seconds), increase(GOOD, seconds)
        rules += [
            RecordingRule(bad(seconds), Query(f"clamp_min({eligible} - {good}, 0)", eligible.labels)),
            RecordingRule(
                errors(seconds), Query(f"{series(bad(seconds))} / ({eligible} > 0)", eligible.labels)
            ),
        ]
    return rules


def _kept(timing: Timing) -> list[RecordingRule]:
    """What the store counted, by the replica that knows most.

    Each is remembered for a while: when that one dies before another has seen its last count, the maximum would go back,
    and an increase takes that for a counter that began anew.
    """
    back = timing.lookback(900)
    inconclusive = Matcher("verdict", "=", Verdict.INCONCLUSIVE)
    return [
        RecordingRule(kept, max_by(kept.labels, pushed(last(one, back, *matchers), back)))
        for kept, one, matchers in (
            (ELIGIBLE, metrics.SLO_ELIGIBLE, ()),
            (GOOD, metrics.SLO_GOOD, ()),
            (INCONCLUSIVE, metrics.CANARY_VERDICTS, (inconclusive,)),
            (MISSED, metrics.PROBER_MISFIRES, ()),
        )
    ]


def _info(instrument: Instrument, recorded: Recorded, timing: Timing) -> Query:
    """What is shown now, else what was shown last.

    The last alone would have a path twice for a while after its team or domain was changed, and two live probers that
    disagree have it twice for good: joins with it fail, and with them every page. So it is one of them.
    """
    key = recorded.labels[0]
    back = timing.remembered
    now = max_by(recorded.labels, pushed(series(instrument), back))
    before = max_by(recorded.labels, pushed(last(instrument, back), back))
    return Query(f"topk by ({key}) (1,\n  {now}\n  or on ({key}) {before}\n)", now.labels)


def of_path(query: Query) -> Query:
    """With the channel, team and domain of its path."""
    return _joined(query, PATH_INFO, "*")


def of_place(query: Query, *, operator: str = "*") -> Query:
    """With the kind, team and domain of its place; a value of 0 is joined by ``+`` and grows by one."""
    return _joined(query, PLACE_INFO, operator)


def _joined(query: Query, info: Recorded, operator: str) -> Query:
    key, *more = info.labels
    text = f"({query})\n{operator} on ({key}) group_left ({', '.join(more)}) {info.name}"
    return Query(text, query.labels | set(more))


def unless_silenced(query: Query, timing: Timing) -> Query:
    """Nothing of paths in a maintenance window."""
    silenced = current(("path",), metrics.PATH_SILENCED, timing.remembered)
    return Query(f"{query}\nunless on (path) {silenced} == 1", query.labels)
