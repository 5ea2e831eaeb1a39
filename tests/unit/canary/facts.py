"""One canary of one path, and the facts that can be told of it: the vocabulary of the domain's tests.

Times are seconds after the launch. The deadline is 600 s, the horizon 86,400 s.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from canary.canary import Canary, Token, new_canary
from canary.hop import LAUNCH_HOPS, Channel, Hop, route
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.path import IncidentPolicy, OpenRule, Path, PathName, Proof, Reply, Slo
from canary.reason import Reason, Side
from canary.signature import mint_id, mint_token
from canary.ticket import Ticket, TicketId, TicketRef, TicketState
from canary.verdict import Judgement, judge

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = b"0123456789abcdef0123456789abcdef"
SENDER = "canary@probe.example"
DEADLINE = 600.0
HORIZON = 86400.0
FOREVER = 10 * HORIZON


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def seconds_of(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - NOON).total_seconds()


def path(
    *,
    mailbox: bool = True,
    reply: Reply = Reply.IGNORED,
    proof: Proof = Proof.API,
    deadline: float = DEADLINE,
    horizon: float = HORIZON,
    budgets: Mapping[Hop, float] = MappingProxyType({}),
) -> Path:
    has_reply = reply is not Reply.IGNORED or proof is Proof.REPLY
    left_out = {Hop.MAILBOX_ARRIVAL: not mailbox, Hop.REPLY_RECEIVED: not has_reply}
    return Path(
        name=PathName("support-email"),
        channel=Channel.EMAIL,
        route=route(Channel.EMAIL, without=[hop for hop, out in left_out.items() if out]),
        slo=Slo(deadline_seconds=deadline, horizon_seconds=horizon),
        reply=reply,
        proof=proof,
        budgets=budgets,
        interval_seconds=600.0,
        ticketing="desk",
        incidents=IncidentPolicy(open=(OpenRule(2, 3),)),
    )


def canary(of: Path | None = None) -> Canary:
    where = of or path()
    canary_id = mint_id(NOON, b"\x01\x02\x03\x04")
    return new_canary(
        where,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, where.name, KEY)),
        marker="intakecanary",
        sender=SENDER,
        prober="fra-1",
    )


ID = canary().id


def verdict_at(seconds: float, of: Path, *facts: Observation | Iterable[Observation]) -> Judgement:
    """The judgement of the one canary at that moment."""
    return judge(of, canary(of), flat(facts), at(seconds))


def flat(facts: Iterable[Observation | Iterable[Observation]]) -> list[Observation]:
    found: list[Observation] = []
    for one in facts:
        found += [one] if isinstance(one, Observation) else list(one)
    return found


def seen(
    hop: Hop,
    outcome: Outcome,
    ended: float,
    *,
    began: float | None = None,
    reason: Reason | None = None,
    side: Side | None = None,
    evidence: Evidence = Evidence.OBSERVED,
    place: str = "mx.acme.example",
    attempt: int = 1,
    final: bool = False,
) -> Observation:
    start = ended if began is None else began
    return Observation(
        canary_id=ID,
        hop=hop,
        outcome=outcome,
        evidence=evidence,
        began_at=at(start),
        ended_at=at(ended),
        seconds=ended - start,
        reason=reason,
        side=side,
        place=place,
        attempt=attempt,
        rules_out_ticket=final,
    )


def passed(hop: Hop, ended: float, *, attempt: int = 1, reason: Reason | None = None) -> Observation:
    return seen(hop, Outcome.OK, ended, attempt=attempt, reason=reason)


def failed(
    hop: Hop,
    ended: float,
    reason: Reason,
    *,
    final: bool = False,
    side: Side | None = None,
    attempt: int = 1,
) -> Observation:
    return seen(hop, Outcome.FAILED, ended, reason=reason, final=final, side=side, attempt=attempt)


def lost(
    hop: Hop,
    ended: float,
    reason: Reason = Reason.CONNECTION_LOST,
    *,
    side: Side | None = None,
    attempt: int = 1,
    final: bool = False,
) -> Observation:
    """Something may have left, and no answer says so."""
    return seen(hop, Outcome.UNKNOWN, ended, reason=reason, side=side, attempt=attempt, final=final)


def launched(*, until: Hop = Hop.SMTP_ACCEPT, began: float = 0.0) -> list[Observation]:
    """The launch's hops, passed one a second, up to and with the given one."""
    hops = [hop for hop in route(Channel.EMAIL) if hop in LAUNCH_HOPS]
    taken = hops[: hops.index(until) + 1]
    return [passed(hop, began + index) for index, hop in enumerate(taken, start=1)]


def look(
    hop: Hop,
    began: float,
    *,
    took: float = 0.5,
    reason: Reason = Reason.NOT_SEEN,
    depth: Depth = Depth.DEADLINE,
    complete: bool = True,
    is_blind: bool = False,
    lag: float = 0.0,
    place: str = "desk",
) -> Observation:
    facts = LookFacts(depth, is_complete=complete, is_blind=is_blind, lag_seconds=lag)
    one = seen(hop, Outcome.UNKNOWN, began + took, began=began, reason=reason, place=place)
    return replace(one, look=facts)


def vain(
    hop: Hop, began: float, *, took: float = 0.5, lag: float = 0.0, complete: bool = True
) -> Observation:
    """A wide look that did not see it."""
    return look(hop, began, took=took, lag=lag, complete=complete)


def poll(hop: Hop, began: float) -> Observation:
    """A narrow look that did not see it."""
    return look(hop, began, depth=Depth.POLL)


def blind(
    hop: Hop,
    began: float,
    *,
    took: float = 0.5,
    reason: Reason = Reason.TICKET_API_UNREADABLE,
    place: str = "desk",
) -> Observation:
    return look(hop, began, took=took, reason=reason, complete=False, is_blind=True, place=place)


def ticket_ref(number: int) -> TicketRef:
    return TicketRef("desk", TicketId(str(number)), f"https://desk.example/tickets/{number}")


def sighted(
    hop: Hop,
    outcome: Outcome,
    ended: float,
    *,
    number: int = 1,
    began: float | None = None,
    created: float | None = None,
    skew: float | None = None,
    reason: Reason | None = None,
    lag: float = 0.0,
    state: TicketState = TicketState.TICKET,
    cause: str | None = None,
) -> Observation:
    one = seen(hop, outcome, ended, began=began, reason=reason, place="desk")
    return replace(
        one,
        ticket=Ticket(ticket_ref(number), state=state, requester=SENDER, cause=cause),
        look=LookFacts(Depth.DEADLINE, is_complete=True, lag_seconds=lag),
        remote_at=at(created) if created is not None else None,
        skew_seconds=skew,
    )


def ticket(
    ended: float,
    *,
    number: int = 1,
    began: float | None = None,
    created: float | None = None,
    skew: float | None = None,
    damage: Reason | None = None,
    flaw: Reason | None = None,
    lag: float = 0.0,
) -> list[Observation]:
    """A look that shows a ticket of the canary: an intact one, unless it is damaged."""
    created_hop = sighted(
        Hop.TICKET_CREATED,
        Outcome.OK,
        ended,
        number=number,
        began=began,
        created=created,
        skew=skew,
        lag=lag,
    )
    content = replace(
        created_hop,
        hop=Hop.TICKET_CONTENT,
        outcome=Outcome.OK if damage is None else Outcome.FAILED,
        reason=damage or flaw,
    )
    return [created_hop, content]


def diverted(ended: float, *, number: int = 1) -> Observation:
    return sighted(
        Hop.TICKET_CREATED,
        Outcome.FAILED,
        ended,
        number=number,
        reason=Reason.DIVERTED,
        state=TicketState.DIVERTED,
        cause="suspended: automated response",
    )


def reply(
    ended: float, *, began: float | None = None, created: float | None = None, skew: float | None = None
) -> Observation:
    one = seen(Hop.REPLY_RECEIVED, Outcome.OK, ended, began=began, place="canary")
    return replace(one, remote_at=at(created) if created is not None else None, skew_seconds=skew)


def arrived(ended: float) -> Observation:
    return passed(Hop.MAILBOX_ARRIVAL, ended)


def misrouted(ended: float) -> Observation:
    return failed(Hop.MAILBOX_ARRIVAL, ended, Reason.MISROUTED)


def bounce(
    ended: float, reason: Reason = Reason.RECIPIENT_UNKNOWN, *, final: bool = True, side: Side | None = None
) -> Observation:
    one = seen(Hop.MAILBOX_ARRIVAL, Outcome.FAILED, ended, reason=reason, final=final, side=side)
    return replace(one, evidence=Evidence.REPORTED)


def explanation(ended: float, hop: Hop, reason: Reason) -> Observation:
    """What a gauge of the place says of a canary that was looked for in vain."""
    one = seen(hop, Outcome.UNKNOWN, ended, reason=reason, place=f"gauge/{reason}")
    return replace(one, evidence=Evidence.REPORTED)


def clock_step(ended: float) -> Observation:
    return seen(Hop.TICKET_CREATED, Outcome.UNKNOWN, ended, reason=Reason.CLOCK_STEPPED, place="clock")


def stop_of(judgement: Judgement) -> tuple[Hop, Reason, Side]:
    assert judgement.stop is not None
    return judgement.stop.hop, judgement.stop.reason, judgement.stop.side


def flaws_of(judgement: Judgement) -> Sequence[tuple[Hop, Reason]]:
    return [(flaw.hop, flaw.reason) for flaw in judgement.flaws]
