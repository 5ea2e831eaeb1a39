"""Made-up canaries with everything that observations hold: for what is handed to vendors."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome, Relay
from canary.reason import Reason
from canary.verdict import Verdict, judge
from runners.clock import SystemClock
from runners.contracts import CanaryQuery, Settlement
from runners.store import open_store
from tests.unit.runners.cli.filled import SECONDS, History, good, passed, vanished
from tests.unit.runners.config.examples import FULL

STRANGER = "erika.mustermann@customer.example"
STAMP = datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)
WEB = FULL.replace(
    "alerts:",
    """\
  contact-form:
    channel: form
    url: https://desk.acme.example/tickets/submit/
    fields: {title: "{{ subject }}", body: "{{ body }}", submitter_email: "{{ sender }}"}
    confirm: {url: "/ticket=(?P<ticket>\\\\d+)/"}
    ticketing: desk
    every: 10m
    deadline: 10m
alerts:""",
)


def relays() -> tuple[Relay, ...]:
    return (
        Relay("smtp.probe.example", None, "ESMTPSA", "9D1", STAMP, None),
        Relay("mx.acme.example", "smtp.probe.example", "ESMTPS", "4F2", STAMP, 0.4),
        Relay("store.acme.example", "mx.acme.example", "LMTP", "77", None, None, is_clock_suspect=True),
    )


def mail(canary: Canary) -> list[Observation]:
    """Accepted with a queue id, held for a second try, in the spam folder, and no ticket."""
    *launch, accept = good(canary)[:5]
    deferred = replace(
        accept,
        outcome=Outcome.FAILED,
        reason=Reason.DEFERRED,
        place="mx.acme.example:25",
        detail=f"451 4.3.0 try again later, <{STRANGER}> was here",
        facts={"intake.smtp.code": 451, "intake.smtp.enhanced_code": "4.3.0"},
    )
    accepted = replace(
        accept,
        attempt=2,
        place="mx.acme.example:25",
        detail="250 2.0.0 Ok: queued as 4F2A9",
        facts={
            "intake.smtp.code": 250,
            "intake.smtp.queue_id": "4F2A9",
            "network.peer.address": "192.0.2.25",
            "intake.page.third_parties": "not.for.vendors.example",
        },
    )
    spam = passed(
        canary,
        Hop.MAILBOX_ARRIVAL,
        0.4,
        2.0,
        place="support",
        relays=relays(),
        detail=f"found in Junk | Subject: intakecanary {canary.token}",
    )
    misrouted = replace(spam, outcome=Outcome.FAILED, reason=Reason.MISROUTED)
    return [*launch, deferred, accepted, misrouted, vanished(canary)[-1]]


def web(canary: Canary) -> list[Observation]:
    """The form was posted, and the server failed."""
    failed = passed(
        canary,
        Hop.FORM_SUBMIT,
        0.2,
        1.4,
        place="desk.acme.example",
        detail="HTTP 502 Bad Gateway",
        facts={
            "http.request.method": "POST",
            "url.full": "https://desk.acme.example/tickets/submit/",
            "http.response.status_code": 502,
        },
    )
    return [
        *(passed(canary, hop, 0.0, 0.1) for hop in (Hop.DNS, Hop.FORM_CONNECT, Hop.FORM_TLS)),
        replace(failed, outcome=Outcome.FAILED, reason=Reason.SERVER_ERROR),
        vanished(canary)[-1],
    ]


def broken(folder: FilePath, *, ages: tuple[float, ...] = (35, 25), late: int = 0) -> History:
    """One confirmed canary 45 minutes ago, breached ones of these ages in minutes on both paths; the first came late."""
    history = History(folder, WEB)

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            first = history.canary(history.now - timedelta(minutes=45))
            await history.settled(store, first, good(first), at=history.now - timedelta(minutes=44))
            form = history.config.paths[
                next(one for one in history.config.paths if one == "contact-form")
            ].path
            for minutes in ages:
                launched_at = history.now - timedelta(minutes=minutes)
                one, other = history.canary(launched_at), history.canary(launched_at, form)
                await history.settled(store, one, mail(one), at=one.deadline_at + 3 * SECONDS)
                await history.settled(store, other, web(other), at=other.deadline_at + 3 * SECONDS)
            path = history.path
            breached = await store.canaries(CanaryQuery(path=path.name, verdict=Verdict.BREACHED))
            for number, record in enumerate(list(reversed(breached))[:late]):
                # The mailbox was emptied five minutes ago; a ticket a minute came since.
                came = (history.now - record.canary.launched_at).total_seconds() - 60 * (5 - number)
                for seen in good(record.canary)[6:8]:
                    at = record.canary.launched_at + came * SECONDS
                    await store.append(replace(seen, began_at=at, ended_at=at, evidence=Evidence.OBSERVED))
                seen_all = await store.observations(record.canary.id)
                fresh = judge(path, record.canary, seen_all, history.now)
                _, version = await store.progress(path.name)
                await store.settle(
                    Settlement(fresh, Verdict.BREACHED, None, version, (), settled_by="test", at=history.now)
                )

    asyncio.run(write())
    return history
