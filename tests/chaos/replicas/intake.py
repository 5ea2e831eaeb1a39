"""What the replicas probe, and where their alerts go: one small HTTP server in the process of the test."""

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Intake:
    """A ticketing system in memory, the receiver of a webhook, and that of Alertmanager's.

    Attributes:
        now: the scaled time.
        is_down: whether a path's requests are lost at a time.
        flakiness: the share of alerts that are answered with 503.
        submitted: how often each canary's request came.
        tickets: when each canary's ticket was made.
        heard: the alerts that were taken, in order, by their webhook-id.
        notified: what Alertmanager told its webhook: the key of an alert and whether it fires, in order.
    """

    now: Callable[[], datetime]
    is_down: Callable[[str, datetime], bool]
    chance: random.Random
    flakiness: float = 0.2
    url: str = ""
    submitted: Counter[str] = field(default_factory=Counter)
    tickets: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    notified: list[tuple[str, bool]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, canary_id: str, path: str) -> dict[str, Any]:
        """A request comes in."""
        with self.lock:
            self.submitted[canary_id] += 1
            if not self.is_down(path, self.now()):
                self.tickets.setdefault(canary_id, self.now().isoformat())
            return {}

    def find(self, canary_ids: list[str]) -> dict[str, Any]:
        """Which of them have a ticket, and since when."""
        with self.lock:
            return {one: self.tickets[one] for one in canary_ids if one in self.tickets}

    def remove(self, canary_ids: list[str]) -> dict[str, Any]:
        """Close their tickets."""
        with self.lock:
            self.removed |= set(canary_ids)
            return {}

    def hear(self, message_id: str, body: dict[str, Any]) -> bool:
        """Take an alert, or be busy."""
        with self.lock:
            if self.chance.random() < self.flakiness:
                return False
            self.heard.append((message_id, body))
            return True

    def notify(self, body: dict[str, Any]) -> dict[str, Any]:
        """Take what Alertmanager says (webhook_config, payload version 4)."""
        with self.lock:
            self.notified += [(one["labels"]["key"], one["status"] == "firing") for one in body["alerts"]]
            return {}


@contextmanager
def served(intake: Intake) -> Iterator[Intake]:
    """The intake on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"{}")
            status, answer = 200, {}
            match self.path:
                case "/submit":
                    answer = intake.submit(body["id"], body["path"])
                case "/find":
                    answer = intake.find(body["ids"])
                case "/remove":
                    answer = intake.remove(body["ids"])
                case "/notified":
                    answer = intake.notify(body)
                case "/alerts":
                    status = 200 if intake.hear(self.headers["webhook-id"], body) else 503
                case _:
                    status = 404
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    intake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield intake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
