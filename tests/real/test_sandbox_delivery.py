"""The sandbox's delivery: trace fields, the full mailbox in all its forms, and what relays do to mail."""

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

import pytest

from tests.real.sandbox_mail import inbox, mail, mails, mx, send, submission, wait_for_mails
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real

LIMIT_BYTES = 200_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    running.poller(running=False)
    running.quota(running.support.address)
    running.flush_queue()
    for role in ("support", "canary"):
        running.empty(running.endpoints.account(role).address, everything=True)
    return running


def parsed(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, EmailMessage, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def fill(sandbox: Sandbox) -> None:
    sandbox.quota(sandbox.support.address, storage_bytes=LIMIT_BYTES)
    sandbox.fill(sandbox.support.address, share=1.0)


def subjects(raws: list[bytes]) -> list[str]:
    return [str(parsed(raw)["Subject"]) for raw in raws]


def test_delivered_mail__names_its_relays__and_the_id_of_the_250(sandbox: Sandbox) -> None:
    with submission(sandbox) as client:
        client.mail(sandbox.canary.address)
        client.rcpt("support+abc@acme.test")
        _, answer = client.data(mail(sandbox).as_bytes())

    got = parsed(wait_for_mails(sandbox)[0])

    ident = answer.split()[-1].decode()
    hops = got.get_all("Received", [])
    assert [hop.split(" with ")[1].split()[0] for hop in hops] == ["LMTP", "ESMTP", "ESMTPSA"]
    assert f"id {ident}" in hops[2]
    assert got["Delivered-To"] == "support+abc@acme.test"
    assert got["Return-Path"] == f"<{sandbox.canary.address}>"
    assert "spf=pass" in got["Authentication-Results"]


def test_full_mailbox__queue__accepts_holds_and_delivers_in_order(sandbox: Sandbox) -> None:
    fill(sandbox)
    for number in (1, 2, 3):
        send(sandbox, mail(sandbox, f"held {number}"))
    held = sandbox.state()

    sandbox.empty(sandbox.support.address)
    state = sandbox.until(lambda state: state["queue"]["held"] == 0)

    assert held["queue"]["held"] == 3
    assert held["queue"]["oldest_at"] is not None
    assert state["queue"]["oldest_at"] is None
    assert subjects(mails(sandbox)) == ["held 1", "held 2", "held 3"]


def test_queue__a_small_mail_behind_a_large_one__overtakes_it_neither_on_arrival_nor_at_a_flush(
    sandbox: Sandbox,
) -> None:
    sandbox.quota(sandbox.support.address, storage_bytes=LIMIT_BYTES)
    sandbox.fill(sandbox.support.address, share=0.7)
    send(sandbox, mail(sandbox, "large", body=("x" * 70 + "\n") * 1500))
    send(sandbox, mail(sandbox, "small"))

    assert sandbox.flush_queue() == 2
    assert "small" not in subjects(mails(sandbox))
    sandbox.empty(sandbox.support.address)
    sandbox.until(lambda state: state["queue"]["held"] == 0)
    assert subjects(mails(sandbox)) == ["large", "small"]


def test_queue__drains_at_the_rate_that_is_set(sandbox: Sandbox) -> None:
    fill(sandbox)
    for number in range(4):
        send(sandbox, mail(sandbox, f"held {number}"))
    sandbox.faults(queue_drain_per_second=5)

    sandbox.empty(sandbox.support.address)

    assert sandbox.until(lambda state: 0 < state["queue"]["held"] < 4)["queue"]["held"] in (1, 2, 3)
    sandbox.until(lambda state: state["queue"]["held"] == 0)


def test_queue__when_the_limit_is_raised__drains_without_a_flush(sandbox: Sandbox) -> None:
    fill(sandbox)
    send(sandbox, mail(sandbox, "held"))

    sandbox.quota(sandbox.support.address, storage_bytes=LIMIT_BYTES * 2)

    sandbox.until(lambda state: state["queue"]["held"] == 0)


def test_full_by_messages__holds_mail__too(sandbox: Sandbox) -> None:
    sandbox.quota(sandbox.support.address, messages=1)
    send(sandbox, mail(sandbox, "fits"))
    send(sandbox, mail(sandbox, "waits"))

    assert sandbox.state()["queue"]["held"] == 1
    assert subjects(mails(sandbox)) == ["fits"]


@pytest.mark.parametrize(("mode", "code", "status"), [("defer", 452, b"4.2.2"), ("reject", 552, b"5.2.2")])
def test_full_mailbox__defer_and_reject__answer_at_rcpt(
    sandbox: Sandbox, mode: str, code: int, status: bytes
) -> None:
    fill(sandbox)
    sandbox.faults(mailbox_full=mode)

    with mx(sandbox) as client:
        client.mail(sandbox.canary.address)
        got, text = client.rcpt(sandbox.support.address)

    assert (got, text[:5]) == (code, status)


def test_full_mailbox__the_size_of_mail_counts_at_rcpt(sandbox: Sandbox) -> None:
    sandbox.quota(sandbox.support.address, storage_bytes=LIMIT_BYTES)
    sandbox.faults(mailbox_full="reject")

    with mx(sandbox) as client:
        client.mail(sandbox.canary.address, [f"SIZE={LIMIT_BYTES * 2}"])
        assert client.rcpt(sandbox.support.address)[0] == 552
        client.rset()
        client.mail(sandbox.canary.address, ["SIZE=1000"])
        assert client.rcpt(sandbox.support.address)[0] == 250


def test_full_mailbox__bounce__comes_back_as_rfc_3464_with_envid(sandbox: Sandbox) -> None:
    fill(sandbox)
    sandbox.faults(mailbox_full="bounce")
    with submission(sandbox) as client:
        client.mail(sandbox.canary.address, ["ENVID=canary-1"])
        client.rcpt(sandbox.support.address)
        client.data(mail(sandbox, "will bounce").as_bytes())

    report = parsed(wait_for_mails(sandbox, role="canary")[0])

    status, header = (part.as_string() for part in list(report.iter_parts())[1:])
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    assert "Original-Envelope-Id: canary-1" in status
    assert "Status: 5.2.2" in status
    assert "Action: failed" in status
    assert "will.bounce@probe.test" in header


def test_full_mailbox__drop__accepts_and_loses(sandbox: Sandbox) -> None:
    fill(sandbox)
    sandbox.faults(mailbox_full="drop")

    send(sandbox, mail(sandbox, "lost"))

    state = sandbox.state()
    assert state["queue"]["held"] == 0
    assert "lost" not in subjects(mails(sandbox))


def test_dropped__then_healthy__only_the_second_mail_arrives(sandbox: Sandbox) -> None:
    sandbox.faults(delivery_drop=True)
    send(sandbox, mail(sandbox, "dropped"))
    sandbox.clear_faults()
    send(sandbox, mail(sandbox, "kept"))

    assert subjects(wait_for_mails(sandbox)) == ["kept"]


def test_delayed__comes_later_but_comes(sandbox: Sandbox) -> None:
    sandbox.faults(delivery_delay_seconds=0.5)
    send(sandbox, mail(sandbox, "late"))

    assert mails(sandbox) == []
    assert subjects(wait_for_mails(sandbox)) == ["late"]


def test_junk__is_where_it_lands__and_a_special_use_names_it(sandbox: Sandbox) -> None:
    sandbox.faults(delivery_to_junk=True)
    send(sandbox, mail(sandbox, "spam"))

    assert subjects(wait_for_mails(sandbox, folder="Junk")) == ["spam"]
    assert mails(sandbox) == []
    with inbox(sandbox) as client:
        assert client.find_special_folder(b"\\Junk") == "Junk"


def test_duplicate__arrives_twice(sandbox: Sandbox) -> None:
    sandbox.faults(delivery_duplicate=True)
    send(sandbox, mail(sandbox, "twice"))

    assert subjects(wait_for_mails(sandbox, 2)) == ["twice", "twice"]


@pytest.mark.parametrize(("form", "kind"), [("rfc3464", "multipart/report"), ("text", "text/plain")])
def test_bounced_after_250__comes_back_in_either_form(sandbox: Sandbox, form: str, kind: str) -> None:
    sandbox.faults(delivery_bounce=form)
    send(sandbox, mail(sandbox, "returned"))

    bounce = parsed(wait_for_mails(sandbox, role="canary")[0])

    assert bounce.get_content_type() == kind
    assert b"returned@probe.test" in bounce.as_bytes()
    assert mails(sandbox) == []


def test_delivery_faults__spare_other_mailboxes__unless_meant_for_all(sandbox: Sandbox) -> None:
    sandbox.faults(delivery_drop=True)
    message = mail(sandbox, "to myself")
    message.replace_header("To", sandbox.canary.address)
    send(sandbox, message)
    wait_for_mails(sandbox, role="canary")
    sandbox.faults(delivery_to="*")
    send(sandbox, message)

    assert len(mails(sandbox, "canary")) == 1


def test_mangled__subject_charset_length_and_attachments(sandbox: Sandbox) -> None:
    message = mail(
        sandbox, "a subject that is long enough to be cut", body="Grüße aus Köln\n", attachment=True
    )
    sandbox.faults(mangle_subject=True, mangle_charset=True, drop_attachments=True)
    send(sandbox, message)
    mangled = parsed(wait_for_mails(sandbox)[0])
    sandbox.clear_faults()
    sandbox.faults(truncate_body_bytes=5)
    send(sandbox, message)
    cut = parsed(wait_for_mails(sandbox, 2)[1])

    body, short = mangled.get_body(), cut.get_body()
    assert body is not None
    assert short is not None
    assert mangled["Subject"] == "[External] a subject that is lo..."
    assert body.get_content().strip() == "GrÃ¼Ã\x9fe aus KÃ¶ln"
    assert list(mangled.iter_attachments()) == []
    assert short.get_content().startswith("Grü")
    assert "Köln" not in short.get_content()
    assert len(list(cut.iter_attachments())) == 1


def test_rewritten_sender__group_and_srs(sandbox: Sandbox) -> None:
    sandbox.faults(rewrite_sender="group")
    send(sandbox, mail(sandbox, "by a group"))
    sandbox.faults(rewrite_sender="srs")
    send(sandbox, mail(sandbox, "by srs"))

    group, srs = (parsed(raw) for raw in wait_for_mails(sandbox, 2))

    assert sandbox.support.address in group["From"]
    assert group["Sender"] == sandbox.support.address
    assert group["Reply-To"] == sandbox.canary.address
    assert sandbox.canary.address in srs["From"]
    assert srs["Return-Path"].startswith("<SRS0=")


def test_skewed_clock__stamps_received_fields_in_the_future(sandbox: Sandbox) -> None:
    sandbox.faults(clock_skew_seconds=3600)
    send(sandbox, mail(sandbox, "from the future"))

    got = parsed(wait_for_mails(sandbox)[0])

    stamped = parsedate_to_datetime(got.get_all("Received", [])[0].rsplit(";", 1)[1].strip())
    assert 3500 < (stamped - datetime.now(UTC)).total_seconds() < 3700


def test_mx__takes_mail_from_strangers__and_notes_two_hops(sandbox: Sandbox) -> None:
    with mx(sandbox, starttls=True) as client:
        client.sendmail(
            "stranger@elsewhere.test", [sandbox.support.address], mail(sandbox, "stranger").as_bytes()
        )

    assert len(parsed(wait_for_mails(sandbox)[0]).get_all("Received", [])) == 2


def test_large_mail__is_refused_at_mail_by_its_size(sandbox: Sandbox) -> None:
    with mx(sandbox) as client:
        assert client.mail(sandbox.canary.address, ["SIZE=999999999"])[0] == 552


def test_many_senders_at_once__lose_nothing(sandbox: Sandbox) -> None:
    clients = [smtplib.SMTP("127.0.0.1", sandbox.endpoints.mx_port, timeout=5) for _ in range(20)]
    try:
        for number, client in enumerate(clients):
            client.sendmail("a@b.test", [sandbox.support.address], mail(sandbox, f"many {number}").as_bytes())
    finally:
        for client in clients:
            client.close()

    assert len(wait_for_mails(sandbox, 20)) == 20
