"""The generic adapter against a system of a taste of its own: what blinds it, what it finds."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from canary.content import compare
from canary.hop import Channel
from canary.observation import Depth
from canary.reason import Reason
from canary.requester import Standing
from canary.ticket import TicketState
from probes.contracts import CheckState, RemovalState, View
from probes.reasons import explain
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.odd_desk import CONFIGURATION, long_ago
from tests.unit.probes.ticketing.generic.scene import CLOSE, DELETE, Scene


def test_wrong_key__refused_at_the_log_in__is_our_credential(tmp_path: Path) -> None:
    scene = Scene(tmp_path, key="another-key-of-the-tests")

    error = scene.blind(scene.canary())

    fault = explain(error)
    assert fault is not None
    assert fault.reason is Reason.CREDENTIALS_REJECTED
    assert "another-key-of-the-tests" not in str(error)


def test_wrong_key__answered_200_with_an_empty_list__is_blind_and_not_absence(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("anything")
    scene.desk.hides_all = True

    for depth in Depth:
        error = scene.blind(scene.canary(), depth=depth)
        assert "sight" in str(error)
        assert "credential" in str(error)


def test_session_that_ended__is_renewed_once_and_the_look_goes_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        await system.find([canary], Depth.POLL)
        scene.desk.session += 1  # it forgets ours
        return await system.find([canary], Depth.POLL)

    look = scene.run(work)

    assert len(look.tickets) == 1
    assert scene.desk.paths().count("POST /login") == 2


def test_session_error__with_status_200__is_renewed_as_well(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.session_error_is_200 = True
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        await system.find([canary], Depth.POLL)
        scene.desk.session += 1
        return await system.find([canary], Depth.POLL)

    assert len(scene.run(work).tickets) == 1


def test_session__at_the_end__is_logged_out(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    scene.find(scene.canary())

    assert scene.desk.paths()[-1] == "POST /logout"


def test_every_call__bears_the_fixed_header_also_at_the_log_in(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    scene.find(scene.canary())

    assert {one.headers["origin"] for one in scene.desk.requests} == {"https://odd.acme.test"}


@pytest.mark.parametrize("gone", ["id", "title", "opened", "state"])
def test_field_that_we_rely_on__is_gone__is_blind_and_names_it(tmp_path: Path, gone: str) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("a stranger's question")
    scene.desk.without = {gone}

    error = scene.blind(scene.canary())

    name = {"id": "id", "title": "subject", "opened": "created_at", "state": "open"}[gone]
    assert f"ticketing.desk.ticket.{name}" in str(error)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, b"{}", Reason.CREDENTIALS_REJECTED),
        (404, b"{}", Reason.TICKET_API_UNREADABLE),
        (429, b"{}", Reason.RATE_LIMITED),
        (500, b"{}", Reason.TICKET_API_UNREADABLE),
        (503, b"{}", Reason.TICKET_API_UNREADABLE),
        (200, b"<html>maintenance</html>", Reason.TICKET_API_UNREADABLE),
        (200, b"", Reason.TICKET_API_UNREADABLE),
        (200, b'{"message": "no data here"}', Reason.TICKET_API_UNREADABLE),
        (200, b'{"data": "none"}', Reason.TICKET_API_UNREADABLE),
        (200, b"[]", Reason.TICKET_API_UNREADABLE),
    ],
)
def test_unreadable_answer__is_blind_with_its_reason(
    tmp_path: Path, status: int, body: bytes, reason: Reason
) -> None:
    scene = Scene(tmp_path)
    scene.desk.answer = lambda request: (
        httpx.Response(status, content=body, headers={"content-type": "application/json"})
        if request.url.path == "/v1/tickets"
        else None
    )

    fault = explain(scene.blind(scene.canary()))

    assert fault is not None
    assert fault.reason is reason


def test_throttled_without_a_word_how_long__stays_away_for_the_default(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.answer = lambda request: httpx.Response(429) if request.url.path == "/v1/tickets" else None

    assert scene.blind(scene.canary()).retry_after_seconds == 30.0


def test_ticket__is_read_with_all_its_fields(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(
        canary.subject_prefix, html="<p>Guten&nbsp;Tag</p><p>Hilfe</p>", mail="Canary@Probe.test"
    )

    look = scene.find(canary)

    (ticket,) = look.tickets
    assert ticket.ref.id == str(number)
    assert ticket.subject == canary.subject_prefix
    assert (ticket.body or "").split() == ["Guten", "Tag", "Hilfe"]
    assert ticket.requester == "canary@probe.test"
    assert ticket.remote_created_at == scene.clock.now()
    assert ticket.channel is Channel.EMAIL
    assert ticket.is_open
    assert look.is_complete
    assert look.view is View.STRONG


def test_strangers_ticket__is_neither_shown_nor_its_text_asked_for_in_a_narrow_look(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("where is my order")

    look = scene.find(scene.canary(), depth=Depth.POLL)

    assert look.tickets == ()
    assert not [one for one in scene.desk.paths() if "threads" in one]


def test_token_in_the_text_alone__is_seen_by_the_wide_look_which_reads_an_old_strangers_row_once(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add("where is my order", opened=scene.clock.now() - timedelta(minutes=4))
    scene.desk.add("the gateway rewrote this", html=f"<p>{canary.token}</p>")

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return [await system.find([canary], Depth.DEADLINE) for _ in range(2)]

    first, second = scene.run(work)

    assert [len(one.tickets) for one in (first, second)] == [1, 1]
    assert len([one for one in scene.desk.paths() if "threads" in one]) == 3  # ours may still change


def test_number_that_is_given_out_again__is_read_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    first, second = scene.canary(), scene.canary()
    number = scene.desk.add(first.subject_prefix, html="<p>the first</p>")

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        before = await system.find([first, second], Depth.DEADLINE)
        del scene.desk.rows[number]
        assert scene.desk.add(second.subject_prefix, html="<p>the second</p>") == number
        return before, await system.find([first, second], Depth.DEADLINE)

    before, after = scene.run(work)

    assert (before.tickets[0].subject, before.tickets[0].body) == (first.subject_prefix, "the first")
    assert (after.tickets[0].subject, after.tickets[0].body) == (second.subject_prefix, "the second")


def test_number_that_is_given_out_again__before_the_clean_up__is_left_alone(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        look = await system.find([canary], Depth.DEADLINE)
        scene.desk.rows[number].title = "a customer's question"
        return await system.dispose(look.tickets, DELETE)

    (disposed,) = scene.run(work)

    assert disposed.state is RemovalState.FAILED  # the same requester and moment: it can't be told
    assert number in scene.desk.rows


def test_more_pages_than_allowed__is_not_complete(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for _ in range(20):
        scene.desk.add("a question")

    assert not scene.find(scene.canary(), depth=Depth.POLL).is_complete


def test_cursor_that_leads_to_the_same_page__is_not_complete(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for _ in range(5):
        scene.desk.add("a question")
    scene.desk.repeats_page = True

    assert not scene.find(scene.canary(), depth=Depth.POLL).is_complete


def test_newest_first__older_pages_are_not_asked_for(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    for _ in range(12):
        scene.desk.add("an old question", opened=long_ago(scene.clock))
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    look = scene.find(canary, depth=Depth.POLL)

    assert len(look.tickets) == 1
    assert look.is_complete
    assert scene.desk.paths().count("GET /v1/tickets") == 2


def test_order_that_the_system_ignores__does_not_end_the_look_at_its_first_page(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    for days in range(12, 0, -1):
        scene.desk.add("an old question", opened=long_ago(scene.clock) - timedelta(days=days))
    scene.desk.add(canary.subject_prefix)
    scene.desk.is_oldest_first = True

    look = scene.find(canary, depth=Depth.POLL)

    assert len(look.tickets) == 1
    assert scene.desk.paths().count("GET /v1/tickets") == 5


def test_held_aside__is_diverted_with_the_systems_cause_and_is_cleaned_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add("a stranger's, so that ids could be confused")
    scene.desk.held[1] = (canary.subject_prefix, "auto_mailer")

    look = scene.find(canary)
    (disposed,) = scene.disposed(CLOSE, canary)

    (ticket,) = look.tickets
    assert (ticket.state, ticket.cause) == (TicketState.DIVERTED, "auto_mailer")
    assert disposed.ref == ticket.ref
    assert scene.desk.held == {}
    assert scene.find(canary, depth=Depth.POLL).tickets == ()


def test_eventual_view__is_told_with_its_lag(tmp_path: Path) -> None:
    eventual = CONFIGURATION.replace(
        "    order: newest_first", "    order: newest_first\n    view: eventual\n    lag: 90s"
    )
    scene = Scene(tmp_path, configuration=eventual)
    scene.desk.add("a question")

    look = scene.find(scene.canary())

    assert (look.view, look.lag_seconds) == (View.EVENTUAL, 90.0)


def test_without_canaries__shows_what_bears_marker_and_token(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    number = scene.desk.add(new_canary(scene.clock.now()).subject_prefix)
    scene.desk.add("a stranger's question")

    assert [one.ref.id for one in scene.find().tickets] == [str(number)]


def test_200_canaries__take_as_many_pages_as_one(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=CONFIGURATION.split("    read:")[0] + _after_read())
    scene.desk.page_size = 300
    canaries = [scene.canary() for _ in range(200)]
    for one in canaries:
        scene.desk.add(one.subject_prefix)

    look = scene.find(*canaries, depth=Depth.POLL)

    assert len(look.tickets) == 200
    assert scene.desk.paths().count("GET /v1/tickets") == 1


def _after_read() -> str:
    return CONFIGURATION[CONFIGURATION.index("diverted:") :]


def test_check__with_a_wrong_key__fails_with_a_remedy(tmp_path: Path) -> None:
    scene = Scene(tmp_path, key="another-key-of-the-tests")

    (check,) = scene.run(lambda system: system.check())

    assert check.state is CheckState.FAIL
    assert check.remedy


def test_check__sees_the_empty_list_of_a_wrong_key(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.hides_all = True

    assert scene.run(lambda system: system.check())[0].state is CheckState.FAIL


def test_check__changes_nothing_and_says_what_is_not_known(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("a question")

    checks = scene.run(lambda system: system.check())

    assert {one.name: one.state for one in checks} == {
        "ticket.search": CheckState.OK,
        "ticket.page": CheckState.OK,
        "ticket.read": CheckState.OK,
        "ticket.clean": CheckState.OK,
        "budget": CheckState.OK,
        "ticket.close": CheckState.WARN,
        "clock.skew": CheckState.OK,
    }
    assert not [one for one in scene.desk.requests if one.method in {"PATCH", "DELETE"}]


def test_create__makes_a_ticket_and_tells_its_id(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    number = scene.run(lambda system: system.create(subject="one", body="two", requester="canary@probe.test"))

    assert scene.desk.rows[int(number)].title == "one"


@pytest.mark.parametrize(("via", "is_ours"), [("Web", False), ("Mail", True), ("Any", True)])
def test_word_that_stands_for_two_channels__accuses_neither(tmp_path: Path, via: str, is_ours: bool) -> None:
    both = CONFIGURATION.replace(
        "channel: {email: [Mail], portal: [Web]}",
        "channel: {email: [Mail, any], portal: [Web, Any], form: [Web]}",
    )
    scene = Scene(tmp_path, configuration=both)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix, via=via)

    (ticket,) = scene.find(canary).tickets

    assert (canary.channel in {ticket.channel, *ticket.other_channels}) is is_ours
    wrong = [
        one
        for one in compare(canary, None, ticket, requester=Standing.OURS)
        if one.reason is Reason.WRONG_CHANNEL
    ]
    assert (not wrong) is is_ours
