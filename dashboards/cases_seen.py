"""Unit tests of the rules about paths of which too little is known, and about what canaries left behind."""

from math import ceil

from canary.instruments import metrics
from canary.path import Path, PathName
from dashboards.rule_case import STALE, Case, Firing, Given, Moment, always, step_for, switched
from dashboards.rule_scene import ABOUT_PATH, Scene, path_info
from dashboards.timing import INTERVALS, rounded


def seen_cases(scene: Scene) -> list[Case]:
    """Not probed, never probed, unseen, slots missed, leftovers."""
    return [
        *_not_probed(scene),
        *_never_probed(scene),
        _switched_on_again(scene),
        _leftovers(scene),
        *_unseen(scene),
        *_slots_missed(scene),
    ]


def _not_probed(scene: Scene) -> list[Case]:
    """Of each kind of schedule one path: a steady one, and one for each usual interval that rests at times."""
    kinds: dict[float | None, tuple[str, float, float]] = {}
    for path, usual in scene.estate.scheduled:
        interval = path.interval_seconds or usual
        kinds.setdefault(
            usual if usual < interval else None,
            (path.name, interval, interval + (INTERVALS - 1) * usual + path.slo.deadline_seconds),
        )
    if None not in kinds:
        # A path that is not known here is given as long as the most patient one.
        most = max((_limit(*one) for one in scene.estate.scheduled), default=14400.0)
        kinds[None] = ("another-path", (most - 600.0) / INTERVALS, most)
    deadlines = {path.name: path.slo.deadline_seconds for path, _ in scene.estate.scheduled}
    return [
        _not_probed_of(who, interval, limit, deadlines.get(PathName(who), 600.0), scene)
        for who, interval, limit in kinds.values()
    ]


def _not_probed_of(who: str, interval: float, limit: float, deadline: float, scene: Scene) -> Case:
    name = "IntakePathNotProbed"
    step = step_for(limit + 300)
    fires = (ceil((limit + 300) / step) + 3) * step
    return Case(
        f"{who}: nothing was concluded for two launches more than it may rest, and a deadline; by hand means never",
        step,
        [
            path_info(who),
            path_info("by-hand"),
            Given(metrics.PATH_LAST_VERDICT, {"path": who}, lambda now: now if now > fires else 0),
            Given(metrics.PATH_LAST_VERDICT, {"path": "by-hand"}, always(0)),
            Given(metrics.PATH_INTERVAL, {"path": who}, always(interval)),
            Given(metrics.PATH_DEADLINE, {"path": who}, always(deadline)),
            Given(metrics.PATH_DEADLINE, {"path": "by-hand"}, always(deadline)),
        ],
        [
            Moment(limit // step * step, name),
            Moment(fires, name, [scene.firing(name, {"path": who, **ABOUT_PATH}, value=fires)]),
            Moment(fires + 4 * step, name),
        ],
    )


def _limit(path: Path, usual: float) -> float:
    longest = path.interval_seconds or usual
    return rounded(longest + (INTERVALS - 1) * usual + path.slo.deadline_seconds)


def _switched_on_again(scene: Scene) -> Case:
    name = "IntakePathNotProbed"
    limits = {_limit(path, usual): path.name for path, usual in scene.estate.scheduled}
    limit, who = min(limits.items(), default=(14400.0, "any-path"))
    step = step_for(limit + 300)
    off = ceil((limit + max(scene.timing.lookback(600), limit)) / step) * step
    fires = off + (ceil((limit + 300) / step) + 3) * step
    seen = switched((0, 1), (step, STALE), (off, 1))
    return Case(
        f"{who}: one that was switched off for long has an old verdict, and is given as long as a new one",
        step,
        [
            path_info(who, values=seen),
            Given(metrics.PATH_LAST_VERDICT, {"path": who}, switched((0, 0), (step, STALE), (off, 0))),
            Given(metrics.PATH_INTERVAL, {"path": who}, switched((0, 60), (step, STALE), (off, 60))),
            Given(metrics.PATH_DEADLINE, {"path": who}, always(60)),
        ],
        [
            Moment(off + limit // step * step, name),
            Moment(fires, name, [scene.firing(name, {"path": who, **ABOUT_PATH}, value=fires)]),
        ],
    )


def _never_probed(scene: Scene) -> list[Case]:
    """Of each limit one path, and one that was not known when rules were rendered: it has the longest."""
    limits: dict[float, str] = {}
    for path, usual in scene.estate.scheduled:
        limits.setdefault(_limit(path, usual), path.name)
    return [
        *(_never_probed_of(who, limit, scene) for limit, who in sorted(limits.items())),
        _never_probed_of("new-path", max(limits, default=14400.0), scene),
    ]


def _never_probed_of(who: str, limit: float, scene: Scene) -> Case:
    name = "IntakePathNotProbed"
    step = step_for(limit + 300)
    new = 2 * step
    fires = new + (ceil((limit + 300) / step) + 3) * step
    first = fires + 2 * step
    return Case(
        f"{who}: shown for long and without any verdict, until the first",
        step,
        [
            path_info(who),
            Given(metrics.PATH_INTERVAL, {"path": who}, switched((new, limit))),
            Given(metrics.PATH_DEADLINE, {"path": who}, switched((new, 600))),
            Given(metrics.PATH_LAST_VERDICT, {"path": who}, switched((first, first))),
        ],
        [
            Moment(new + limit // step * step, name),
            Moment(fires, name, [scene.firing(name, {"path": who, **ABOUT_PATH}, value=limit)]),
            Moment(first + 2 * step, name),
        ],
    )


def _leftovers(scene: Scene) -> Case:
    name, gone = "IntakeLeftovers", "configured-no-more"
    left = {"path": scene.path, "kind": "ticket"}
    return Case(
        "what could not be removed for an hour is told, also of a path that is configured no more",
        300.0,
        [
            path_info(scene.path),
            Given(metrics.CLEANUP_LEFTOVERS, left, switched((0, 3), (4800, 0))),
            Given(metrics.CLEANUP_LEFTOVERS, {"path": scene.path, "kind": "mail"}, always(0)),
            Given(metrics.CLEANUP_LEFTOVERS, {"path": gone, "kind": "mail"}, switched((0, 1), (4800, 0))),
        ],
        [
            Moment(3000, name),
            Moment(
                3720,
                name,
                [
                    scene.firing(name, {**left, **ABOUT_PATH}, value=3),
                    scene.firing(name, {"path": gone, "kind": "mail"}, value=1),
                ],
            ),
            Moment(5000 // 60 * 60, name),
        ],
    )


def _classes(scene: Scene) -> list[tuple[str, float]]:
    """A path for each usual interval."""
    found: dict[float, str] = {}
    for path, usual in scene.estate.scheduled:
        found.setdefault(usual, path.name)
    return [(found[usual], usual) for usual in sorted(found)]


def _unseen(scene: Scene) -> list[Case]:
    return [_unseen_of(scene, path, usual) for path, usual in _classes(scene)]


def _unseen_of(scene: Scene, path: str, usual: float) -> Case:
    name, step = "IntakePathUnseen", float(ceil(usual))
    long = (ceil(max(3600.0, rounded(INTERVALS * usual)) / step) + 4) * step
    ticket, page = (Firing(one, {"path": path, **ABOUT_PATH}) for one in scene.rules_about(path, name))
    inconclusive = {"path": path, "channel": "email", "verdict": "inconclusive"}
    return Case(
        f"{path}: canaries that are all inconclusive are the prober's trouble: a ticket, then a page",
        step,
        [
            path_info(path),
            Given(metrics.CANARY_VERDICTS, inconclusive, lambda now: now // step),
            Given(metrics.SLO_ELIGIBLE, {"path": path}, lambda now: max(0.0, (now - long) // step)),
        ],
        [
            Moment(step, name),
            Moment(4 * step, name, [ticket]),
            Moment(long, name, [ticket, page]),
            Moment(long + 3 * step, name),
        ],
    )


def _slots_missed(scene: Scene) -> list[Case]:
    return [_slots_missed_of(scene, path, usual) for path, usual in _classes(scene)]


def _slots_missed_of(scene: Scene, path: str, usual: float) -> Case:
    name, step = "IntakeSlotsMissed", float(ceil(usual))
    (rule,) = scene.rules_about(path, name)

    def missed(now: float) -> float:
        slot = int(now // step)
        return float(min(2, max(0, slot - 1)) + max(0, slot - 14))

    return Case(
        f"{path}: two missed slots are none to tell of, though both replicas show them; more are",
        step,
        [
            Given(metrics.PROBER_MISFIRES, {"path": path, "prober": "eu", "instance": one}, missed)
            for one in ("a", "b")
        ],
        [Moment(12 * step, name), Moment(18 * step, name, [Firing(rule, {"path": path})])],
    )
