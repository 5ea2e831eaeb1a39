"""What the store's suites put into a store."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

from canary.blame import Stop
from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, Hop, route
from canary.incident import Change, Incident, IncidentId, IncidentKind, Progress, Transition
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import Reason, Side
from canary.signature import CanaryId, mint_id, mint_token
from canary.verdict import Judgement, Verdict
from runners.contracts import AuditEntry, RemovalKind, Settlement, Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIL = PathName("support-mail")
FORM = PathName("contact-form")
_KEY = b"a key of the tests"


class StorePlace(Protocol):
    """Where one store's data is; each opening is one more process that uses it."""

    def open(self) -> AbstractAsyncContextManager[Store]:
        """Open it once more."""
        ...


def after(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def make_canary(number: int = 1, *, path: PathName = MAIL, launched_at: datetime = NOON) -> Canary:
    """A canary with a deadline of ten minutes and a horizon of a day."""
    channel = Channel.EMAIL if path == MAIL else Channel.FORM
    canary_id = mint_id(launched_at, number.to_bytes(4, "big"))
    return new_canary(
        Path(path, channel, route(channel), Slo(deadline_seconds=600)),
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path, _KEY)),
        marker="intakecanary",
        sender="canary@probe.example",
        prober="fra-1",
    )


def seen_at(
    canary: Canary,
    hop: Hop = Hop.DNS,
    *,
    seconds: float = 1.0,
    outcome: Outcome = Outcome.OK,
    attempt: int = 1,
) -> Observation:
    """A hop that took half a second and ended so many seconds after noon."""
    return Observation(
        canary_id=canary.id,
        hop=hop,
        outcome=outcome,
        evidence=Evidence.OBSERVED,
        began_at=after(seconds - 0.5),
        ended_at=after(seconds),
        seconds=0.5,
        attempt=attempt,
        reason=Reason.DEFERRED if outcome is Outcome.FAILED else None,
    )


def looked(
    canary: Canary,
    seconds: float,
    *,
    depth: Depth = Depth.POLL,
    is_blind: bool = False,
    is_complete: bool = True,
    detail: str = "",
) -> Observation:
    """A look in vain for the ticket that began so many seconds after noon and took one."""
    return Observation(
        canary_id=canary.id,
        hop=Hop.TICKET_CREATED,
        outcome=Outcome.UNKNOWN,
        evidence=Evidence.OBSERVED,
        began_at=after(seconds),
        ended_at=after(seconds + 1),
        reason=Reason.TICKET_API_UNREADABLE if is_blind else Reason.NOT_SEEN,
        place="desk",
        detail=detail,
        look=LookFacts(depth, is_complete=is_complete and not is_blind, is_blind=is_blind),
    )


BLAMED = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def judged(canary: Canary, verdict: Verdict, *, at: float = 60, seconds: float | None = None) -> Judgement:
    """A judgement that was reached so many seconds after noon."""
    is_good = verdict in {Verdict.PENDING, Verdict.CONFIRMED}
    return Judgement(
        canary_id=canary.id,
        path=canary.path,
        verdict=verdict,
        stop=None if is_good else BLAMED,
        slow=(),
        flaws=(),
        hops=(),
        ticket=None,
        settled_at=None if verdict is Verdict.PENDING else after(at),
        seconds=seconds,
    )


def settlement(
    judgement: Judgement,
    *,
    expected: Verdict = Verdict.PENDING,
    progress: Progress | None = None,
    version: int = 0,
    changes: tuple[Change, ...] = (),
    at: float = 61,
) -> Settlement:
    """What is stored of a judgement so many seconds after noon."""
    return Settlement(
        judgement=judgement,
        expected=expected,
        progress=progress,
        progress_version=version,
        changes=changes,
        settled_by="host-a",
        at=after(at),
    )


def incident_of(canary: Canary, *, failures: int = 2) -> Incident:
    """An open incident that began with the canary."""
    return Incident(
        id=IncidentId(f"incident-{canary.id}"),
        path=canary.path,
        kind=IncidentKind.TARGET,
        first_canary=canary.id,
        onset_at=canary.launched_at,
        opened_at=after(660),
        stop=BLAMED,
        impact_from=None,
        failures=failures,
    )


def opened(canary: Canary) -> Change:
    """An incident that just opened."""
    return Change(incident_of(canary), Transition.OPENED)


def removal(canary_id: CanaryId, *, what: str = "17", outcome: str = "done", at: float = 100) -> AuditEntry:
    """One line of the audit: a ticket was closed, or was not."""
    return AuditEntry(
        at=after(at),
        prober="fra-1",
        canary_id=canary_id,
        kind=RemovalKind.TICKET,
        place="desk",
        what=what,
        action="remove",
        outcome=outcome,
        detail="",
    )


async def recorded(store: Store, canary: Canary, *, holder: str = "host-a", lease: float = 30) -> Canary:
    """Record a canary under a lease of so many seconds after noon."""
    await store.record(canary, holder=holder, lease_until=after(lease))
    return canary


async def figure(store: Store, name: str, **labels: str) -> float | None:
    """A counter's value, or how many values a histogram holds; None without such a series."""
    for one in await store.samples():
        if one.name == name and dict(one.labels) == labels:
            return float(sum(one.counts)) if one.counts else one.value
    return None
