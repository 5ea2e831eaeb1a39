"""What is not the target's fault comes out inconclusive, with the prober named."""

import pytest

from canary.hop import Hop
from canary.reason import CAUSES, Reason, Side
from canary.verdict import Verdict
from tests.unit.canary.facts import (
    FOREVER,
    arrived,
    bounce,
    clock_step,
    failed,
    launched,
    lost,
    path,
    stop_of,
    ticket,
    vain,
    verdict_at,
)

PATH = path()
LAUNCHED = launched()
IN_VAIN = vain(Hop.TICKET_CREATED, 600)
PROBER_REASONS = sorted(reason for reason, cause in CAUSES.items() if cause.side is Side.PROBER)
EITHER_REASONS = sorted(reason for reason, cause in CAUSES.items() if cause.side is Side.EITHER)


@pytest.mark.parametrize("reason", [*PROBER_REASONS, *EITHER_REASONS])
def test_launch_ends_for_a_reason_that_is_not_the_targets__is_inconclusive(reason: Reason) -> None:
    judgement = verdict_at(
        700, PATH, launched(until=Hop.SMTP_TLS), failed(Hop.SMTP_AUTH, 5, reason, final=True), IN_VAIN
    )

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_AUTH, reason, Side.PROBER)


def test_own_credentials_refused_535__is_inconclusive_at_once() -> None:
    refused = failed(Hop.SMTP_AUTH, 4, Reason.CREDENTIALS_REJECTED, final=True)

    judgement = verdict_at(5, PATH, launched(until=Hop.SMTP_TLS), refused)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_AUTH, Reason.CREDENTIALS_REJECTED, Side.PROBER)


def test_own_relay_refuses_for_good__is_inconclusive() -> None:
    refused = failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED, final=True, side=Side.PROBER)

    judgement = verdict_at(6, PATH, launched(until=Hop.SMTP_AUTH), refused)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.REJECTED, Side.PROBER)


def test_relay_that_is_declared_the_targets__refuses_for_good__is_breached() -> None:
    refused = failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED, final=True, side=Side.TARGET)

    judgement = verdict_at(6, PATH, launched(until=Hop.SMTP_AUTH), refused)

    assert judgement.verdict is Verdict.BREACHED


def test_own_relay_lost_the_answer__and_no_ticket_comes__is_inconclusive() -> None:
    held = lost(Hop.SMTP_ACCEPT, 5, Reason.CONNECTION_LOST, side=Side.PROBER)

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), held, IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.CONNECTION_LOST, Side.PROBER)


def test_sender_refused_by_policy_in_a_bounce__is_inconclusive() -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, bounce(30, Reason.SENDER_REFUSED), IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.MAILBOX_ARRIVAL, Reason.SENDER_REFUSED, Side.PROBER)


def test_time_out_that_a_control_decided__is_as_the_control_said() -> None:
    def ended(side: Side) -> Verdict:
        silent = failed(Hop.SMTP_CONNECT, 30, Reason.CONNECT_TIMEOUT, final=True, side=side)
        return verdict_at(31, PATH, launched(until=Hop.DNS), silent).verdict

    assert ended(Side.TARGET) is Verdict.BREACHED
    assert ended(Side.PROBER) is Verdict.INCONCLUSIVE
    assert ended(Side.EITHER) is Verdict.INCONCLUSIVE


def test_deferred_by_the_target_and_then_our_network_gone__the_end_on_our_side_decides() -> None:
    tries = [
        failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED, attempt=1),
        failed(Hop.SMTP_CONNECT, 60, Reason.NETWORK_UNAVAILABLE, attempt=2, final=True),
    ]

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), tries, IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.NETWORK_UNAVAILABLE, Side.PROBER)


def test_prober_stopped_before_anything_left__is_inconclusive_at_once() -> None:
    stopped = lost(Hop.SMTP_TLS, 40, Reason.PROBER_STOPPED, final=True)

    judgement = verdict_at(41, PATH, launched(until=Hop.SMTP_CONNECT), stopped)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_TLS, Reason.PROBER_STOPPED, Side.PROBER)


def test_prober_stopped_while_it_submitted__no_ticket__is_inconclusive() -> None:
    stopped = lost(Hop.SMTP_ACCEPT, 40, Reason.PROBER_STOPPED)

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), stopped, IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.PROBER_STOPPED, Side.PROBER)


def test_prober_stopped_while_it_submitted__ticket_in_time__is_confirmed() -> None:
    stopped = lost(Hop.SMTP_ACCEPT, 40, Reason.PROBER_STOPPED)

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), stopped, ticket(50))

    assert judgement.verdict is Verdict.CONFIRMED


def test_prober_stopped_while_it_submitted__but_the_mail_arrived__the_ticket_is_missing() -> None:
    stopped = lost(Hop.SMTP_ACCEPT, 40, Reason.PROBER_STOPPED)

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), stopped, arrived(45), IN_VAIN)

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_prober_stopped_in_a_second_try__after_the_target_deferred_the_first__is_inconclusive() -> None:
    tries = [
        failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED),
        lost(Hop.SMTP_ACCEPT, 90, Reason.PROBER_STOPPED),
    ]

    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_AUTH), tries, IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.PROBER_STOPPED, Side.PROBER)


def test_launch_of_which_the_end_was_never_told__deadline_look_in_vain__is_inconclusive() -> None:
    judgement = verdict_at(700, PATH, launched(until=Hop.SMTP_CONNECT), IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_TLS, Reason.PROBER_STOPPED, Side.PROBER)


def test_nothing_was_ever_told_of_the_launch__is_inconclusive() -> None:
    judgement = verdict_at(700, PATH, IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.DNS, Reason.PROBER_STOPPED, Side.PROBER)


def test_clock_stepped_while_it_was_out__ticket_in_time__is_confirmed() -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, clock_step(20), ticket(50))

    assert judgement.verdict is Verdict.CONFIRMED


@pytest.mark.parametrize("noticed", [20.0, 601.0])
def test_clock_stepped_while_it_was_out__no_ticket__is_inconclusive(noticed: float) -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, clock_step(noticed), IN_VAIN)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement)[1:] == (Reason.CLOCK_STEPPED, Side.PROBER)


def test_clock_stepped__ticket_said_to_be_late__is_inconclusive() -> None:
    judgement = verdict_at(900, PATH, LAUNCHED, clock_step(20), ticket(800, created=700, skew=0))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement)[1] is Reason.CLOCK_STEPPED


def test_clock_stepped__and_nobody_looks__horizon_names_the_clock() -> None:
    judgement = verdict_at(FOREVER, PATH, LAUNCHED, clock_step(20))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement)[1] is Reason.CLOCK_STEPPED


def test_failure_without_a_reason__never_accuses_the_target() -> None:
    bare = failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED, final=True)
    nameless = lost(Hop.SMTP_ACCEPT, 5, Reason.UNEXPECTED, final=True)

    assert verdict_at(6, PATH, launched(until=Hop.SMTP_AUTH), bare).verdict is Verdict.BREACHED
    assert verdict_at(6, PATH, launched(until=Hop.SMTP_AUTH), nameless).verdict is Verdict.INCONCLUSIVE
