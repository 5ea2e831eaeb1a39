"""Budgets in any shape, and the share that is never taken."""

import re

import pytest

from probes.contracts import Blind
from probes.http_wire import Answer
from probes.ticketing.generic.budgets import Budgets, BudgetSettings, Window
from probes.ticketing.generic.conversions import As
from probes.ticketing.generic.picking import Pick
from tests.fakes.clock import FakeClock


def answer(**headers: str) -> Answer:
    return Answer(200, {name.replace("_", "-"): one for name, one in headers.items()}, b"", "GET x", "desk")


def header(name: str) -> Pick:
    return Pick(key=f"budget.{name}", header=name, steps=(As.TEXT,))


ACCOUNT = Window(
    "account", {"remaining": header("X-Left"), "limit": header("X-Max"), "reset": header("X-Reset")}
)


def test_window_at_its_reserve__refuses_a_request_until_it_begins_anew() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((ACCOUNT,), reserve_share=0.2), clock)

    budgets.note(answer(x_left="21", x_max="100", x_reset="30"))
    budgets.admit("desk")
    budgets.note(answer(x_left="20", x_max="100", x_reset="30"))
    with pytest.raises(Blind, match="kept for others") as caught:
        budgets.admit("desk")

    assert (caught.value.status, caught.value.retry_after_seconds) == (429, 30.0)
    clock.advance(31)
    budgets.admit("desk")


def test_own_share__is_never_exceeded_though_much_is_left() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((ACCOUNT,), own_share=0.05), clock)
    for left in range(99, 94, -1):
        budgets.admit("desk")
        budgets.note(answer(x_left=str(left), x_max="100", x_reset="30"))

    with pytest.raises(Blind, match="were ours"):
        budgets.admit("desk")


def test_declared_window__is_counted_here() -> None:
    clock = FakeClock()
    window = Window("declared", {}, at_most=10, seconds=60.0)
    budgets = Budgets(BudgetSettings((window,), reserve_share=0.2), clock)

    for _ in range(8):
        budgets.admit("desk")
    with pytest.raises(Blind):
        budgets.admit("desk")

    clock.advance(61)
    budgets.admit("desk")
    (told,) = budgets.windows()
    assert (told.left, told.limit) == (9, 10)


def test_text_with_several_parts__is_taken_apart() -> None:
    clock = FakeClock()
    parts = re.compile(r"api-usage=(?P<used>\d+)/(?P<limit>\d+)")
    budgets = Budgets(BudgetSettings((Window("day", {}, header("Sforce-Limit-Info"), parts),)), clock)

    budgets.note(answer(sforce_limit_info="api-usage=25/5000"))

    (told,) = budgets.windows()
    assert (told.left, told.limit, told.resets_at) == (4975, 5000, None)


@pytest.mark.parametrize("left", ["", "many", "-1"])
def test_header_of_another_shape__tells_nothing_and_blinds_nobody(left: str) -> None:
    budgets = Budgets(BudgetSettings((ACCOUNT,)), FakeClock())

    budgets.note(answer(x_left=left, x_max="100"))
    budgets.admit("desk")


def test_usual_headers__are_known_without_configuration() -> None:
    budgets = Budgets(BudgetSettings(), FakeClock())

    budgets.note(answer(x_ratelimit_remaining="7", x_ratelimit_limit="10", x_ratelimit_reset="60"))

    assert [(one.left, one.limit) for one in budgets.windows()] == [(7, 10)]
