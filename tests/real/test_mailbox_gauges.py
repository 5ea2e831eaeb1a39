"""The gauges of one mailbox share a login while they are read side by side, and each reading begins with a new one."""

import asyncio
import socket
from collections.abc import Sequence

from canary.gauge import Gauge, GaugeName, GaugeState
from probes.contracts import GaugeReader
from probes.mailbox.backlog import MailboxBacklogReader
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.settings import BacklogSettings, CapacitySettings, MailboxSettings
from probes.mailbox.visits import Visits
from probes.masking import Masker, Secret
from probes.servers import Password, Server, TlsMode
from runners.clock import SystemClock
from tests.real.scripted_imap import Script, scripted_imap


class Literal:
    """A secret that stands in the test."""

    async def read(self, *, renew: bool = False) -> Secret:
        del renew
        return Secret("hunter2-and-more")


async def read_side_by_side(port: int, *, rounds: int = 1, search: str = "ALL") -> Sequence[Gauge]:
    server = Server("127.0.0.1", port, TlsMode.NONE, Password("support@acme.test", Literal()))
    settings, clock, masker = MailboxSettings("support", server), SystemClock(), Masker()
    visits = Visits(settings, clock=clock)
    backlog = BacklogSettings(criteria=search)
    readers: list[GaugeReader] = [
        MailboxCapacityReader(
            settings, CapacitySettings(declared_messages=10), clock=clock, masker=masker, visits=visits
        ),
        MailboxBacklogReader(settings, backlog, clock=clock, masker=masker, visits=visits),
    ]
    gauges: list[Gauge] = []
    for _ in range(rounds):
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(one.read()) for one in readers]
        gauges += [gauge for task in reading for gauge in task.result()]
    return gauges


def sized(verb: str, tag: str, connection: socket.socket) -> bool:
    """The answer to STATUS, which the script does not know by itself."""
    if verb == "STATUS":
        connection.sendall(f"* STATUS INBOX (MESSAGES 2)\r\n{tag} OK done\r\n".encode())
    return verb == "STATUS"


def logins(script: Script) -> int:
    return sum(verb in {"LOGIN", "AUTHENTICATE"} for verb in script.verbs())


def test_readings_side_by_side__cost_one_login_a_round_and_leave_no_connection() -> None:
    script = Script(on_command=sized)
    with scripted_imap(script) as port:
        gauges = asyncio.run(read_side_by_side(port, rounds=3))

    assert (script.connections, logins(script), script.verbs().count("LOGOUT")) == (3, 3, 3)
    assert [one.value for one in gauges if one.name is GaugeName.MAILBOX_BACKLOG] == [0, 0, 0]
    assert 2 in {one.value for one in gauges if one.name is GaugeName.MAILBOX_CAPACITY}


def test_reading_that_breaks_the_connection__hinders_no_other() -> None:
    def breaks(verb: str, tag: str, connection: socket.socket) -> bool:
        del tag
        if verb == "STATUS":
            connection.shutdown(socket.SHUT_RDWR)
        return verb == "STATUS"

    script = Script(on_command=breaks)
    with scripted_imap(script) as port:
        gauges = asyncio.run(read_side_by_side(port))

    states = {one.name: one.state for one in gauges}
    assert states[GaugeName.MAILBOX_CAPACITY] is GaugeState.UNKNOWN
    assert [one.value for one in gauges if one.name is GaugeName.MAILBOX_BACKLOG] == [0]


def test_refused_login__leaves_both_unknown_and_is_not_tried_twice() -> None:
    script = Script(login="NO [AUTHENTICATIONFAILED] no")
    with scripted_imap(script) as port:
        gauges = asyncio.run(read_side_by_side(port))

    assert {one.state for one in gauges} == {GaugeState.UNKNOWN}
    assert logins(script) == 1
