"""The one place where a verdict is made: a pure function of a path, a canary, its observations and the time.

The laws, each held by a property test: the order of observations and facts reported twice change nothing; a stored
verdict only moves forward; a reason on the prober's side never yields ``breached``; without positive evidence
nothing is confirmed; the blamed hop is never one that a success seen by then proves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from canary.blame import Flaw, HopResult, Stop, flaws, hop_results, stop, tickets_of_ours
from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome, Stage
from canary.path import Path, PathName, Proof, Reply
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.ticket import TicketRef

GRACE = timedelta(seconds=30)
"""How long looks may be blind, or late, before a deadline counts as not covered."""


class Verdict(StrEnum):
    """What is concluded of a canary. Only `pending` and `breached` may still change."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    BREACHED = "breached"
    INCONCLUSIVE = "inconclusive"
    LATE = "late"
    LOST = "lost"

    @property
    def is_breach(self) -> bool:
        """Whether it counts against the target: breached, or what became of it."""
        return self in {Verdict.BREACHED, Verdict.LATE, Verdict.LOST}


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with all that it rests on.

    Attributes:
        stop: the blamed hop, reason and side; None for pending and confirmed.
        settled_at: when the first verdict other than pending became true; None while pending.
        ended_at: when late or lost became true; else None.
        seconds: from launch to the good ``ticket.content``; None without it.
        ticket: the first ticket of ours.
    """

    canary_id: CanaryId
    path: PathName
    verdict: Verdict
    stop: Stop | None
    slow: tuple[Hop, ...]
    flaws: tuple[Flaw, ...]
    hops: tuple[HopResult, ...]
    ticket: TicketRef | None
    settled_at: datetime | None
    ended_at: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Settlement:
    verdict: Verdict
    at: datetime
    stop: Stop | None = None


def judge(path: Path, canary: Canary, observations: Sequence[Observation], now: datetime) -> Judgement:
    """Judge a canary by what was seen of it. Reads no clock; judging twice gives the same answer.

    What comes first by the observations' own times decides: the intact ticket, an end that rules a ticket out,
    or the deadline look. Observations that ended after ``now`` are not taken into account.
    """
    seen = [one for one in observations if one.ended_at <= now]
    case = _Case(path, canary, seen)
    settlement = _first_settlement(case, now)
    if settlement is None:
        return _judgement(case, _Settlement(Verdict.PENDING, now), None, None)
    if settlement.verdict is Verdict.BREACHED:
        end = _end_of_breach(case, settlement)
        if end is not None:
            return _judgement(case, replace(settlement, verdict=end.verdict), settlement.at, end.at)
    return _judgement(
        case, settlement, settlement.at, settlement.at if settlement.verdict is Verdict.LATE else None
    )


def advance(stored: Judgement | None, fresh: Judgement) -> Judgement:
    """The judgement to store: a stored verdict only moves forward; what is learnt later adds flaws or sharpens blame."""
    if stored is None or stored.verdict is Verdict.PENDING:
        return fresh
    if stored.verdict is Verdict.BREACHED:
        match fresh.verdict:
            case Verdict.PENDING | Verdict.INCONCLUSIVE:
                return stored
            case Verdict.CONFIRMED:
                return replace(
                    fresh,
                    verdict=Verdict.LATE,
                    stop=stored.stop,
                    settled_at=stored.settled_at,
                    ended_at=max(one for one in (fresh.settled_at, stored.settled_at) if one is not None),
                )
            case _:
                return replace(fresh, settled_at=stored.settled_at)
    added = [flaw for flaw in fresh.flaws if flaw not in stored.flaws]
    if stored.verdict is Verdict.CONFIRMED and added:
        return replace(stored, flaws=(*stored.flaws, *added), hops=fresh.hops)
    return stored


class _Case:
    """The facts of one canary, sorted once into what the rules ask for."""

    def __init__(self, path: Path, canary: Canary, seen: Sequence[Observation]) -> None:
        self.path = path
        self.canary = canary
        self.seen = seen
        self.proof_hop = Hop.TICKET_CREATED if path.proof is Proof.API else Hop.REPLY_RECEIVED
        self.reply_matters = path.reply is not Reply.IGNORED and path.proof is Proof.API
        content = [one for one in seen if one.hop is Hop.TICKET_CONTENT and one.outcome is Outcome.OK]
        replies = [one for one in seen if one.hop is Hop.REPLY_RECEIVED and one.outcome is Outcome.OK]
        self.reply = min(replies, key=lambda one: one.ended_at, default=None)
        proofs = content if path.proof is Proof.API else replies
        self.proof = min(proofs, key=lambda one: (self._in_time_rank(one), one.ended_at), default=None)

    def _in_time_rank(self, one: Observation) -> int:
        return {True: 0, None: 1, False: 2}[self.in_time(one)]

    def in_time(self, one: Observation) -> bool | None:
        """Whether the thing seen was there by the deadline; None: cannot be known."""
        deadline_at = self.canary.deadline_at
        if one.ended_at <= deadline_at:
            return True
        if one.remote_at is not None and one.skew_seconds is not None:
            return one.remote_at - timedelta(seconds=one.skew_seconds) <= deadline_at
        lag = timedelta(seconds=one.look.lag_seconds if one.look is not None else 0.0)
        return True if one.began_at <= deadline_at + lag + GRACE else None

    def before_horizon(self, one: Observation) -> bool:
        """Whether the thing seen came before the canary was given up."""
        if one.ended_at <= self.canary.horizon_at:
            return True
        if one.remote_at is None or one.skew_seconds is None:
            return False
        return one.remote_at - timedelta(seconds=one.skew_seconds) <= self.canary.horizon_at

    def covering_look(self, hop: Hop, stage: Stage) -> Observation | None:
        """The first complete, wide look in vain for a hop that began at or after the stage's time."""
        stages = {Stage.DEADLINE, Stage.HORIZON} if stage is Stage.DEADLINE else {stage}
        looks = [
            one
            for one in self.seen
            if one.hop is hop
            and one.is_look_in_vain
            and one.look is not None
            and one.look.depth is Depth.DEADLINE
            and one.look.is_complete
            and not one.look.is_blind
            and one.stage(self.canary.deadline_at, self.canary.horizon_at) in stages
        ]
        return min(looks, key=lambda one: one.ended_at, default=None)

    def blind_since(self, hop: Hop) -> datetime | None:
        """When looks at or after the deadline had all been blind, or incomplete, for the grace time."""
        began = [
            one
            for one in self.seen
            if one.hop is hop
            and one.is_look_in_vain
            and one.look is not None
            and (one.look.is_blind or not one.look.is_complete)
            and one.ended_at >= self.canary.deadline_at
        ]
        if not began:
            return None
        first = max(min(one.began_at for one in began), self.canary.deadline_at)
        return first + GRACE if max(one.ended_at for one in began) >= first + GRACE else None

    @property
    def clock_stepped(self) -> bool:
        return any(one.reason is Reason.CLOCK_STEPPED for one in self.seen)


def _first_settlement(case: _Case, now: datetime) -> _Settlement | None:
    candidates = [_by_proof(case, now), _by_final_end(case), _by_deadline_look(case), _by_blindness(case)]
    if now >= case.canary.horizon_at:
        unseen = Stop(stop(case.path, hop_results(case.path, case.seen)).hop, Reason.NOT_LOOKED, Side.PROBER)
        candidates.append(_Settlement(Verdict.INCONCLUSIVE, case.canary.horizon_at, unseen))
    found = [one for one in candidates if one is not None]
    return min(found, key=lambda one: one.at, default=None)


def _by_proof(case: _Case, now: datetime) -> _Settlement | None:
    """(a) The intact ticket, or the reply where that is the proof."""
    proof = case.proof
    if proof is None or not case.before_horizon(proof):
        return None
    match case.in_time(proof):
        case False:
            return _Settlement(Verdict.LATE, proof.ended_at, _stop_before(case, proof.ended_at))
        case None:
            unknown = Stop(proof.hop, Reason.NOT_LOOKED, Side.PROBER)
            return _Settlement(Verdict.INCONCLUSIVE, proof.ended_at, unknown)
        case True:
            return _with_reply(case, proof.ended_at, now)


def _with_reply(case: _Case, proof_at: datetime, now: datetime) -> _Settlement | None:
    """A confirmed canary waits for its acknowledgement until the deadline; required, its absence is a breach."""
    if not case.reply_matters:
        return _Settlement(Verdict.CONFIRMED, proof_at)
    if case.reply is not None and case.in_time(case.reply):
        return _Settlement(Verdict.CONFIRMED, max(proof_at, case.reply.ended_at))
    deadline_at = case.canary.deadline_at
    look = case.covering_look(Hop.REPLY_RECEIVED, Stage.DEADLINE)
    if case.path.reply is Reply.EXPECTED:
        waited_until = look.ended_at if look is not None else deadline_at + GRACE
        ended = max(proof_at, waited_until)
        return _Settlement(Verdict.CONFIRMED, ended) if now >= ended else None
    if case.reply is not None:
        return _Settlement(Verdict.LATE, case.reply.ended_at, _stop_before(case, case.reply.ended_at))
    if look is not None:
        return _unproved(case, max(proof_at, look.ended_at))
    blind_at = case.blind_since(Hop.REPLY_RECEIVED)
    return _unproved(case, max(proof_at, blind_at)) if blind_at is not None else None


def _by_final_end(case: _Case) -> _Settlement | None:
    """(b) An end that rules a ticket out."""
    ends = [one for one in case.seen if one.rules_out_ticket]
    return _unproved(case, min(one.ended_at for one in ends)) if ends else None


def _by_deadline_look(case: _Case) -> _Settlement | None:
    """(c) The first complete, wide look begun at or after the deadline plus the view's lag."""
    look = case.covering_look(case.proof_hop, Stage.DEADLINE)
    return _unproved(case, look.ended_at) if look is not None else None


def _by_blindness(case: _Case) -> _Settlement | None:
    blind_at = case.blind_since(case.proof_hop)
    if blind_at is None:
        return None
    blind = [
        one
        for one in case.seen
        if one.hop is case.proof_hop and one.look is not None and one.reason is not None
    ]
    reason = max(blind, key=lambda one: (one.ended_at, one.reason or "")).reason or Reason.NOT_LOOKED
    side = Side.PROBER
    return _Settlement(Verdict.INCONCLUSIVE, blind_at, Stop(case.proof_hop, reason, side))


def _stop_before(case: _Case, at: datetime) -> Stop:
    """Where the canary stood: successes that were seen at or after that moment are left out."""
    until = [one for one in case.seen if one.outcome is not Outcome.OK or one.ended_at < at]
    return stop(case.path, hop_results(case.path, until))


def _unproved(case: _Case, at: datetime) -> _Settlement:
    """Breached where the target is to blame; inconclusive where it is the prober, or can't be known."""
    until = [one for one in case.seen if one.outcome is not Outcome.OK or one.ended_at <= at]
    found = stop(case.path, hop_results(case.path, until))
    if case.clock_stepped:
        return _Settlement(Verdict.INCONCLUSIVE, at, Stop(found.hop, Reason.CLOCK_STEPPED, Side.PROBER))
    if found.side is not Side.TARGET:
        return _Settlement(Verdict.INCONCLUSIVE, at, replace(found, side=Side.PROBER))
    return _Settlement(Verdict.BREACHED, at, found)


def _end_of_breach(case: _Case, breach: _Settlement) -> _Settlement | None:
    """What became of a breached canary: late with its delay, lost, or (None) breached for good or for now."""
    proofs = [case.proof] if case.proof is not None and case.before_horizon(case.proof) else []
    if case.path.reply is Reply.REQUIRED and case.reply_matters:
        proofs = [*proofs, case.reply] if proofs and case.reply is not None else []
    if proofs:
        return _Settlement(Verdict.LATE, max(breach.at, *(one.ended_at for one in proofs)))
    look = case.covering_look(case.proof_hop, Stage.HORIZON)
    if look is not None and not tickets_of_ours(case.seen):
        return _Settlement(Verdict.LOST, look.ended_at)
    return None


def _reply_is_missing(case: _Case) -> bool:
    """Whether a complete look showed that no acknowledgement came in time, or it came too late."""
    if not case.reply_matters or (case.reply is not None and case.in_time(case.reply)):
        return False
    return case.reply is not None or case.covering_look(Hop.REPLY_RECEIVED, Stage.DEADLINE) is not None


def _judgement(
    case: _Case, settlement: _Settlement, settled_at: datetime | None, ended_at: datetime | None
) -> Judgement:
    results = hop_results(case.path, case.seen)
    tickets = tickets_of_ours(case.seen)
    proof = case.proof
    slow = tuple(
        result.hop
        for result in results
        if result.outcome is Outcome.OK
        and result.seconds is not None
        and result.seconds > case.path.budgets.get(result.hop, float("inf"))
    )
    confirmed = settlement.verdict is Verdict.CONFIRMED
    found = flaws(case.path, results, case.seen) if confirmed or settlement.verdict is Verdict.LATE else ()
    if confirmed and _reply_is_missing(case):
        found = (*found, Flaw(Hop.REPLY_RECEIVED, Reason.NOT_SEEN))
    return Judgement(
        canary_id=case.canary.id,
        path=case.path.name,
        verdict=settlement.verdict,
        stop=settlement.stop,
        slow=slow,
        flaws=found,
        hops=results,
        ticket=tickets[0].ticket.ref if tickets and tickets[0].ticket is not None else None,
        settled_at=settled_at,
        ended_at=ended_at,
        seconds=(proof.ended_at - case.canary.launched_at).total_seconds() if proof is not None else None,
    )
