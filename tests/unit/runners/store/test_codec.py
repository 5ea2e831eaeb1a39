"""What is written as JSON comes back as it was."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.blame import HopResult
from canary.incident import Change, Incident, Progress, Settled
from canary.observation import LookFacts, Observation, Relay
from canary.ticket import Ticket
from canary.verdict import Judgement, Verdict
from runners.store.codec import Unreadable, dumps, loads
from tests.contracts.store_cases import incident_of, judged, make_canary, opened, seen_at

AT = st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=-9, minutes=-30))))
MAYBE_AT = st.none() | AT
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MAYBE_NUMBER = st.none() | NUMBER
FACTS = st.dictionaries(st.text(), st.text() | st.booleans() | st.integers() | NUMBER)
TICKET = st.builds(Ticket, remote_created_at=MAYBE_AT)
RELAY = st.builds(Relay, remote_at=MAYBE_AT, delay_seconds=MAYBE_NUMBER)
OBSERVATION = st.builds(
    Observation,
    began_at=AT,
    ended_at=AT,
    seconds=MAYBE_NUMBER,
    ticket=st.none() | TICKET,
    look=st.none() | st.builds(LookFacts, lag_seconds=NUMBER),
    remote_at=MAYBE_AT,
    skew_seconds=MAYBE_NUMBER,
    relays=st.lists(RELAY, max_size=2).map(tuple),
    facts=FACTS,
)
RESULT = st.builds(HopResult, began_at=MAYBE_AT, ended_at=MAYBE_AT, seconds=MAYBE_NUMBER)
JUDGEMENT = st.builds(
    Judgement,
    hops=st.lists(RESULT, max_size=2).map(tuple),
    settled_at=MAYBE_AT,
    ended_at=MAYBE_AT,
    seconds=MAYBE_NUMBER,
)
INCIDENT = st.builds(
    Incident, onset_at=AT, opened_at=AT, impact_from=MAYBE_AT, impact_until=MAYBE_AT, resolved_at=MAYBE_AT
)
SETTLED = st.lists(st.builds(Settled, launched_at=AT, settled_at=AT), max_size=2).map(tuple)
PROGRESS = st.builds(
    Progress,
    recent=SETTLED,
    blind=SETTLED,
    confirmed_at=MAYBE_AT,
    recovery=st.lists(AT, max_size=2).map(tuple),
    target=st.none() | INCIDENT,
    blindness=st.none() | INCIDENT,
)


@given(OBSERVATION | JUDGEMENT | INCIDENT | PROGRESS)
def test_any_value_of_the_domain__comes_back_equal(value: object) -> None:
    assert loads(type(value), dumps(value)) == value


def test_defaults__are_not_written() -> None:
    text = dumps(seen_at(make_canary()))

    assert "relays" not in text
    assert "attempt" not in text


def test_text_of_an_older_version__takes_the_defaults_of_new_fields() -> None:
    text = dumps(incident_of(make_canary())).replace('"failures":2', '"failures":2,"gone_since":"x"')

    assert loads(Incident, text) == incident_of(make_canary())


@pytest.mark.parametrize(
    ("found", "written"),
    [('"target"', '"moon"'), ('"pending"', '"maybe"'), ("{", "["), ('"canary_id"', '"id"')],
)
def test_text_that_is_none_of_ours__is_unreadable(found: str, written: str) -> None:
    text = dumps(judged(make_canary(), Verdict.BREACHED)).replace('"breached"', '"pending"')
    assert found in text

    with pytest.raises(Unreadable):
        loads(Judgement, text.replace(found, written, 1))


def test_change__keeps_its_incident() -> None:
    assert loads(Change, dumps(opened(make_canary()))) == opened(make_canary())
