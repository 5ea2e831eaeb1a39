"""A ticketing system of a taste of its own: sessions, ETags, texts elsewhere, HTML, side-loaded people, a held queue."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

import httpx

from tests.fakes.clock import FakeClock

KEY = "key-of-the-odd-desk"
URL = "https://odd.acme.test"
CONFIGURATION = """\
url: https://odd.acme.test
secrets: {key: {env: ODD_KEY}}
headers: {Origin: "https://odd.acme.test"}
auth:
  exchange:
    post: /login
    json: {key: "{{ secret.key }}"}
    take: {session: session, lifetime: seconds}
  headers: {X-Session: "{{ auth.session }}"}
  end: {post: /logout}
ticket:
  id: id
  subject: title
  requester: {join: {table: people, on: customer, pick: mail}}
  created_at: {pick: opened, as: {time: epoch_ms}}
  open: {pick: state, not_among: [9]}
  tags: labels
  channel: via
  also: {thread: thread}
find:
  recent:
    get: /v1/tickets
    query: {after: "{{ since | epoch_ms }}"}
    page: {cursor: {pick: next, into: {query: cursor}}}
    order: newest_first
    max_pages: 5
    rows: data
    read:
      - get: "/v1/threads/{{ ticket.thread }}"
        ticket: {body: {pick: "entries[0].html", as: html}}
diverted:
  held:
    get: /v1/held
    rows: held
    ticket: {id: id, subject: title, reason: why, created_at: {pick: at, as: {time: epoch_ms}}}
    clean:
      - {delete: "/v1/held/{{ ticket.id }}"}
channel: {email: [Mail], portal: [Web]}
sight: {get: /v1/me, must: me.name}
clean:
  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}
  close:
    - patch: "/v1/tickets/{{ ticket.id }}"
      json: {state: 9, labels: "{{ ticket.tags | plus(tag) }}"}
      if_match: {header: ETag}
      ok: [204]
  delete:
    - {delete: "/v1/tickets/{{ ticket.id }}"}
failures:
  - {status: 200, pick: error.code, equals: [E_SESSION], means: auth}
create: {post: /v1/tickets, json: {title: "{{ subject }}", text: "{{ body }}"}, id: made.id}
"""


@dataclass
class Row:
    """A ticket as the system keeps it."""

    title: str
    html: str = "<p>help</p>"
    mail: str = "canary@probe.test"
    opened: datetime | None = None
    state: int = 1
    labels: list[str] = field(default_factory=list)
    via: str = "Mail"
    version: int = 1


class OddDesk:
    """The system; `handle` answers one request. Switches are attributes."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.rows: dict[int, Row] = {}
        self.held: dict[int, tuple[str, str]] = {}
        self.requests: list[httpx.Request] = []
        self.session = 0
        self.page_size = 3
        self.keeps_writes = True
        self.is_oldest_first = False
        self.hides_all = False
        self.filter_is_late: timedelta | None = None
        """It filters by time, and takes the moment for one that is so much later; None: it does not filter."""
        self.repeats_page = False
        self.session_error_is_200 = False
        self.changed_by_others = 0
        self.without: set[str] = set()
        self.headers: dict[str, str] = {}
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda _: None

    def add(self, title: str, **values: object) -> int:
        number = max(self.rows, default=0) + 1
        row = Row(title, **values)  # type: ignore[arg-type]  # a test's own words
        row.opened = row.opened or self.clock.now()
        self.rows[number] = row
        return number

    def paths(self) -> list[str]:
        return [f"{one.method} {one.url.path}" for one in self.requests]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        scripted = self.answer(request)
        if scripted is not None:
            return scripted
        answer = self._answered(request)
        answer.headers["date"] = format_datetime(self.clock.now(), usegmt=True)
        answer.headers.update(self.headers)
        return answer

    def _answered(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("origin") != URL:
            return httpx.Response(403, json={"error": {"code": "E_ORIGIN"}})
        path = request.url.path
        if path == "/login":
            if json.loads(request.content)["key"] != KEY:
                return httpx.Response(400, json={"error": {"code": "E_KEY"}})
            self.session += 1
            return httpx.Response(200, json={"session": f"session-number-{self.session}", "seconds": 600})
        if request.headers.get("x-session") != f"session-number-{self.session}":
            status = 200 if self.session_error_is_200 else 401
            return httpx.Response(status, json={"error": {"code": "E_SESSION"}})
        return self._served(request, path.removeprefix("/v1/").split("/"))

    def _served(self, request: httpx.Request, parts: list[str]) -> httpx.Response:  # noqa: PLR0911 -- one a route
        match request.method, parts:
            case "GET", ["tickets"]:
                return self._page(request)
            case "POST", ["tickets"]:
                return httpx.Response(
                    201, json={"made": {"id": self.add(json.loads(request.content)["title"])}}
                )
            case "GET", ["threads", number]:
                return httpx.Response(200, json={"entries": [{"html": self.rows[int(number) - 7000].html}]})
            case "GET", ["held"]:
                at = int(self.clock.now().timestamp() * 1000)
                held = [{"id": n, "title": t, "why": w, "at": at} for n, (t, w) in self.held.items()]
                return httpx.Response(200, json={"held": held})
            case "DELETE", ["held", number]:
                del self.held[int(number)]
                return httpx.Response(204)
            case "GET", ["me"]:
                return httpx.Response(200, json={"me": None if self.hides_all else {"name": "prober"}})
            case _, ["tickets", number]:
                return self._one(request, int(number))
            case _:
                return httpx.Response(204)

    def _page(self, request: httpx.Request) -> httpx.Response:
        numbers = [] if self.hides_all else sorted(self.rows, reverse=not self.is_oldest_first)
        if self.filter_is_late is not None:
            after = int(request.url.params["after"]) / 1000 + self.filter_is_late.total_seconds()
            numbers = [
                one for one in numbers if (self.rows[one].opened or self.clock.now()).timestamp() >= after
            ]
        begin = int(request.url.params.get("cursor", "0"))
        rows = [self._shown(one) for one in numbers[begin : begin + self.page_size]]
        shown = numbers[begin : begin + self.page_size]
        people = [{"id": 500 + one, "mail": self.rows[one].mail} for one in shown]
        following = begin + self.page_size
        more = str(0 if self.repeats_page else following) if following < len(numbers) else None
        return httpx.Response(200, json={"data": rows, "people": people, "next": more})

    def _shown(self, number: int) -> dict[str, object]:
        row = self.rows[number]
        assert row.opened is not None
        shown: dict[str, object] = {
            "id": number,
            "title": row.title,
            "opened": int(row.opened.timestamp() * 1000),
            "state": row.state,
            "labels": row.labels,
            "via": row.via,
            "thread": 7000 + number,
            "customer": 500 + number,
        }
        return {name: one for name, one in shown.items() if name not in self.without}

    def _one(self, request: httpx.Request, number: int) -> httpx.Response:
        row = self.rows.get(number)
        if row is None:
            return httpx.Response(404, json={})
        etag = f'"v{row.version}"'
        if request.method == "GET":
            if self.changed_by_others:
                self.changed_by_others -= 1
                row.version += 1
            return httpx.Response(200, json={"ticket": self._shown(number)}, headers={"ETag": etag})
        if request.method == "DELETE":
            if self.keeps_writes:
                del self.rows[number]
            return httpx.Response(204)
        if request.headers.get("if-match") != etag:
            return httpx.Response(412, json={})
        if self.keeps_writes:
            change = json.loads(request.content)
            row.state, row.labels = change["state"], change["labels"]
            row.version += 1
        return httpx.Response(204)


def long_ago(clock: FakeClock) -> datetime:
    """Before anything that is looked for."""
    return clock.now() - timedelta(days=2)
