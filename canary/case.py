"""The facts of one canary, sorted once into what the rules of the verdict ask for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.blame import HopResult, Stop, hop_results, stop
from canary.canary import Canary
from canary.hop import LAUNCH_HOPS, Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome, Stage
from canary.path import Path, Proof, Reply
from canary.reason import Reason, Side

GRACE = timedelta(seconds=30)
"""How long looks may be blind, or late, before a deadline counts as not covered."""

STAMP_TOLERANCE = timedelta(minutes=2)
"""A remote's stamp, its known skew taken off, may lie this far before the launch or after the look that saw it: stamps
are cut to the minute, and skews are measured to the second. One that lies further off is of a wrong zone or clock."""

_TICKET = frozenset({Hop.TICKET_CREATED, Hop.TICKET_CONTENT})


class Case:
    """What was seen of one canary until now, by what it is evidence of.

    Attributes:
        proof_hops: the hops at which the proof is looked for, and `proof_hop` the first of them.
        proof: the first sight of the intact ticket, or of the reply where that is the proof.
        reply: the first sight of the acknowledgement.
    """

    def __init__(self, path: Path, canary: Canary, seen: Sequence[Observation]) -> None:
        self.path = path
        self.canary = canary
        self.seen = sorted(seen, key=lambda one: one.order)
        is_api = path.proof is Proof.API
        self.proof_hops = _TICKET if is_api else frozenset({Hop.REPLY_RECEIVED})
        self.proof_hop = Hop.TICKET_CREATED if is_api else Hop.REPLY_RECEIVED
        self.reply_matters = is_api and path.reply is not Reply.IGNORED
        self.reply = self._first(Hop.REPLY_RECEIVED)
        self.proof = self._first(Hop.TICKET_CONTENT) if is_api else self.reply

    def _first(self, hop: Hop) -> Observation | None:
        """The first good sight; of several in one look, one that was there in time."""
        good = [one for one in self.seen if one.hop is hop and one.outcome is Outcome.OK]
        rank = {True: 0, None: 1, False: 2}
        return min(good, key=lambda one: (one.ended_at, rank[self.in_time(one)], one.order), default=None)

    def in_time(self, one: Observation) -> bool | None:
        """Whether the thing seen was there by the deadline; None: cannot be known."""
        return self._was_there(one, self.canary.deadline_at)

    def before_horizon(self, one: Observation) -> bool:
        """Whether the thing seen is known to have come before the canary was given up."""
        return self._was_there(one, self.canary.horizon_at) is True

    def _was_there(self, one: Observation, by: datetime) -> bool | None:
        if one.ended_at <= by:
            return True
        made_at = self._made_at(one)
        if made_at is not None:
            return made_at <= by
        lag = timedelta(seconds=one.look.lag_seconds if one.look is not None else 0.0)
        return True if one.began_at <= by + lag + GRACE else None

    def _made_at(self, one: Observation) -> datetime | None:
        """When it was made by the remote's word, by our clock; None where that is not known, or can't be true."""
        if one.remote_at is None or one.skew_seconds is None:
            return None
        # by how much before the look: the calendar's first or last day, as some write no date, has no day beyond it
        before = one.ended_at - one.remote_at + timedelta(seconds=one.skew_seconds)
        longest = one.ended_at - self.canary.launched_at
        is_possible = -STAMP_TOLERANCE <= before <= longest + STAMP_TOLERANCE
        return one.ended_at - before if is_possible else None

    def covering_look(self, hops: frozenset[Hop], stage: Stage) -> Observation | None:
        """The first complete, wide look in vain for the hops that began at or after the stage's time."""
        stages = {Stage.DEADLINE, Stage.HORIZON} if stage is Stage.DEADLINE else {stage}
        looks = [
            one
            for one in self._looks(hops)
            if one.look is not None
            and one.look.depth is Depth.DEADLINE
            and one.look.can_say_absence
            and self._stage(one) in stages
        ]
        return looks[0] if looks else None

    def blind_looks(self, hops: frozenset[Hop]) -> list[Observation]:
        """The looks in vain, at or after the deadline, that could not have said absence."""
        return [
            one
            for one in self._looks(hops)
            if one.look is not None
            and (one.look.is_blind or (one.look.depth is Depth.DEADLINE and not one.look.is_complete))
            and self._stage(one) is not Stage.WAITING
            and one.ended_at >= self._view_opens_at(hops)
        ]

    def blind_since(self, hops: frozenset[Hop]) -> datetime | None:
        """When the looks that could have covered the deadline had all been blind for the grace time.

        A row of the store may span many blind looks. What was blind before the view's lag had passed could not
        have covered the deadline anyway, so it does not count.
        """
        blind = self.blind_looks(hops)
        if not blind:
            return None
        first = max(min(one.began_at for one in blind), self._view_opens_at(hops))
        return first + GRACE if max(one.ended_at for one in blind) >= first + GRACE else None

    @property
    def gives_up_at(self) -> datetime:
        """When a canary at which nobody looked is given up: its horizon, if that leaves room for the deadline look."""
        return max(self.canary.horizon_at, self._view_opens_at(self.proof_hops) + GRACE)

    def clock_stepped_by(self, at: datetime) -> bool:
        """Whether our clock was stepped before that moment; a step is noticed shortly after the look it spoils."""
        return any(one.reason is Reason.CLOCK_STEPPED and one.ended_at <= at + GRACE for one in self.seen)

    def results(self) -> tuple[HopResult, ...]:
        """What each hop came to, by all that is known."""
        return self._results(self.seen)

    def stop_at(self, at: datetime) -> Stop:
        """Where the canary stood at that moment, by what had been seen by then.

        What the launch came to may be told only later; untold, it would count as stopped.
        """
        known = [one for one in self.seen if one.ended_at <= at or one.hop in LAUNCH_HOPS]
        return stop(self.path, self._results(known))

    def first_unproved(self, hops: frozenset[Hop], at: datetime) -> Hop:
        """The first of the hops that had not been passed by then; the last where all were."""
        results = self._results([one for one in self.seen if one.ended_at <= at])
        ours = [one for one in results if one.hop in hops]
        last = ours[-1].hop if ours else self.proof_hop
        return next((one.hop for one in ours if one.outcome is not Outcome.OK), last)

    def sharper_stop(self, at: datetime) -> Stop:
        """As `stop_at`, by what was learnt later of the hops that were not passed by then, too."""
        known = [
            one
            for one in self.seen
            if one.outcome is not Outcome.OK or one.ended_at <= at or one.hop in LAUNCH_HOPS
        ]
        return stop(self.path, self._results(known))

    def stop_before(self, late: Observation) -> Stop:
        """Where the canary stood just before it was seen to have come late or perhaps late."""
        return stop(self.path, self._results(self._until(late)))

    def stop_of_late(self, late: Observation) -> Stop:
        """Where the canary stood at the deadline, if the remote says that it came later.

        That word is as good as a look at the deadline that did not see it.
        """
        absent = replace(
            late,
            hop=self.proof_hop if late.hop in self.proof_hops else late.hop,
            outcome=Outcome.UNKNOWN,
            evidence=Evidence.REPORTED,
            reason=Reason.NOT_SEEN,
            side=None,
            ticket=None,
            look=LookFacts(Depth.DEADLINE, is_complete=True),
            detail="it came after the deadline, by the remote's clock",
        )
        return stop(self.path, self._results([*self._until(late), absent]))

    def _until(self, late: Observation) -> list[Observation]:
        """What had been seen by then; of successes, only earlier ones."""
        return [
            one
            for one in self.seen
            if one.ended_at < late.ended_at
            or (one.ended_at == late.ended_at and one.outcome is not Outcome.OK)
        ]

    def _results(self, seen: Sequence[Observation]) -> tuple[HopResult, ...]:
        return hop_results(self.path, seen, deadline_at=self.canary.deadline_at)

    def _looks(self, hops: frozenset[Hop]) -> list[Observation]:
        return [one for one in self.seen if one.hop in hops and one.is_look_in_vain]

    def _stage(self, one: Observation) -> Stage:
        return one.stage(self.canary.deadline_at, self.canary.horizon_at)

    def _view_opens_at(self, hops: frozenset[Hop]) -> datetime:
        """From when on a look covers the deadline, by the lag that the view was ever said to have."""
        lags = [one.look.lag_seconds for one in self._looks(hops) if one.look is not None]
        return self.canary.deadline_at + timedelta(seconds=max(lags, default=0.0))


def on_our_side(found: Stop, *, unless: Reason) -> Stop:
    """The stop as ours: with its own reason, or with the given one where that would accuse the target."""
    if found.side is Side.TARGET:
        return Stop(found.hop, unless, Side.PROBER)
    return replace(found, side=Side.PROBER)
