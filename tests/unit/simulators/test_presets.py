"""Presets under settings that are not the usual ones."""

from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Blind, Disposal, DisposalAction, RemovalState, TicketingSystem
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_bench import BODY, SENDER, Ability, new_canary, with_system
from tests.contracts.ticketing_wire import only_at, saying
from tests.simulators.bench import SimulatedBench
from tests.simulators.table import File
from tests.unit.simulators.test_contract_more_vendors import GlpiBench, SalesforceBench
from tests.unit.simulators.test_contract_vendors import FreshdeskBench, ServiceNowBench, ZammadBench
from tests.unit.simulators.test_contract_zendesk import ZendeskBench

BENCHES = (FreshdeskBench, GlpiBench, SalesforceBench, ServiceNowBench, ZammadBench, ZendeskBench)
TAG = "of-a-canary"


@pytest.fixture(params=BENCHES, ids=lambda one: one.preset)
def bench(request: pytest.FixtureRequest) -> SimulatedBench:
    found: SimulatedBench = request.param()
    return found


def test_tag_of_another_name__is_set_and_read_back(bench: SimulatedBench) -> None:
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} to close", BODY, SENDER)

    async def main(system: TicketingSystem) -> tuple[list[RemovalState], frozenset[str]]:
        tickets = (await system.find([canary], Depth.DEADLINE)).tickets
        done = await system.dispose(tickets, Disposal(DisposalAction.CLOSE, TAG))
        (after,) = (await system.find([canary], Depth.DEADLINE)).tickets
        return [one.state for one in done], after.tags

    states, tags = with_system(bench, main)

    assert states == [RemovalState.DONE]
    assert Ability.TAGS in bench.lacks or TAG in tags


def test_ticket_that_is_made_by_the_api__is_found_and_closed_and_nobody_is_told(
    bench: SimulatedBench,
) -> None:
    canary = new_canary(bench.now())
    if isinstance(bench, GlpiBench):
        bench.simulator.users["prober@acme.test"] = 9  # type: ignore[attr-defined]  # whoever is logged in is a user

    async def main() -> tuple[str, list[tuple[str, str | None]], list[RemovalState]]:
        async with bench.connected() as system:
            assert isinstance(system, Generic)
            number = await system.create(subject=canary.subject_prefix, body=BODY, requester=SENDER)
            tickets = (await system.find([canary], Depth.POLL)).tickets
            done = await system.dispose(tickets, Disposal(DisposalAction.CLOSE, TAG))
            shown = [(str(one.ref.id), one.subject) for one in tickets]
            return number, shown, [one.state for one in done]

    number, shown, states = bench.run(main())

    assert shown == [(number, canary.subject_prefix)]
    assert states == [RemovalState.DONE]
    assert bench.mails_sent() == 0


def closed_by_zammad(bench: ZammadBench) -> RemovalState:
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} to close", BODY, SENDER)

    async def main(system: TicketingSystem) -> RemovalState:
        tickets = (await system.find([canary], Depth.POLL)).tickets
        for one in tickets:
            bench.desk.rows[int(one.ref.id)].is_open = False  # an agent was faster
        (done,) = await system.dispose(tickets, Disposal(DisposalAction.CLOSE, TAG))
        return done.state

    return with_system(bench, main)


def test_zammad__a_ticket_that_an_agent_closed__is_tagged_all_the_same() -> None:
    bench = ZammadBench()

    assert closed_by_zammad(bench) is RemovalState.DONE
    assert [one.tags for one in bench.desk.rows.values() if not one.is_open] == [[TAG]]


def test_zammad__a_tag_that_is_taken_and_not_set__is_no_clean_up() -> None:
    bench = ZammadBench()
    bench.wire.answers = only_at(("/tags/add",), saying(201, "true"))

    assert closed_by_zammad(bench) is RemovalState.FAILED


@pytest.mark.parametrize("depth", list(Depth))
def test_tickets_that_we_may_not_see_any_more__are_not_absent(bench: SimulatedBench, depth: Depth) -> None:
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)
    bench.desk.hides = True

    with pytest.raises(Blind, match="not one ticket is shown"):
        with_system(bench, lambda system: system.find([canary], depth))


def test_ticket_that_we_may_not_see_any_more__is_not_called_removed(bench: SimulatedBench) -> None:
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)

    async def main(system: TicketingSystem) -> list[RemovalState]:
        tickets = (await system.find([canary], Depth.DEADLINE)).tickets
        bench.desk.hides = True
        done = await system.dispose(tickets, Disposal(DisposalAction.CLOSE, "synthetic"))
        return [one.state for one in done]

    assert with_system(bench, main) == [RemovalState.FAILED]


def test_new_system__with_the_canarys_ticket_alone__shows_it(bench: SimulatedBench) -> None:
    bench.desk.rows.clear()
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} the first", BODY, SENDER)

    look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

    assert len(look.tickets) == 1
    states = [one.state for one in with_system(bench, lambda system: system.check())]
    assert "fail" not in states


def test_new_system__without_any_ticket__is_a_warning_of_check_and_not_absence(bench: SimulatedBench) -> None:
    bench.desk.rows.clear()

    search, *_ = with_system(bench, lambda system: system.check())

    assert search.state == "warn"
    assert "inconclusive" in search.finding
    with pytest.raises(Blind):
        with_system(bench, lambda system: system.find([new_canary(bench.now())], Depth.DEADLINE))


def blind_by(bench: SimulatedBench) -> str:
    with pytest.raises(Blind) as raised:
        with_system(bench, lambda system: system.find([new_canary(bench.now())], Depth.DEADLINE))
    return str(raised.value)


@pytest.mark.parametrize("restriction", ["groups", "organization", "assigned", "requested"])
def test_zendesk__an_agent_whose_access_is_restricted__is_blind(restriction: str) -> None:
    bench = ZendeskBench()
    bench.simulator.restriction = restriction  # type: ignore[attr-defined]  # the bench's own

    assert "ticket_restriction" in blind_by(bench)


@pytest.mark.parametrize("scope", [2, 3])
def test_freshdesk__an_agent_of_another_scope_than_all__is_blind(scope: int) -> None:
    bench = FreshdeskBench()
    bench.simulator.scope = scope  # type: ignore[attr-defined]  # the bench's own

    assert "ticket_scope" in blind_by(bench)


@pytest.mark.parametrize("zone", ["", "America/Los_Angeles", "Europe/Berlin"])
def test_servicenow__a_user_of_another_zone_than_gmt__is_blind(zone: str) -> None:
    bench = ServiceNowBench()
    bench.simulator.time_zone = zone  # type: ignore[attr-defined]  # the bench's own

    assert "time_zone" in blind_by(bench)


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
@pytest.mark.parametrize("depth", list(Depth))
def test_glpi__in_a_servers_zone_that_is_given__finds_the_ticket_and_its_moment(
    zone: str, depth: Depth
) -> None:
    bench = GlpiBench()
    bench.simulator.zone = ZoneInfo(zone)  # type: ignore[attr-defined]  # the bench's own
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)

    async def main() -> timedelta:
        async with bench.connected(changed={"given: {zone: UTC}": f"given: {{zone: {zone}}}"}) as system:
            (ticket,) = (await system.find([canary], depth)).tickets
            assert ticket.remote_created_at is not None
            return abs(ticket.remote_created_at - bench.now())

    assert bench.run(main()) < timedelta(minutes=1)


def test_freshdesk__a_poll__is_one_call() -> None:
    bench = FreshdeskBench()
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)

    with_system(bench, lambda system: system.find([canary], Depth.POLL))

    assert bench.simulator.calls == ["GET /api/v2/tickets"]


def test_freshdesk__spam_of_more_than_a_page__is_read_on() -> None:
    bench = FreshdeskBench()
    canary = new_canary(bench.now())
    bench.desk.hold(f"{canary.subject_prefix} aside", BODY, SENDER, cause="spam")
    bench.run(bench.clock.sleep(1))
    for index in range(120):
        bench.desk.hold(f"an offer {index}", "buy now", "spam@spam.test", cause="spam")

    look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

    assert len(look.tickets) == 1


def test_zendesk__suspended_mails_of_more_than_a_page__are_read_on() -> None:
    bench = ZendeskBench()
    canary = new_canary(bench.now())
    bench.desk.hold(f"{canary.subject_prefix} aside", BODY, SENDER, cause="Detected as spam")
    for index in range(120):
        bench.desk.hold(f"an offer {index}", "buy now", "spam@spam.test", cause="Detected as spam")

    look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

    assert (len(look.tickets), look.is_complete) == (1, True)


@pytest.mark.parametrize("make", [FreshdeskBench, ServiceNowBench])
def test_ticket_that_is_deleted_between_two_pages__does_not_hide_another(
    make: type[FreshdeskBench] | type[ServiceNowBench],
) -> None:
    bench = make()
    canary = new_canary(bench.now())
    bench.open_ticket("the gateway rewrote this", f"{BODY} {canary.token}", SENDER)
    bench.flood(100 if make is FreshdeskBench else 200)
    newest = max(bench.desk.rows)

    def deleted(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        bench.desk.rows.pop(newest, None)
        return answer

    bench.wire.changes = deleted
    look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

    assert (len(look.tickets), look.is_complete) == (1, True)


def test_zendesk__a_search_that_shows_somebody_else__does_not_give_another_ones_tickets() -> None:
    bench = ZendeskBench()
    simulator = bench.simulator
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)
    user = simulator._user  # type: ignore[attr-defined]  # the bench's own
    simulator._user = lambda address: {**user(address), "email": "another@customer.test"}  # type: ignore[attr-defined]

    look = with_system(bench, lambda system: system.find([canary], Depth.POLL))

    assert not look.tickets
    assert not look.is_complete


def test_zendesk__a_user_that_was_merged__is_asked_for_anew_by_the_next_poll() -> None:
    bench = ZendeskBench()
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} there", BODY, SENDER)

    async def main(system: TicketingSystem) -> int:
        assert len((await system.find([canary], Depth.POLL)).tickets) == 1
        bench.simulator._users[SENDER] = 99001  # type: ignore[attr-defined]  # the other id is gone
        with pytest.raises(Blind):
            await system.find([canary], Depth.POLL)
        return len((await system.find([canary], Depth.POLL)).tickets)

    assert with_system(bench, main) == 1


def test_glpi__a_document_that_is_answered_by_words_about_it__is_named_and_not_compared() -> None:
    bench = GlpiBench()
    bench.simulator.serves_files = False  # type: ignore[attr-defined]
    canary = new_canary(bench.now())
    bench.mail(canary, attachment=b"%PDF")

    async def main(system: TicketingSystem) -> list[tuple[str, str | None]]:
        (ticket,) = (await system.find([canary], Depth.DEADLINE)).tickets
        return [(one.name, one.sha256) for one in ticket.attachments or ()]

    assert with_system(bench, main) == [("invoice.pdf", None)]


def test_salesforce__a_file_at_the_case_itself__is_found_too() -> None:
    bench = SalesforceBench()
    canary = new_canary(bench.now())
    file = File("invoice.pdf", b"%PDF \xff")
    bench.desk.plant(f"{canary.subject_prefix} by the form", BODY, SENDER, channel="form", files=[file])

    async def main(system: TicketingSystem) -> list[tuple[str, str | None]]:
        (ticket,) = (await system.find([canary], Depth.DEADLINE)).tickets
        return [(one.name, one.sha256) for one in ticket.attachments or ()]

    assert with_system(bench, main) == [("invoice.pdf", sha256(file.content).hexdigest())]
