"""Hypothesis strategies: paths, and anything that could ever be told of a canary, however unlikely together."""

from typing import assert_never

from hypothesis import strategies as st

from canary.hop import LAUNCH_HOPS, Channel, Hop, route
from canary.observation import Depth, Observation, Outcome
from canary.path import IncidentPolicy, OpenRule, Path, Proof, Reply
from canary.reason import Reason, Side
from canary.verdict import Verdict
from tests.unit.canary import facts

DEADLINE = 60.0
HORIZON = 600.0

_SECONDS = st.one_of(
    st.integers(0, 15),
    st.integers(50, 75),
    st.integers(85, 95),
    st.sampled_from([120, 300, 500]),
    st.integers(595, 635),
    st.sampled_from([700, 900]),
).map(float)
_TOOK = st.sampled_from([0.0, 0.5, 1.0, 29.0, 30.0, 31.0])
_TARGET_ENDS = (Reason.REJECTED, Reason.RECIPIENT_UNKNOWN, Reason.MAILBOX_FULL)
_PROBER_ENDS = (Reason.CREDENTIALS_REJECTED, Reason.SENDER_REFUSED, Reason.UNEXPECTED)
_BLINDNESS = (Reason.TICKET_API_UNREADABLE, Reason.RATE_LIMITED, Reason.MAILBOX_UNREADABLE)
_DAMAGE = (Reason.BODY_TRUNCATED, Reason.CHARSET_MANGLED, Reason.WRONG_REQUESTER)

launch_hops = st.sampled_from([hop for hop in route(Channel.EMAIL) if hop in LAUNCH_HOPS])
sides = st.sampled_from([None, Side.TARGET, Side.PROBER, Side.EITHER])


@st.composite
def paths(
    draw: st.DrawFn, replies: tuple[Reply, ...] = tuple(Reply), proofs: tuple[Proof, ...] = tuple(Proof)
) -> Path:
    return facts.path(
        mailbox=draw(st.booleans()),
        reply=draw(st.sampled_from(replies)),
        proof=draw(st.sampled_from(proofs)),
        deadline=DEADLINE,
        horizon=draw(st.sampled_from([HORIZON, DEADLINE])),
        budgets={Hop.SMTP_ACCEPT: 2.0},
    )


@st.composite
def launch_facts(draw: st.DrawFn) -> Observation:
    hop, ended, attempt = draw(launch_hops), draw(_SECONDS), draw(st.integers(1, 3))
    outcome: Outcome = draw(st.sampled_from(Outcome))
    match outcome:
        case Outcome.OK:
            return facts.passed(hop, ended, attempt=attempt)
        case Outcome.SKIPPED:
            return facts.seen(hop, Outcome.SKIPPED, ended, attempt=attempt)
        case Outcome.FAILED:
            reason = draw(st.sampled_from((*_TARGET_ENDS, *_PROBER_ENDS, Reason.DEFERRED, Reason.REFUSED)))
            return facts.failed(
                hop, ended, reason, final=draw(st.booleans()), side=draw(sides), attempt=attempt
            )
        case Outcome.UNKNOWN:
            reason = draw(st.sampled_from((Reason.CONNECTION_LOST, Reason.PROBER_STOPPED)))
            return facts.lost(hop, ended, reason, side=draw(sides), attempt=attempt)
        case _:
            assert_never(outcome)


@st.composite
def looks_in_vain(draw: st.DrawFn, hops: tuple[Hop, ...]) -> Observation:
    is_blind = draw(st.booleans())
    return facts.look(
        draw(st.sampled_from(hops)),
        draw(_SECONDS),
        took=draw(_TOOK),
        reason=draw(st.sampled_from(_BLINDNESS)) if is_blind else Reason.NOT_SEEN,
        depth=draw(st.sampled_from(Depth)),
        complete=not is_blind and draw(st.booleans()),
        is_blind=is_blind,
        place=draw(st.sampled_from(["desk", "replica"])),
    )


@st.composite
def blind_looks(draw: st.DrawFn) -> Observation:
    return facts.blind(
        draw(st.sampled_from([Hop.TICKET_CREATED, Hop.REPLY_RECEIVED, Hop.MAILBOX_ARRIVAL])),
        draw(_SECONDS),
        took=draw(_TOOK),
        reason=draw(st.sampled_from(_BLINDNESS)),
    )


@st.composite
def tickets(draw: st.DrawFn) -> list[Observation]:
    ended, took = draw(_SECONDS), draw(_TOOK)
    knows = draw(st.booleans())
    return facts.ticket(
        ended + took,
        began=ended,
        number=draw(st.integers(1, 3)),
        created=draw(_SECONDS) if knows else None,
        skew=draw(st.sampled_from([0.0, -5.0, 5.0])) if knows and draw(st.booleans()) else None,
        damage=draw(st.sampled_from((None, None, *_DAMAGE))),
        flaw=draw(st.sampled_from((None, Reason.REQUESTER_REWRITTEN))),
    )


@st.composite
def replies(draw: st.DrawFn) -> Observation:
    ended, took = draw(_SECONDS), draw(_TOOK)
    return facts.reply(
        ended + took, began=ended, created=draw(_SECONDS), skew=draw(st.sampled_from([None, 0.0]))
    )


@st.composite
def arrival_facts(draw: st.DrawFn) -> Observation:
    ended = draw(_SECONDS)
    return draw(
        st.sampled_from(
            [
                facts.arrived(ended),
                facts.misrouted(ended),
                facts.bounce(ended, draw(st.sampled_from((*_TARGET_ENDS, *_PROBER_ENDS)))),
                facts.bounce(ended, Reason.DEFERRED, final=False),
                facts.lost(Hop.MAILBOX_ARRIVAL, ended, Reason.DEFERRED),
                facts.explanation(ended, Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL),
                facts.explanation(ended, Hop.TICKET_CREATED, Reason.BACKLOG_GROWING),
            ]
        )
    )


_LOOKED_AT = (Hop.MAILBOX_ARRIVAL, Hop.TICKET_CREATED, Hop.TICKET_CONTENT, Hop.REPLY_RECEIVED)

one_fact: st.SearchStrategy[list[Observation]] = st.one_of(
    st.builds(facts.launched, until=launch_hops),
    launch_facts().map(lambda one: [one]),
    looks_in_vain(_LOOKED_AT).map(lambda one: [one]),
    looks_in_vain((Hop.TICKET_CREATED,)).map(lambda one: [one]),
    tickets(),
    replies().map(lambda one: [one]),
    arrival_facts().map(lambda one: [one]),
    st.builds(facts.diverted, _SECONDS).map(lambda one: [one]),
)
"""What one report may add."""

clock_steps = st.builds(facts.clock_step, _SECONDS).map(lambda one: [one])


def _beginning_with_a_common_course(
    one: st.SearchStrategy[list[Observation]],
) -> st.SearchStrategy[list[Observation]]:
    """Mere chance seldom sends a canary all the way; most of these do, before anything else is told."""
    return st.tuples(common_courses, st.lists(one, max_size=7).map(facts.flat)).map(facts.flat)


common_courses = st.sampled_from(
    [
        [],
        facts.launched(),
        [*facts.launched(), *facts.ticket(10)],
        [*facts.launched(), *facts.ticket(10), facts.reply(12)],
        [*facts.launched(), *facts.ticket(10), facts.vain(Hop.REPLY_RECEIVED, 61)],
        [*facts.launched(), facts.vain(Hop.TICKET_CREATED, 61)],
        [*facts.launched(), facts.vain(Hop.REPLY_RECEIVED, 61)],
        [*facts.launched(), facts.bounce(20)],
        [*facts.launched(), facts.arrived(8), facts.vain(Hop.TICKET_CREATED, 60), *facts.ticket(120)],
        [*facts.launched(), facts.blind(Hop.TICKET_CREATED, 60), facts.blind(Hop.TICKET_CREATED, 95)],
        facts.launched(until=Hop.SMTP_CONNECT),
    ]
)

observations = _beginning_with_a_common_course(st.one_of(one_fact, clock_steps))
"""Anything at all."""

steady_observations = _beginning_with_a_common_course(one_fact)
"""Anything, while our clock is steady."""

moments = st.one_of(_SECONDS, st.integers(0, 1000).map(float)).map(facts.at)

policies = st.builds(
    IncidentPolicy,
    open=st.lists(
        st.sampled_from([OpenRule(1, 1), OpenRule(2, 3), OpenRule(3, 5), OpenRule(2, 2)]),
        min_size=1,
        max_size=2,
    ).map(tuple),
    resolve=st.integers(1, 3),
    at_once=st.sampled_from([frozenset(), frozenset({Reason.MAILBOX_FULL})]),
)

settled_verdicts = st.sampled_from(
    [
        Verdict.CONFIRMED,
        Verdict.CONFIRMED,
        Verdict.BREACHED,
        Verdict.BREACHED,
        Verdict.LATE,
        Verdict.INCONCLUSIVE,
    ]
)
