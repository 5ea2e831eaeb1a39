"""status, canaries, trace, incidents and audit: what the store knows, in words and as JSON."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from canary.hop import Hop
from canary.ticket import Ticket, TicketId, TicketRef
from canary.verdict import Verdict
from runners.answers import kept_answer, kept_of, stamp
from runners.clock import SystemClock
from runners.contracts import CanaryQuery, Record
from runners.store import open_store
from tests.contracts.store_cases import judged, make_canary
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.cli.filled import History, fill, passed
from tests.unit.runners.config.examples import FULL, changed


def test_status__of_a_path_that_works__exits_0(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))

    said = run("status")

    assert said.status == 0
    assert said.err == ""
    assert said.out.startswith("support-email  ok        last proof 4")
    assert "\x1b" not in said.out


def test_status__of_a_path_that_is_broken__exits_1_and_says_where(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)

    said = run("status")
    answer = run("status", "--json").answer("status")

    assert said.status == 1
    assert "mailbox.arrival is broken: not_seen" in said.out
    (path,) = answer["paths"]
    assert (path["state"], path["verdicts"]) == ("broken", ["breached", "breached", "confirmed"])
    assert path["incident"]["blame"] == "mailbox.arrival"
    assert answer["gauges"][0]["detail"] == "storage"
    assert answer["exit"] == 1


def test_status__of_a_path_without_verdicts_for_long__exits_3(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False)

    said = run("status", "--json")

    assert said.status == 3
    assert said.answer("status")["paths"][0]["state"] == "stale"


def test_status__without_a_store__exits_3_and_makes_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(FULL)

    said = run("status")

    assert said.status == 3
    assert said.err.startswith("intake-prober: ")
    assert not (tmp_path / "intake.db").exists()


def test_status__without_the_secrets__works(run: Run, tmp_path: Path) -> None:
    text = changed("every: 10m", "every: 1h")
    fill(tmp_path, broken=False, text=text)
    (tmp_path / "intake.yaml").write_text(changed("{env: DESK_TOKEN}", "{env: NOT_SET}", text))

    assert run("status").status == 0


def test_status__of_a_mailbox_that_is_configured_no_more__tells_no_gauge_of_it(
    run: Run, tmp_path: Path
) -> None:
    history = fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))
    before = run("status", "--json").answer("status")["gauges"]
    text = history.file.read_text().replace("  support:\n", "  other:\n")
    history.file.write_text(text.replace("mailbox: support", "mailbox: other"))

    assert [one["place"] for one in before] == ["support"]
    assert run("status", "--json").answer("status")["gauges"] == []


def test_status__in_a_maintenance_window__says_that_the_path_is_silenced(run: Run, tmp_path: Path) -> None:
    window = (
        'maintenance:\n  vendor: {cron: "* * * * *", for: 2h, about: [desk], why: their release}\nalerts:'
    )
    fill(tmp_path, broken=False, text=changed("alerts:", window))

    assert run("status", "--json").answer("status")["paths"][0]["silenced"]


def test_canaries__are_listed_newest_first_with_blame(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)

    said = run("canaries")
    answer = run("canaries", "--json", "--verdict", "confirmed").answer("canaries")

    assert [line.split()[4] for line in said.out.splitlines()] == ["breached", "breached", "confirmed"]
    assert "mailbox.arrival: not_seen" in said.out
    (canary,) = answer["canaries"]
    assert canary["seconds"] == 2.6
    assert canary["blame"] is None
    assert canary["ticket"] == {
        "system": "desk",
        "id": "17",
        "url": "https://desk.acme.example/tickets/17/",
    }
    assert [hop["name"] for hop in canary["hops"]][:2] == ["dns", "smtp.connect"]


def test_canaries__go_on_before_the_one_that_the_answer_names(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)

    first = run("canaries", "--json", "--limit", "2").answer("canaries")
    rest = run("canaries", "--json", "--limit", "2", "--before", first["next"]).answer("canaries")

    assert first["next"] == first["canaries"][-1]["id"]
    assert [one["verdict"] for one in (*first["canaries"], *rest["canaries"])] == [
        "breached",
        "breached",
        "confirmed",
    ]
    assert rest["next"] is None
    refused = run("canaries", "--before", "nobody")
    assert (refused.status, "--before nobody is no canary's id" in refused.err) == (2, True)


def test_canaries__of_an_unknown_verdict_or_time__are_told(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False)

    assert "Did you mean breached?" in run("canaries", "--verdict", "breachd").err
    assert "--since yesterday is not a time" in run("canaries", "--since", "yesterday").err
    assert "--since 2026-03-01 is not a time" in run("canaries", "--since", "2026-03-01").err


def test_trace__shows_hops_relays_and_verdict(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))
    (canary,) = run("canaries", "--json").answer("canaries")["canaries"]

    said = run("trace", canary["id"])

    assert said.status == 0
    lines = said.out.splitlines()
    assert lines[0] == f"support-email  canary {canary['id']}  confirmed in 2.6 s"
    assert [line.split()[0] for line in lines[2:8]] == [
        "dns",
        "smtp.connect",
        "smtp.tls",
        "smtp.auth",
        "smtp.accept",
        "mailbox.arrival",
    ]
    assert "└ from smtp.probe.example by mx.acme.example with ESMTPS  +400 ms" in lines[8]
    assert lines[-1] == "Ticket 17 in desk https://desk.acme.example/tickets/17/"


def test_trace__of_a_breached_canary__says_who_is_to_blame_and_what_to_read(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)
    canary = run("canaries", "--json", "--verdict", "breached").answer("canaries")["canaries"][0]

    said = run("trace", canary["trace_id"])
    answer = run("trace", canary["id"], "--json").answer("trace")

    assert said.status == 1
    assert "Broken at mailbox.arrival: not_seen." in said.out
    assert "See docs/runbook/not_seen.md and https://wiki.acme.example/intake" in said.out
    assert answer["canary"]["side"] == "target"
    assert answer["observations"][0]["hop"] == "dns"


def test_trace__of_a_canary_whose_observations_were_dropped__says_so(run: Run, tmp_path: Path) -> None:
    history = fill(tmp_path, broken=False)
    (canary,) = run("canaries", "--json").answer("canaries")["canaries"]
    asyncio.run(grown_old(history, days=31))

    said = run("trace", canary["id"])
    answer = run("trace", canary["id"], "--json").answer("trace")

    assert (
        "What was seen of it hop by hop was dropped for its age (prober.retention.observations)." in said.out
    )
    assert "Ticket 17 in desk" in said.out
    assert (answer["dropped"], answer["observations"], answer["canary"]["hops"]) == (True, [], [])
    assert answer["canary"]["seconds"] == 2.6


async def grown_old(history: History, *, days: int) -> None:
    """Clean all canaries, and forget as if so many days had passed."""
    async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
        records = await store.canaries(CanaryQuery())
        await store.finish_clean(*(one.canary.id for one in records), at=history.now)
        await store.forget(history.now + timedelta(days=days))


def test_trace__of_no_canary_or_of_several__is_told(run: Run, tmp_path: Path) -> None:
    history = fill(tmp_path, broken=True)
    beginning = history.canary(history.now).id[:4]

    assert "there is no canary zzzz" in run("trace", "zzzz").err
    several = run("trace", beginning)
    assert several.status == 2
    assert f"{beginning} is the beginning of 3 canaries" in several.err


def test_incidents__say_onset_detection_and_who_may_be_affected(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)

    said = run("incidents")
    (incident,) = run("incidents", "--json").answer("incidents")["incidents"]

    assert said.status == 1
    assert "may be affected" in said.out
    assert incident["state"] == "open"
    assert incident["failures"] == 2
    assert incident["detection_seconds"] == 1202.0
    assert incident["impact_from"] is not None
    assert incident["impact_until"] is None


def test_audit__lists_what_was_closed(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False)

    said = run("audit")
    answer = run("audit", "--json").answer("audit")

    assert said.status == 0
    assert "ticket  desk  17  close  done" in said.out
    assert answer["audit"][0]["action"] == "close"


def test_store_that_is_no_store__exits_3_with_the_cause(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(FULL)
    (tmp_path / "intake.db").write_text(
        "this is no database, and long enough to be taken for a header of one"
    )

    said = run("status", "--json")

    assert said.status == 3
    assert "intake.db" in said.answer("errors")["errors"][0]["message"]


def test_status__of_a_path_whose_ticket_agents_may_meet__says_so_in_words_and_as_json(
    run: Run, tmp_path: Path
) -> None:
    history = fill(tmp_path, broken=False, text=changed("every: 10m", "every: 1h"))

    async def miss() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock()) as store:
            (newest,) = await store.canaries(CanaryQuery(limit=1))
            seen = passed(newest.canary, Hop.TICKET_CREATED, 1, 2)
            ticket = Ticket(TicketRef("desk", TicketId("18")), is_quarantined=False)
            await store.append(replace(seen, ticket=ticket))

    before = run("status", "--json").answer("status")["paths"][0]["quarantine"]
    asyncio.run(miss())
    said = run("status")

    assert before is None
    assert said.status == 0
    assert "its last ticket was first seen without the mark of the quarantine rule" in said.out
    assert "first seen" in run("status", "--json").answer("status")["paths"][0]["quarantine"]
    assert "first seen without the mark" in run("status", "--since", "1d").out


def test_ticket_of_a_canary_that_is_watched_to_its_horizon__is_kept_and_not_called_left_over() -> None:
    damaged, clean, untried = make_canary(1), make_canary(2), make_canary(3)
    ticket = TicketRef("desk", TicketId("17"))
    records = [
        Record(
            damaged,
            replace(judged(damaged, Verdict.BREACHED), ticket=ticket),
            launch_ended=True,
            is_clean=False,
        ),
        Record(
            clean, replace(judged(clean, Verdict.BREACHED), ticket=ticket), launch_ended=True, is_clean=True
        ),
        Record(
            untried, replace(judged(untried, Verdict.LATE), ticket=ticket), launch_ended=True, is_clean=False
        ),
    ]

    (kept,) = kept_of(records, {untried.id})

    assert kept_answer(kept) == {
        "canary": damaged.id,
        "path": damaged.path,
        "verdict": "breached",
        "place": "desk",
        "what": "17",
        "until": stamp(damaged.horizon_at),
    }
