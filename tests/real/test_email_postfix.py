"""The e-mail probe against Postfix and Dovecot."""

import asyncio
from collections.abc import Iterator

import pytest

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason, Side
from probes.contracts import CheckState
from probes.email.settings import EmailSettings, RetrySettings, SenderAccount
from probes.message.compose import MailSettings
from probes.servers import Password, Server, TlsMode
from tests.fakes.world import SENDER
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import CANARY, SUPPORT, Mail, running_mail
from tests.real.servers.policy import FullMailbox
from tests.real.servers.process import server_directory
from tests.real.test_email_probe import Seen, Source, new, probe

pytestmark = pytest.mark.real

RETRY = RetrySettings(first_seconds=0.3, factor=1, longest_seconds=0.3, connections=2)


@pytest.fixture(scope="module")
def started() -> Iterator[Mail]:
    with server_directory("tls") as directory, running_mail(make_certificates(directory)) as mail:
        yield mail


@pytest.fixture
def mail(started: Mail) -> Iterator[Mail]:
    started.reset()
    yield started
    started.reset()


def settings(
    mail: Mail, *, tls: TlsMode = TlsMode.STARTTLS, password: str = "", recipient: str = SUPPORT
) -> EmailSettings:
    port = mail.postfix.submissions_port if tls is TlsMode.IMPLICIT else mail.postfix.submission_port
    login = Password(CANARY, Source([password or mail.account(CANARY).password]))
    server = Server("localhost", port, tls, login, (str(mail.ca_file),))
    account = SenderAccount(CANARY, server, Side.TARGET)
    return EmailSettings(mail=MailSettings(recipient), senders={SENDER: account}, retry=RETRY)


def launched(wanted: EmailSettings, *, deadline_seconds: float = 30.0) -> Seen:
    seen = Seen()
    asyncio.run(probe(wanted).launch(new(deadline_seconds), seen))
    return seen


@pytest.mark.parametrize("tls", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
def test_canary__by_submission__passes_every_hop_and_names_its_queue_id(mail: Mail, tls: TlsMode) -> None:
    seen = launched(settings(mail, tls=tls))

    assert [one.outcome for one in seen.observations] == [Outcome.OK] * 5
    accept = seen.last(Hop.SMTP_ACCEPT)
    assert str(accept.facts["intake.smtp.queue_id"]) in mail.postfix.log()
    assert seen.last(Hop.SMTP_TLS).facts["tls.protocol.version"] == "1.3"


def test_full_mailbox_that_defers__is_tried_until_the_deadline_and_blames_the_mailbox(mail: Mail) -> None:
    mail.rules.full_mailbox = FullMailbox.DEFER
    mail.dovecot.set_quota(SUPPORT, storage_bytes=1024)

    one = launched(settings(mail), deadline_seconds=1.5).last(Hop.SMTP_ACCEPT)

    assert (one.reason, one.facts["intake.smtp.enhanced_code"]) == (Reason.MAILBOX_FULL, "4.2.2")
    assert one.rules_out_ticket
    assert one.attempt > 1


def test_full_mailbox_that_rejects__ends_the_launch_at_once(mail: Mail) -> None:
    mail.rules.full_mailbox = FullMailbox.REJECT
    mail.dovecot.set_quota(SUPPORT, storage_bytes=1024)

    one = launched(settings(mail)).last(Hop.SMTP_ACCEPT)

    assert (one.reason, one.facts["intake.smtp.code"], one.attempt) == (Reason.MAILBOX_FULL, 552, 1)
    assert one.rules_out_ticket


def test_greylisting__is_waited_out(mail: Mail) -> None:
    mail.rules.greylist_seconds = 0.5

    seen = launched(settings(mail))

    accepts = [one for one in seen.observations if one.hop is Hop.SMTP_ACCEPT]
    assert accepts[0].reason is Reason.DEFERRED
    assert accepts[-1].outcome is Outcome.OK


def test_unknown_support_address__is_a_final_refusal(mail: Mail) -> None:
    one = launched(settings(mail, recipient="nobody@acme.test")).last(Hop.SMTP_ACCEPT)

    assert (one.reason, one.rules_out_ticket) == (Reason.RECIPIENT_UNKNOWN, True)


def test_policy_against_our_sender__is_the_probers_side(mail: Mail) -> None:
    mail.rules.refusal = "550 5.7.1 Policy says no"

    one = launched(settings(mail)).last(Hop.SMTP_ACCEPT)

    assert (one.reason, one.cause_side) == (Reason.SENDER_REFUSED, Side.PROBER)


def test_wrong_password__is_our_own_fault(mail: Mail) -> None:
    one = launched(settings(mail, password="wrong")).last(Hop.SMTP_AUTH)

    assert (one.reason, one.cause_side, one.rules_out_ticket) == (
        Reason.CREDENTIALS_REJECTED,
        Side.PROBER,
        True,
    )


def test_check__of_a_working_account__is_all_well_and_leaves_no_mail(mail: Mail) -> None:
    checks = {one.name: one.state for one in asyncio.run(probe(settings(mail)).check())}

    assert {checks[name] for name in ("smtp.connect", "smtp.tls", "tls.certificate", "smtp.login")} == {
        CheckState.OK
    }
    assert mail.postfix.queue() == []
