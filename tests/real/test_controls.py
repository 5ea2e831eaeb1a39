"""Controls on sockets: what counts as an answer of each protocol, and what a launch makes of it."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from canary.reason import Reason, Side
from probes.contracts import Check
from probes.dns import Resolver
from probes.selfcheck import Control, ControlProtocol, Question, Ruling, Selfcheck
from probes.tls import client_context
from runners.clock import SystemClock
from tests.real.scripted_smtp import SILENT, Script, scripted
from tests.real.servers.certificates import make_certificates
from tests.real.servers.dns import DnsServer, Fault, running_dns

pytestmark = pytest.mark.real


@dataclass
class Memory:
    worked: dict[str, datetime] = field(default_factory=dict)

    async def note(self, control: str, at: datetime, worked: bool) -> None:
        if worked:
            self.worked[control] = at

    async def worked_at(self, control: str) -> datetime | None:
        return self.worked.get(control)

    async def note_excuse(self, control: str, at: datetime) -> None: ...

    async def excused_at(self) -> datetime | None:
        return None


class Nobody:
    def answered_at(self, *, other_than: str, by_name: bool = False) -> datetime | None:  # noqa: ARG002 -- nobody ever did
        return None


@pytest.fixture
def names() -> Iterator[DnsServer]:
    with running_dns() as server:
        yield server


def selfcheck(controls: Sequence[Control], memory: Memory, *, dns_port: int = 9, ca: str = "") -> Selfcheck:
    clock = SystemClock()
    return Selfcheck(
        controls,
        history=memory,
        outside=Nobody(),
        resolver=Resolver(
            f"127.0.0.1:{dns_port}",
            clock=clock,
            random=Random(1),  # noqa: S311 -- an order
            try_seconds=0.2,
            limit_seconds=0.4,
        ),
        clock=clock,
        limit_seconds=0.5,
        contexts=lambda: client_context([ca] if ca else []),
    )


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_smtp_control_that_greets__makes_a_silence_the_targets() -> None:
    async def main() -> Ruling:
        async with scripted(Script()) as script:
            control = Control(ControlProtocol.SMTP, "127.0.0.1", script.port)
            question = Question(ControlProtocol.SMTP, script.port, "mx.acme.test:25")
            return await selfcheck([control], Memory()).decide(question, Reason.CONNECT_TIMEOUT)

    assert asyncio.run(main()).side is Side.TARGET


@pytest.mark.parametrize("banner", [SILENT, "554 5.7.1 no"])
def test_smtp_control_that_does_not_greet__does_not_work(banner: str) -> None:
    async def main() -> Sequence[Check]:
        async with scripted(Script({"banner": [banner]})) as script:
            control = Control(ControlProtocol.SMTP, "127.0.0.1", script.port)
            return await selfcheck([control], Memory()).rehearse()

    (check,) = asyncio.run(main())

    assert "never worked from here" in check.finding
    assert check.remedy


def test_port_that_closed_after_it_worked__excuses_us() -> None:
    memory, port = Memory(), closed_port()
    control = Control(ControlProtocol.SMTP, "127.0.0.1", port)

    async def main() -> tuple[Ruling, Ruling]:
        checks = selfcheck([control], memory)
        question = Question(ControlProtocol.SMTP, port, "mx.acme.test:25")
        before = await checks.decide(question, Reason.REFUSED)
        async with scripted(Script(), port=port):
            await checks.rehearse()
        return before, await checks.decide(question, Reason.REFUSED)

    before, after = asyncio.run(main())

    assert (before.side, after.side) == (Side.TARGET, Side.PROBER)


@pytest.mark.parametrize(
    ("fault", "side"), [(None, Side.TARGET), (Fault.SERVFAIL, Side.PROBER), (Fault.SILENT, Side.PROBER)]
)
def test_dns_control__by_what_the_resolver_says_of_it(
    names: DnsServer, fault: Fault | None, side: Side
) -> None:
    names.set("example.test", "A", "192.0.2.1")
    memory = Memory({"dns:example.test": SystemClock().now()})
    names.fail("example.test", fault)
    checks = selfcheck([Control(ControlProtocol.DNS, "example.test", 53)], memory, dns_port=names.port)

    ruling = asyncio.run(checks.decide(Question(ControlProtocol.DNS, 53, "acme.test"), Reason.DNS_UNANSWERED))

    assert ruling.side is side


def test_https_control__answers_by_any_status_line(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.valid.certificate_path, made.valid.key_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        writer.close()

    async def main() -> Sequence[Check]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            control = Control(ControlProtocol.HTTPS, "localhost", server.sockets[0].getsockname()[1])
            return await selfcheck([control], Memory(), ca=str(made.ca_path)).rehearse()

    (check,) = asyncio.run(main())

    assert check.finding == "answers"


def test_https_control_with_a_certificate_that_nobody_vouches_for__does_not_answer(tmp_path: Path) -> None:
    """It may be a portal of this very network that answers for everybody."""
    made = make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.valid.certificate_path, made.valid.key_path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.close()

    async def main() -> Sequence[Check]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        async with server:
            control = Control(ControlProtocol.HTTPS, "localhost", server.sockets[0].getsockname()[1])
            return await selfcheck([control], Memory()).rehearse()

    (check,) = asyncio.run(main())

    assert "does not answer" in check.finding
