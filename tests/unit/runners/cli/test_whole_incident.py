"""incidents ID, and --escalation: one incident whole, and what is told to whoever runs the other side."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Bisected, Change, Incident, IncidentId, IncidentKind, Progress, Transition
from canary.reason import Reason, Side
from canary.signature import CanaryId, find_tokens
from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.contracts import CanaryQuery
from runners.store import open_store
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.cli.evidence import STRANGER, broken
from tests.unit.runners.cli.filled import History
from tests.unit.runners.config.examples import ENVIRON


def incident_of(run: Run, path: str = "support-email") -> dict[str, Any]:
    every = run("incidents", "--json").answer("incidents")["incidents"]
    found: dict[str, Any] = next(one for one in every if one["path"] == path)
    return found


def change_store(history: History, *incidents: Incident) -> None:
    """Put incidents into the store, each of a path of its own."""

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            for one in incidents:
                _, version = await store.progress(one.path)
                change = Change(one, Transition.OPENED)
                await store.store_progress(
                    one.path, Progress(), version=version, changes=[change], at=one.opened_at
                )

    asyncio.run(write())


def test_incident_that_is_not_there__is_told(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    said = run("incidents", "abcdef")

    assert said.status == 2
    assert said.err.startswith("intake-prober: there is no incident abcdef. Write its id")


def test_incident_by_fewer_than_six_characters__is_not_guessed(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    assert run("incidents", incident_of(run)["id"][-5:]).status == 2


def test_escalation_without_an_incident__is_told(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    said = run("incidents", "--escalation")

    assert said.status == 2
    assert "Name it: intake-prober incidents ID --escalation." in said.err


def test_six_characters_that_end_two_incidents__are_told(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    first = incident_of(run)["id"]
    blind = IncidentId(first.replace("incident-", "blind-"))
    stop = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
    canary = CanaryId(first[-16:])
    one = Incident(
        blind, history.path.name, IncidentKind.BLIND, canary, history.now, history.now, stop, None, 2
    )
    change_store(history, one)

    said = run("incidents", first[-6:])

    assert said.status == 2
    assert f"{first[-6:]} ends the ids of 2 incidents: " in said.err
    assert run("incidents", first).status == 1


def test_escalation_of_the_probers_own_blindness__asks_nothing_of_a_vendor(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    stop = Stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED, Side.PROBER)
    at = history.now - timedelta(minutes=50)
    one = Incident(
        IncidentId("blind-abcdef"),
        history.path.name,
        IncidentKind.BLIND,
        CanaryId("a"),
        at,
        at,
        stop,
        None,
        2,
    )
    change_store(history, one)

    answer = run("incidents", "abcdef", "--escalation", "--json").answer("incidents ID --escalation")

    assert answer["party"] == "the prober (ours)"
    assert "can't tell whether support requests by e-mail to acme.example are received" in answer["summary"]
    assert len(answer["asked"]) == 1
    assert answer["asked"][0].startswith("Nothing: ")


@pytest.mark.parametrize(("answered", "status"), [(503, 503), (200, 500)])
def test_escalation_of_an_interface_that_fails__names_the_status_that_came(
    run: Run, tmp_path: Path, answered: int, status: int
) -> None:
    history = broken(tmp_path)
    stop = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER, answered, status)
    at = history.now - timedelta(minutes=50)
    named, kind = IncidentId("blind-abcdef"), IncidentKind.BLIND
    change_store(history, Incident(named, history.path.name, kind, CanaryId("a"), at, at, stop, None, 2))

    answer = run("incidents", "abcdef", "--escalation", "--json").answer("incidents ID --escalation")

    assert answer["party"].startswith("the ticketing vendor: its interface answers with an error of its own")
    assert f"an error of its own (HTTP {answered})." in answer["summary"]
    assert "5xx" not in answer["party"]


def test_escalation_after_a_canary_past_the_mail_platform__asks_the_one_it_lies_with(
    run: Run, tmp_path: Path
) -> None:
    history = broken(tmp_path)
    at = history.now - timedelta(minutes=50)
    one = Incident(
        IncidentId("bisected-abcdef"),
        history.path.name,
        IncidentKind.TARGET,
        CanaryId("a"),
        at,
        at,
        Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET),
        None,
        2,
        bisected=Bisected(CanaryId("b"), Verdict.CONFIRMED),
    )
    change_store(history, one)

    answer = run("incidents", "abcdef", "--escalation", "--json").answer("incidents ID --escalation")

    assert answer["party"] == "the mail platform"
    assert answer["asked"][0].startswith("Find these mails in your logs by queue id")
    assert any(
        said.startswith("A canary that was sent past the mail platform came through")
        for said in answer["tried"]
    )


def test_incident__is_shown_whole_by_its_last_six_characters(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)
    incident = incident_of(run)

    said = run("incidents", incident["id"][-6:])
    answer = run("incidents", incident["id"], "--json").answer("incidents ID")

    assert said.status == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("open      support-email  intake: mailbox.arrival, misrouted")
    assert "  it lies with the mail platform" in lines
    assert "Canaries: 2 of 2 failed" in lines
    assert "See docs/runbook/misrouted.md and https://wiki.acme.example/intake" in lines
    assert (answer["party"], answer["failed"], answer["paths"]) == ("the mail platform", 2, ["support-email"])
    assert [one["verdict"] for one in answer["canaries"]] == ["breached", "breached"]
    assert [one["what"] for one in answer["timeline"]] == [
        "launch of the last confirmed canary before it",
        "onset: launch of the first failed canary",
        "known: the incident opened",
    ]
    assert answer["incident"]["backlog"]["state"] == "waiting"


def test_late_tickets_that_arrive__are_a_backlog_that_drains(run: Run, tmp_path: Path) -> None:
    broken(tmp_path, ages=(44, 40, 35, 30, 25, 20), late=3)

    backlog = incident_of(run)["backlog"]
    said = run("incidents")

    assert (backlog["state"], backlog["missing"], backlog["late"]) == ("draining", 3, 3)
    assert backlog["ends_at"] is not None
    assert re.search(
        r"backlog: 3 missing, 3 came late, draining, 0\.\d+ a minute; drained by about ", said.out
    )


def test_incident_that_ended_two_days_ago__tells_no_backlog(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    then = history.now - timedelta(days=3)
    stop = Stop(Hop.DNS, Reason.DNS_NO_RECORD, Side.TARGET)
    over = Incident(
        id=IncidentId("incident-over"),
        path=history.path.name,
        kind=IncidentKind.TARGET,
        first_canary=CanaryId("a"),
        onset_at=then,
        opened_at=then,
        stop=stop,
        impact_from=None,
        failures=2,
        resolved_at=then + timedelta(hours=1),
        impact_until=then + timedelta(minutes=50),
    )
    change_store(history, over)

    answer = run("incidents", "incident-over", "--json").answer("incidents ID")

    assert answer["incident"]["backlog"] is None
    assert (answer["party"], answer["canaries"]) == ("the mail domain's DNS", [])


def test_incident_of_one_sender_and_of_a_path_that_is_gone__says_both(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    stop = Stop(Hop.SMTP_ACCEPT, Reason.REJECTED, Side.TARGET)
    at = history.now - timedelta(minutes=5)
    one = Incident(
        IncidentId("incident-gone-x"),
        replace(history.path, name="old-path").name,  # type: ignore[arg-type]  # a name of the tests
        IncidentKind.TARGET,
        CanaryId("a"),
        at,
        at,
        stop,
        None,
        2,
        failed_senders=frozenset({"canary@probe.example"}),
        working_senders=frozenset({"other@probe.example"}),
    )
    change_store(history, one)

    answer = run("incidents", "incident-gone-x", "--json").answer("incidents ID")

    assert answer["only_sender"] == "canary@probe.example"
    assert answer["party"] is None
    assert run("incidents", "incident-gone-x", "--escalation").status == 1


def test_escalation_of_a_mail__has_what_finds_it_and_nothing_secret(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path)
    incident = incident_of(run)["id"]

    said = run("incidents", incident, "--escalation")
    line = run("incidents", incident, "--escalation", "--json")
    answer = line.answer("incidents ID --escalation")

    for printed in (said.out, line.out):
        assert find_tokens(printed) == ()
        assert STRANGER.partition("@")[0] not in printed
        assert "customer.example" not in printed
        assert "not.for.vendors" not in printed
        assert [one for one in ENVIRON.values() if one in printed and len(one) > 5] == []
    first = answer["canaries"][0]
    assert first["message_id"] == f"<k{first['id']}…@probe.example>"
    assert first["queue_id"] == "4F2A9"
    assert first["reply"] == "250 2.0.0 Ok: queued as 4F2A9"
    assert (first["sender"], first["recipient_domain"]) == ("canary@probe.example", "acme.example")
    assert [one["clock_suspect"] for one in first["relays"]] == [False, False, True]
    deferred = next(one for one in first["exchanges"] if one["outcome"] == "failed")
    assert deferred["detail"] == "451 4.3.0 try again later, <***> was here"
    assert answer["party"] == "the mail platform"
    assert answer["times"]["last_proof_before"] == answer["times"]["impact_from"] is not None
    assert answer["asked"][0].startswith("Find these mails in your logs by queue id")
    assert "2 of our 2 test requests by e-mail to acme.example failed at mailbox.arrival" in answer["summary"]
    assert "As far as we can see it lies with the mail platform." in answer["summary"]
    assert "smtp.accept was tried up to 2 times for one request, with the same content." in answer["tried"]
    assert history.now.strftime("%Y-%m-%d") in said.out or answer["times"]["written_at"][:10] in said.out


def test_escalation_in_markdown__keeps_its_tables_whatever_a_server_said(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)

    said = run("incidents", incident_of(run)["id"], "--escalation")

    blocks = [block.splitlines() for block in said.out.split("\n\n") if block.startswith("|")]
    for block in blocks:
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in block} == {block[0].count("|")}
    assert r"found in Junk \| Subject: intakecanary" in said.out
    headings = [line for line in said.out.splitlines() if line.startswith("## ")]
    assert headings == ["## Times", "## Failed requests: 2 of 2", "## What we tried", "## What we ask of you"]


def test_escalation_of_a_form__has_address_status_and_times(run: Run, tmp_path: Path) -> None:
    broken(tmp_path)
    incident = incident_of(run, "contact-form")["id"]

    answer = run("incidents", incident, "--escalation", "--json").answer("incidents ID --escalation")

    first = answer["canaries"][0]
    (failed,) = [one for one in first["exchanges"] if one["outcome"] == "failed"]
    assert failed["facts"] == {
        "http.request.method": "POST",
        "url.full": "https://desk.acme.example/tickets/submit/",
        "http.response.status_code": 502,
    }
    assert (first["message_id"], first["recipient_domain"]) == (None, None)
    assert answer["party"] == "the website or portal"


def test_escalation_of_a_late_canary__says_ticket_and_when_it_came(run: Run, tmp_path: Path) -> None:
    broken(tmp_path, ages=(44, 40, 35), late=1)

    answer = run("incidents", incident_of(run)["id"], "--escalation", "--json").answer(
        "incidents ID --escalation"
    )

    first = answer["canaries"][0]
    assert (first["verdict"], first["ticket"]["id"]) == ("late", "17")
    assert first["ticket_seen_at"] > first["deadline_at"]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_escalation_whose_observations_were_dropped__says_so(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    history = broken(tmp_path, ages=(44, 40, 35), late=3)
    incident = incident_of(run)["id"]

    async def age() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            every = await store.canaries(CanaryQuery())
            await store.finish_clean(*(one.canary.id for one in every), at=history.now)
            await store.forget(history.now + timedelta(days=40))

    asyncio.run(age())
    said = run("incidents", incident, "--escalation", *words)

    assert ('"dropped": true' if words else "is no longer kept") in said.out


def test_more_failed_canaries_than_a_bundle_takes__are_the_first_and_the_last(
    run: Run, tmp_path: Path
) -> None:
    broken(tmp_path, ages=tuple(range(44, 19, -1)))

    answer = run("incidents", incident_of(run)["id"], "--escalation", "--json").answer(
        "incidents ID --escalation"
    )

    assert (answer["failed"], len(answer["canaries"])) == (25, 20)
    times = [one["launched_at"] for one in answer["canaries"]]
    assert times == sorted(times)


def test_escalation_while_a_canary_is_on_its_way__counts_only_those_that_were_judged(
    run: Run, tmp_path: Path
) -> None:
    history = broken(tmp_path)

    async def launch() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            await store.record(
                history.canary(history.now), holder="test", lease_until=history.now + timedelta(minutes=1)
            )

    asyncio.run(launch())
    incident = incident_of(run)["id"]

    summary = run("incidents", incident, "--escalation", "--json").answer("incidents ID --escalation")[
        "summary"
    ]

    assert "2 of our 2 test requests" in summary
    assert "1 more is still on the way." in summary
