"""The one place where a verdict is made: a pure function of a path, a canary, its observations and the time.

The laws, each held by a property test: the order of observations and facts reported twice change nothing; a stored
verdict only moves forward; a reason on the prober's side never yields ``breached``; without positive evidence
nothing is confirmed; the blamed hop is never one that a success seen by then proves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from canary.blame import Flaw, HopResult, Stop, flaws, tickets_of_ours
from canary.canary import Canary
from canary.case import GRACE, Case, on_our_side
from canary.hop import Hop
from canary.observation import Observation, Outcome, Stage
from canary.path import Path, PathName, Reply
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.ticket import TicketRef

_REPLY = frozenset({Hop.REPLY_RECEIVED})


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
class Aftermath:
    """What became of a canary after a breach: ``late`` or ``lost``, and when that became true."""

    verdict: Verdict
    at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with all that it rests on.

    Attributes:
        stop: the blamed hop, reason and side; None for pending and confirmed.
        settled_at: when the first verdict other than pending became true; None while pending.
        ended_at: when late or lost became true; else None.
        seconds: from launch to the good ``ticket.content``; None without it.
        ticket: the first ticket of ours.
        aftermath: what became of it after a breach; of an inconclusive one, what would have, so that a breach
            which another process stored before an earlier blindness was reported still finds its end.
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
    aftermath: Aftermath | None = None


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
    case = Case(path, canary, [one for one in observations if one.ended_at <= now])
    settlement = _first_settlement(case, now)
    if settlement is None:
        return _judgement(case, _Settlement(Verdict.PENDING, now), None, None)
    end = Aftermath(Verdict.LATE, settlement.at) if settlement.verdict is Verdict.LATE else None
    if settlement.verdict in {Verdict.BREACHED, Verdict.INCONCLUSIVE}:
        end = _end_of_breach(case, settlement.at)
    if settlement.verdict is Verdict.BREACHED and end is not None:
        settlement = replace(settlement, verdict=end.verdict)
    return _judgement(case, settlement, settlement.at, end)


def advance(stored: Judgement | None, fresh: Judgement) -> Judgement:
    """The judgement to store: a stored verdict only moves forward; what is learnt later adds flaws or sharpens blame."""
    if stored is None or stored.verdict is Verdict.PENDING:
        return fresh
    if stored.verdict is Verdict.BREACHED:
        return _advance_breach(stored, fresh)
    added = [flaw for flaw in fresh.flaws if flaw not in stored.flaws]
    if stored.verdict is Verdict.CONFIRMED and added:
        return replace(stored, flaws=(*stored.flaws, *added), hops=fresh.hops)
    return stored


def _advance_breach(stored: Judgement, fresh: Judgement) -> Judgement:
    match fresh.verdict:
        case Verdict.PENDING:
            return stored
        case Verdict.BREACHED:
            return replace(fresh, settled_at=stored.settled_at)
        case Verdict.CONFIRMED:
            end = Aftermath(Verdict.LATE, fresh.settled_at) if fresh.settled_at is not None else None
        case Verdict.LATE | Verdict.LOST | Verdict.INCONCLUSIVE:
            end = fresh.aftermath
        case _:
            assert_never(fresh.verdict)
    if end is None:
        return stored
    is_sharper = fresh.verdict in {Verdict.LATE, Verdict.LOST}
    ended_at = max(end.at, stored.settled_at) if stored.settled_at is not None else end.at
    return replace(
        fresh,
        verdict=end.verdict,
        stop=fresh.stop if is_sharper else stored.stop,
        settled_at=stored.settled_at,
        ended_at=ended_at,
        aftermath=Aftermath(end.verdict, ended_at),
    )


def _first_settlement(case: Case, now: datetime) -> _Settlement | None:
    """What came first; an intact ticket then still waits for its acknowledgement, whatever comes in between."""
    candidates = [_by_proof(case), _by_final_end(case), _by_deadline_look(case), _by_blindness(case)]
    if now >= case.gives_up_at:
        candidates.append(_given_up(case))
    found = [one for one in candidates if one is not None]
    first = min(found, key=lambda one: one.at, default=None)
    if first is not None and first.verdict is Verdict.CONFIRMED and case.reply_matters:
        is_required = case.path.reply is Reply.REQUIRED
        return (_with_required_reply if is_required else _with_expected_reply)(case, first.at, now)
    return first


def _by_proof(case: Case) -> _Settlement | None:
    """(a) The intact ticket, or the reply where that is the proof."""
    if case.proof is None or not case.before_horizon(case.proof):
        return None
    return _by_sight(case, case.proof)


def _by_sight(case: Case, proof: Observation) -> _Settlement:
    match case.in_time(proof):
        case True:
            return _Settlement(Verdict.CONFIRMED, proof.ended_at)
        case False:
            found = case.stop_of_late(proof)
            if case.clock_stepped_by(proof.ended_at):
                return _inconclusive(proof.ended_at, found, Reason.CLOCK_STEPPED)
            if found.side is not Side.TARGET:
                return _inconclusive(proof.ended_at, found)
            return _Settlement(Verdict.LATE, proof.ended_at, found)
        case None:
            return _inconclusive(proof.ended_at, case.stop_before(proof))


def _with_expected_reply(case: Case, proof_at: datetime, now: datetime) -> _Settlement | None:
    """A confirmed canary waits for its acknowledgement until the deadline look, or the grace time after it."""
    look = case.covering_look(_REPLY, Stage.DEADLINE)
    ends = [one.ended_at for one in (case.reply, look) if one is not None]
    at = max(proof_at, min([*ends, case.canary.deadline_at + GRACE]))
    return _Settlement(Verdict.CONFIRMED, at) if now >= at else None


def _with_required_reply(case: Case, proof_at: datetime, now: datetime) -> _Settlement | None:
    """An intact ticket whose acknowledgement is demanded: settled by what came first of it."""
    candidates: list[_Settlement] = []
    if case.reply is not None:
        candidates.append(_by_sight(case, case.reply))
    look = case.covering_look(_REPLY, Stage.DEADLINE)
    if look is not None:
        candidates.append(_unproved(case, max(proof_at, look.ended_at)))
    blind_at = case.blind_since(_REPLY)
    if blind_at is not None:
        candidates.append(_blind(case, _REPLY, blind_at))
    if now >= case.gives_up_at:
        candidates.append(_given_up(case))
    first = min(candidates, key=lambda one: one.at, default=None)
    return replace(first, at=max(proof_at, first.at)) if first is not None else None


def _by_final_end(case: Case) -> _Settlement | None:
    """(b) An end that rules a ticket out."""
    ends = [one for one in case.seen if one.rules_out_ticket]
    if not ends:
        return None
    end = ends[0]
    settlement = _unproved(case, end.ended_at)
    if settlement.verdict is Verdict.BREACHED and end.cause_side is not Side.TARGET:
        reason = end.reason or Reason.NOT_LOOKED
        return _Settlement(
            Verdict.INCONCLUSIVE,
            end.ended_at,
            Stop(settlement.stop.hop if settlement.stop is not None else end.hop, reason, Side.PROBER),
        )
    return settlement


def _by_deadline_look(case: Case) -> _Settlement | None:
    """(c) The first complete, wide look begun at or after the deadline plus the view's lag."""
    look = case.covering_look(case.proof_hops, Stage.DEADLINE)
    return _unproved(case, look.ended_at) if look is not None else None


def _by_blindness(case: Case) -> _Settlement | None:
    blind_at = case.blind_since(case.proof_hops)
    return _blind(case, case.proof_hops, blind_at) if blind_at is not None else None


def _blind(case: Case, hops: frozenset[Hop], at: datetime) -> _Settlement:
    """Somebody looked, and could not read all; where a look says no more of it, what it looked at was unreadable."""
    looks = [one for one in case.blind_looks(hops) if one.cause_side is not Side.TARGET]
    unread = Reason.MAILBOX_UNREADABLE if hops == _REPLY else Reason.TICKET_API_UNREADABLE
    reason = (looks[-1].reason if looks else None) or unread
    look = looks[-1].look if looks else None
    status, answered = (look.status, look.answered) if look is not None else (None, None)
    stop = Stop(case.first_unproved(hops, at), reason, Side.PROBER, answered or status, status)
    return _Settlement(Verdict.INCONCLUSIVE, at, stop)


def _given_up(case: Case) -> _Settlement:
    """Nobody was able to look by the horizon."""
    at = case.gives_up_at
    found = case.stop_at(at)
    if case.clock_stepped_by(at):
        return _inconclusive(at, found, Reason.CLOCK_STEPPED)
    return _inconclusive(at, found)


def _inconclusive(at: datetime, found: Stop, reason: Reason | None = None) -> _Settlement:
    if reason is not None:
        return _Settlement(Verdict.INCONCLUSIVE, at, Stop(found.hop, reason, Side.PROBER))
    return _Settlement(Verdict.INCONCLUSIVE, at, on_our_side(found, unless=Reason.NOT_LOOKED))


def _unproved(case: Case, at: datetime) -> _Settlement:
    """Breached where the target is to blame; inconclusive where it is the prober, or can't be known.

    The verdict rests on what was known at that moment; what is learnt later may sharpen the blame only.
    """
    found = case.stop_at(at)
    if case.clock_stepped_by(at):
        return _inconclusive(at, found, Reason.CLOCK_STEPPED)
    if found.side is not Side.TARGET:
        return _inconclusive(at, found)
    sharper = case.sharper_stop(at)
    return _Settlement(Verdict.BREACHED, at, sharper if sharper.side is Side.TARGET else found)


def _end_of_breach(case: Case, breached_at: datetime) -> Aftermath | None:
    """What became of a breached canary: late with its delay, lost, or (None) breached for good or for now."""
    ends: list[Aftermath] = []
    needed = [case.proof]
    if case.reply_matters and case.path.reply is Reply.REQUIRED:
        needed.append(case.reply)
    came = [one.ended_at for one in needed if one is not None and case.before_horizon(one)]
    if len(came) == len(needed):
        ends.append(Aftermath(Verdict.LATE, max(breached_at, *came)))
    look = case.covering_look(case.proof_hops, Stage.HORIZON)
    if look is not None and not tickets_of_ours([one for one in case.seen if one.ended_at <= look.ended_at]):
        ends.append(Aftermath(Verdict.LOST, max(breached_at, look.ended_at)))
    return min(ends, key=lambda one: one.at, default=None)


def _reply_is_missing(case: Case) -> bool:
    """Whether a complete look showed that no acknowledgement came in time, or it is known to have come too late."""
    in_time = case.in_time(case.reply) if case.reply is not None else None
    if not case.reply_matters or in_time is True:
        return False
    return in_time is False or case.covering_look(_REPLY, Stage.DEADLINE) is not None


def _judgement(
    case: Case, settlement: _Settlement, settled_at: datetime | None, aftermath: Aftermath | None
) -> Judgement:
    results = case.results()
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
    found: tuple[Flaw, ...] = (
        flaws(results, case.seen) if confirmed or settlement.verdict is Verdict.LATE else ()
    )
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
        ended_at=aftermath.at if aftermath is not None and settlement.verdict is aftermath.verdict else None,
        seconds=(proof.ended_at - case.canary.launched_at).total_seconds() if proof is not None else None,
        aftermath=aftermath,
    )
