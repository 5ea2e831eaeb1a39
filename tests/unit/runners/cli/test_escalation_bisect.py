"""incidents ID --escalation where a canary went past the mail platform, and relays' fields were kept."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canary.alert import said_of
from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Bisected
from canary.learnt import note_bisected
from canary.observation import Outcome, Relay
from canary.path import Path as IntakePath
from canary.path import PathName, bisect_name
from canary.reason import Reason, Side
from canary.signature import find_tokens
from canary.verdict import Verdict
from runners.bisecting import with_bisects
from runners.clock import SystemClock
from runners.contracts import CanaryQuery
from runners.dossier import bisect_of
from runners.escalation import bisect_words
from runners.store import open_store
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.cli.evidence import STRANGER
from tests.unit.runners.cli.filled import SECONDS, History, good, vanished
from tests.unit.runners.config.examples import FULL, changed

MAIL = PathName("support-email")
NO_TICKET = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
NO_MAIL = Stop(Hop.MAILBOX_ARRIVAL, Reason.NOT_SEEN, Side.TARGET)
BISECTED = changed("reply: true", "reply: true\n    bisect: acme.4711@inbound.vendor.example", FULL)


def accepted(seen: list[Any], queue_id: str) -> list[Any]:
    """With what the server said to the mail."""
    facts = {"intake.smtp.code": 250, "intake.smtp.queue_id": queue_id}
    detail = f"250 2.0.0 Ok: queued as {queue_id}"
    return [replace(one, facts=facts, detail=detail) if one.hop is Hop.SMTP_ACCEPT else one for one in seen]


def broken(folder: Path, verdict: Verdict | None) -> History:
    """Two mails that arrived and became no ticket, and the bisect canary: None, pending, confirmed or breached."""
    history = History(folder, BISECTED)
    history.config = with_bisects(history.config)
    hidden = history.config.paths[bisect_name(MAIL)].path

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            for minutes in (35, 25):
                one = history.canary(history.now - timedelta(minutes=minutes))
                arrived = replace(good(one)[5], relays=(relay(str(one.token)),))
                seen = [*accepted(good(one)[:5], "4F2A9"), arrived, vanished(one)[-1]]
                await history.settled(store, one, seen, at=one.deadline_at + 3 * SECONDS)
            (incident,) = await store.open_incidents()
            if verdict is not None:
                await _bisect(store, history, hidden, incident.opened_at, verdict)

    asyncio.run(write())
    return history


def relay(token: str) -> Relay:
    raw = f"from mx by mx.acme.example id 4F2 for <{STRANGER}> ({token}); Mon, 2 Mar 2026 12:00:00 +0000"
    return Relay("mx.acme.example", "mx", None, "4F2", None, None, raw=raw)


async def _bisect(store: Any, history: History, hidden: IntakePath, at: Any, verdict: Verdict) -> None:  # noqa: ANN401 -- the tests' own shorthand
    one = replace(history.canary(at + SECONDS, hidden), slot_at=at)
    if verdict is Verdict.PENDING:
        await store.record(one, holder="test", lease_until=history.now)
        return
    bad = [
        replace(
            good(one)[4],
            outcome=Outcome.FAILED,
            reason=Reason.REJECTED,
            detail="554 5.3.0 closed",
            rules_out_ticket=True,
        )
    ]
    seen = good(one)[:4] + (
        accepted(good(one)[4:5], "BB1") + good(one)[6:8] if verdict is Verdict.CONFIRMED else bad
    )
    await history.settled(store, one, seen, at=one.launched_at + 5 * SECONDS)
    progress, version = await store.progress(MAIL)
    grown, changes = note_bisected(progress, progress.target.id, Bisected(one.id, verdict))
    await store.store_progress(MAIL, grown, version=version, changes=changes, at=history.now)


def bundle(run: Run, *words: str) -> Any:  # noqa: ANN401 -- an answer
    (one,) = run("incidents", "--json").answer("incidents")["incidents"]
    return run("incidents", one["id"], "--escalation", *words)


@pytest.mark.parametrize(
    ("verdict", "party", "says"),
    [
        (Verdict.CONFIRMED, "the mail platform", "came through: it is the mail platform"),
        (Verdict.BREACHED, "the ticketing vendor", "became no ticket either: it is the vendor"),
        (Verdict.PENDING, "the ticketing vendor", "is still on its way"),
    ],
)
def test_canary_past_the_mail_platform__is_told_with_what_finds_it(
    run: Run, tmp_path: Path, verdict: Verdict, party: str, says: str
) -> None:
    broken(tmp_path, verdict)

    answer = bundle(run, "--json").answer("incidents ID --escalation")
    text = bundle(run).out

    bisect = answer["bisect"]
    assert (bisect["verdict"], answer["party"]) == (verdict, party)
    assert says in bisect["says"]
    assert bisect["canary"]["recipient_domain"] == "inbound.vendor.example"
    assert bisect["canary"]["message_id"].endswith("…@probe.example>")
    assert "## Past the mail platform" in text
    assert says in text
    assert "acme.4711" not in text


@pytest.mark.parametrize("verdict", [Verdict.LATE, Verdict.LOST, Verdict.BREACHED])
def test_bisect_canary_that_failed_in_whatever_way__says_that_it_is_the_vendor(verdict: Verdict) -> None:
    assert said_of(verdict) is Verdict.BREACHED
    assert bisect_words(verdict, NO_TICKET).endswith("it is the vendor")
    assert bisect_words(verdict, NO_MAIL).endswith("the vendor takes nothing, too")


@pytest.mark.parametrize("verdict", [Verdict.PENDING, Verdict.INCONCLUSIVE])
def test_bisect_canary_that_nothing_is_known_of__says_nothing_yet(verdict: Verdict) -> None:
    assert said_of(verdict) is None


def test_bisect_canary_of_an_incident_long_ago__is_found_below_those_of_later_ones(tmp_path: Path) -> None:
    history = broken(tmp_path, Verdict.PENDING)
    hidden = history.config.paths[bisect_name(MAIL)].path

    async def found() -> tuple[Any, Any]:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            (incident,) = await store.open_incidents()
            over = replace(incident, resolved_at=incident.opened_at + timedelta(minutes=1))
            for number in range(60):
                at = incident.opened_at + timedelta(minutes=3, seconds=number)
                later = replace(history.canary(at, hidden), slot_at=at)
                await store.record(later, holder="test", lease_until=history.now)
            return incident, await bisect_of(store, over)

    incident, record = asyncio.run(found())

    assert record.canary.slot_at == incident.opened_at


def test_bisect_canary_that_came_through__has_its_ticket_and_queue_id(run: Run, tmp_path: Path) -> None:
    broken(tmp_path, Verdict.CONFIRMED)

    (incident,) = run("incidents", "--json").answer("incidents")["incidents"]
    canary = bundle(run, "--json").answer("incidents ID --escalation")["bisect"]["canary"]

    assert incident["bisected"] == {"canary": canary["id"], "verdict": "confirmed"}
    assert (canary["queue_id"], canary["ticket"]["id"], canary["verdict"]) == ("BB1", "17", "confirmed")


def test_no_canary_past_the_mail_platform__is_none(run: Run, tmp_path: Path) -> None:
    broken(tmp_path, None)

    assert bundle(run, "--json").answer("incidents ID --escalation")["bisect"] is None
    assert "## Past the mail platform" not in bundle(run).out


def test_bisect_canary_on_its_way__is_told_with_the_incident(run: Run, tmp_path: Path) -> None:
    broken(tmp_path, Verdict.PENDING)
    (one,) = run("incidents", "--json").answer("incidents")["incidents"]

    said = run("incidents", one["id"]).out

    assert "a canary that was sent past the mail platform is still on its way" in said


def test_relays_fields__are_told_without_token_or_stranger(run: Run, tmp_path: Path) -> None:
    history = broken(tmp_path, None)

    for words in ((), ("--json",)):
        said = bundle(run, *words).out
        assert "from mx by mx.acme.example id 4F2 for <***>" in said
        assert find_tokens(said) == ()
        assert STRANGER.partition("@")[0] not in said
    (newest, *_) = asyncio.run(_found(history))
    trace = run("trace", newest.canary.id, "--json").answer("trace")
    assert [each["received"] is not None for one in trace["observations"] for each in one["relays"]] == [True]


async def _found(history: History) -> Any:  # noqa: ANN401 -- records
    async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
        return await store.canaries(CanaryQuery(path=MAIL))


def test_incident_that_flaps_and_works__is_not_told_as_one_that_fails_until_now(
    run: Run, tmp_path: Path
) -> None:
    history = broken(tmp_path, None)
    works_from = history.now - timedelta(minutes=5)

    async def work() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            progress, version = await store.progress(MAIL)
            assert progress.target is not None
            proving = replace(progress.target, relapses=1, works_from=works_from)
            grown = replace(progress, target=proving)
            await store.store_progress(MAIL, grown, version=version, changes=[], at=history.now)

    asyncio.run(work())
    text = " ".join(bundle(run).out.split())

    assert f"until {works_from:%Y-%m-%d %H:%M:%S} UTC" in text
    assert "Tell us when it is repaired" not in text
    assert "comes through now" in text
