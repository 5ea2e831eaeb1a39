"""A store in which something of everything happened: what the renderers of telemetry are tried on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.blame import HopResult, Stop
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel, Hop, route
from canary.incident import Change, Incident, IncidentId, IncidentKind, Progress, Transition
from canary.instruments import metrics
from canary.observation import Outcome
from canary.path import Path, Slo
from canary.reason import Reason, Side
from canary.slot import MissedCause, MissedSlot, Slot
from canary.verdict import Verdict
from probes.request_outcome import RequestOutcome
from runners.contracts import Store, TriedRemoval
from runners.telemetry.process_figures import Build, ProcessFigures
from runners.telemetry.snapshot import Snapshots
from tests.contracts.store_cases import (
    FORM,
    MAIL,
    after,
    judged,
    make_canary,
    recorded,
    removal,
    seen_at,
    settlement,
)
from tests.fakes.clock import FakeClock

NOW = after(3600)
PATHS = (
    Path(
        MAIL,
        Channel.EMAIL,
        route(Channel.EMAIL),
        Slo(600, objective_share=0.995),
        interval_seconds=300,
        ticketing="desk",
        mailbox="support",
        team="post",
        domain="example.com",
        quarantine_misses=3,
    ),
    Path(FORM, Channel.FORM, route(Channel.FORM), Slo(600), ticketing="desk", domain="www.example.com"),
)
BUILD = Build("1.2.3", "abc", "3.11.2")
_STORE_FULL = Stop(Hop.SMTP_ACCEPT, Reason.MAILBOX_FULL, Side.TARGET)


def incident(number: int, *, stop: Stop = _STORE_FULL, resolved_at: datetime | None = None) -> Incident:
    """One of the e-mail path, opened ten minutes after noon."""
    return Incident(
        id=IncidentId(f"incident-{number}"),
        path=MAIL,
        kind=IncidentKind.TARGET,
        first_canary=make_canary(number).id,
        onset_at=after(0),
        opened_at=after(600),
        stop=stop,
        impact_from=None,
        failures=2,
        resolved_at=resolved_at,
    )


def gauge(name: GaugeName, place: str, value: float | None, *, at: datetime = NOW, **more: object) -> Gauge:
    """A reading."""
    given: dict[str, object] = {"unit": "1", "limit": None, "state": GaugeState.OK, **more}
    return Gauge(place=place, name=name, value=value, read_at=at, **given)  # type: ignore[arg-type]  # shorthand


def readings() -> Sequence[Gauge]:
    """One of each kind, and a mailbox that grows by 100 bytes a second."""
    capacity = [
        gauge(
            GaugeName.MAILBOX_CAPACITY,
            "support",
            8e6 - 60_000 * minutes,
            at=NOW - timedelta(minutes=10 * minutes),
            limit=1e7,
            resource=Resource.STORAGE,
        )
        for minutes in range(4)
    ]
    return [
        *capacity,
        gauge(GaugeName.MAILBOX_CAPACITY, "support", 40, limit=100, resource=Resource.MESSAGE),
        gauge(GaugeName.MAILBOX_BACKLOG, "support", 3, oldest_at=after(3000)),
        gauge(GaugeName.CERTIFICATE_EXPIRY, "www.example.com:443", 86400.0),
        gauge(GaugeName.DNS_MAIL, "example.com", 1, resource=Resource.MX),
        gauge(GaugeName.DNS_MAIL, "example.com", 0, resource=Resource.DMARC),
        gauge(GaugeName.TICKET_API, "desk", 1, at=NOW - timedelta(minutes=1)),
        gauge(GaugeName.TICKET_API, "desk", 90, limit=100, resource=Resource.REQUEST),
        gauge(GaugeName.INTAKE_TRAFFIC, "desk", 1.5, limit=9.5, resource=Resource.EMAIL, oldest_at=NOW),
        gauge(GaugeName.CLOCK_SKEW, "desk", -2.5),
    ]


async def fill(store: Store) -> None:
    """Canaries of every verdict on the e-mail path, one in flight on the other, and what follows from them."""
    await store.seed({metrics.SLO_GOOD.name: [{"path": MAIL}, {"path": FORM}]}, at=after(0))
    hops = (HopResult(Hop.TICKET_CREATED, Outcome.OK, seconds=42.0),)
    for number, verdict in enumerate(
        [Verdict.CONFIRMED, Verdict.BREACHED, Verdict.LOST, Verdict.INCONCLUSIVE]
    ):
        canary = await recorded(store, make_canary(number, launched_at=after(60 * number)))
        await store.append(seen_at(canary))
        judgement = replace(judged(canary, verdict, at=60 * number + 30, seconds=45.0), hops=hops)
        _, version = await store.progress(MAIL)
        await store.settle(settlement(judgement, version=version))
    await recorded(store, make_canary(9, path=FORM, launched_at=after(3500)))
    over, lasting = incident(1, resolved_at=after(1200)), incident(2)
    _, version = await store.progress(MAIL)
    changes = [Change(over, Transition.RESOLVED), Change(lasting, Transition.OPENED)]
    await store.store_progress(
        MAIL, Progress(target=lasting), version=version, changes=changes, at=after(660)
    )
    left = removal(make_canary(0).id, outcome="failed")
    await store.note_removed(TriedRemoval(left, next_at=after(9000)))
    await store.note_missed([MissedSlot(Slot(MAIL, after(900)), MissedCause.CAP)], at=after(1000))
    await store.add_gauges(readings())


def process_figures() -> ProcessFigures:
    """What one process saw."""
    figures = ProcessFigures("fra-1", build=BUILD, systems=["desk"])
    figures.beat(after(3590))
    figures.note_lag(0.3)
    figures.note_lag(70.0)
    figures.blind("dns", is_blind=True)
    figures.watcher("support", is_up=True)
    figures.watcher("desk", is_up=False)
    figures.api_request("desk", RequestOutcome.OK)
    return figures


def snapshots(store: Store, clock: FakeClock | None = None) -> Snapshots:
    """All of it, an hour after noon."""
    return Snapshots(store, process_figures(), paths=PATHS, clock=clock or FakeClock(NOW))
