"""Blame: what each hop came to, and the first hop of the route after the last good one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from canary.hop import LAUNCH_HOPS, Hop, full_route
from canary.observation import Depth, Evidence, Observation, Outcome
from canary.path import Path, Proof
from canary.reason import Reason, Side

EXPLANATIONS = frozenset({Reason.MAILBOX_FULL, Reason.BACKLOG_GROWING, Reason.CERTIFICATE_EXPIRED})
"""Reasons that a gauge of the place lends to a hop where the canary was looked for in vain."""


@dataclass(frozen=True, slots=True)
class HopResult:
    """What one hop of a canary came to, by all its observations.

    Attributes:
        seconds: how long it took; of a hop that was watched for, since the hop before it was seen to end.
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
    """Where a canary stopped, why, and whose fault that is.

    Attributes:
        answered: where we could not see, the HTTP status that the last look got. It is no other stop for it.
        status: that of the kind of its error (`LookFacts.status`); None: the same.
    """

    hop: Hop
    reason: Reason
    side: Side
    answered: int | None = field(default=None, compare=False)
    status: int | None = field(default=None, compare=False)


def hop_results(
    path: Path, observations: Sequence[Observation], *, deadline_at: datetime | None = None
) -> tuple[HopResult, ...]:
    """What each hop of the path's route came to; a success proves the earlier hops that were not seen.

    The order of the observations, and facts reported twice, make no difference. A bounce tells of
    ``mailbox.arrival`` whether we may read that mailbox or not, so it adds that hop to a route without it.

    Args:
        path: the path.
        observations: of one canary.
        deadline_at: its deadline; a wide look from then on outweighs any blind one. None: every wide look does.
    """
    ordered = sorted(observations, key=lambda one: one.order)
    singles = [
        _single(hop, [seen for seen in ordered if seen.hop is hop], deadline_at)
        for hop in _route_as_seen(path, observations)
    ]
    proved = _proved_up_to(path, singles)
    return _timed(
        [
            _inferred(result) if index < proved and result.outcome is Outcome.UNKNOWN else result
            for index, result in enumerate(singles)
        ]
    )


def flaws(results: Sequence[HopResult], observations: Sequence[Observation]) -> tuple[Flaw, ...]:
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
        and seen.hop is not Hop.TICKET_CONTENT  # a damaged copy beside the intact one is a duplicate
    ]
    found += _ticket_flaws(observations)
    in_route = {result.hop: index for index, result in enumerate(results)}
    known = {flaw for flaw in found if flaw.hop in in_route}
    return tuple(sorted(known, key=lambda flaw: (in_route[flaw.hop], flaw.reason)))


def stop(path: Path, results: Sequence[HopResult]) -> Stop:
    """Where the canary stopped: the first hop after the last good one that we were able to see.

    A hop that is unknown because nobody could look is passed over while another is left; one whose answer was
    lost is blamed. A hop of the launch is told by the prober alone: where it says nothing, the launch stopped
    there. Where nothing could be seen at all, the first unseen hop is named, on the prober's side.
    """
    remaining = results[_proved_up_to(path, results) :] or results[-1:]
    passed = {Outcome.OK, Outcome.SKIPPED}
    open_hops = [result for result in remaining if result.outcome not in passed] or list(remaining)
    visible = [
        result
        for result in _without_early_reply(path, open_hops)
        if not result.is_blind or _is_untold_launch(result)
    ]
    chosen = (visible or open_hops)[0]
    untold = Reason.PROBER_STOPPED if _is_untold_launch(chosen) else Reason.NOT_LOOKED
    return Stop(chosen.hop, chosen.reason or untold, chosen.side or Side.PROBER)


def _without_early_reply(path: Path, open_hops: Sequence[HopResult]) -> list[HopResult]:
    """No acknowledgement says nothing while the ticket that it would acknowledge can't be seen."""
    ticket_is_open = any(one.hop in {Hop.TICKET_CREATED, Hop.TICKET_CONTENT} for one in open_hops)
    is_said = path.proof is Proof.REPLY or not ticket_is_open
    return [one for one in open_hops if is_said or one.hop is not Hop.REPLY_RECEIVED]


def _is_untold_launch(result: HopResult) -> bool:
    return result.hop in LAUNCH_HOPS and result.outcome is Outcome.UNKNOWN and result.evidence is None


def tickets_of_ours(observations: Sequence[Observation]) -> list[Observation]:
    """The first sight of each ticket that came of the canary, other requesters' replays left out, oldest first."""
    replayed = _replayed(observations)
    first: dict[str, Observation] = {}
    good = [one for one in observations if one.hop is Hop.TICKET_CREATED and one.outcome is Outcome.OK]
    for seen in sorted(good, key=lambda one: one.order):
        if seen.ticket is not None:
            first.setdefault(_ticket_key(seen), seen)
    return [seen for key, seen in first.items() if key not in replayed]


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


def _route_as_seen(path: Path, observations: Sequence[Observation]) -> tuple[Hop, ...]:
    told = {
        seen.hop
        for seen in observations
        if seen.hop is Hop.MAILBOX_ARRIVAL
        and seen.look is None
        and seen.outcome in {Outcome.FAILED, Outcome.UNKNOWN}
    }
    if told <= set(path.route):
        return path.route
    return tuple(hop for hop in full_route(path.channel) if hop in told or hop in path.route)


def _single(hop: Hop, ordered: Sequence[Observation], deadline_at: datetime | None) -> HopResult:
    """What one hop came to by its own observations, which are in their order."""
    misrouted = [one for one in ordered if one.outcome is Outcome.FAILED and one.reason is Reason.MISROUTED]
    good = [one for one in ordered if one.outcome is Outcome.OK]
    failed = [one for one in ordered if one.outcome is Outcome.FAILED]
    if misrouted:
        return _result(misrouted[0])
    if good:
        clean = [one for one in good if one.reason is None]
        return _result((clean or good)[0])
    if failed:
        return _result(_decisive(hop, failed, [one for one in ordered if _is_lost(one)]))
    skipped = [one for one in ordered if one.outcome is Outcome.SKIPPED]
    return _result(skipped[-1]) if skipped else _unknown(hop, ordered, deadline_at)


def _decisive(hop: Hop, failed: Sequence[Observation], lost: Sequence[Observation]) -> Observation:
    """The failure that tells most: what a gauge explains, else the last try's.

    A launch that was refused in one try and lost in a later one may have left all the same, or was stopped.
    """
    tries = [*failed, *lost] if hop in LAUNCH_HOPS else failed
    last = max(tries, key=lambda one: (one.attempt, one.order))
    explained = [one for one in failed if one.reason in EXPLANATIONS]
    if not explained or last.outcome is not Outcome.FAILED or last.cause_side is not Side.TARGET:
        return last
    return max(explained, key=lambda one: (one.attempt, one.order))


def _is_lost(one: Observation) -> bool:
    """Whether an answer was lost, or the prober was, rather than nothing seen."""
    return one.outcome is Outcome.UNKNOWN and one.look is None and one.reason not in EXPLANATIONS


def _unknown(hop: Hop, ordered: Sequence[Observation], deadline_at: datetime | None) -> HopResult:
    lost = [one for one in ordered if _is_lost(one)]
    if lost:
        return _result(lost[-1])
    explained = [one for one in ordered if one.reason in EXPLANATIONS]
    in_vain = _sight(ordered, deadline_at)
    if in_vain is not None and explained:
        said = explained[-1]
        return replace(_result(in_vain), reason=said.reason, side=said.cause_side, detail=said.detail)
    if in_vain is not None or explained:
        return _result(in_vain or explained[-1])
    blind = [one for one in ordered if one.look is not None]
    return (
        replace(_result(blind[-1]), is_blind=True)
        if blind
        else HopResult(hop, Outcome.UNKNOWN, is_blind=True)
    )


def _sight(ordered: Sequence[Observation], deadline_at: datetime | None) -> Observation | None:
    """The look in vain by which absence may be said, or None.

    A wide look at the deadline counts, however many blind ones there are beside it. Another one counts only
    while nothing says that the view was lost after it: what came later would not have been seen.
    """
    looks = [one for one in ordered if one.look is not None]
    complete = [one for one in looks if one.look is not None and one.look.can_say_absence]
    at_deadline = [
        one
        for one in complete
        if one.look is not None
        and one.look.depth is Depth.DEADLINE
        and (deadline_at is None or one.began_at >= deadline_at)
    ]
    if at_deadline:
        return at_deadline[-1]
    return looks[-1] if looks and looks[-1] in complete else None


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


def is_watched(result: HopResult) -> bool:
    """Whether a hop was watched for and seen, so that its duration is known only together with the others."""
    return result.hop not in LAUNCH_HOPS and result.outcome in {Outcome.OK, Outcome.FAILED}


def _timed(results: Sequence[HopResult]) -> tuple[HopResult, ...]:
    """Give a hop that was watched for its duration: from the end of what came before it to when it was seen.

    A look lasts milliseconds and says nothing of how long a mail or ticket took. Our own clock alone is asked.
    """
    timed: list[HopResult] = []
    for result in results:
        ended_at = result.ended_at
        before = [one.ended_at for one in timed if one.outcome is not Outcome.UNKNOWN]
        began_at = max((at for at in before if at and ended_at and at <= ended_at), default=None)
        if is_watched(result) and result.seconds is None and began_at is not None and ended_at is not None:
            seconds = (ended_at - began_at).total_seconds()
            timed.append(replace(result, began_at=began_at, seconds=seconds))
        else:
            timed.append(result)
    return tuple(timed)


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
            hops = [one.hop for one in results]
            reach = hops.index(Hop.TICKET_CREATED) if result.outcome is Outcome.OK else 0
        elif result.outcome is Outcome.OK:
            reach = index + 1
        elif result.outcome is not Outcome.FAILED:
            reach = 0
        proved = max(proved, reach)
    return proved
