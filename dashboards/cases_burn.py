"""Unit tests of the error budget's burn rules, for each set of windows that paths have."""

from dataclasses import replace
from math import ceil

from canary.instruments import metrics
from canary.path import Path
from dashboards.burn import Burn, burns
from dashboards.promql import duration
from dashboards.rule_case import STALE, Case, Firing, Given, Moment, always
from dashboards.rule_scene import ABOUT_PATH, Scene, path_info

_NAME = "IntakeSloBurn"
_LEAST_STEP = 60.0
_HOUR = 3600.0
_FEW = 0.2
"""Two failures of eight canaries are more than this share."""


def burn_cases(scene: Scene) -> list[Case]:
    """Every canary fails, one alone fails, all fail in a silence."""
    found: dict[tuple[Burn, ...], tuple[Path, float]] = {}
    rows = burns(scene.estate)
    for path, usual in scene.estate.scheduled:
        if its := tuple(one for one in rows if path.name in one.paths):
            found.setdefault(its, (path, usual))
    return [
        case
        for its, (path, usual) in found.items()
        for case in (
            _all_fail(scene, path, its, usual),
            _one_fails(scene, path, usual),
            _silenced(scene, path, its, usual),
            *_replaced(scene, path, its, usual),
        )
    ]


def _step(usual: float) -> float:
    return max(_LEAST_STEP, float(ceil(usual)))


def _settled_after(rows: tuple[Burn, ...], step: float) -> float:
    """When every rule that all failures meet fires."""
    longest = max(one.for_seconds for one in rows)
    return (ceil(longest / step) + 14) * step


def _given(path: Path, eligible: Given, good: Given, *, silenced: float = 0) -> list[Given]:
    name = {"path": path.name}
    return [
        path_info(path.name),
        Given(metrics.SLO_OBJECTIVE, name, always(path.slo.objective_share)),
        Given(metrics.PATH_SILENCED, name, always(silenced)),
        *(
            Given(one.instrument, {**one.labels, "instance": of}, one.values)
            for one in (eligible, good)
            for of in "ab"
        ),
    ]


def _all_fail(scene: Scene, path: Path, rows: tuple[Burn, ...], usual: float) -> Case:
    name, step = {"path": path.name}, _step(usual)
    until = _settled_after(rows, step)
    recovered = until + (ceil(max(one.short_seconds for one in rows) / step) + 2) * step
    firing = [
        Firing(rule, {**name, **ABOUT_PATH})
        for rule in scene.rules(_NAME)
        if any(rule.labels["window"] == duration(one.long_seconds) for one in rows)
    ]
    return Case(
        f"{path.name}: canaries that all fail burn the budget in {len(rows)} windows; when they come through, it ends",
        step,
        _given(
            path,
            Given(metrics.SLO_ELIGIBLE, name, lambda now: now // step),
            Given(metrics.SLO_GOOD, name, lambda now: max(0.0, (now - until) // step)),
        ),
        [Moment(until, _NAME, firing), Moment(recovered, _NAME)],
    )


def _one_fails(scene: Scene, path: Path, usual: float) -> Case:
    del scene
    name, step = {"path": path.name}, _step(usual)
    # Where the objective allows so little that one failure is many times its budget.
    strict = replace(path, slo=replace(path.slo, objective_share=max(0.999, path.slo.objective_share)))

    def good(now: float) -> float:
        return now // step - (1 if now >= 10 * step else 0)

    return Case(
        f"{path.name}: one canary that fails alone burns nothing, though two replicas show it",
        step,
        _given(
            strict,
            Given(metrics.SLO_ELIGIBLE, name, lambda now: now // step),
            Given(metrics.SLO_GOOD, name, good),
        ),
        [Moment(number * step, _NAME) for number in (9, 10, 11, 14, 30)],
    )


def _silenced(scene: Scene, path: Path, rows: tuple[Burn, ...], usual: float) -> Case:
    del scene
    name, step = {"path": path.name}, _step(usual)
    return Case(
        f"{path.name}: nothing burns in a silence",
        step,
        _given(
            path,
            Given(metrics.SLO_ELIGIBLE, name, lambda now: now // step),
            Given(metrics.SLO_GOOD, name, always(0)),
            silenced=1,
        ),
        [Moment(_settled_after(rows, step), _NAME)],
    )


def _replaced(scene: Scene, path: Path, rows: tuple[Burn, ...], usual: float) -> list[Case]:
    """Of a path whose shortest window holds so many canaries, and whose budget two of them burn."""
    name, step = {"path": path.name}, _step(usual)
    short = next((one for one in rows if one.long_seconds == _HOUR), None)
    if short is None or 9 * step > _HOUR or short.factor * (1 - path.slo.objective_share) > _FEW:
        return []
    rule = next(one for one in scene.rules(_NAME) if one.labels["window"] == duration(_HOUR))

    def failed(now: float) -> int:
        return sum(now >= slot * step for slot in (5, 7))

    def eligible(now: float) -> float:
        return now // step

    def good(now: float) -> float:
        return now // step - failed(now)

    def dies(one: Given, slot: int) -> Given:
        values = one.values
        return replace(
            one,
            labels={**one.labels, "instance": "a"},
            values=lambda now: STALE if now >= slot * step else values(now),
        )

    def comes(one: Given, slot: int, *, behind: int = 0) -> Given:
        values = one.values
        return replace(
            one,
            labels={**one.labels, "instance": "b"},
            values=lambda now: values(now - behind * step) if now >= slot * step else None,
        )

    def lonely(now: float) -> float:
        return now // step - (now >= 10 * step)

    both = [Given(metrics.SLO_ELIGIBLE, name, eligible), Given(metrics.SLO_GOOD, name, good)]
    alone = [both[0], Given(metrics.SLO_GOOD, name, lonely)]
    given = [path_info(path.name), Given(metrics.SLO_OBJECTIVE, name, always(path.slo.objective_share))]
    return [
        Case(
            f"{path.name}: failures before and after a pod was replaced are failures of one window",
            step,
            [*given, *(dies(one, 7) for one in both), *(comes(one, 6) for one in both)],
            [Moment(6 * step, _NAME), Moment(8 * step, _NAME, [Firing(rule, {**name, **ABOUT_PATH})])],
        ),
        Case(
            f"{path.name}: a replica that dies before another has seen its last failure makes no more of them",
            step,
            [*given, *(dies(one, 11) for one in alone), *(comes(one, 3, behind=2) for one in alone)],
            [Moment(slot * step, _NAME) for slot in (11, 12, 13, 14)],
        ),
    ]
