"""Blame: what each hop came to, and the first hop of the route after the last good one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canary.hop import LAUNCH_HOPS, Hop
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, Proof
from canary.reason import Reason, Side

EXPLANATIONS = frozenset({Reason.MAILBOX_FULL, Reason.BACKLOG_GROWING, Reason.CERTIFICATE_EXPIRED})
"""Reasons that a gauge of the place lends to a hop where the canary was looked for in vain."""


@dataclass(frozen=True, slots=True)
class HopResult:
    """What one hop of a canary came to, by all its observations.

    Attributes:
        is_blind: unknown because nobody could look (or nobody did), not because it was looked for in vain.
    """

    hop: Hop
    outcome: Outcome
    evidence: Evidence | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    reason: Reason | None = None
    side: Side | None = None
    detail: str = ""
    is_blind: bool = False


@dataclass(frozen=True, slots=True)
class Flaw:
    """A hop that went wrong although the intact ticket came in time."""

    hop: Hop
    reason: Reason


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a canary stopped, why, and whose fault that is."""

    hop: Hop
    reason: Reason
    side: Side


def hop_results(path: Path, observations: Sequence[Observation]) -> tuple[HopResult, ...]:
    """What each hop of the path's route came to; a success proves the earlier hops that were not seen.

    The order of the observations, and facts reported twice, make no difference.
    """
    singles = [_single(hop, [seen for seen in observations if seen.hop is hop]) for hop in path.route]
    proved = _proved_up_to(path, singles)
    return tuple(
        _inferred(result) if index < proved and result.outcome is Outcome.UNKNOWN else result
        for index, result in enumerate(singles)
    )


def flaws(path: Path, results: Sequence[HopResult], observations: Sequence[Observation]) -> tuple[Flaw, ...]:
    """The hops that went wrong on the way of a canary whose intact ticket came."""
    found = [
        Flaw(result.hop, result.reason)
        for result in results
        if result.reason is not None and result.outcome in {Outcome.OK, Outcome.FAILED}
    ]
    found += [
        Flaw(seen.hop, seen.reason)
        for seen in observations
        if seen.outcome is Outcome.FAILED
        and seen.reason is not None
        and seen.hop not in LAUNCH_HOPS
        and seen.ticket is None
    ]
    found += _ticket_flaws(observations)
    in_route = {hop: index for index, hop in enumerate(path.route)}
    known = {flaw for flaw in found if flaw.hop in in_route}
    return tuple(sorted(known, key=lambda flaw: (in_route[flaw.hop], flaw.reason)))


def stop(path: Path, results: Sequence[HopResult]) -> Stop:
    """Where the canary stopped: the first hop after the last good one that we were able to see.

    A hop that is unknown because nobody could look is passed over while another is left; one whose answer was
    lost is blamed. Where nothing could be seen at all, the first unseen hop is named, on the prober's side.
    """
    remaining = results[_proved_up_to(path, results) :] or results[-1:]
    passed = {Outcome.OK, Outcome.SKIPPED}
    open_hops = [result for result in remaining if result.outcome not in passed] or list(remaining)
    visible = [result for result in open_hops if not result.is_blind]
    chosen = (visible or open_hops)[0]
    reason = chosen.reason or Reason.NOT_LOOKED
    return Stop(chosen.hop, reason, chosen.side or Side.PROBER)


def tickets_of_ours(observations: Sequence[Observation]) -> list[Observation]:
    """The first sight of each ticket that came of the canary, other requesters' replays left out, oldest first."""
    replayed = _replayed(observations)
    first: dict[str, Observation] = {}
    for seen in sorted(observations, key=_order):
        if seen.hop is Hop.TICKET_CREATED and seen.outcome is Outcome.OK and seen.ticket is not None:
            first.setdefault(_ticket_key(seen), seen)
    return [seen for key, seen in first.items() if key not in replayed]


def _order(seen: Observation) -> tuple[datetime, datetime, int, str, str, str]:
    """A total order that depends on the facts alone."""
    return (seen.ended_at, seen.began_at, seen.attempt, seen.outcome, seen.reason or "", seen.detail)


def _ticket_key(seen: Observation) -> str:
    return f"{seen.ticket.ref.system}:{seen.ticket.ref.id}" if seen.ticket is not None else ""


def _replayed(observations: Sequence[Observation]) -> frozenset[str]:
    """Tickets of other requesters, where a ticket of ours is there too."""
    contents = [seen for seen in observations if seen.hop is Hop.TICKET_CONTENT and seen.ticket is not None]
    strangers = {_ticket_key(seen) for seen in contents if seen.reason is Reason.WRONG_REQUESTER}
    ours = {_ticket_key(seen) for seen in contents} - strangers
    return frozenset(strangers) if ours else frozenset()


def _ticket_flaws(observations: Sequence[Observation]) -> list[Flaw]:
    found: list[Flaw] = []
    if len(tickets_of_ours(observations)) > 1:
        found.append(Flaw(Hop.TICKET_CONTENT, Reason.DUPLICATE))
    if _replayed(observations):
        found.append(Flaw(Hop.TICKET_CONTENT, Reason.REPLAYED))
    return found


def _single(hop: Hop, seen: Sequence[Observation]) -> HopResult:
    """What one hop came to by its own observations."""
    ordered = sorted(seen, key=_order)
    misrouted = [one for one in ordered if one.outcome is Outcome.FAILED and one.reason is Reason.MISROUTED]
    good = [one for one in ordered if one.outcome is Outcome.OK]
    failed = [one for one in ordered if one.outcome is Outcome.FAILED]
    if misrouted:
        return _result(misrouted[0])
    if good:
        clean = [one for one in good if one.reason is None]
        return _result((clean or good)[0])
    if failed:
        sharp = [one for one in failed if one.reason in EXPLANATIONS] or failed
        return _result(max(sharp, key=lambda one: (one.attempt, _order(one))))
    if any(one.outcome is Outcome.SKIPPED for one in ordered):
        return _result(ordered[-1])
    return _unknown(hop, ordered)


def _unknown(hop: Hop, ordered: Sequence[Observation]) -> HopResult:
    lost = [one for one in ordered if one.look is None and one.reason not in EXPLANATIONS]
    if lost:
        return _result(lost[-1])
    explained = [one for one in ordered if one.reason in EXPLANATIONS]
    in_vain = [
        one for one in ordered if one.look is not None and not one.look.is_blind and one.look.is_complete
    ]
    if in_vain:
        result = _result(in_vain[-1])
        if explained:
            return replace(
                result,
                reason=explained[-1].reason,
                side=explained[-1].cause_side,
                detail=explained[-1].detail,
            )
        return result
    blind = [one for one in ordered if one.look is not None]
    return (
        replace(_result(blind[-1]), is_blind=True)
        if blind
        else HopResult(hop, Outcome.UNKNOWN, is_blind=True)
    )


def _result(seen: Observation) -> HopResult:
    return HopResult(
        hop=seen.hop,
        outcome=seen.outcome,
        evidence=seen.evidence,
        began_at=seen.began_at,
        ended_at=seen.ended_at,
        seconds=seen.seconds,
        reason=seen.reason,
        side=seen.cause_side,
        detail=seen.detail,
    )


def _inferred(result: HopResult) -> HopResult:
    return HopResult(result.hop, Outcome.OK, Evidence.INFERRED)


def _proved_up_to(path: Path, results: Sequence[HopResult]) -> int:
    """How many hops, from the first, are known to have been passed.

    A success proves its own hop and those before it; a failure shows that its hop was reached. An
    acknowledgement proves the ticket only where the path has no other proof.
    """
    proved = 0
    for index, result in enumerate(results):
        reach = index
        if result.hop is Hop.REPLY_RECEIVED and path.proof is Proof.API:
            reach = path.route.index(Hop.TICKET_CREATED) if result.outcome is Outcome.OK else 0
        elif result.outcome is Outcome.OK:
            reach = index + 1
        elif result.outcome is not Outcome.FAILED:
            reach = 0
        proved = max(proved, reach)
    return proved
