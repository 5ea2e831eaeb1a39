"""A store in which every state of everything is, as of any time: what panels, rules and exporters are tried on.

All of it goes through the store's verbs, so it fills a real database and the memory store alike:

    async with open_store(url, clock=clock, prober=PROBER) as store:
        await fill(store, clock.now())
        page = Expositions(snapshots(store, clock))

`grow` adds another minute of life, so that what is scraped twice has an increase.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity, Subject
from canary.blame import HopResult, Stop
from canary.canary import Canary, Token, new_canary
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel, Hop, route
from canary.incident import Change, Incident, IncidentId, IncidentKind, Progress, Transition
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import Reason, Side
from canary.signature import mint_id, mint_token
from canary.silence import Silence, SilenceId
from canary.slot import MissedCause, MissedSlot, Slot
from canary.ticket import Ticket, TicketId, TicketRef
from canary.verdict import Judgement, Verdict
from probes.contracts import Clock
from probes.request_outcome import RequestOutcome
from runners.alert_contracts import AlertStep
from runners.contracts import AuditEntry, RemovalKind, Settlement, Store, TriedRemoval
from runners.telemetry.process_figures import Build, ExportKind, ProcessFigures, StoreErrorKind
from runners.telemetry.snapshot import Snapshots

PROBER = "fra-1"
MAIL, PORTAL, FORM = PathName("support-email"), PathName("support-portal"), PathName("contact-form")
SINKS = ("pager", "chat")
BUILD = Build("1.2.3", "abc", "3.11.2")
FULL_STOP = Stop(Hop.SMTP_ACCEPT, Reason.MAILBOX_FULL, Side.TARGET)
LOST_STOP = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
BLIND_STOP = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
PATHS = tuple(
    Path(
        name,
        channel,
        route(channel),
        Slo(600, objective_share=0.995),
        interval_seconds=300,
        ticketing="desk",
        mailbox="support" if channel is Channel.EMAIL else None,
        team="post",
        domain=domain,
        quarantine_misses=3 if channel is Channel.PORTAL else None,
    )
    for name, channel, domain in (
        (MAIL, Channel.EMAIL, "example.com"),
        (PORTAL, Channel.PORTAL, "portal.example.com"),
        (FORM, Channel.FORM, "www.example.com"),
    )
)
"""The first is broken, the second works and is silenced, the third is blind."""
_KEY = b"a key of the tests"
_HELD = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Fate:
    """One canary: when it was launched, in seconds ago, and what became of it."""

    path: Path
    ago: float
    verdict: Verdict
    stop: Stop | None = None
    seconds: float | None = None


_FATES = (
    *(_Fate(PATHS[0], 7200 - 300 * n, Verdict.CONFIRMED, seconds=40.0 + 7 * n) for n in range(8)),
    _Fate(PATHS[0], 4200, Verdict.LATE, LOST_STOP, 1500.0),
    _Fate(PATHS[0], 3900, Verdict.LOST, LOST_STOP),
    _Fate(PATHS[0], 2400, Verdict.CONFIRMED, seconds=50.0),
    _Fate(PATHS[0], 1800, Verdict.BREACHED, FULL_STOP),
    _Fate(PATHS[0], 1500, Verdict.BREACHED, FULL_STOP),
    *(_Fate(PATHS[1], 3600 - 300 * n, Verdict.CONFIRMED, seconds=20.0 + n) for n in range(10)),
    _Fate(PATHS[2], 3000, Verdict.CONFIRMED, seconds=12.0),
    _Fate(PATHS[2], 900, Verdict.INCONCLUSIVE, BLIND_STOP),
    _Fate(PATHS[2], 700, Verdict.INCONCLUSIVE, BLIND_STOP),
)


def process_figures(now: datetime, *, prober: str = PROBER) -> ProcessFigures:
    """What one process counted."""
    figures = ProcessFigures(prober, build=BUILD, systems=["desk"], began_at=now - timedelta(hours=1))
    figures.beat(now - timedelta(seconds=10))
    for lag_seconds in (0.3, 0.8, 70.0):
        figures.note_lag(lag_seconds)
    figures.blind("ticket_api", is_blind=True)
    figures.watcher("support", is_up=True)
    figures.watcher("desk", is_up=False)
    for outcome in RequestOutcome:
        figures.api_request("desk", outcome)
    figures.store_error(StoreErrorKind.WRITE)
    figures.export_error(ExportKind.METRICS)
    return figures


def snapshots(store: Store, clock: Clock, *, figures: ProcessFigures | None = None) -> Snapshots:
    """All of it, as a daemon would show it."""
    return Snapshots(store, figures or process_figures(clock.now()), paths=PATHS, clock=clock, sinks=SINKS)


async def fill(store: Store, now: datetime) -> None:
    """Let everything have happened in the last two hours."""
    for number, fate in enumerate(_FATES):
        await _live(store, number, fate, now)
    flying = _canary(900, PATHS[1], now - timedelta(seconds=45))
    await _launch(store, flying, now)
    await store.append(_not_quarantined(flying, now))
    await _open_incidents(store, now)
    await _leave(store, now)
    await store.note_missed(
        [MissedSlot(Slot(MAIL, now - timedelta(seconds=2700)), MissedCause.CAP)],
        at=now - timedelta(seconds=2600),
    )
    await store.add_gauges(_readings(now))
    await _tell(store, now)
    silence = Silence(
        SilenceId("silence-1"),
        PORTAL,
        now - timedelta(hours=1),
        now + timedelta(hours=8),
        "a move",
        "ops",
        now,
    )
    await store.add_silence(silence)


async def grow(store: Store, number: int, now: datetime) -> None:
    """One more canary of each end, a reading and a removal: whatever counts, counts on."""
    for offset, (verdict, stop, seconds) in enumerate(
        [
            (Verdict.CONFIRMED, None, 30.0 + number),
            (Verdict.LATE, LOST_STOP, 900.0),
            (Verdict.LOST, LOST_STOP, None),
            (Verdict.INCONCLUSIVE, BLIND_STOP, None),
        ]
    ):
        for index, path in enumerate(PATHS):
            fate = _Fate(path, 60, verdict, stop, seconds)
            await _live(store, 1000 + 100 * number + 10 * index + offset, fate, now)
    await store.note_missed([MissedSlot(Slot(MAIL, now), MissedCause.CAP)], at=now)
    await store.add_gauges(_readings(now))


def _canary(number: int, path: Path, launched_at: datetime) -> Canary:
    canary_id = mint_id(launched_at, number.to_bytes(4, "big"))
    return new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, _KEY)),
        marker="intakecanary",
        sender="canary@probe.example",
        prober=PROBER,
    )


async def _launch(store: Store, canary: Canary, now: datetime) -> None:
    await store.record(canary, holder="host-a", lease_until=now + _HELD)


async def _live(store: Store, number: int, fate: _Fate, now: datetime) -> None:
    """From the launch to the last verdict."""
    canary = _canary(number, fate.path, now - timedelta(seconds=fate.ago))
    await _launch(store, canary, now)
    await store.append(*_observations(canary, fate))
    await store.launch_ended(canary.id)
    before = Verdict.PENDING
    ways = [Verdict.BREACHED] if fate.verdict in {Verdict.LATE, Verdict.LOST} else []
    for verdict in (*ways, fate.verdict):
        _, version = await store.progress(canary.path)
        settled_at = canary.launched_at + timedelta(seconds=fate.seconds or 600.0)
        judgement = Judgement(
            canary_id=canary.id,
            path=canary.path,
            verdict=verdict,
            stop=fate.stop,
            slow=(),
            flaws=(),
            hops=_hops(fate),
            ticket=None,
            settled_at=min(settled_at, now),
            seconds=fate.seconds if verdict is not Verdict.BREACHED else None,
        )
        await store.settle(
            Settlement(judgement, before, None, version, (), settled_by="host-a", at=min(settled_at, now))
        )
        before = verdict


def _observations(canary: Canary, fate: _Fate) -> Sequence[Observation]:
    """Each hop of the launch, a few tenths of a second each; the blamed one went wrong."""
    seen = []
    at = canary.launched_at
    for index, hop in enumerate(fate.path.route):
        if hop in {Hop.MAILBOX_ARRIVAL, Hop.TICKET_CREATED}:
            break
        is_blamed = fate.stop is not None and fate.stop.hop is hop
        took_seconds = 0.02 * 3**index
        seen.append(
            Observation(
                canary.id,
                hop,
                Outcome.FAILED if is_blamed else Outcome.OK,
                Evidence.OBSERVED,
                at,
                at + timedelta(seconds=took_seconds),
                seconds=took_seconds,
                reason=fate.stop.reason if fate.stop is not None and is_blamed else None,
            )
        )
        at += timedelta(seconds=took_seconds)
        if is_blamed:
            break
    return seen


def _not_quarantined(canary: Canary, now: datetime) -> Observation:
    """A ticket that was first seen without the mark of the quarantine rule."""
    ticket = Ticket(TicketRef("desk", TicketId("900")), is_quarantined=False)
    return Observation(
        canary.id, Hop.TICKET_CREATED, Outcome.OK, Evidence.OBSERVED, now, now, place="desk", ticket=ticket
    )


def _hops(fate: _Fate) -> tuple[HopResult, ...]:
    """The watched hops, by the judgement."""
    if fate.seconds is None:
        return ()
    return (
        HopResult(Hop.TICKET_CREATED, Outcome.OK, seconds=fate.seconds * 0.9),
        HopResult(Hop.TICKET_CONTENT, Outcome.OK, seconds=fate.seconds * 0.1),
    )


def _incident(number: int, path: PathName, kind: IncidentKind, stop: Stop, onset: datetime) -> Incident:
    return Incident(
        id=IncidentId(f"every-state-{number}"),
        path=path,
        kind=kind,
        first_canary=_canary(number, PATHS[0], onset).id,
        onset_at=onset,
        opened_at=onset + timedelta(seconds=660),
        stop=stop,
        impact_from=onset - timedelta(seconds=300),
        failures=2,
    )


async def _open_incidents(store: Store, now: datetime) -> None:
    """One of the target that is over, one that lasts, and one of our own blindness."""
    over = _incident(1, MAIL, IncidentKind.TARGET, LOST_STOP, now - timedelta(seconds=4200))
    lasting = _incident(2, MAIL, IncidentKind.TARGET, FULL_STOP, now - timedelta(seconds=1800))
    blind = _incident(3, FORM, IncidentKind.BLIND, BLIND_STOP, now - timedelta(seconds=900))
    ended = replace(over, resolved_at=now - timedelta(seconds=2300))
    for path, progress, changes in (
        (MAIL, Progress(target=over), [Change(over, Transition.OPENED)]),
        (MAIL, Progress(), [Change(ended, Transition.RESOLVED)]),
        (MAIL, Progress(target=lasting), [Change(lasting, Transition.OPENED)]),
        (FORM, Progress(blindness=blind), [Change(blind, Transition.OPENED)]),
    ):
        _, version = await store.progress(path)
        at = changes[0].incident.resolved_at or changes[0].incident.opened_at
        await store.store_progress(path, progress, version=version, changes=changes, at=min(at, now))


async def _leave(store: Store, now: datetime) -> None:
    """One ticket was removed, one could not be, and one mail."""
    for number, kind, outcome in (
        (0, RemovalKind.TICKET, "done"),
        (1, RemovalKind.TICKET, "failed"),
        (2, RemovalKind.MAIL, "failed"),
    ):
        canary = _canary(number, PATHS[0], now - timedelta(seconds=_FATES[number].ago))
        entry = AuditEntry(
            at=now - timedelta(seconds=600),
            prober=PROBER,
            canary_id=canary.id,
            kind=kind,
            place="desk" if kind is RemovalKind.TICKET else "support",
            what=str(number),
            action="remove",
            outcome=outcome,
            detail="",
        )
        next_at = now + timedelta(hours=1) if outcome == "failed" else None
        await store.note_removed(TriedRemoval(entry, next_at=next_at))


def _readings(now: datetime) -> Sequence[Gauge]:
    """One of each kind; the mailbox grows, and is nearly full."""

    def gauge(name: GaugeName, place: str, value: float, ago: float = 0, **more: object) -> Gauge:
        given: dict[str, object] = {"unit": "1", "limit": None, "state": GaugeState.OK, **more}
        read_at = now - timedelta(seconds=ago)
        return Gauge(place=place, name=name, value=value, read_at=read_at, **given)  # type: ignore[arg-type]  # shorthand

    capacity = GaugeName.MAILBOX_CAPACITY
    growing = [
        gauge(capacity, "support", 9.2e6 - 500.0 * ago, ago, limit=1e7, resource=Resource.STORAGE)
        for ago in (1800, 1200, 600, 0)
    ]
    counted = [
        gauge(capacity, "support", 700 - ago / 30, ago, limit=1000, resource=Resource.MESSAGE)
        for ago in (1800, 1200, 600, 0)
    ]
    return [
        *growing,
        *counted,
        gauge(GaugeName.MAILBOX_BACKLOG, "support", 3, oldest_at=now - timedelta(seconds=1200)),
        gauge(GaugeName.CERTIFICATE_EXPIRY, "www.example.com:443", 9 * 86400.0),
        *(gauge(GaugeName.DNS_MAIL, "example.com", 1, resource=one) for one in _RECORDS[:3]),
        gauge(GaugeName.DNS_MAIL, "example.com", 0, resource=_RECORDS[3]),
        gauge(GaugeName.TICKET_API, "desk", 1),
        gauge(GaugeName.TICKET_API, "desk", 90, limit=1000, resource=Resource.REQUEST),
        gauge(GaugeName.CLOCK_SKEW, "desk", -2.5),
        gauge(
            GaugeName.INTAKE_TRAFFIC,
            "desk",
            1.5,
            limit=9.5,
            resource=Resource.EMAIL,
            oldest_at=now - timedelta(seconds=300),
        ),
    ]


_RECORDS = (Resource.MX, Resource.SPF, Resource.DKIM, Resource.DMARC)


async def _tell(store: Store, now: datetime) -> None:
    """One message arrived, one never will, and one waits."""
    concern = Concern(
        Subject(f"incident/path/{MAIL}"),
        AlertKind.INCIDENT,
        Severity.PAGE,
        now - timedelta(seconds=1140),
        paths=(MAIL,),
        stop=FULL_STOP,
        failures=2,
    )
    several = [
        Alert(
            id=f"every-state-alert-{number}",
            key=f"intake/{PROBER}/every-state-{number}",
            seq=1,
            sink=sink,
            transition=AlertTransition.OPENED,
            severity=Severity.PAGE,
            at=now - timedelta(seconds=1000),
            concern=concern,
            prober=PROBER,
        )
        for number, sink in enumerate(("pager", "chat", "chat"))
    ]
    step = AlertStep(concern.subject, None, 0, tuple(several))
    await store.store_alerts(step, at=now - timedelta(seconds=1000))
    await store.alert_delivered(several[0].id, at=now - timedelta(seconds=990))
    await store.alert_given_up(several[1].id, at=now - timedelta(seconds=980), error="410 gone")
