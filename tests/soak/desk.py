"""A ticketing interface in memory that speaks as django-helpdesk's does, and fetches the sandbox's support mailbox.

It is no proof of anything that a real helpdesk does: it stands in for one where two hundred canaries a minute would
measure the helpdesk and not the prober.
"""

import contextlib
import email
import email.policy
import imaplib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.sandbox import Sandbox

_OPEN = {1, 2}
FETCH_SECONDS = 1.0


@dataclass
class Desk:
    """Tickets by number, as the interface gives them."""

    url: str = ""
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    fetched: int = 0

    def take(self, raw: bytes) -> None:
        """Make a ticket of a mail."""
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body(("plain",))
        with self.lock:
            self.fetched += 1
            number = self.fetched
            self.rows[number] = {
                "id": number,
                "title": str(mail["Subject"]),
                "description": body.get_content() if body is not None else "",
                "submitter_email": parseaddr(str(mail["From"]))[1],
                "status": 1,
                "resolution": "",
                "followup_set": [
                    {
                        "date": datetime.now(UTC).isoformat(),
                        "message_id": str(mail["Message-ID"]),
                        "followupattachment_set": [],
                    }
                ],
            }

    def page(self, wanted: str, size: int, statuses: set[int]) -> dict[str, Any]:
        """One page, the oldest ticket first."""
        with self.lock:
            rows = [one for _, one in sorted(self.rows.items()) if not statuses or one["status"] in statuses]
            pages = max(1, -(-len(rows) // size))
            number = pages if wanted == "last" else min(pages, max(1, int(wanted)))
            previous = f"{self.url}/api/tickets/?page={number - 1}" if number > 1 else None
            some = rows[(number - 1) * size : number * size]
            return {
                "count": len(rows),
                "next": None,
                "previous": previous,
                "results": [dict(one) for one in some],
            }

    def change(self, number: int, fields: dict[str, Any]) -> dict[str, Any] | None:
        """Change a ticket; a closed one is forgotten after a while, so that memory is the prober's own."""
        with self.lock:
            row = self.rows.get(number)
            if row is None:
                return None
            row.update(fields)
            for old in [one for one in self.rows if one < self.fetched - 2000]:
                del self.rows[old]
            return dict(row)


@contextmanager
def fetching(sandbox: Sandbox) -> Iterator[Desk]:
    """The desk, fed from the support mailbox until the end of the scope."""
    desk = Desk()
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            statuses = {int(one) for one in query.get("status", [""])[0].split(",") if one}
            self.answer(desk.page(query["page"][0], int(query["page_size"][0]), statuses))

        def do_PATCH(self) -> None:
            fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(desk.change(int(self.path.rstrip("/").rpartition("/")[2]), fields))

        def answer(self, found: dict[str, Any] | None) -> None:
            data = json.dumps(found or {}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    desk.url = f"http://127.0.0.1:{server.server_port}"
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True),
        threading.Thread(target=_fetch, args=(sandbox, desk, stop), daemon=True),
    ]
    for one in threads:
        one.start()
    try:
        yield desk
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
        for one in threads:
            one.join(10)


def _fetch(sandbox: Sandbox, desk: Desk, stop: threading.Event) -> None:
    while not stop.is_set():
        with (
            contextlib.suppress(OSError, imaplib.IMAP4.error),
            imaplib.IMAP4(sandbox.endpoints.host, sandbox.endpoints.imap_port) as imap,
        ):
            imap.starttls(ssl.create_default_context(cafile=sandbox.endpoints.ca_file))
            imap.login(sandbox.support.address, sandbox.support.password)
            while not stop.wait(FETCH_SECONDS):
                imap.select("INBOX")
                _, [found] = imap.search(None, "UNSEEN")
                for number in (found or b"").split():
                    _, parts = imap.fetch(number.decode(), "(RFC822)")
                    for part in parts:
                        if isinstance(part, tuple):
                            desk.take(part[1])
