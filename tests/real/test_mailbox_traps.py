"""The IMAP session against a server that misbehaves on purpose: each trap, with what a user would have lost."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.mailbox.settings import Limits, MailboxSettings
from probes.mailbox.watcher import SupportMailboxWatcher
from probes.masking import Masker, Secret
from probes.servers import Password, Server, TlsMode
from runners.clock import SystemClock
from tests.real.scripted_imap import Script, scripted_imap
from tests.unit.probes.mailbox.mails import canary_mail, make_canary, recognise

pytestmark = pytest.mark.real

LIMITS = Limits(
    connect_seconds=2.0,
    answer_seconds=1.0,
    work_seconds=4.0,
    idle_seconds=5.0,
    first_retry_seconds=0.05,
    longest_retry_seconds=0.2,
)
PASSWORD = "a password of the tests"


class Reports(list[Observation]):
    async def __call__(self, *observations: Observation) -> None:
        self.extend(observations)


class Literal:
    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.reads = 0

    async def read(self, *, renew: bool = False) -> Secret:
        self.reads += 1
        if renew and len(self.values) > 1:
            self.values.pop(0)
        return Secret(self.values[0])


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def port(script: Script) -> Iterator[int]:
    with scripted_imap(script) as port:
        yield port


@contextlib.asynccontextmanager
async def watching(
    port: int, *, limits: Limits = LIMITS, secret: Literal | None = None
) -> AsyncIterator[SupportMailboxWatcher]:
    server = Server(
        "127.0.0.1", port, TlsMode.NONE, Password("support@acme.test", secret or Literal(PASSWORD))
    )
    watcher = SupportMailboxWatcher(
        MailboxSettings("support", server, limits=limits),
        clock=SystemClock(),
        recognise=recognise,
        masker=Masker([Secret(PASSWORD)]),
    )
    try:
        yield watcher
    finally:
        await watcher.aclose()


async def look(watcher: SupportMailboxWatcher, canary: Canary, depth: Depth = Depth.POLL) -> Observation:
    reports = Reports()
    await watcher.look([canary], depth, reports)
    (seen,) = reports
    return seen


async def news(watcher: SupportMailboxWatcher) -> float:
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(10):
        await watcher.news()
    return asyncio.get_running_loop().time() - began


async def sees_at_once(script: Script, port: int, canary: Canary) -> int:
    """One look in vain, an IDLE in which the script does its worst, and the look after it, which must see the mail."""
    async with watching(port) as watcher:
        assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
        assert await news(watcher) < 1.5
        script.on_idle = None
        assert (await look(watcher, canary)).outcome is Outcome.OK
    return script.connections


def test_exists_in_the_same_segment_as_the_continuation__wakes_at_once(script: Script, port: int) -> None:
    canary = make_canary()

    def early(connection: socket.socket) -> None:
        script.mails.append(canary_mail(canary))
        connection.sendall(b"+ idling\r\n* 1 EXISTS\r\n")

    script.on_idle = early

    assert asyncio.run(sees_at_once(script, port, canary)) == 1


def test_exists_told_with_the_answer_of_the_search__wakes_at_once(script: Script, port: int) -> None:
    canary = make_canary()

    def told(verb: str, tag: str, connection: socket.socket) -> bool:
        if verb != "UID SEARCH":
            return False
        connection.sendall(f"* SEARCH\r\n* 1 EXISTS\r\n{tag} OK done\r\n".encode())
        script.mails.append(canary_mail(canary))
        script.on_command = None
        return True

    script.on_command = told

    async def main() -> None:
        async with watching(port) as watcher:
            await look(watcher, canary)
            assert await news(watcher) < 1.5
            assert (await look(watcher, canary)).outcome is Outcome.OK
        assert "IDLE" not in script.verbs()

    asyncio.run(main())


def test_line_in_two_parts__is_not_lost(script: Script, port: int) -> None:
    canary = make_canary()
    gap = threading.Event()

    def split(connection: socket.socket) -> None:
        script.mails.append(canary_mail(canary))
        connection.sendall(b"+ idling\r\n")
        connection.sendall(b"* 1 EX")
        gap.wait(0.2)
        connection.sendall(b"ISTS\r\n")

    script.on_idle = split

    assert asyncio.run(sees_at_once(script, port, canary)) == 1


def test_connection_closed_while_idle__is_noticed_at_once_and_opened_anew(script: Script, port: int) -> None:
    canary = make_canary()

    def close(connection: socket.socket) -> None:
        script.mails.append(canary_mail(canary))
        connection.sendall(b"+ idling\r\n")
        connection.shutdown(socket.SHUT_RDWR)

    script.on_idle = close

    assert asyncio.run(sees_at_once(script, port, canary)) == 2


def test_bye_while_idle__is_noticed_at_once_and_the_connection_opened_anew(script: Script, port: int) -> None:
    canary = make_canary()

    def bye(connection: socket.socket) -> None:
        script.mails.append(canary_mail(canary))
        connection.sendall(b"+ idling\r\n* BYE Server shutting down\r\n")

    script.on_idle = bye

    assert asyncio.run(sees_at_once(script, port, canary)) == 2


def test_exists_before_the_continuation__is_not_lost(script: Script, port: int) -> None:
    canary = make_canary()

    def before(connection: socket.socket) -> None:
        script.mails.append(canary_mail(canary))
        connection.sendall(b"* 1 EXISTS\r\n+ idling\r\n")

    script.on_idle = before

    assert asyncio.run(sees_at_once(script, port, canary)) == 2


def test_server_that_freezes_while_idle__is_found_out_at_the_renewal(script: Script, port: int) -> None:
    canary = make_canary()

    def freeze(connection: socket.socket) -> None:
        connection.sendall(b"+ idling\r\n")
        script.mails.append(canary_mail(canary))
        threading.Event().wait(3)
        connection.shutdown(socket.SHUT_RDWR)

    async def main() -> None:
        script.on_idle = freeze
        async with watching(port, limits=replace(LIMITS, idle_seconds=0.3)) as watcher:
            await look(watcher, canary)
            assert await news(watcher) < 2.5
            script.on_idle = None
            assert (await look(watcher, canary)).outcome is Outcome.OK
        assert script.connections == 2

    asyncio.run(main())


def test_silence__renews_the_idle_on_the_same_connection(script: Script, port: int) -> None:
    canary = make_canary()

    async def main() -> None:
        async with watching(port, limits=replace(LIMITS, idle_seconds=0.1)) as watcher:
            for _ in range(3):
                assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
                await news(watcher)

    asyncio.run(main())

    assert script.connections == 1
    assert script.verbs().count("IDLE") == 3


def test_cancelled_wait__leaves_the_connection_open(script: Script, port: int) -> None:
    canary = make_canary()

    async def main() -> None:
        async with watching(port) as watcher:
            for _ in range(3):
                await look(watcher, canary)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await watcher.news()
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN

    asyncio.run(main())

    assert script.connections == 1


def test_look_while_another_waits_for_news__interrupts_the_idle_gently(script: Script, port: int) -> None:
    canary = make_canary()

    async def main() -> None:
        async with watching(port) as watcher, asyncio.TaskGroup() as group:
            await look(watcher, canary)
            waiting = group.create_task(watcher.news())
            await asyncio.to_thread(script.idle_began.wait, 5)
            async with asyncio.timeout(1):
                await look(watcher, canary)
            assert not waiting.done()
            waiting.cancel()

    asyncio.run(main())

    assert script.connections == 1


def test_cancelled_look__closes_the_connection_and_the_next_one_works(script: Script, port: int) -> None:
    canary = make_canary()
    hang = threading.Event()

    def silent(verb: str, tag: str, connection: socket.socket) -> bool:
        del tag, connection
        if verb == "UID SEARCH" and not hang.is_set():
            hang.set()
            return True
        return False

    script.on_command = silent

    async def main() -> None:
        async with watching(port) as watcher:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await look(watcher, canary)
            assert hang.is_set()
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN

    asyncio.run(main())

    assert script.connections == 2


def test_server_that_stays_silent__is_a_blind_look_within_the_limit(script: Script, port: int) -> None:
    script.greeting = b""

    async def main() -> Observation:
        async with watching(port) as watcher, asyncio.timeout(5):
            return await look(watcher, make_canary())

    seen = asyncio.run(main())

    assert (seen.hop, seen.outcome, seen.reason) == (
        Hop.MAILBOX_ARRIVAL,
        Outcome.UNKNOWN,
        Reason.MAILBOX_UNREADABLE,
    )
    assert seen.look is not None
    assert seen.look.is_blind


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("NO [AUTHENTICATIONFAILED] Invalid credentials", Reason.CREDENTIALS_REJECTED),
        ("NO Login failed", Reason.CREDENTIALS_REJECTED),
        ("NO [UNAVAILABLE] backend is down", Reason.MAILBOX_UNREADABLE),
        ("NO [ALERT] Too many simultaneous connections. (Failure)", Reason.RATE_LIMITED),
        ("NO [LIMIT] try later", Reason.RATE_LIMITED),
        (None, Reason.MAILBOX_UNREADABLE),
    ],
)
def test_refused_login__is_a_blind_look_with_the_reason(
    script: Script, port: int, answer: str | None, reason: Reason
) -> None:
    script.login = answer

    async def main() -> Observation:
        async with watching(port) as watcher:
            return await look(watcher, make_canary())

    seen = asyncio.run(main())

    assert seen.reason is reason
    assert PASSWORD not in seen.detail


def test_refused_password__is_read_anew_once_and_tried(script: Script, port: int) -> None:
    tries: list[str] = []

    def refuse_first(verb: str, tag: str, connection: socket.socket) -> bool:
        if verb == "AUTHENTICATE":
            tries.append(verb)
            script.login = "NO [AUTHENTICATIONFAILED] no" if len(tries) == 1 else "OK in"
        del tag, connection
        return False

    script.on_command = refuse_first

    async def main() -> Observation:
        async with watching(port, secret=Literal("old", "new")) as watcher:
            return await look(watcher, make_canary())

    assert asyncio.run(main()).reason is Reason.NOT_SEEN
    assert len(tries) == 2


def test_refused_credential__is_not_hammered(script: Script, port: int) -> None:
    script.login = "NO [AUTHENTICATIONFAILED] no"

    async def main() -> None:
        async with watching(port, limits=replace(LIMITS, first_retry_seconds=30)) as watcher:
            for _ in range(5):
                seen = await look(watcher, make_canary(), Depth.DEADLINE)
                assert seen.reason is Reason.CREDENTIALS_REJECTED

    asyncio.run(main())

    assert script.connections == 1


def test_mailbox_that_was_down__is_tried_at_once_for_a_deadline_look(script: Script, port: int) -> None:
    script.login = None

    async def main() -> None:
        async with watching(port, limits=replace(LIMITS, first_retry_seconds=30)) as watcher:
            assert (await look(watcher, make_canary())).reason is Reason.MAILBOX_UNREADABLE
            script.login = "OK in"
            assert (await look(watcher, make_canary())).reason is Reason.MAILBOX_UNREADABLE
            assert (await look(watcher, make_canary(), Depth.DEADLINE)).reason is Reason.NOT_SEEN

    asyncio.run(main())


def test_uidvalidity_that_changes__makes_the_look_a_wide_one(script: Script, port: int) -> None:
    canary, other = make_canary(1), make_canary(2)
    script.mails = [canary_mail(other), canary_mail(other)]

    def close(connection: socket.socket) -> None:
        script.mails = [canary_mail(canary)]
        script.uid_validity = 2
        connection.shutdown(socket.SHUT_RDWR)

    script.on_idle = close

    async def main() -> None:
        async with watching(port) as watcher:
            assert (await look(watcher, canary)).reason is Reason.NOT_SEEN
            await news(watcher)
            script.on_idle = None
            assert (await look(watcher, canary)).outcome is Outcome.OK

    asyncio.run(main())


def test_answer_that_is_not_of_the_protocol__is_a_blind_look(script: Script, port: int) -> None:
    def garbage(verb: str, tag: str, connection: socket.socket) -> bool:
        del tag
        if verb == "UID SEARCH":
            connection.sendall(b"* SEARCH one two\r\n")
        return False

    script.on_command = garbage

    async def main() -> Observation:
        async with watching(port) as watcher:
            return await look(watcher, make_canary())

    assert asyncio.run(main()).reason is Reason.MAILBOX_UNREADABLE


def test_two_hundred_canaries__cost_one_connection_and_one_search(script: Script, port: int) -> None:
    canaries = [make_canary(number) for number in range(200)]
    script.mails = [canary_mail(one) for one in canaries[:150]]
    reports = Reports()

    async def main() -> None:
        async with watching(port) as watcher:
            await watcher.look(canaries, Depth.POLL, reports)

    asyncio.run(main())

    assert [one.outcome for one in reports].count(Outcome.OK) == 150
    assert script.connections == 1
    assert script.verbs().count("UID") == 3  # a search, and the headers in two portions


def test_nothing_but_reading__is_ever_asked_of_the_support_mailbox(script: Script, port: int) -> None:
    canary = make_canary()
    script.mails = [canary_mail(canary), b"From: stranger@x.test\r\nSubject: intakecanary?\r\n\r\nhello\r\n"]

    async def main() -> None:
        async with watching(port) as watcher:
            await look(watcher, canary)
            await look(watcher, canary, Depth.DEADLINE)
            assert await watcher.remove([canary], at_most=600) == ()

    asyncio.run(main())

    assert set(script.verbs()) <= {"CAPABILITY", "AUTHENTICATE", "LIST", "EXAMINE", "UID", "NOOP", "LOGOUT"}
    fetches = [one for one in script.commands if one.startswith("UID FETCH")]
    assert fetches
    assert all("BODY.PEEK[" in one for one in fetches)


def test_closed_watcher__leaves_no_thread_and_no_connection(script: Script, port: int) -> None:
    async def main() -> None:
        async with watching(port) as watcher:
            await look(watcher, make_canary())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await watcher.news()

    asyncio.run(main())

    assert not [one for one in threading.enumerate() if one.name.startswith("imap ")]
    assert script.verbs()[-1] == "LOGOUT"
