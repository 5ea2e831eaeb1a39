"""The laws of the verdict, over anything that can be told of a canary."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import assume, event, given
from hypothesis import strategies as st

from canary.blame import hop_results, stop
from canary.hop import LAUNCH_HOPS, Hop, full_route
from canary.observation import Depth, Observation, Outcome
from canary.path import Path, Proof, Reply
from canary.reason import Reason, Side
from canary.verdict import Judgement, Verdict, advance, judge
from tests.unit.canary import facts, strategies
from tests.unit.canary.facts import at, canary

NEXT = {
    Verdict.PENDING: set(Verdict),
    Verdict.BREACHED: {Verdict.BREACHED, Verdict.LATE, Verdict.LOST},
    Verdict.CONFIRMED: {Verdict.CONFIRMED},
    Verdict.INCONCLUSIVE: {Verdict.INCONCLUSIVE},
    Verdict.LATE: {Verdict.LATE},
    Verdict.LOST: {Verdict.LOST},
}
"""Written out from the design: `pending` → `confirmed`, `breached` or `inconclusive`; `breached` → `late` or `lost`."""


def arriving(path: Path, observations: Sequence[Observation]) -> list[Judgement]:
    """What is stored after each arrival, if the observations arrive in that order, each when it ended or later."""
    stored: Judgement | None = None
    history = []
    now = at(0)
    for count, one in enumerate(observations, start=1):
        now = max(now, one.ended_at)
        stored = advance(stored, judge(path, canary(path), observations[:count], now))
        history.append(stored)
    for later in (now + timedelta(seconds=45), at(facts.FOREVER)):
        stored = advance(stored, judge(path, canary(path), observations, later))
        history.append(stored)
    return history


def index_of(hop: Hop, path: Path) -> int:
    return full_route(path.channel).index(hop)


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_same_facts__judged_twice__give_the_same_judgement(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    first = judge(path, canary(path), observations, now)

    assert judge(path, canary(path), observations, now) == first


@given(strategies.paths(), strategies.observations, strategies.moments, st.data())
def test_facts_in_any_order_and_told_twice__give_the_same_judgement(
    path: Path, observations: list[Observation], now: datetime, data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(observations), max_size=4)) if observations else []
    shuffled = data.draw(st.permutations([*observations, *again]))

    assert judge(path, canary(path), shuffled, now) == judge(path, canary(path), observations, now)


@given(strategies.paths(), strategies.observations, st.data())
def test_facts_in_any_order_of_arrival__stored_verdict_only_moves_forward(
    path: Path, observations: list[Observation], data: st.DataObject
) -> None:
    history = arriving(path, data.draw(st.permutations(observations)))

    for before, after in pairwise(history):
        assert after.verdict in NEXT[before.verdict]
        if before.verdict is not Verdict.PENDING:
            assert after.settled_at == before.settled_at
    event(f"last verdict {history[-1].verdict}")


@given(
    strategies.paths(), strategies.steady_observations, st.lists(strategies.moments, min_size=2, max_size=6)
)
def test_time_passes__verdict_by_itself_only_moves_forward(
    path: Path, observations: list[Observation], moments: list[datetime]
) -> None:
    history = [judge(path, canary(path), observations, now) for now in sorted(moments)]

    for before, after in pairwise(history):
        assert after.verdict in NEXT[before.verdict]
        if before.verdict is not Verdict.PENDING:
            assert after.settled_at == before.settled_at


@given(strategies.paths(), strategies.observations, st.data())
def test_confirmed__whatever_comes__stays_confirmed_and_keeps_its_flaws(
    path: Path, others: list[Observation], data: st.DataObject
) -> None:
    good = [*facts.launched(), *facts.ticket(10), facts.reply(12)]
    history = arriving(path, [*good, *data.draw(st.permutations(others))])

    confirmed = [one for one in history if one.verdict is Verdict.CONFIRMED]
    assert confirmed
    assert history[-1].verdict is Verdict.CONFIRMED
    for before, after in pairwise(confirmed):
        assert set(before.flaws) <= set(after.flaws)
        assert after.stop is None


@given(strategies.paths(), strategies.observations, st.data())
def test_one_more_success__never_moves_blame_earlier(
    path: Path, observations: list[Observation], data: st.DataObject
) -> None:
    before = stop(path, hop_results(path, observations, deadline_at=canary(path).deadline_at))
    success = facts.passed(data.draw(st.sampled_from(path.route)), data.draw(st.integers(0, 90)))

    after = stop(path, hop_results(path, [*observations, success], deadline_at=canary(path).deadline_at))

    assert index_of(after.hop, path) >= index_of(before.hop, path)


@given(strategies.paths(), strategies.observations, strategies.moments, st.data())
def test_success_on_the_way_before_the_deadline__settles_nothing_that_was_pending(
    path: Path, observations: list[Observation], now: datetime, data: st.DataObject
) -> None:
    """What the runner counts on when it judges a canary only after what may settle it."""
    assume(judge(path, canary(path), observations, now).verdict is Verdict.PENDING)
    on_the_way = [hop for hop in path.route if hop in {*LAUNCH_HOPS, Hop.MAILBOX_ARRIVAL}]
    success = facts.passed(data.draw(st.sampled_from(on_the_way)), data.draw(st.integers(0, 59)))
    assume(success.ended_at < canary(path).deadline_at)

    after = judge(path, canary(path), [*observations, success], max(now, success.ended_at))

    event(f"later: {success.ended_at > now}")
    assume(judge(path, canary(path), observations, max(now, success.ended_at)).verdict is Verdict.PENDING)
    assert after.verdict is Verdict.PENDING


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_blamed_hop__is_never_one_that_a_success_seen_before_the_verdict_proves(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    judgement = judge(path, canary(path), observations, now)

    assume(judgement.stop is not None and judgement.settled_at is not None)
    assert judgement.stop is not None
    assert judgement.settled_at is not None
    was_misrouted = any(one.reason is Reason.MISROUTED for one in observations)
    for one in observations:
        if one.outcome is not Outcome.OK or one.ended_at >= judgement.settled_at:
            continue
        if one.hop not in path.route or (one.hop is Hop.REPLY_RECEIVED and path.proof is Proof.API):
            continue
        if one.hop is Hop.MAILBOX_ARRIVAL and was_misrouted:
            continue
        if judgement.stop.hop is one.hop and one.hop is path.route[-1]:
            continue
        assert index_of(judgement.stop.hop, path) > index_of(one.hop, path)


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_breach__is_always_on_the_targets_side(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    judgement = judge(path, canary(path), observations, now)

    if judgement.verdict.is_breach:
        assert judgement.stop is not None
        assert judgement.stop.side is Side.TARGET
    if judgement.verdict is Verdict.INCONCLUSIVE:
        assert judgement.stop is not None
        assert judgement.stop.side is Side.PROBER
    event(f"verdict {judgement.verdict}")


@given(
    strategies.paths(),
    st.lists(strategies.blind_looks(), max_size=8),
    st.lists(strategies.arrival_facts(), max_size=2),
    strategies.moments,
)
def test_blind_prober__after_a_good_launch__never_blames_the_target(
    path: Path, blind: list[Observation], others: list[Observation], now: datetime
) -> None:
    told = [one for one in others if not one.rules_out_ticket]

    judgement = judge(path, canary(path), [*facts.launched(), *blind, *told], now)

    assert judgement.verdict in {Verdict.PENDING, Verdict.INCONCLUSIVE}
    assert judgement.stop is None or judgement.stop.side is Side.PROBER


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_good_verdict__needs_the_proof_and_a_bad_one_the_look_or_the_end(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    judgement = judge(path, canary(path), observations, now)

    seen = [one for one in observations if one.ended_at <= now]
    proof = Hop.TICKET_CONTENT if path.proof is Proof.API else Hop.REPLY_RECEIVED
    has_proof = any(one.hop is proof and one.outcome is Outcome.OK for one in seen)
    wide = [
        one
        for one in seen
        if one.look is not None
        and one.outcome is Outcome.UNKNOWN
        and one.look.depth is Depth.DEADLINE
        and one.look.is_complete
        and not one.look.is_blind
        and one.began_at >= at(strategies.DEADLINE)
    ]
    match judgement.verdict:
        case Verdict.CONFIRMED | Verdict.LATE:
            assert has_proof
        case Verdict.BREACHED:
            assert wide or any(one.rules_out_ticket for one in seen)
        case Verdict.LOST:
            assert wide
        case Verdict.PENDING | Verdict.INCONCLUSIVE:
            assert True


@given(strategies.paths(replies=(Reply.IGNORED,), proofs=(Proof.API,)), strategies.observations, st.data())
def test_breach_that_was_stored__intact_ticket_before_the_horizon__is_late_in_any_order_of_arrival(
    path: Path, observations: list[Observation], data: st.DataObject
) -> None:
    given_up_at = at(strategies.HORIZON)
    others = [one for one in observations if one.ticket is None and one.began_at < given_up_at]
    came = facts.ticket(data.draw(st.integers(120, 590)), created=50, skew=0.0)
    breaching = [*facts.launched(), facts.vain(Hop.TICKET_CREATED, 60)]

    history = arriving(path, [*breaching, *data.draw(st.permutations([*others, *came]))])

    if any(one.verdict is Verdict.BREACHED for one in history):
        may_be_lost = canary(path).horizon_at < given_up_at
        assert history[-1].verdict is Verdict.LATE or (may_be_lost and history[-1].verdict is Verdict.LOST)
    event(f"last verdict {history[-1].verdict}")


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_time_long_over__no_canary_stays_pending(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    del now
    judgement = judge(path, canary(path), observations, at(facts.FOREVER))

    assert judgement.verdict is not Verdict.PENDING
    assert judgement.settled_at is not None


@given(strategies.paths(), strategies.observations, strategies.moments)
def test_times_of_a_judgement__are_in_order(
    path: Path, observations: list[Observation], now: datetime
) -> None:
    judgement = judge(path, canary(path), observations, now)

    if judgement.settled_at is not None:
        assert at(0) <= judgement.settled_at <= now
    if judgement.ended_at is not None:
        assert judgement.settled_at is not None
        assert judgement.settled_at <= judgement.ended_at <= now
    assert (judgement.ended_at is not None) == (judgement.verdict in {Verdict.LATE, Verdict.LOST})
