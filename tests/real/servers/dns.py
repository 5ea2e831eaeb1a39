"""A DNS server in this process, with zones as data and every way of failing that a resolver has to bear."""

import contextlib
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dnslib import QTYPE, RCODE, RR, DNSRecord

from tests.real.servers.process import HOST, free_port


class Fault(StrEnum):
    """What the server does instead of answering properly."""

    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"  # no answer at all
    TRUNCATED = "truncated"  # TC=1 over UDP, the whole answer over TCP
    SLOW = "slow"  # the right answer, `DnsServer.slow_seconds` late


@dataclass(frozen=True, slots=True)
class Query:
    """A question that came."""

    name: str
    type: str
    transport: str


class DnsServer:
    """Answers for what it was told; everything else is NXDOMAIN. Change records and faults at any time.

    Attributes:
        slow_seconds: the delay of `Fault.SLOW`.
        queries: every question since the start or `reset`.
    """

    host = HOST

    def __init__(self) -> None:
        self.slow_seconds = 1.0
        self.queries: list[Query] = []
        self._records: dict[tuple[str, str], list[str]] = {}
        self._faults: dict[tuple[str, str], Fault] = {}
        # One port for both, as resolvers expect.
        self._udp = _UdpServer((HOST, free_port()), _UdpHandler)
        self._tcp = _TcpServer((HOST, self.port), _TcpHandler)
        self._udp.dns = self._tcp.dns = self
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            for server in (self._udp, self._tcp)
        ]

    @property
    def port(self) -> int:
        """UDP and TCP."""
        return int(self._udp.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop answering: the port is closed."""
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()

    def reset(self) -> None:
        """Forget all records, faults and queries."""
        self._records.clear()
        self._faults.clear()
        self.queries.clear()
        self.slow_seconds = 1.0

    def set(self, name: str, kind: str, *values: str) -> None:
        """Set the records of a name and type, in zone-file form: ``set("acme.test", "MX", "10 mx.acme.test.")``.

        A null MX (RFC 7505) is ``"0 ."``. No values: the name exists, but has no record of the type.
        """
        self._records[_key(name, kind)] = list(values)

    def set_text(self, name: str, *strings: str) -> None:
        """Set a TXT record of one or more strings; a string holds 255 bytes at most (RFC 1035 §3.3)."""
        self.set(name, "TXT", " ".join(f'"{each}"' for each in strings))

    def remove(self, name: str) -> None:
        """Make a name NXDOMAIN again."""
        for key in [key for key in self._records if key[0] == _key(name, "A")[0]]:
            del self._records[key]

    def fail(self, name: str, fault: Fault | None, kind: str = "*") -> None:
        """Answer questions for a name (of one type, or all) with a fault; None mends it."""
        if fault is None:
            self._faults.pop(_key(name, kind), None)
        else:
            self._faults[_key(name, kind)] = fault

    def answer(self, packet: bytes, transport: str) -> bytes | None:
        """The answer to a packet; None for none."""
        request = DNSRecord.parse(packet)
        name, kind = _key(str(request.q.qname), str(QTYPE[request.q.qtype]))
        self.queries.append(Query(name, kind, transport))
        reply = request.reply()
        match self._faults.get((name, kind)) or self._faults.get((name, "*")):
            case Fault.SILENT:
                return None
            case Fault.SERVFAIL:
                reply.header.rcode = RCODE.SERVFAIL
            case Fault.REFUSED:
                reply.header.rcode = RCODE.REFUSED
            case Fault.TRUNCATED if transport == "udp":
                reply.header.tc = 1
            case Fault.SLOW:
                time.sleep(self.slow_seconds)
                self._fill(reply, name, kind)
            case _:
                self._fill(reply, name, kind)
        return bytes(reply.pack())

    def _fill(self, reply: DNSRecord, name: str, kind: str) -> None:
        if not any(known == name for known, _ in self._records):
            reply.header.rcode = RCODE.NXDOMAIN
        kinds = (kind,) if (name, kind) in self._records else ("CNAME",)
        for each in kinds:
            for value in self._records.get((name, each), ()):
                reply.add_answer(*RR.fromZone(f"{name}. 60 IN {each} {value}"))


def _key(name: str, kind: str) -> tuple[str, str]:
    return name.lower().rstrip("."), kind.upper()


class _UdpServer(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False
    dns: DnsServer


class _TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    dns: DnsServer


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _UdpServer

    def handle(self) -> None:
        packet, connection = self.request
        answer = self.server.dns.answer(packet, "udp")
        if answer is not None:
            with contextlib.suppress(OSError):  # a slow answer may find the port closed
                connection.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    timeout = 30
    server: _TcpServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while len(head := self.rfile.read(2)) == 2:
                answer = self.server.dns.answer(self.rfile.read(struct.unpack("!H", head)[0]), "tcp")
                if answer is not None:
                    self.wfile.write(struct.pack("!H", len(answer)) + answer)


@contextlib.contextmanager
def running_dns() -> Iterator[DnsServer]:
    """Start a server that knows no name yet."""
    server = DnsServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
