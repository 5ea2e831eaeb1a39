"""The gauge `ticket.api`: how the last look was answered, at no call of its own."""

from datetime import timedelta

import pytest

from canary.gauge import GaugeName, GaugeState, Resource
from canary.observation import Depth
from probes.contracts import Blind, Budget
from tests.unit.probes.ticketing.scene import Scene


def looked(scene: Scene) -> None:
    scene.run(scene.watcher.look([scene.canary()], Depth.POLL, scene.report))


def test_before_any_look__nothing_is_said() -> None:
    assert Scene().watcher.gauges() == ()


def test_after_a_look__says_that_it_answers() -> None:
    scene = Scene()
    looked(scene)

    (gauge,) = scene.watcher.gauges()

    assert (gauge.place, gauge.name, gauge.value, gauge.unit) == ("desk", GaugeName.TICKET_API, 1.0, "1")
    assert (gauge.state, gauge.read_at) == (GaugeState.OK, scene.clock.now())


@pytest.mark.parametrize(
    ("status", "value", "state"),
    [
        (401, 0.0, GaugeState.WARN),
        (403, 0.0, GaugeState.WARN),
        (429, 0.0, GaugeState.WARN),
        (500, None, GaugeState.UNKNOWN),
        (None, None, GaugeState.UNKNOWN),
    ],
)
def test_blind_look__is_a_refusal_only_where_the_system_says_so(
    status: int | None, value: float | None, state: GaugeState
) -> None:
    scene = Scene()
    scene.desk.raises = Blind("desk: no answer as it should be", status=status)
    looked(scene)

    (gauge,) = scene.watcher.gauges()

    assert (gauge.value, gauge.state) == (value, state)
    assert "no answer as it should be" in gauge.detail


@pytest.mark.parametrize(("left", "state"), [(100, GaugeState.WARN), (400, GaugeState.OK)])
def test_window_of_requests__warns_below_what_is_left_to_others(left: int, state: GaugeState) -> None:
    scene = Scene()
    resets_at = scene.clock.now() + timedelta(minutes=1)
    scene.desk.budgets = (Budget("minute", left, 700, resets_at), Budget("day", None, None, None))
    looked(scene)

    _, window = scene.watcher.gauges()

    assert (window.resource, window.value, window.limit) == (Resource.REQUEST, float(left), 700.0)
    assert (window.unit, window.state) == ("{request}", state)
