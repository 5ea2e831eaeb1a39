"""The words and values of the domain: routes, promises, causes, ids, and its front door."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import canary as domain
from canary.hop import LAUNCH_HOPS, OPTIONAL_HOPS, Channel, Hop, full_route, route
from canary.path import IncidentPolicy, OpenRule, Slo
from canary.reason import CAUSES, Reason, Side
from canary.trace import span_id, trace_id
from tests.unit.canary.facts import canary, path

CONTENT_REASONS = {
    Reason.SUBJECT_CHANGED,
    Reason.BODY_TRUNCATED,
    Reason.BODY_CHANGED,
    Reason.CHARSET_MANGLED,
    Reason.ATTACHMENT_MISSING,
    Reason.ATTACHMENT_CHANGED,
    Reason.WRONG_REQUESTER,
}


def test_email_route__is_as_designed() -> None:
    assert full_route(Channel.EMAIL) == (
        "dns",
        "smtp.connect",
        "smtp.tls",
        "smtp.auth",
        "smtp.accept",
        "mailbox.arrival",
        "ticket.created",
        "ticket.content",
        "reply.received",
    )


@pytest.mark.parametrize("channel", list(Channel))
def test_every_route__ends_with_the_ticket_and_its_reply_and_never_cleans(channel: Channel) -> None:
    hops = full_route(channel)

    assert hops[0] is Hop.DNS
    assert hops[-3:] == (Hop.TICKET_CREATED, Hop.TICKET_CONTENT, Hop.REPLY_RECEIVED)
    assert Hop.TICKET_CLEANUP not in hops
    assert len(set(hops)) == len(hops)


@pytest.mark.parametrize("channel", list(Channel))
def test_optional_hops__can_be_left_out_in_any_combination(channel: Channel) -> None:
    optional = [hop for hop in full_route(channel) if hop in OPTIONAL_HOPS]
    for size in range(len(optional) + 1):
        for left_out in combinations(optional, size):
            expected = [hop for hop in full_route(channel) if hop not in left_out]
            assert list(route(channel, without=left_out)) == expected


@pytest.mark.parametrize("hop", sorted(set(Hop) - OPTIONAL_HOPS))
def test_hop_that_is_not_optional__can_not_be_left_out(hop: Hop) -> None:
    with pytest.raises(ValueError, match=re.escape(hop)):
        route(Channel.EMAIL, without=[hop])


def test_launch_hops__come_before_all_that_watchers_see() -> None:
    for channel in Channel:
        hops = full_route(channel)
        launching = [hop in LAUNCH_HOPS for hop in hops]
        assert launching == sorted(launching, reverse=True)


@pytest.mark.parametrize(
    ("deadline", "horizon", "objective"),
    [(0, 600, 0.99), (-1, 600, 0.99), (601, 600, 0.99), (60, 600, 0), (60, 600, 1.1)],
)
def test_promise_that_contradicts_itself__is_refused(
    deadline: float, horizon: float, objective: float
) -> None:
    with pytest.raises(ValueError, match="must be"):
        Slo(deadline, horizon, objective)


def test_policys_window__is_its_widest_rule() -> None:
    assert IncidentPolicy(open=(OpenRule(2, 3), OpenRule(3, 10))).window == 10


def test_every_reason__has_a_cause_with_a_remedy() -> None:
    assert set(CAUSES) == set(Reason)
    assert all(cause.remedy.endswith(".") for cause in CAUSES.values())


def test_undecided_reasons__are_never_final() -> None:
    assert not [reason for reason, cause in CAUSES.items() if cause.side is Side.EITHER and cause.is_final]


@pytest.mark.parametrize(
    ("reason", "side", "is_final"),
    [
        (Reason.DNS_NO_RECORD, Side.TARGET, False),
        (Reason.DNS_UNANSWERED, Side.EITHER, False),
        (Reason.REFUSED, Side.TARGET, False),
        (Reason.CONNECT_TIMEOUT, Side.EITHER, False),
        (Reason.CONNECTION_LOST, Side.EITHER, False),
        (Reason.SENDER_REFUSED, Side.PROBER, True),
        (Reason.REJECTED, Side.TARGET, True),
        (Reason.DEFERRED, Side.TARGET, False),
        (Reason.CERTIFICATE_INVALID, Side.TARGET, True),
        (Reason.CREDENTIALS_REJECTED, Side.PROBER, True),
        (Reason.RATE_LIMITED, Side.PROBER, False),
        (Reason.TICKET_API_UNREADABLE, Side.PROBER, False),
        (Reason.NOT_SEEN, Side.TARGET, False),
        (Reason.BROWSER_CRASHED, Side.PROBER, True),
        (Reason.PROBER_STOPPED, Side.PROBER, True),
        (Reason.UNEXPECTED, Side.PROBER, True),
    ],
)
def test_cause__is_on_the_side_that_the_table_of_reasons_gives_it(
    reason: Reason, side: Side, *, is_final: bool
) -> None:
    assert (CAUSES[reason].side, CAUSES[reason].is_final) == (side, is_final)


def test_damaged_content__is_always_the_targets() -> None:
    assert {CAUSES[reason].side for reason in CONTENT_REASONS} == {Side.TARGET}


def test_values_of_reasons_and_hops__are_fit_for_labels() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", one) for one in Reason)
    assert all(re.fullmatch(r"[a-z]+(\.[a-z]+)?", one) for one in Hop)


def test_canary__says_its_subject_message_id_and_trace() -> None:
    one = canary(path())

    assert one.subject_prefix == f"intakecanary {one.token}"
    assert one.message_id == f"<{one.token}@probe.example>"
    assert re.fullmatch(rf"00-{one.trace_id}-[0-9a-f]{{16}}-01", one.traceparent(Hop.SMTP_ACCEPT))
    assert one.traceparent(Hop.SMTP_ACCEPT) != one.traceparent(Hop.TICKET_CREATED)


def test_canary__begins_its_subject_within_60_characters() -> None:
    assert len(canary(path()).subject_prefix) <= 60


@given(st.text(max_size=40), st.text(max_size=20))
def test_trace_and_span_ids__are_hexadecimal_and_never_zero(canary_id: str, key: str) -> None:
    trace, span = trace_id(canary_id), span_id(canary_id, key)

    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert re.fullmatch(r"[0-9a-f]{16}", span)
    assert int(trace, 16) != 0
    assert int(span, 16) != 0


def test_front_door__holds_what_it_says_and_says_what_it_holds() -> None:
    assert domain.__all__ == sorted(
        domain.__all__, key=lambda name: (name != name.upper(), name.islower(), name)
    )
    assert all(hasattr(domain, name) for name in domain.__all__)
    assert domain.judge is domain.verdict.judge
