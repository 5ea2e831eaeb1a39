"""Unit tests of the rules about the prober, and of the dead man's switch."""

from math import ceil

from canary.instruments import metrics
from dashboards.rule_case import Case, Given, Moment, always, step_for, switched
from dashboards.rule_scene import Scene


def prober_cases(scene: Scene) -> list[Case]:
    """Silent in both ways, blind, with alerts that are stuck, with a store that fails; and the watchdog."""
    return [
        _never_heard(scene),
        _stands_still(scene),
        _blind(scene),
        _stuck(scene),
        _store(scene),
        _watchdog(scene),
    ]


def _never_heard(scene: Scene) -> Case:
    name = "IntakeProberSilent"
    fires = 2 * 60.0 + scene.timing.silent_for
    return Case(
        "a prober that shows no heartbeat at all pages",
        300.0,
        [],
        [Moment(60, name), Moment(fires, name, [scene.firing(name, {})])],
    )


def _stands_still(scene: Scene) -> Case:
    name, timing = "IntakeProberSilent", scene.timing
    step = step_for(timing.silent_limit + timing.silent_for)
    stops = 20 * step
    fires = stops + (ceil((timing.silent_limit + timing.silent_for) / step) + 2) * step
    return Case(
        "a heartbeat that stands still pages when it is too old, and ends when it beats again",
        step,
        [
            Given(
                metrics.PROBER_HEARTBEAT,
                {"prober": "eu", "instance": "a"},
                lambda now: now if now <= stops or now > fires else stops,
            )
        ],
        [
            Moment(stops, name),
            Moment(stops + timing.silent_limit // step * step, name),
            Moment(fires, name, [scene.firing(name, {})]),
            Moment(fires + 2 * step, name),
        ],
    )


def _blind(scene: Scene) -> Case:
    labels = {"prober": "eu", "cause": "dns"}
    page = scene.timing.blind_page
    step = step_for(page + 600)
    pages = (ceil(page / step) + 3) * step
    ticket = scene.firing("IntakeProberBlind", labels)
    return Case(
        "blindness is a ticket, and a page when it lasts; the other causes are none",
        step,
        [
            Given(
                metrics.PROBER_BLIND,
                {**labels, "instance": "a"},
                switched((0, 0), (step, 1), (pages + step, 0)),
            ),
            Given(metrics.PROBER_BLIND, {**labels, "cause": "disk", "instance": "a"}, always(0)),
        ],
        [
            Moment(0, "IntakeProberBlind"),
            Moment((ceil(600 / step) + 2) * step, "IntakeProberBlind", [ticket]),
            Moment((ceil(600 / step) + 2) * step, "IntakeProberBlindLong"),
            Moment(pages, "IntakeProberBlind", [ticket]),
            Moment(pages, "IntakeProberBlindLong", [scene.firing("IntakeProberBlindLong", labels)]),
            Moment(pages + 2 * step, "IntakeProberBlindLong"),
        ],
    )


def _stuck(scene: Scene) -> Case:
    name, waits, sent = "IntakeAlertsNotDelivered", 1200.0, 2400.0
    return Case(
        "an alert that waits for five minutes pages, and no more once it was delivered",
        300.0,
        [
            Given(
                metrics.PROBER_OUTBOX_OLDEST,
                {"sink": "pager"},
                lambda now: waits if waits <= now < sent else None,
            ),
            Given(metrics.PROBER_OUTBOX_PENDING, {"sink": "pager"}, switched((0, 0), (waits, 2), (sent, 0))),
        ],
        [
            Moment(1500, name),
            Moment(1800, name, [scene.firing(name, {"sink": "pager"}, value=600)]),
            Moment(2700, name),
        ],
    )


def _store(scene: Scene) -> Case:
    name = "IntakeStoreErrors"

    def errors(now: float) -> float:
        return max(0.0, (min(now, 2400) - 600) // 60)

    window = scene.timing.lookback(900)
    over = (ceil((2400 + window) / 60) + 2) * 60.0
    return Case(
        "a store that fails for ten minutes",
        300.0,
        [
            Given(metrics.PROBER_STORE_ERRORS, {"prober": "eu", "kind": "write", "instance": "a"}, errors),
            Given(metrics.PROBER_STORE_ERRORS, {"prober": "eu", "kind": "read", "instance": "a"}, always(0)),
        ],
        [Moment(600, name), Moment(1800, name, [scene.firing(name, {"prober": "eu"})]), Moment(over, name)],
    )


def _watchdog(scene: Scene) -> Case:
    name = "IntakeWatchdog"
    return Case(
        "the dead man's switch fires always",
        300.0,
        [],
        [Moment(0, name, [scene.firing(name, {})]), Moment(600, name, [scene.firing(name, {})])],
    )
