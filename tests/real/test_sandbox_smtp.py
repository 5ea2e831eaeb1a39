"""The sandbox's SMTP faults, each seen over a socket."""

import base64
import smtplib
import socket
import ssl
from collections.abc import Iterator

import pytest

from tests.real.sandbox_mail import mail, mails, mx, send, submission, wait_for_mails
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    running.poller(running=False)
    for role in ("support", "canary"):
        running.empty(running.endpoints.account(role).address, everything=True)
    return running


def recipient_answer(sandbox: Sandbox) -> tuple[int, bytes]:
    with mx(sandbox) as client:
        client.mail(sandbox.canary.address)
        return client.rcpt(sandbox.support.address)


def sender_answer(sandbox: Sandbox) -> tuple[int, bytes]:
    with mx(sandbox) as client:
        return client.mail(sandbox.canary.address)


def test_refuse__closes_the_port_at_once_and_opens_the_same_one_again(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_refuse=True)
    with pytest.raises(ConnectionRefusedError), mx(sandbox):
        pass

    sandbox.clear_faults()

    def open_again(_: object) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", sandbox.endpoints.mx_port)) == 0

    sandbox.until(open_again)
    assert recipient_answer(sandbox)[0] == 250


def test_refuse_at_the_mx__leaves_submission_open(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_refuse=True, smtp_at="mx")

    with pytest.raises(ConnectionRefusedError), mx(sandbox):
        pass
    with submission(sandbox) as client:
        assert client.noop()[0] == 250


def test_silent_banner__connects_and_is_never_greeted(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_banner_silent=True)

    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"), mx(sandbox):
        pass


@pytest.mark.parametrize(("variant", "stored"), [("delivered", 1), ("lost", 0)])
def test_silence_after_data__never_answers_the_final_dot(sandbox: Sandbox, variant: str, stored: int) -> None:
    sandbox.faults(smtp_silent_after_data=variant)

    with pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError), match="timed out"):
        send(sandbox, mail(sandbox))

    assert len(mails(sandbox)) == stored


def test_cut_in_data__loses_connection_and_mail(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_cut_in_data=True)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(sandbox, mail(sandbox, body="x" * 70 + "\n"))

    assert mails(sandbox) == []


def test_cut_after_data__loses_the_reply_and_keeps_the_mail(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_cut_after_data=True)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(sandbox, mail(sandbox))

    assert len(mails(sandbox)) == 1


def test_unknown_recipient__is_550_5_1_1__by_switch_and_by_address(sandbox: Sandbox) -> None:
    with mx(sandbox) as client:
        client.mail(sandbox.canary.address)
        assert client.rcpt("nobody@acme.test")[1].startswith(b"5.1.1")
    sandbox.faults(smtp_recipient="unknown")

    assert recipient_answer(sandbox)[1].startswith(b"5.1.1")


def test_recipient_elsewhere__is_no_business_of_the_mx(sandbox: Sandbox) -> None:
    with mx(sandbox) as client:
        client.mail(sandbox.canary.address)

        assert client.rcpt("someone@elsewhere.test")[0] == 554


@pytest.mark.parametrize(
    ("switch", "begins"),
    [("smtp_sender_policy", b"5.7.1 "), ("smtp_spf", b"5.7.23 "), ("smtp_sending_limit", b"5.4.5 ")],
)
def test_sender_refusals__have_their_codes(sandbox: Sandbox, switch: str, begins: bytes) -> None:
    sandbox.faults(**{switch: True})

    code, text = sender_answer(sandbox)

    assert (code, text.startswith(begins)) == (550, True)


def test_defer__answers_the_final_dot_with_451_and_keeps_nothing(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_defer=True)

    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sandbox, mail(sandbox))

    assert refused.value.smtp_code == 451
    assert mails(sandbox) == []


def test_greylisting__defers_the_first_try_and_takes_a_later_one(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_greylist_seconds=0.5)

    assert recipient_answer(sandbox)[1].startswith(b"4.7.1")
    sandbox.until(lambda _: recipient_answer(sandbox)[0] == 250)


def test_login__is_refused_by_switch__and_for_a_wrong_password(sandbox: Sandbox) -> None:
    with submission(sandbox, login=False) as client, pytest.raises(smtplib.SMTPAuthenticationError) as wrong:
        client.login(sandbox.canary.address, "wrong")
    sandbox.faults(smtp_auth_refused=True)
    with pytest.raises(smtplib.SMTPAuthenticationError) as switched, submission(sandbox):
        pass

    assert (wrong.value.smtp_code, switched.value.smtp_code) == (535, 535)


def test_submission__without_tls_or_login__takes_no_mail(sandbox: Sandbox) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.endpoints.submission_port, timeout=2) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.mail(sandbox.canary.address)[0] == 530
    with submission(sandbox, login=False) as client:
        assert client.mail(sandbox.canary.address)[0] == 530


def test_missing_starttls__is_not_offered(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_starttls_missing=True)

    with mx(sandbox) as client:
        assert not client.has_extn("starttls")


def test_submissions__speaks_tls_from_the_first_byte(sandbox: Sandbox) -> None:
    trusted = ssl.create_default_context(cafile=sandbox.endpoints.ca_file)

    with smtplib.SMTP_SSL(
        "localhost", sandbox.endpoints.submissions_port, timeout=2, context=trusted
    ) as client:
        client.login(sandbox.canary.address, sandbox.canary.password)
        client.send_message(mail(sandbox))

    assert len(wait_for_mails(sandbox)) == 1


@pytest.mark.parametrize(
    ("kind", "says"), [("expired", "expired"), ("wrong_name", "not valid for 'localhost'")]
)
def test_certificates__switch_per_kind_of_listener(sandbox: Sandbox, kind: str, says: str) -> None:
    sandbox.faults(certificate_mx=kind)

    with pytest.raises(ssl.SSLCertVerificationError, match=says), mx(sandbox, starttls=True):
        pass
    with submission(sandbox) as untouched:
        assert untouched.noop()[0] == 250


@pytest.mark.parametrize("kind", ["expired", "wrong_name"])
def test_certificate_of_implicit_tls__switches_while_it_listens(sandbox: Sandbox, kind: str) -> None:
    trusted = ssl.create_default_context(cafile=sandbox.endpoints.ca_file)
    sandbox.faults(certificate_submission=kind)

    with pytest.raises(ssl.SSLCertVerificationError):
        smtplib.SMTP_SSL("localhost", sandbox.endpoints.submissions_port, timeout=2, context=trusted)


def xoauth2(client: smtplib.SMTP, address: str, token: str) -> tuple[int, bytes]:
    blob = base64.b64encode(f"user={address}\x01auth=Bearer {token}\x01\x01".encode()).decode()
    code, text = client.docmd("AUTH", f"XOAUTH2 {blob}")
    return client.docmd("") if code == 334 else (code, text)


def test_bearer_token__is_accepted_from_the_list_alone(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_bearer_tokens=["good"])

    with submission(sandbox, login=False) as client:
        assert xoauth2(client, sandbox.canary.address, "bad")[0] == 535
        assert xoauth2(client, sandbox.canary.address, "good")[0] == 235


def test_withdrawn_bearer_token__ends_the_session_with_421(sandbox: Sandbox) -> None:
    sandbox.faults(smtp_bearer_tokens=["first"])
    with submission(sandbox, login=False) as client:
        xoauth2(client, sandbox.canary.address, "first")
        sandbox.faults(smtp_bearer_tokens=["second"])

        code, text = client.mail(sandbox.canary.address)

    assert (code, text.startswith(b"4.7.0")) == (421, True)


def test_dsn__is_offered_and_its_parameters_are_understood(sandbox: Sandbox) -> None:
    with mx(sandbox) as client:
        assert client.has_extn("dsn")
        assert client.mail(sandbox.canary.address, ["RET=HDRS", "ENVID=QQ314159"])[0] == 250
        ask = ["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{sandbox.support.address}"]
        assert client.rcpt(sandbox.support.address, ask)[0] == 250


def test_null_sender__is_taken(sandbox: Sandbox) -> None:
    with mx(sandbox) as client:
        assert client.mail("<>")[0] == 250
        assert client.rcpt(sandbox.canary.address)[0] == 250
        assert client.data(mail(sandbox).as_bytes())[0] == 250

    assert b"Return-Path: <>" in wait_for_mails(sandbox, role="canary")[0]
