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

    assert [one.left for one in budgets.windows()] in ([], [None])
    assert refused(budgets) is None


def test_usual_headers__are_known_without_configuration() -> None:
    budgets = Budgets(BudgetSettings(), FakeClock())

    budgets.note(answer(x_ratelimit_remaining="7", x_ratelimit_limit="10", x_ratelimit_reset="60"))

    assert [(one.left, one.limit) for one in budgets.windows()] == [(7, 10)]


SILENT = {"remaining": header("X-Left"), "limit": header("X-Max")}


def refused(budgets: Budgets) -> Blind | None:
    try:
        budgets.admit("desk")
    except Blind as error:
        return error
    return None


def test_window_that_tells_no_reset__is_left_to_others_for_as_long_as_it_lasts() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((Window("account", SILENT, lasts_seconds=300.0),)), clock)

    budgets.note(answer(x_left="20", x_max="100"))

    clock.advance(299)
    error = refused(budgets)
    assert error is not None
    assert error.retry_after_seconds == 1.0
    clock.advance(1)
    assert refused(budgets) is None


def test_window_that_nobody_tells_of__is_asked_again_after_a_minute() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((Window("account", SILENT),)), clock)
    budgets.note(answer(x_left="20", x_max="100"))

    assert refused(budgets) is not None
    clock.advance(60)
    assert refused(budgets) is None


def test_window_of_a_day__begins_anew_at_midnight() -> None:
    clock = FakeClock()  # at noon
    budgets = Budgets(BudgetSettings((Window("day", SILENT, is_day=True),)), clock)
    budgets.note(answer(x_left="1000", x_max="5000"))

    error = refused(budgets)
    assert error is not None
    assert error.retry_after_seconds == 12 * 3600


def test_own_share__of_a_window_without_a_reset_is_kept() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((Window("account", SILENT),), own_share=0.05), clock)

    admitted = 0
    while refused(budgets) is None:
        admitted += 1
        budgets.note(answer(x_left=str(100 - admitted), x_max="100"))

    assert admitted == 5


def test_own_share__of_a_window_that_refills_all_the_time_is_kept() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((Window("bucket", SILENT),), own_share=0.5), clock)

    admitted = 0
    for second in range(60):
        if refused(budgets) is None:
            admitted += 1
        budgets.note(answer(x_left=str(39 if second % 2 else 38), x_max="40"))
        clock.advance(0.9)

    assert admitted == 20


def test_own_share__of_a_window_that_is_counted_here_is_kept() -> None:
    clock = FakeClock()
    window = Window("declared", {}, at_most=100, seconds=60.0)
    budgets = Budgets(BudgetSettings((window,), own_share=0.1), clock)

    assert [refused(budgets) is None for _ in range(12)] == [True] * 10 + [False] * 2


def test_window_of_the_configuration__hides_no_usual_one() -> None:
    clock = FakeClock()
    budgets = Budgets(BudgetSettings((ACCOUNT,)), clock)

    budgets.note(
        answer(
            x_left="90",
            x_max="100",
            x_reset="60",
            ratelimit_remaining="1",
            ratelimit_limit="10",
            ratelimit_reset="60",
        )
    )

    assert [(one.name, one.left) for one in budgets.windows()] == [("account", 90), ("ratelimit", 1)]
    assert refused(budgets) is not None


def test_headers_that_the_configuration_reads__are_no_second_window() -> None:
    window = Window(
        "account", {"remaining": header("X-RateLimit-Remaining"), "limit": header("X-RateLimit-Total")}
    )
    budgets = Budgets(BudgetSettings((window,)), FakeClock())

    budgets.note(answer(x_ratelimit_remaining="7", x_ratelimit_total="10"))

    assert [(one.name, one.left, one.limit) for one in budgets.windows()] == [("account", 7, 10)]


def test_window_without_a_limit__is_told_in_plain_words() -> None:
    budgets = Budgets(BudgetSettings(own_share=0.5), FakeClock())

    budgets.note(answer(x_ratelimit_remaining="3", x_ratelimit_reset="60"))
    assert refused(budgets) is None
    budgets.note(answer(x_ratelimit_remaining="0", x_ratelimit_reset="60"))

    error = refused(budgets)
    assert error is not None
    assert "None" not in str(error)
    assert "0 requests are left, and how many it has in all is not told" in str(error)
