"""What nobody thought of in an answer: it blinds the one system, says where, and shows nothing of what was answered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.canary import Canary
from canary.observation import Depth
from probes.contracts import Blind, CheckState, Disposal, DisposalAction, RemovalState
from probes.ticketing.generic.adapter import Generic
from probes.ticketing.generic.expressions import compile_expression
from probes.ticketing.generic.oddness import odd_is_blind
from probes.ticketing.generic.templates import compile_template
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import HEAD, Desk

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CONFIGURATION = f"""{HEAD}
find: {{all: {{get: /tickets, rows: tickets}}}}
clean: {{close: [{{put: "/t/{{{{ ticket.id }}}}", json: {{open: false}}}}]}}
"""


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("ceil(a)", {"a": float("inf")}),
        ("floor(a)", {"a": float("-inf")}),
        ("sum(a)", {"a": [10**400, 1.5]}),
        ("avg(a)", {"a": [10**400]}),
        ("to_number(a)", {"a": "9" * 5000}),
        ("max(a)", {"a": [float("nan"), 1]}),
        ("sort_by(a, &x)", {"a": [{"x": 1}, {"x": "b"}]}),
    ],
)
def test_answer_that_an_expression_cannot_take__is_blindness_or_a_value(source: str, value: object) -> None:
    try:
        compile_expression(source, "ticket.x").of(value)
    except Blind as error:
        assert "ticket.x" in str(error)  # noqa: PT017 -- that it is told by its key is half of it


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ t | zone(x) }}", "Nowhere/Jane"),
        ("{{ t | zone(x) }}", "../Jane"),
        ("{{ t | strftime(x) }}", "Jane\ud800"),
        ("{{ x | b64 }}", "Jane\ud800"),
        ("{{ x | url }}", "Jane\ud800"),
        ("/t/{{ x }}", "Jane\ud800"),
    ],
)
def test_value_that_a_template_cannot_take__is_blindness_and_not_shown(source: str, value: str) -> None:
    template = compile_template(source, "find.all.get", {"x": None, "t": None})

    with pytest.raises(Blind, match=r"find\.all\.get") as caught:
        template.path({"x": value, "t": NOW})

    assert "Jane" not in str(caught.value)


@given(
    st.sampled_from(["{{ x | b64 }}", "{{ x | url }}", "{{ x | int }}", "/a/{{ x }}", "{{ t | zone(x) }}"]),
    st.text(),
)
def test_any_text_in_a_template__is_filled_in_or_blindness(source: str, value: str) -> None:
    template = compile_template(source, "key", {"x": None, "t": None})

    for fill in (template.path, template.value, template.text):
        try:
            fill({"x": value, "t": NOW})
        except Blind as error:
            assert "key" in str(error)  # noqa: PT017 -- as above


@pytest.mark.parametrize(
    "error", [KeyError("Jane"), ValueError("Jane"), OverflowError("Jane"), RecursionError()]
)
def test_what_odd_values_raise__is_blindness_that_names_our_line_and_nothing_of_the_answer(
    error: Exception,
) -> None:
    with pytest.raises(Blind, match=type(error).__name__) as caught, odd_is_blind("desk"):
        raise error

    assert "test_oddness" in str(caught.value)
    assert "Jane" not in str(caught.value)


def test_failure_that_is_none_of_an_odd_value__is_left_as_it_is() -> None:
    with pytest.raises(ConnectionError), odd_is_blind("desk"):
        raise ConnectionError


def desk_with_a_ticket(folder: Path) -> tuple[Desk, Canary]:
    desk = Desk(folder, CONFIGURATION)
    canary = new_canary(desk.clock.now())
    desk.answers = {"/tickets": lambda _: (200, {"tickets": [desk.row(canary)]})}
    return desk, canary


def begin(monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> None:
    """From now on a part of the adapter meets what nobody thought of: an answer that does it, would be mended at once."""

    def odd(*_: object, **__: object) -> object:
        raise KeyError("Jane")

    monkeypatch.setattr(f"probes.ticketing.generic.{module}.{name}", odd)


def test_odd_answer__blinds_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, canary = desk_with_a_ticket(tmp_path)
    begin(monkeypatch, "page_rows", "rows_of")

    with pytest.raises(Blind, match=r"KeyError in .*page_rows") as caught:
        desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    assert "Jane" not in str(caught.value)


def test_odd_answer__in_a_glance__is_the_fault_of_each_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = desk_with_a_ticket(tmp_path)
    begin(monkeypatch, "glancing", "rows_of")

    (glance,) = desk.run(lambda system: system.glance(desk.clock.now()))

    assert glance.is_unreadable
    assert "KeyError" in glance.fault


def test_odd_answer__in_check__is_a_failed_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _ = desk_with_a_ticket(tmp_path)
    begin(monkeypatch, "showing", "rows_of")

    (check,) = desk.run(lambda system: system.check())

    assert (check.name, check.state) == ("ticket.search", CheckState.FAIL)
    assert "KeyError" in check.finding


def test_odd_answer__in_a_clean_up__is_an_answer_for_each_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, canary = desk_with_a_ticket(tmp_path)

    async def work(system: Generic) -> list[RemovalState]:
        look = await system.find([canary], Depth.DEADLINE)
        begin(monkeypatch, "cleaning", "dispose_each")
        how = Disposal(DisposalAction.CLOSE, "synthetic")
        return [one.state for one in await system.dispose(look.tickets, how)]

    assert desk.run(work) == [RemovalState.FAILED]


def test_odd_answer__when_a_ticket_is_made__is_blindness_since_there_may_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = 'create: {post: /new, json: {subject: "{{ subject }}"}, id: id}\n'
    desk = Desk(tmp_path, CONFIGURATION + create)
    desk.answers = {"/new": lambda _: (201, {"id": 7})}
    begin(monkeypatch, "adapter", "made_by")

    with pytest.raises(Blind, match="KeyError in") as caught:
        desk.run(lambda system: system.create(subject="s", body="b", requester="a@b.test"))

    assert caught.value.status is None
    assert desk.asked == ["POST /new"]
