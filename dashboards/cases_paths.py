"""Unit tests of the rules about paths."""

from collections.abc import Sequence
from math import ceil

from canary.instruments import metrics
from dashboards.promql import PUSHED_AT
from dashboards.rule_case import STALE, Case, Given, Moment, always, step_for, switched
from dashboards.rule_scene import ABOUT_PATH, STOP, Scene, path_info
from dashboards.timing import INTERVALS, rounded

_OTHER_TEAM = "somebody-else"


def path_cases(scene: Scene) -> list[Case]:
    """Broken, silenced, recovered, with two replicas, pushed, with a team that changes, and with a prober that dies."""
    return [
        _broken(scene),
        _dies_broken(scene),
        _replaced_broken(scene),
        _replaced_silenced(scene),
        _two_teams(scene),
        _team_changes(scene),
        _pushed(scene),
        _blind_meanwhile(scene),
        _renamed(scene),
        *_final_answers(scene),
        _final_answer_before(scene),
        _final_answers_unknown(scene),
    ]


def _is_open(scene: Scene, *changes: tuple[float, float | str | None], instance: str = "a") -> Given:
    labels = {"path": scene.path, **STOP, "instance": instance}
    return Given(metrics.INCIDENT_OPEN, labels, switched(*changes))


def _broken(scene: Scene) -> Case:
    step = max(1.0, scene.timing.keep // 10)
    kept = ceil(scene.timing.keep / step)
    alert = scene.broken(since=10 * step, worked=5 * step)
    name = "IntakePathBroken"
    return Case(
        "a broken path pages once, whatever the number of replicas; not while silenced, and no longer than it lasts",
        step,
        [
            path_info(scene.path),
            path_info(scene.path, instance="b"),
            Given(metrics.PATH_SILENCED, {"path": scene.path}, switched((0, 1), (41 * step, 0))),
            _is_open(scene, (0, 0), (10 * step, 1), (61 * step, 0)),
            _is_open(scene, (0, 0), (10 * step, 1), (61 * step, 0), instance="b"),
            Given(metrics.INCIDENT_START, {"path": scene.path}, switched((10 * step, 10 * step))),
            Given(metrics.PATH_LAST_SUCCESS, {"path": scene.path}, always(5 * step)),
        ],
        [
            Moment(5 * step, name),
            Moment(30 * step, name),
            Moment(50 * step, name, [alert]),
            Moment((61 + kept // 2) * step, name, [alert]),
            Moment((63 + kept) * step, name),
        ],
    )


def _dies_broken(scene: Scene) -> Case:
    timing = scene.timing
    step = step_for(timing.absent + timing.silent_for)
    died = 10 * step
    at = died + timing.absent + timing.silent_for + 2 * step
    return Case(
        "a prober that dies while a path is broken ends no page before its own silence pages",
        step,
        [
            path_info(scene.path, values=switched((0, 1), (died, STALE))),
            _is_open(scene, (0, 1), (died, STALE)),
            Given(metrics.PROBER_HEARTBEAT, {"prober": "eu"}, lambda now: now if now < died else STALE),
        ],
        [
            Moment(at, "IntakePathBroken", [scene.broken()]),
            Moment(at, "IntakeProberSilent", [scene.firing("IntakeProberSilent", {})]),
        ],
    )


def _replaced_broken(scene: Scene) -> Case:
    step, kept = 300.0, ceil(scene.timing.keep / 300.0)
    return Case(
        "a pod that is replaced while a path is broken keeps no page after the recovery",
        step,
        [
            path_info(scene.path),
            _is_open(scene, (0, 1), (2 * step, STALE)),
            _is_open(scene, (2 * step, 1), (3 * step, 0), instance="b"),
        ],
        [
            Moment(2 * step, "IntakePathBroken", [scene.broken()]),
            Moment((4 + kept) * step, "IntakePathBroken"),
        ],
    )


def _replaced_silenced(scene: Scene) -> Case:
    step = 300.0
    silenced = {"path": scene.path}
    return Case(
        "a pod that is replaced in a maintenance window silences nothing after its end",
        step,
        [
            path_info(scene.path),
            _is_open(scene, (0, 1), instance="b"),
            Given(metrics.PATH_SILENCED, {**silenced, "instance": "a"}, switched((0, 1), (2 * step, STALE))),
            Given(
                metrics.PATH_SILENCED, {**silenced, "instance": "b"}, switched((2 * step, 1), (3 * step, 0))
            ),
        ],
        [
            Moment(2 * step, "IntakePathBroken"),
            Moment(3 * step, "IntakePathBroken", [scene.broken()]),
        ],
    )


def _two_teams(scene: Scene) -> Case:
    other = f"not-{scene.path}"
    labels = {"path": other, **STOP}
    return Case(
        "two live probers that disagree about one path's team fail no other path's page",
        300.0,
        [
            path_info(scene.path),
            path_info(other),
            path_info(other, team=_OTHER_TEAM, instance="b"),
            _is_open(scene, (0, 1)),
            Given(metrics.INCIDENT_OPEN, labels, always(0)),
        ],
        [Moment(600, "IntakePathBroken", [scene.broken()])],
    )


def _team_changes(scene: Scene) -> Case:
    step = max(1.0, scene.timing.keep // 10)
    kept = ceil(scene.timing.keep / step)
    at = (24 + kept) * step
    return Case(
        "a path whose team was changed pages all the same, and the new team",
        step,
        [
            path_info(scene.path, values=switched((0, 1), (20 * step, STALE))),
            path_info(scene.path, team=_OTHER_TEAM, values=switched((20 * step, 1))),
            _is_open(scene, (10 * step, 1)),
        ],
        [Moment(at, "IntakePathBroken", [scene.broken(team=_OTHER_TEAM)])],
    )


def _pushed(scene: Scene) -> Case:
    every, at = 900.0, 4500.0

    def pushed(now: float) -> float | None:
        return 1.0 if now % every == 0 else None

    labels = {"path": scene.path, **STOP}
    return Case(
        "what a run pushes every 15 minutes is still known ten minutes later",
        300.0,
        [path_info(scene.path, values=pushed), Given(metrics.INCIDENT_OPEN, labels, pushed)],
        [
            Moment(
                at + 600,
                "IntakePathBroken",
                [scene.broken()],
            )
        ],
    )


def _blind_meanwhile(scene: Scene) -> Case:
    blind = {"prober": "eu", "cause": "dns"}
    return Case(
        "blindness of the prober mutes no page about a target",
        300.0,
        [
            path_info(scene.path),
            _is_open(scene, (0, 1)),
            Given(metrics.PROBER_BLIND, {**blind, "instance": "a"}, always(1)),
        ],
        [
            Moment(
                1200,
                "IntakePathBroken",
                [scene.broken()],
            ),
            Moment(1200, "IntakeProberBlind", [scene.firing("IntakeProberBlind", blind)]),
        ],
    )


_FINAL = {"hop": "smtp.accept", "reason": "recipient_unknown"}
_MISSING = {"hop": "ticket.created", "reason": "not_seen"}


def _answered(
    who: str, final: Sequence[tuple[float, float]], row: Sequence[tuple[float, float]]
) -> list[Given]:
    path = {"path": who}
    return [
        path_info(who),
        *(
            Given(metrics.CANARY_FAILURES, {**path, **_FINAL, "instance": one}, switched(*final))
            for one in "ab"
        ),
        Given(metrics.PATH_CONSECUTIVE_FAILURES, path, switched(*row)),
    ]


def _answering(scene: Scene) -> list[tuple[str, float]]:
    """A path of each window in which an answer is looked for, with a twentieth of that."""
    found: dict[float, str] = {}
    for path, usual in scene.estate.scheduled:
        found.setdefault(max(3600.0, rounded(INTERVALS * usual)), path.name)
    return [(found[window], window / 20) for window in sorted(found)] or [(scene.path, 180.0)]


def _final_answers(scene: Scene) -> list[Case]:
    return [_final_answer(scene, who, step) for who, step in _answering(scene)]


def _final_answer(scene: Scene, who: str, step: float) -> Case:
    name = "IntakeFinalAnswer"
    labels = {"path": who, "blame": "smtp.accept", "reason": "recipient_unknown", **ABOUT_PATH}
    row = [(0, 0), (20 * step, 1), (22 * step, 0), (25 * step, 1), (28 * step, 0)]
    return Case(
        f"{who}: one canary that is refused for good pages until one comes through; a mail that is only missing does not",
        step,
        [
            *_answered(who, [(25 * step, 1)], row),
            Given(metrics.CANARY_FAILURES, {"path": who, **_MISSING}, switched((20 * step, 1))),
        ],
        [
            Moment(21 * step, name),
            Moment(26 * step, name, [scene.firing(name, labels, times=(None,))]),
            Moment(29 * step, name),
        ],
    )


def _final_answer_before(scene: Scene) -> Case:
    name, (who, step) = "IntakeFinalAnswer", _answering(scene)[0]
    row = [(0, 0), (22 * step, 1), (23 * step, 0), (25 * step, 1)]
    return Case(
        "a final answer before the last success is not told when another canary fails otherwise",
        step,
        [
            *_answered(who, [(22 * step, 1)], row),
            Given(metrics.CANARY_FAILURES, {"path": who, **_MISSING}, switched((25 * step, 1))),
        ],
        [Moment(24 * step, name), Moment(26 * step, name)],
    )


def _final_answers_unknown(scene: Scene) -> Case:
    name, (who, step) = "IntakeFinalAnswer", _answering(scene)[0]
    return Case(
        "final answers of a path that nobody scraped before are not counted as new ones",
        step,
        _answered(who, [(5 * step, 7)], [(5 * step, 1)]),
        [Moment(6 * step, name), Moment(24 * step, name)],
    )


def _renamed(scene: Scene) -> Case:
    """A group of a Pushgateway stays for ever, with whatever it said last."""
    old, new, step = (
        {"job": "intake-prober", "prober": "old"},
        {"job": "intake-prober", "prober": "new"},
        900.0,
    )
    other = f"not-{scene.path}"
    return Case(
        "what a group says that nobody pushes any more, as after a prober was renamed, mutes and pages nothing",
        step,
        [
            path_info(scene.path),
            path_info(other),
            Given(PUSHED_AT, old, lambda now: min(now, 2 * step)),
            Given(PUSHED_AT, new, lambda now: now),
            Given(metrics.PATH_SILENCED, {"path": scene.path, **old}, always(1)),
            Given(metrics.PATH_SILENCED, {"path": scene.path, **new}, always(0)),
            Given(metrics.INCIDENT_OPEN, {"path": scene.path, **STOP, **old}, always(0)),
            Given(metrics.INCIDENT_OPEN, {"path": scene.path, **STOP, **new}, always(1)),
            Given(metrics.INCIDENT_OPEN, {"path": other, **STOP, **old}, always(1)),
        ],
        [Moment(12 * step, "IntakePathBroken", [scene.broken()])],
    )
