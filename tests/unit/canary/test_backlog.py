"""The backlog: who is missing, how fast late tickets come, and when the last is expected."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from canary.backlog import NOTHING, Awaited, Backlog, BacklogState, backlog
from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.verdict import Verdict

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OPEN = Incident(
    id=IncidentId("incident-a"),
    path=PathName("support-email"),
    kind=IncidentKind.TARGET,
    first_canary=CanaryId("a"),
    onset_at=NOON,
    opened_at=NOON + timedelta(minutes=20),
    stop=Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET),
    impact_from=NOON - timedelta(minutes=10),
    failures=2,
)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def sent(minutes: float, verdict: Verdict = Verdict.BREACHED, came: float | None = None) -> Awaited:
    """Launched so many minutes after noon; its ticket came so many minutes after noon."""
    return Awaited(at(minutes), at(minutes + 1440), verdict, at(came) if came is not None else None)


def late(minutes: float, came: float) -> Awaited:
    return sent(minutes, Verdict.LATE, came)


def test_blindness_of_the_prober__has_no_backlog() -> None:
    blind = replace(OPEN, kind=IncidentKind.BLIND)

    assert backlog(blind, [sent(0), sent(10)], at(30)) == NOTHING


def test_all_missing_and_none_came__is_waiting_without_an_end() -> None:
    assert backlog(OPEN, [sent(0), sent(10), sent(20)], at(40)) == Backlog(
        missing=3, late=0, rate_per_minute=0.0, ends_at=None, state=BacklogState.WAITING
    )


def test_one_arrival__is_draining_without_rate_or_end() -> None:
    found = backlog(OPEN, [late(0, 60), sent(10), sent(20)], at(61))

    assert found == Backlog(2, 1, None, None, BacklogState.DRAINING)


def test_several_arrivals_in_one_look__say_nothing_of_the_end() -> None:
    found = backlog(OPEN, [late(0, 60), late(10, 60), sent(20)], at(61))

    assert (found.rate_per_minute, found.ends_at) == (None, None)


def test_queue_that_catches_up__ends_when_it_has_reached_now() -> None:
    # Its front moves 10 minutes each minute: 38 behind after minute 62 it gains 9 a minute, which takes 4 min 40 s.
    some = [late(0, 60), late(10, 61), late(20, 62), sent(30), sent(40), sent(50)]

    found = backlog(OPEN, some, at(62))

    assert (found.missing, found.late, found.rate_per_minute) == (3, 3, 1.0)
    assert found.state is BacklogState.DRAINING
    assert found.ends_at == at(62) + timedelta(seconds=280)


def test_queue_of_a_recovered_path__ends_at_its_newest_missing_canary() -> None:
    over = replace(OPEN, impact_until=at(55), resolved_at=at(66))
    some = [late(0, 60), late(10, 61), late(20, 62), sent(30), sent(40), sent(50), sent(60)]

    found = backlog(over, some, at(62))

    assert found.missing == 3
    assert found.ends_at == at(65)


def test_queue_that_falls_behind__has_no_end() -> None:
    found = backlog(OPEN, [late(0, 60), late(5, 70), sent(10), sent(20)], at(71))

    assert found.state is BacklogState.DRAINING
    assert found.ends_at is None


def test_drain_that_stopped_half_an_hour_ago__is_waiting_again() -> None:
    found = backlog(OPEN, [late(0, 60), late(10, 61), sent(20)], at(92))

    assert found == Backlog(1, 2, 0.0, None, BacklogState.WAITING)


def test_last_missing_ticket_came__is_drained() -> None:
    found = backlog(OPEN, [late(0, 60), late(10, 61)], at(62))

    assert found == Backlog(0, 2, 0.0, None, BacklogState.DRAINED)


def test_lost_canaries_and_those_past_their_horizon__are_not_awaited() -> None:
    some = [sent(0, Verdict.LOST), sent(10), sent(20, Verdict.INCONCLUSIVE)]

    assert backlog(OPEN, some, at(1460)) == Backlog(0, 0, 0.0, None, BacklogState.NONE)


def test_canaries_from_outside_the_incident__do_not_count() -> None:
    over = replace(OPEN, impact_until=at(30), resolved_at=at(50))

    found = backlog(over, [sent(-10), sent(0), sent(30), sent(40)], at(60))

    assert found.missing == 1


VERDICTS = st.sampled_from([one for one in Verdict if one is not Verdict.LATE])
MINUTES = st.floats(-30, 600)
CANARIES = st.lists(
    st.one_of(
        st.builds(sent, MINUTES, VERDICTS),
        st.builds(lambda launched, delay: late(launched, launched + delay), MINUTES, st.floats(0, 600)),
        st.builds(lambda launched: sent(launched, Verdict.LATE), MINUTES),
    ),
    max_size=20,
)
INCIDENTS = st.one_of(
    st.just(OPEN),
    st.builds(lambda until: replace(OPEN, impact_until=at(until), resolved_at=at(until + 10)), MINUTES),
)


@given(INCIDENTS, CANARIES, MINUTES)
def test_figures__are_never_negative_and_no_end_is_before_now(
    incident: Incident, canaries: list[Awaited], now: float
) -> None:
    found = backlog(incident, canaries, at(now))

    assert found.missing >= 0
    assert found.late >= 0
    assert found.rate_per_minute is None or found.rate_per_minute >= 0
    assert found.ends_at is None or found.ends_at >= at(now)
    assert found.ends_at is None or found.state is BacklogState.DRAINING


@given(INCIDENTS, CANARIES, MINUTES, st.floats(0, 600))
def test_time_passes__and_no_ticket_that_came_goes_missing_again(
    incident: Incident, canaries: list[Awaited], now: float, later: float
) -> None:
    before = backlog(incident, canaries, at(now))
    after = backlog(incident, canaries, at(now + later))

    assert after.late >= before.late
    assert after.missing <= before.missing


@given(INCIDENTS, CANARIES, MINUTES, st.randoms(use_true_random=False))
def test_order_of_the_canaries__makes_no_difference(
    incident: Incident, canaries: list[Awaited], now: float, random: object
) -> None:
    shuffled = list(canaries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random

    assert backlog(incident, shuffled, at(now)) == backlog(incident, canaries, at(now))


@given(INCIDENTS, st.lists(MINUTES, max_size=9), MINUTES, MINUTES, MINUTES)
def test_one_arrival__never_gives_an_estimate(
    incident: Incident, missing: list[float], launched: float, came: float, now: float
) -> None:
    canaries = [late(launched, max(launched, came)), *(sent(one) for one in missing)]

    assert backlog(incident, canaries, at(now)).ends_at is None
