"""The sandbox's IMAP faults, each seen over a socket."""

import base64
import socket
import ssl
import time
from collections.abc import Iterator

import pytest
from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from tests.contracts.imap_wire import Wire
from tests.real.sandbox_mail import context, inbox
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real

MAIL = b"From: a@b.test\nSubject: news\n\nbody\n"
TIMEOUT_SECONDS = 2.0


class Reach:
    """What `Wire` needs of a server."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.host = sandbox.endpoints.host
        self.imaps_port = sandbox.endpoints.imaps_port
        self.username = sandbox.canary.address
        self.password = sandbox.canary.password
        self.ca_file = sandbox.endpoints.ca_file


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    running.quota(running.canary.address)
    running.empty(running.canary.address, everything=True)

    def listens(_: object) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", running.endpoints.imap_port)) == 0

    running.until(listens)
    return running


def connect(sandbox: Sandbox) -> IMAPClient:
    ends = sandbox.endpoints
    return IMAPClient(ends.host, ends.imaps_port, ssl_context=context(sandbox), timeout=TIMEOUT_SECONDS)


def lines_in_idle(wire: Wire) -> list[bytes]:
    """The lines from IDLE's continuation to the end of the connection."""
    wire.send(b"IDLE")
    lines = []
    while line := wire.line():
        lines.append(line)
    return lines


def test_refuse__closes_both_ports_and_spares_the_desk(sandbox: Sandbox) -> None:
    sandbox.faults(imap_refuse=True)
    polls = sandbox.state()["desk"]["polls"]

    for port in (sandbox.endpoints.imap_port, sandbox.endpoints.imaps_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
    desk = sandbox.until(lambda state: state["desk"]["polls"] > polls + 2)["desk"]
    assert desk["poll_failures"] == 0


def test_silent__accepts_and_never_greets(sandbox: Sandbox) -> None:
    sandbox.faults(imap_silent=True)

    with pytest.raises(TimeoutError):
        connect(sandbox)


def test_silent_in_idle__tells_nothing_and_answers_no_done(sandbox: Sandbox) -> None:
    sandbox.faults(imap_silent_in_idle=True)
    with connect(sandbox) as client:
        client.login(sandbox.canary.address, sandbox.canary.password)
        client.select_folder("INBOX")
        client.idle()
        sandbox.deliver(sandbox.canary.address, MAIL)

        assert client.idle_check(timeout=0.5) == []
        with pytest.raises(TimeoutError):
            client.idle_done()
        client.shutdown()


def test_bye_in_idle__says_so_and_closes(sandbox: Sandbox) -> None:
    sandbox.faults(imap_bye_in_idle=True)
    with Wire(Reach(sandbox)) as wire:
        wire.ask(b"SELECT INBOX")

        assert lines_in_idle(wire) == [b"+ idling", b"* BYE Server shutting down."]


def test_close_in_idle__is_end_of_file_without_a_word(sandbox: Sandbox) -> None:
    sandbox.faults(imap_close_in_idle=True)
    with inbox(sandbox) as client:
        client.idle()
        began = time.perf_counter()
        events = client.idle_check(timeout=TIMEOUT_SECONDS)
        again = client.idle_check(timeout=TIMEOUT_SECONDS)
        took = time.perf_counter() - began

        assert (events, again) == ([], [])
        assert took < TIMEOUT_SECONDS
        with pytest.raises(IMAPClientAbortError):
            client.idle_done()
        client.shutdown()


def test_split_lines__come_in_two_segments_with_a_gap(sandbox: Sandbox) -> None:
    with Wire(Reach(sandbox)) as wire:
        wire.ask(b"SELECT INBOX")
        wire.send(b"IDLE")
        wire.line()
        sandbox.faults(imap_split_lines=True)
        sandbox.deliver(sandbox.canary.address, MAIL)

        first, second = (wire._socket.recv(4096) for _ in range(2))

    assert b"\r\n" not in first
    assert first + second == b"* 1 EXISTS\r\n"


def test_early_exists__comes_in_one_segment_with_the_continuation(sandbox: Sandbox) -> None:
    sandbox.faults(imap_early_exists=True)
    with inbox(sandbox) as client:
        sandbox.deliver(sandbox.canary.address, MAIL)
        client.idle()

        assert client.idle_check(timeout=0.5) == []
        assert client.idle_done()[1] == [(1, b"EXISTS")]


def test_uidvalidity__bumped__is_another_one_everywhere(sandbox: Sandbox) -> None:
    with inbox(sandbox) as client:
        before = client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        sandbox.faults(imap_uidvalidity_bump=7)
        after = client.select_folder("INBOX")[b"UIDVALIDITY"]

        assert after == before + 7
        assert client.folder_status("INBOX", ["UIDVALIDITY"])[b"UIDVALIDITY"] == after


def test_login_refused__for_one_account_only(sandbox: Sandbox) -> None:
    sandbox.faults(imap_login_refused=True, imap_account=sandbox.support.address)

    with inbox(sandbox, "canary"):
        pass
    with pytest.raises(LoginError, match="AUTHENTICATIONFAILED"), inbox(sandbox, "support"):
        pass


def test_no_idle__is_not_offered_and_not_understood(sandbox: Sandbox) -> None:
    sandbox.faults(imap_no_idle=True)
    with Wire(Reach(sandbox)) as wire:
        capabilities = wire.ask(b"CAPABILITY")[0]
        answer = wire.ask(b"IDLE")[-1]

    assert b"IDLE" not in capabilities.split()
    assert b" BAD " in answer


@pytest.mark.parametrize(
    ("form", "words", "answers"),
    [
        ("rfc9208", {b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE"}, True),
        ("rfc2087", {b"QUOTA"}, True),
        ("none", set(), False),
    ],
)
def test_quota__in_each_form(sandbox: Sandbox, form: str, words: set[bytes], answers: bool) -> None:
    sandbox.faults(imap_quota=form)
    sandbox.quota(sandbox.canary.address, storage_bytes=1024 * 100, messages=10)
    with Wire(Reach(sandbox)) as wire:
        offered = {word for word in wire.ask(b"CAPABILITY")[0].split() if word.startswith(b"QUOTA")}
        lines = wire.ask(b"GETQUOTAROOT INBOX")

    assert offered == words
    assert (b'* QUOTA "User quota" (STORAGE 0 100 MESSAGE 0 10)' in lines) is answers


def test_oauth_only__refuses_passwords_and_takes_a_listed_token(sandbox: Sandbox) -> None:
    sandbox.faults(imap_oauth_only=True, imap_bearer_tokens=["good"])
    with connect(sandbox) as client:
        assert b"AUTH=PLAIN" not in client.capabilities()
        with pytest.raises(LoginError):
            client.login(sandbox.canary.address, sandbox.canary.password)
        with pytest.raises(LoginError):
            client.oauth2_login(sandbox.canary.address, "bad")

        client.oauth2_login(sandbox.canary.address, "good")
        assert client.select_folder("INBOX")[b"EXISTS"] == 0


def test_withdrawn_token__ends_an_idle_session_with_bye(sandbox: Sandbox) -> None:
    sandbox.faults(imap_bearer_tokens=["good"])
    blob = base64.b64encode(f"user={sandbox.canary.address}\x01auth=Bearer good\x01\x01".encode())
    with Wire(Reach(sandbox), log_in=False) as wire:
        assert b" OK " in wire.ask(b"AUTHENTICATE XOAUTH2 " + blob)[-1]
        wire.ask(b"SELECT INBOX")
        wire.send(b"IDLE")
        assert wire.line() == b"+ idling"
        sandbox.faults(imap_bearer_tokens=["new"])

        assert wire.line().startswith(b"* BYE")
        assert wire.line() == b""


def test_login__before_starttls__is_disabled(sandbox: Sandbox) -> None:
    ends = sandbox.endpoints
    with IMAPClient(ends.host, ends.imap_port, ssl=False, timeout=TIMEOUT_SECONDS) as client:
        assert {b"STARTTLS", b"LOGINDISABLED"} <= set(client.capabilities())
        with pytest.raises(IMAPClientError):
            client.login(sandbox.canary.address, sandbox.canary.password)
        client.starttls(context(sandbox))

        assert b"LOGINDISABLED" not in client.capabilities()


@pytest.mark.parametrize("kind", ["expired", "wrong_name"])
def test_certificate__switches_on_both_listeners(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults(certificate_imap=kind)
    ends = sandbox.endpoints

    with pytest.raises(ssl.SSLCertVerificationError):
        connect(sandbox)
    with (
        IMAPClient(ends.host, ends.imap_port, ssl=False, timeout=TIMEOUT_SECONDS) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.starttls(context(sandbox))


def test_answer_of_a_fetch__comes_in_one_segment(sandbox: Sandbox) -> None:
    for _ in range(20):
        sandbox.deliver(sandbox.canary.address, MAIL)
    with Wire(Reach(sandbox)) as wire:
        wire.ask(b"EXAMINE INBOX")
        wire.send(b"FETCH 1:* (UID FLAGS)")
        segment = wire._socket.recv(65536)

    assert segment.count(b"FETCH") == 20
    assert segment.endswith(b"OK Fetch completed.\r\n")


def test_garbage__is_answered_bad_and_the_connection_lives(sandbox: Sandbox) -> None:
    with Wire(Reach(sandbox)) as wire:
        wire.ask(b"SELECT INBOX")
        for garbage in (
            b"FETCH 1 (FLAGS",
            b'SEARCH "open',
            b"FETCH x FLAGS",
            b"STORE 1",
            b"UID",
            b"SEARCH SINCE x",
        ):
            assert b" BAD " in wire.ask(garbage)[-1], garbage

        assert b" OK " in wire.ask(b"NOOP")[-1]


def test_fillers__are_seen_or_unread__and_go_without_the_real_mail(sandbox: Sandbox) -> None:
    address = sandbox.canary.address
    sandbox.deliver(address, MAIL)
    sandbox.quota(address, storage_bytes=100_000)
    sandbox.fill(address, share=1.0)
    full = sandbox.state()["mailboxes"][address]
    sandbox.empty(address)
    sandbox.fill(address, size_bytes=1000, unread=True)
    unread = sandbox.state()["mailboxes"][address]

    assert (full["used_bytes"], full["unseen"]) == (100_000, 1)
    assert (unread["messages"], unread["unseen"]) == (2, 2)
    assert sandbox.empty(address) == 1
    with inbox(sandbox) as client:
        assert len(client.search(["SUBJECT", "news"])) == 1
