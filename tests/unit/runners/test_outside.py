"""What counts as an answer from outside, and what is known of other clocks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from canary.gauge import Gauge, GaugeName, GaugeState
from canary.hop import Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.reason import Reason
from canary.signature import CanaryId
from runners.outside import Outside
from tests.unit.canary.facts import NOON

SEEN = Observation(
    CanaryId("c" * 16), Hop.SMTP_CONNECT, Outcome.OK, Evidence.OBSERVED, NOON, NOON, place="mx.acme.test:25"
)
IN_VAIN = replace(
    SEEN,
    hop=Hop.TICKET_CREATED,
    outcome=Outcome.UNKNOWN,
    reason=Reason.NOT_SEEN,
    place="desk",
    look=LookFacts(Depth.POLL, is_complete=True),
)


@pytest.mark.parametrize(
    "observation",
    [
        replace(SEEN, outcome=Outcome.FAILED, reason=Reason.REFUSED),
        replace(SEEN, outcome=Outcome.SKIPPED),
        replace(SEEN, evidence=Evidence.INFERRED),
        replace(SEEN, hop=Hop.DNS, place="acme.test"),  # perhaps out of a cache on this machine
        replace(SEEN, place=""),
        replace(IN_VAIN, look=LookFacts(Depth.POLL, is_complete=False, is_blind=True)),
    ],
    ids=["failed", "skipped", "inferred", "a name, perhaps cached", "nowhere", "blind look"],
)
def test_what_proves_no_way_out__is_no_answer(observation: Observation) -> None:
    outside = Outside()

    outside.noticed(observation)

    assert outside.answered_at(other_than="") is None


@pytest.mark.parametrize("observation", [SEEN, IN_VAIN], ids=["success", "a look that saw nothing"])
def test_answer__counts_for_every_other_place_and_not_for_its_own(observation: Observation) -> None:
    outside = Outside()

    outside.noticed(observation)

    assert outside.answered_at(other_than="elsewhere") == NOON
    assert outside.answered_at(other_than=observation.place) is None


def test_name_that_was_answered__speaks_for_the_resolver_alone() -> None:
    outside = Outside()

    outside.noticed(replace(SEEN, hop=Hop.DNS, place="acme.test"))
    outside.noticed(replace(SEEN, ended_at=NOON + timedelta(seconds=5)))

    assert outside.answered_at(other_than="other.test", by_name=True) == NOON
    assert outside.answered_at(other_than="acme.test", by_name=True) is None


def test_gauge__that_could_be_read__is_an_answer__and_one_that_could_not_is_none() -> None:
    outside = Outside()
    gauge = Gauge("support", GaugeName.MAILBOX_BACKLOG, 3, "{message}", None, NOON)

    outside.gauged(replace(gauge, value=None, state=GaugeState.UNKNOWN, place="other"))
    outside.gauged(gauge)

    assert outside.answered_at(other_than="mx.acme.test:25") == NOON
    assert outside.answered_at(other_than="support") is None


def test_clock_of_a_place__is_a_gauge_and_warns_beyond_half_a_minute() -> None:
    outside = Outside()
    for place, seconds in (("desk", -31.0), ("support", 0.4)):
        outside.noticed(replace(IN_VAIN, place=place, skew_seconds=0.0))
        outside.noticed(
            replace(IN_VAIN, place=place, skew_seconds=seconds, ended_at=NOON + timedelta(seconds=9))
        )

    assert [(one.place, one.value, one.state, one.detail) for one in outside.skews()] == [
        ("desk", -31.0, GaugeState.WARN, "its clock is 31.0 s behind ours"),
        ("support", 0.4, GaugeState.OK, "its clock is 0.4 s ahead of ours"),
    ]
