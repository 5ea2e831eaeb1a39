"""Freshdesk's API v2, as developers.freshdesk.com/api publishes it.

Sections of that page, each named where a fact of it is used: *Authentication*, *List All Tickets*, *Update a Ticket*,
*Delete a Ticket*, *Filter Tickets*, *Rate Limit*, *Pagination*, *Error Response*.
"""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from probes.contracts import Clock
from tests.simulators.gateway import Allowance, Asked, Route, Simulator, Told
from tests.simulators.table import Held, Row

API_KEY: Final = "the-key-of-an-agent"
MOST_ROWS: Final = 100
"""*Pagination*: 30 unless asked for more, 100 at most, else 400."""
DEFAULT_DAYS: Final = 30
"""*List All Tickets*: without ``updated_since`` only what was created in the last 30 days."""
INCLUDE_CREDITS: Final = 2
"""*List All Tickets*: each ``include`` costs two more calls."""
MOST_FOUND_PAGES: Final = 10
"""*Filter Tickets*: 30 a page and 10 pages."""
_OPEN: Final = 2
_CLOSED: Final = 5
"""*Ticket Properties*: 2 open, 3 pending, 4 resolved, 5 closed."""
_SOURCE: Final = {"email": 1, "portal": 2, "form": 9, "api": 2}
"""*Ticket Properties*: 1 email, 2 portal, 3 phone, 7 chat, 9 feedback widget, 10 outbound email."""


class Freshdesk(Simulator):
    """One account. ``required``: fields that closing a ticket asks for."""

    def __init__(self, clock: Clock, *, calls_a_minute: int = 100) -> None:
        super().__init__(clock)
        self.account = Allowance(clock, calls_a_minute, 60)
        self.may_write = True
        self.scope = 1
        self.required: tuple[str, ...] = ()
        self._cost = 1

    def routes(self) -> list[Route]:
        """The paths of the sections named above."""
        return [
            ("GET", "/api/v2/tickets", self._list),
            ("POST", "/api/v2/tickets", self._create),
            ("GET", "/api/v2/search/tickets", self._search),
            ("GET", "/api/v2/agents/me", self._me),
            ("GET", "/api/v2/tickets/(?P<number>\\d+)", self._show),
            ("PUT", "/api/v2/tickets/(?P<number>\\d+)", self._update),
            ("DELETE", "/api/v2/tickets/(?P<number>\\d+)", self._delete),
            ("GET", "/attachments/(?P<number>\\d+)/(?P<index>\\d+)", self._file),
        ]

    def admit(self, asked: Asked) -> Told | None:
        """*Authentication*: the key as the user, any word as the password. Refused calls count, too."""
        pair = base64.b64encode(f"{API_KEY}:X".encode()).decode()
        if asked.path.startswith("/attachments/") or asked.headers.get("authorization") == f"Basic {pair}":
            return None
        self.account.take()
        return self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """*Rate Limit*: 429 and ``Retry-After``."""
        includes = [one for one in asked.query.get("include", "").split(",") if one]
        self._cost = 1 + INCLUDE_CREDITS * len(includes)
        if all([self.account.take() for _ in range(self._cost)]):  # noqa: C419 - each is taken
            return None
        wait = str(self.account.resets_in)
        return Told(
            429, {"message": "You have exceeded the limit of requests per minute"}, {"Retry-After": wait}
        )

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """*Rate Limit*: total, remaining, and what this call used."""
        del asked
        return {
            "X-RateLimit-Total": str(self.account.limit),
            "X-RateLimit-Remaining": str(self.account.left),
            "X-RateLimit-Used-CurrentRequest": str(self._cost),
        }

    def error(self, status: int) -> Told:
        """*Error Response*; that 404 has no body is from memory [M]."""
        match status:
            case 401:
                return Told(
                    401,
                    {
                        "code": "invalid_credentials",
                        "message": "You have to be logged in to perform this action.",
                    },
                )
            case 403:
                return Told(
                    403,
                    {"code": "access_denied", "message": "You are not authorized to perform this action."},
                )
            case 404:
                return Told(404)
            case _:
                return Told(status, {"message": "try again later"})

    def _list(self, asked: Asked) -> Told:
        query = asked.query
        size = asked.number("per_page", 30)
        if size > MOST_ROWS:
            return _invalid("per_page", "It should be a Positive Integer less than or equal to 100")
        if query.get("filter") == "spam":
            held = sorted(self.desk.held.values(), key=lambda one: one.created_at, reverse=True)
            page = asked.number("page", 1)
            more = {"Link": self._next(asked, page)} if len(held) > page * size else {}
            return Told(200, [self._spam(one) for one in held][(page - 1) * size : page * size], more)
        if query.get("filter") == "deleted":
            rows = [one for one in self.desk.rows.values() if one.deleted_at is not None]
        else:
            rows = self.desk.alive()
        if "updated_since" in query:
            since = datetime.fromisoformat(query["updated_since"])
            rows = [one for one in rows if one.updated_at >= since]
        else:
            oldest = self.clock.now() - timedelta(days=DEFAULT_DAYS)
            rows = [one for one in rows if one.created_at >= oldest]
        if "email" in query:
            rows = [one for one in rows if one.requester.lower() == query["email"].lower()]
        rows = sorted(
            rows, key=lambda one: (one.created_at, one.id), reverse=query.get("order_type") != "asc"
        )
        page = asked.number("page", 1)
        part = rows[(page - 1) * size : page * size]
        headers: dict[str, str] = {}
        if len(rows) > page * size:  # *Pagination*: a Link header while there is more
            headers["Link"] = self._next(asked, page)
        includes = query.get("include", "").split(",")
        return Told(200, [self._ticket(one, includes) for one in part], headers)

    def _next(self, asked: Asked, page: int) -> str:
        others = "&".join(f"{name}={value}" for name, value in asked.query.items() if name != "page")
        return f'<{asked.base}{asked.path}?{others}&page={page + 1}>; rel="next"'

    def _ticket(self, row: Row, includes: list[str]) -> dict[str, object]:
        """*Ticket Properties*; the list has no description and no requester unless they are included."""
        shown: dict[str, object] = {
            "id": row.id,
            "subject": row.subject,
            "status": _OPEN if row.is_open else _CLOSED,
            "priority": 1,
            "source": _SOURCE[row.channel],
            "requester_id": 129,
            "to_emails": ["support@acme.test"],
            "support_email": "support@acme.test",
            "spam": False,
            "tags": row.tags,
            "created_at": _stamp(row.created_at),
            "updated_at": _stamp(row.updated_at),
        }
        if "description" in includes:
            shown["description"] = f"<div>{row.body}</div>"
            shown["description_text"] = row.body
        if "requester" in includes:
            shown["requester"] = {"id": 129, "name": "A Customer", "email": row.requester}
        if row.deleted_at is not None:
            shown["deleted"] = True
        return shown

    def _spam(self, held: Held) -> dict[str, object]:
        return {
            "id": held.id,
            "subject": held.subject,
            "description": f"<div>{held.body}</div>",
            "description_text": held.body,
            "status": _OPEN,
            "source": 1,
            "spam": True,
            "tags": [],
            "requester": {"id": 129, "name": "A Customer", "email": held.requester},
            "created_at": _stamp(held.created_at),
            "updated_at": _stamp(held.created_at),
        }

    def _search(self, asked: Asked) -> Told:
        """*Filter Tickets*: an index that lags by minutes [M]; 30 a page, 10 pages; no filter by requester."""
        if asked.number("page", 1) > MOST_FOUND_PAGES:
            return _invalid("page", "It should be a Positive Integer less than or equal to 10")
        rows = self.desk.indexed()
        page = asked.number("page", 1)
        return Told(
            200,
            {
                "total": len(rows),
                "results": [self._ticket(one, []) for one in rows[(page - 1) * 30 : page * 30]],
            },
        )

    def _me(self, _: Asked) -> Told:
        """*View the Currently Authenticated Agent*; ``ticket_scope`` 1 global, 2 group, 3 restricted (*Agents*)."""
        return Told(
            200,
            {
                "id": 6001,
                "ticket_scope": self.scope,
                "available": True,
                "contact": {"email": "prober@acme.test"},
            },
        )

    def _show(self, asked: Asked, number: str) -> Told:
        """*View a Ticket*: has the description, and the attachments [M]."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        files = [
            {
                "id": index,
                "name": one.name,
                "size": len(one.content),
                "attachment_url": f"{asked.base}/attachments/{row.id}/{index}",
            }
            for index, one in enumerate(row.files)
        ]
        includes = ["description", *asked.query.get("include", "").split(",")]
        return Told(200, {**self._ticket(row, includes), "attachments": files})

    def _file(self, _: Asked, number: str, index: str) -> Told:
        row = self.desk.find(int(number))
        if row is None or int(index) >= len(row.files):
            return self.error(404)
        return Told(200, row.files[int(index)].content, kind="application/octet-stream")

    def _create(self, asked: Asked) -> Told:
        """*Create a Ticket*: 201; a requester, subject, text, status and priority are needed."""
        said = asked.json()
        needed = ("email", "subject", "description", "status", "priority")
        missing = [one for one in needed if not said.get(one)]
        if missing:
            return _invalid(missing[0], "It should be a/an String", code="missing_field")
        if not self.may_write:
            return self.error(403)
        row = self.desk.plant(said["subject"], said["description"], said["email"], channel="portal")
        return Told(201, self._ticket(row, ["description"]))

    def _update(self, asked: Asked, number: str) -> Told:
        """*Update a Ticket*: tags are replaced; what closing needs is answered field by field."""
        row = self.desk.find(int(number))
        if not self.may_write:
            return self.error(403)
        if row is None:
            return self.error(404)
        said = asked.json()
        missing = [one for one in self.required if said.get("status") == _CLOSED and not said.get(one)]
        if missing:
            return _invalid(missing[0], "It should be a/an String", code="missing_field")
        if not self.faults.swallows:
            if "tags" in said:
                row.tags = [str(one) for one in said["tags"]]
            if "status" in said:
                row.is_open = said["status"] not in {4, _CLOSED}
            self.desk.touch(row)
        return Told(200, self._ticket(row, ["description"]))

    def _delete(self, _: Asked, number: str) -> Told:
        """*Delete a Ticket*: 204, softly. A second time: 405 [M]."""
        row = self.desk.find(int(number))
        if not self.may_write:
            return self.error(403)
        if self.desk.held.pop(int(number), None) is not None:
            return Told(204)
        if row is None:
            return Told(405) if int(number) in self.desk.rows else self.error(404)
        if not self.faults.swallows:
            self.desk.bin(row)
        return Told(204)


def _invalid(field: str, message: str, *, code: str = "invalid_value") -> Told:
    errors = [{"field": field, "message": message, "code": code}]
    return Told(400, {"description": "Validation failed", "errors": errors})


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
