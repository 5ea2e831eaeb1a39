"""What the page's tests show: a night in which a mailbox filled, as a store knows it."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path as FilePath

from canary.blame import Flaw, HopResult, Stop
from canary.canary import Canary, Token, new_canary
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel, Hop, route
from canary.incident import Settled, step
from canary.instruments import metrics
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import CAUSES, Reason, Side
from canary.signature import CanaryId, mint_id, mint_token
from canary.silence import Silence, SilenceId
from canary.ticket import TicketId, TicketRef
from canary.verdict import Judgement, Verdict
from probes.masking import Masker, Secret
from runners.contracts import Settlement
from runners.web.access import Access
from runners.web.events import Broadcaster
from runners.web.parts import Parts
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

NOW = datetime.fromisoformat("2026-03-02T03:07:00+00:00")
KEY = b"signing-key-of-32-bytes-for-test"
SECRET = "page-secret-planted-9f31"
HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\"'><svg/onload=window.pwned=1>"
MAIL, BILLING, PORTAL, FORM, OLD = (
    PathName(one)
    for one in ("support-email", "billing-email", "support-portal", "contact-form", "legacy-form")
)
FULL = Stop(Hop.SMTP_ACCEPT, Reason.MAILBOX_FULL, Side.TARGET)
BLIND = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
_MINUTES = (10, 10, 15, 15, 30)


def make_path(name: PathName, channel: Channel, minutes: int, **more: object) -> Path:
    path = Path(
        name=name,
        channel=channel,
        route=route(channel, without={Hop.MAILBOX_ARRIVAL} if channel is Channel.EMAIL else ()),
        slo=Slo(deadline_seconds=600, objective_share=0.99),
        interval_seconds=60.0 * minutes,
        ticketing="desk",
        runbook="https://wiki.acme.example/intake?page=7",
    )
    return replace(path, **more)  # type: ignore[arg-type]  # the tests' own shorthand


PATHS: Mapping[PathName, Path] = {
    MAIL: make_path(MAIL, Channel.EMAIL, 10, mailbox="support"),
    BILLING: make_path(BILLING, Channel.EMAIL, 10, mailbox="support"),
    PORTAL: make_path(PORTAL, Channel.PORTAL, 15, ticketing="web-desk"),
    FORM: make_path(FORM, Channel.FORM, 15, ticketing="web-desk"),
    OLD: make_path(OLD, Channel.FORM, 30, ticketing="old-desk"),
}


@dataclass
class FakeHealth:
    """Says what the test says."""

    is_alive: bool = True
    problems: tuple[str, ...] = ()

    def alive(self) -> bool:
        return self.is_alive

    def ready(self) -> Sequence[str]:
        return self.problems


async def fake_metrics(accept: str) -> tuple[str, bytes]:
    return ("text/plain; version=0.0.4", f"# asked for {accept}\n".encode())


@dataclass
class Scene:
    """A store with a past, and the parts of a page on it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    paths: dict[PathName, Path] = field(default_factory=lambda: dict(PATHS))
    health: FakeHealth = field(default_factory=FakeHealth)
    events: Broadcaster = field(default_factory=Broadcaster)
    said: list[str] = field(default_factory=list)
    count: int = 0

    def parts(self, *, access: Access | None = None, artifacts: FilePath | None = None) -> Parts:
        return Parts(
            store=self.store,
            paths=lambda: self.paths,
            clock=self.clock,
            masker=Masker([Secret(SECRET)]),
            prober="fra-1",
            health=self.health,
            metrics=fake_metrics,
            access=access or Access(),
            notices=lambda: self.said,
            artifacts=artifacts,
            events=self.events,
        )

    def canary(self, name: PathName, launched_at: datetime) -> Canary:
        self.count += 1
        canary_id = mint_id(launched_at, self.count.to_bytes(4, "big"))
        return new_canary(
            self.paths[name],
            canary_id=canary_id,
            token=Token(mint_token(canary_id, name, KEY)),
            marker="intakecanary",
            sender="canary@probe.example",
            prober="fra-1",
        )

    async def settled(
        self,
        name: PathName,
        launched_at: datetime,
        verdict: Verdict = Verdict.CONFIRMED,
        *,
        seconds: float = 42.0,
        stop: Stop = FULL,
        detail: str = "",
        flaws: tuple[Flaw, ...] = (),
        slow: tuple[Hop, ...] = (),
    ) -> Canary:
        """One more canary with its verdict, and the incident that follows."""
        canary = self.canary(name, launched_at)
        path = self.paths[name]
        good = verdict is Verdict.CONFIRMED
        at = launched_at + timedelta(seconds=seconds if good else 600.0)
        await self.store.record(canary, holder="test", lease_until=at)
        await self.store.launch_ended(canary.id)
        if verdict is Verdict.PENDING:
            return canary
        hops = tuple(_hops(path, launched_at, None if good else stop, seconds, detail))
        await self.store.append(*(_observation(canary.id, one) for one in hops if one.began_at is not None))
        judgement = Judgement(
            canary_id=canary.id,
            path=name,
            verdict=verdict,
            stop=None if good else stop,
            slow=slow,
            flaws=flaws,
            hops=hops,
            ticket=TicketRef("desk", TicketId("4711"), "https://desk.acme.example/tickets/?id=4711")
            if good
            else None,
            settled_at=at,
            seconds=seconds if good else None,
        )
        progress, version = await self.store.progress(name)
        fact = Settled(canary.id, launched_at, at, verdict, judgement.stop, canary.sender)
        after, changes = step(name, path.incidents, progress, fact)
        await self.store.settle(
            Settlement(judgement, Verdict.PENDING, after, version, changes, settled_by="test", at=at)
        )
        return canary


def _hops(
    path: Path, launched_at: datetime, stop: Stop | None, seconds: float, detail: str
) -> list[HopResult]:
    """The hops of a canary that took so long, or stopped there."""
    found: list[HopResult] = []
    hops = [hop for hop in path.route if hop is not Hop.REPLY_RECEIVED]
    begin = launched_at
    is_over = False
    for index, hop in enumerate(hops):
        took = timedelta(seconds=seconds * (0.7 if hop is Hop.TICKET_CREATED else 0.3 / (len(hops) - 1)))
        if is_over:
            found.append(HopResult(hop, Outcome.UNKNOWN))
        elif stop is not None and hop is stop.hop:
            outcome = Outcome.FAILED if stop.side is Side.TARGET else Outcome.UNKNOWN
            end = launched_at + timedelta(seconds=40 if index < 5 else 600)
            said = detail or f"552 5.2.2 {CAUSES[stop.reason].remedy}"[:120]
            found.append(
                HopResult(hop, outcome, Evidence.OBSERVED, begin, end, None, stop.reason, stop.side, said)
            )
            is_over = True
        else:
            found.append(
                HopResult(hop, Outcome.OK, Evidence.OBSERVED, begin, begin + took, took.total_seconds())
            )
            begin += took
    return found


def _observation(canary_id: CanaryId, hop: HopResult) -> Observation:
    assert hop.began_at is not None
    assert hop.ended_at is not None
    return Observation(
        canary_id, hop.hop, hop.outcome, hop.evidence or Evidence.OBSERVED, hop.began_at, hop.ended_at,
        seconds=hop.seconds, reason=hop.reason, detail=hop.detail, place="mx.acme.example", observer="fra-1",
    )  # fmt: skip


async def night(*, hours: float = 8.0, detail: str = "") -> Scene:
    """A mailbox filled 95 minutes ago: two paths by mail are broken, the portal is slow, an old form is not seen."""
    scene = Scene()
    broke_at = NOW - timedelta(minutes=95)
    for name, minutes in zip(PATHS, _MINUTES, strict=True):
        at = NOW - timedelta(hours=hours)
        number = 0
        while at < NOW - timedelta(minutes=11):
            number += 1
            wave = 34.0 + 9.0 * ((number * 7) % 5) + (240.0 if name == PORTAL and number % 9 == 0 else 0.0)
            if name in {MAIL, BILLING} and at >= broke_at:
                await scene.settled(name, at, Verdict.BREACHED, detail=detail)
            elif name == OLD and at >= NOW - timedelta(minutes=75):
                await scene.settled(
                    name, at, Verdict.INCONCLUSIVE, stop=BLIND, detail="503 Service Unavailable"
                )
            elif name == PORTAL and at >= NOW - timedelta(minutes=50):
                await scene.settled(name, at, seconds=wave + 300, slow=(Hop.TICKET_CREATED,))
            else:
                await scene.settled(name, at, seconds=wave)
            at += timedelta(minutes=minutes)
        _days(scene, name, minutes)
    await scene.settled(FORM, NOW - timedelta(minutes=1), Verdict.PENDING)
    await scene.settled(MAIL, NOW - timedelta(minutes=7), Verdict.PENDING)
    await _gauges(scene)
    for one in await scene.store.incidents(path=None, since=NOW, limit=0):
        if one.path in {MAIL, BILLING}:
            scene.store._groups[one.id] = "episode-1"
    await scene.store.add_silence(
        Silence(
            SilenceId("s-1"), OLD, NOW - timedelta(hours=1), NOW + timedelta(hours=5),
            "the old form moves to the new desk, CHG-1182", "m.okafor", NOW - timedelta(hours=2),
        )
    )  # fmt: skip
    return scene


def _days(scene: Scene, name: PathName, minutes: int) -> None:
    """Ninety days before today, with a bad one now and then."""
    bounds = metrics.CANARY_DURATION.bounds
    for back in range(1, 90):
        day = (NOW - timedelta(days=back)).replace(hour=0, minute=0, second=0)
        if name == OLD and back > 60:
            continue
        each = 1440 // minutes
        failed = {13: 3, 41: each // 4, 66: 1}.get(back, 0) if name != FORM else 0
        blind = 4 if back == 29 else 0
        counts = {Verdict.CONFIRMED: each - failed - blind}
        counts |= {Verdict.BREACHED: failed} if failed else {}
        counts |= {Verdict.INCONCLUSIVE: blind} if blind else {}
        scene.store._days[name, day] = counts
        seconds = [0] * (len(bounds) + 1)
        for share, took in (
            (0.1, 20.0),
            (0.45, 40.0),
            (0.3, 70.0),
            (0.1, 130.0),
            (0.04, 280.0),
            (0.01, 700.0),
        ):
            seconds[bisect_left(bounds, took)] += round(each * share)
        scene.store._day_seconds[name, day] = seconds


async def _gauges(scene: Scene) -> None:
    def reading(minutes: float, used: float, state: GaugeState) -> Gauge:
        at = NOW - timedelta(minutes=minutes)
        return Gauge(
            "support", GaugeName.MAILBOX_CAPACITY, used * 2**31, "By", float(2**31), at, state,
            Resource.STORAGE,
        )  # fmt: skip

    for step_back in range(96, -1, -1):
        used = min(1.0, 0.52 + 0.48 * (96 - step_back) / 88)
        state = GaugeState.PAGE if used > 0.95 else GaugeState.WARN if used > 0.8 else GaugeState.OK
        await scene.store.add_gauges([reading(step_back * 12.0, used, state)])
    await scene.store.add_gauges(
        [
            Gauge(
                "support", GaugeName.MAILBOX_BACKLOG, 18.0, "{message}", None, NOW, GaugeState.WARN,
                detail="the oldest waits for 22 min",
            ),
            Gauge("mx.acme.example", GaugeName.CERTIFICATE_EXPIRY, 41 * 86400.0, "s", None, NOW),
            Gauge("acme.example", GaugeName.DNS_MAIL, 1.0, "1", None, NOW, detail="MX as expected", resource=Resource.MX),
            Gauge("old-desk", GaugeName.TICKET_API, None, "1", None, NOW, GaugeState.UNKNOWN, detail="503 for 1 h"),
        ]
    )  # fmt: skip
