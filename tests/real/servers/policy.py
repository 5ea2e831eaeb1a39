"""A policy service for Postfix, whose answers tests change at once: full mailboxes, greylisting, hold, loss.

Postfix asks it at every RCPT (the protocol of ``check_policy_service``: ``name=value`` lines, an empty line,
``action=…``). It decides what real administrators decide in ``main.cf``, without a reload in between.
"""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tests.real.servers.process import HOST


class FullMailbox(StrEnum):
    """What a sender sees of a mailbox without room; each is a configuration found in the wild."""

    QUEUE = "queue"  # 250; LMTP defers, the mail waits in the queue (Postfix's default)
    DEFER = "defer"  # 452 4.2.2 at RCPT, by Dovecot's quota-status
    REJECT = "reject"  # 552 5.2.2 at RCPT, by Dovecot's quota-status
    BOUNCE = "bounce"  # 250, then a DSN to the sender


@dataclass(slots=True)
class Rules:
    """What the service answers for recipients of the target's domain. Plain attributes: set them at any time.

    Attributes:
        full_mailbox: what happens while the recipient has no room.
        greylist_seconds: 451 4.7.1 until so long after the first try of a (sender, recipient); 0 is off.
        refusal: an answer for every recipient, such as ``550 5.7.1 Policy says no``; empty is off.
        is_held: mail goes to the hold queue.
        is_dropped: mail is accepted and lost.
    """

    domain: str
    full_mailbox: FullMailbox = FullMailbox.QUEUE
    greylist_seconds: float = 0.0
    refusal: str = ""
    is_held: bool = False
    is_dropped: bool = False
    first_tries: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upstream:
    """Dovecot's ports that the answers point to."""

    quota_status: int
    lmtp_bouncing: int


class PolicyService:
    """The service, in threads of this process."""

    def __init__(self, rules: Rules, upstream: Upstream) -> None:
        self.rules = rules
        self.requests = 0
        self._upstream = upstream
        self._server = _Server((HOST, 0), _Handler)
        self._server.service = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        """Where Postfix asks."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering; open connections end with Postfix's."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: dict[str, str]) -> str:
        """The action for one recipient."""
        self.requests += 1
        rules = self.rules
        recipient = request.get("recipient", "").lower()
        if not recipient.endswith(f"@{rules.domain}"):
            return "DUNNO"
        if rules.greylist_seconds and not self._has_waited(request.get("sender", "").lower(), recipient):
            return "451 4.7.1 Greylisted, try again later"
        if fixed := rules.refusal or ("DISCARD" if rules.is_dropped else "HOLD" if rules.is_held else ""):
            return fixed
        return self._full_mailbox(request)

    def _full_mailbox(self, request: dict[str, str]) -> str:
        match self.rules.full_mailbox:
            case FullMailbox.QUEUE:
                return "DUNNO"
            case FullMailbox.DEFER:
                return _ask(self._upstream.quota_status, request)
            case FullMailbox.REJECT:
                # The answer is a setting of quota-status, one an instance; the other form of it is made here.
                return _ask(self._upstream.quota_status, request).replace("452 4.2.2", "552 5.2.2")
            case FullMailbox.BOUNCE:
                return f"FILTER lmtp:inet:{HOST}:{self._upstream.lmtp_bouncing}"

    def _has_waited(self, sender: str, recipient: str) -> bool:
        now = time.monotonic()
        first = self.rules.first_tries.setdefault((sender, recipient), now)
        return now - first >= self.rules.greylist_seconds


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    service: PolicyService


class _Handler(socketserver.StreamRequestHandler):
    timeout = 60
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # Postfix ended the connection, or we did
            for request in _requests(self.rfile):
                self.wfile.write(f"action={self.server.service.answer(request)}\n\n".encode())


def _requests(lines: Iterator[bytes]) -> Iterator[dict[str, str]]:
    request: dict[str, str] = {}
    for line in lines:
        name, equals, value = line.decode(errors="replace").strip().partition("=")
        if equals:
            request[name] = value
        else:
            yield request
            request = {}


def _ask(port: int, request: dict[str, str]) -> str:
    """Pass the question on to another policy service and give its action."""
    lines = "".join(f"{name}={value}\n" for name, value in request.items())
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(f"{lines}\n".encode())
        answer = b""
        while b"\n\n" not in answer and (piece := connection.recv(4096)):
            answer += piece
    return answer.decode().partition("action=")[2].partition("\n")[0]
