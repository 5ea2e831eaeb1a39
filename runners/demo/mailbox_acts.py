"""The demonstration's acts of the mailbox: it fills, is full while SMTP says 250, and drains."""

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.quantity import duration
from canary.reason import Reason
from canary.verdict import Verdict
from runners.cli.words import gauge_words
from runners.contracts import CanaryQuery, Record
from runners.demo.hand import EMAIL, Stagehand, is_breached, is_confirmed, newest
from runners.demo.stage import Patience
from runners.oneshot import RunResult

DEADLINE_SECONDS = 6
DRAIN_SECONDS = 10.0


async def fills(hand: Stagehand) -> None:
    """There is still room."""
    hand.title(5, "The support mailbox fills: the warning comes before anything is lost")
    hand.stage.mailbox("fill", share=0.85)
    result = await hand.run(EMAIL)
    gauge = _capacity(result)
    if gauge is not None:
        hand.say(gauge_words(gauge))
    hand.expect("mail still comes through", holds=is_confirmed(newest(result, EMAIL)))
    hand.expect("the capacity gauge warns", holds=gauge is not None and gauge.state is GaugeState.WARN)


async def is_full(hand: Stagehand) -> None:
    """There is none, and nobody says so."""
    hand.title(6, "The mailbox is full: SMTP still says 250, every component is up, and no ticket comes")
    hand.stage.mailbox("fill", share=1.0)
    hand.wait_at_most(Patience(deadline_seconds=DEADLINE_SECONDS))
    for _ in range(2):
        result = await hand.run(EMAIL)
        hand.expect(
            "breached, and blamed on mailbox.arrival: mailbox_full",
            holds=is_breached(newest(result, EMAIL), Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL),
        )
        hand.expect("the run exits 1", holds=result.exit_code == 1)
    incidents = await hand.incidents(EMAIL)
    for incident in incidents:
        hand.show_incident(incident)
    hand.expect("one incident is open", holds=[one.is_open for one in incidents] == [True])


async def drains(hand: Stagehand) -> None:
    """There is room again."""
    hand.title(7, "The mailbox is emptied: the backlog drains, and what was delayed is called late")
    hand.wait_at_most(Patience())
    hand.stage.mailbox("empty")
    hand.stage.flush()
    late: list[Record] = []
    ends_at = hand.clock.monotonic() + DRAIN_SECONDS
    while len(late) < 2 and hand.clock.monotonic() < ends_at:  # noqa: PLR2004 -- both breached canaries
        result = await hand.run(launches=False)
        late += [record for record in result.records if record.verdict is Verdict.LATE]
        await hand.clock.sleep(0.2)
    for record in late:
        seconds = record.judgement.seconds if record.judgement is not None else None
        hand.say(f"canary {record.canary.id} came {duration(seconds)} after its launch")
    hand.expect("both breached canaries are late, none is lost", holds=len(late) == 2)  # noqa: PLR2004
    result = await hand.run(EMAIL)
    hand.expect("the next canary is confirmed", holds=is_confirmed(newest(result, EMAIL)))
    incidents = await hand.incidents(EMAIL)
    for incident in incidents:
        hand.show_incident(incident)
    hand.expect("the incident is resolved", holds=[one.is_open for one in incidents] == [False])


async def is_clean(hand: Stagehand) -> None:
    """The end."""
    hand.title(8, "Nothing is left behind")
    await hand.run(launches=False)
    state = hand.stage.state()
    desk = state["desk"]
    mails = {address: box["messages"] for address, box in state["mailboxes"].items()}
    records = await hand.store.canaries(CanaryQuery(limit=50))
    hand.say(f"{len(records)} canaries, {desk['tickets_total']} tickets, {desk['tickets_open']} of them open")
    hand.expect("no ticket is open", holds=desk["tickets_open"] == 0)
    hand.expect("no mail is left in any mailbox", holds=not any(mails.values()))
    hand.expect("no leftover is known", holds=not await hand.store.leftovers())


def _capacity(result: RunResult) -> Gauge | None:
    found = [
        one
        for one in result.gauges
        if one.name is GaugeName.MAILBOX_CAPACITY and one.resource is Resource.STORAGE
    ]
    return found[0] if found else None
