"""Zendesk Support, as developer.zendesk.com publishes it.

Pages, each named where a fact of it is used: *Tickets*, *Suspended Tickets*, *Job Statuses*, *Pagination*, *Rate
limits*, *Search*, *OAuth Tokens for Grant Types*, *Cause of suspension reference*, *Via types*, *Side-Loading*.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from probes.contracts import Clock
from tests.simulators.gateway import Allowance, Asked, Route, Simulator, Tokens, Told, bearer
from tests.simulators.table import Held, Job, Row

CLIENT_ID: Final = "intake_prober"
CLIENT_SECRET: Final = "the-secret-of-the-client"
TOKEN_SECONDS: Final = 1800
"""Access tokens of clients made after April 2026 live for half an hour (*OAuth Tokens for Grant Types*)."""
MOST_ROWS: Final = 100
"""A page (*Pagination*); 100 ids at most in one bulk call (*Tickets*)."""
MOST_PAGES: Final = 100
"""Offset pages beyond are answered 400 (*Pagination*)."""
MOST_FOUND: Final = 1000
"""Results of one search; the pages beyond are answered 422 (*Search*)."""

CAUSES: Final[Mapping[str, int]] = {
    "Detected as spam": 0,
    "Sender domain not on allowlist": 1,
    "Submitted by unverified user": 2,
    "Automated response mail": 3,
    "Detected as mail loop": 4,
    "Automated response mail, delivery failed": 7,
    "Automated response mail, out of office": 8,
    "Detected email as being from a system user": 9,
    "Permission denied for unknown email submitter": 10,
    "Email has no content": 11,
    "User must sign up to submit email, user notified": 12,
    "Email is from a blocklisted sender or domain": 13,
    "Backscatter from remote mail server": 14,
    "Email integration disabled": 15,
    'Email for "noreply" address': 16,
}
"""The words and ids of *Cause of suspension reference*."""

_VIA: Final = {"email": "email", "portal": "web", "form": "web", "api": "api"}
"""*Via types*: the help center's form and a web form of one's own both are ``web``."""
_JSON: Final = r"(?:\.json)?"
"""Every path may end in ``.json``, as the examples of older pages do."""


class Zendesk(Simulator):
    """One account.

    Attributes:
        sees_suspended: whether the acting agent may manage suspended tickets.
        may_write: whether it may change tickets; else it is a light agent.
        known: addresses of end users who have not yet written.
    """

    def __init__(self, clock: Clock, *, calls_a_minute: int = 700, list_calls_a_minute: int = 100) -> None:
        super().__init__(clock)
        self.tokens = Tokens(clock, lifetime_seconds=TOKEN_SECONDS)
        self.sees_suspended = True
        self.may_write = True
        self.restriction: str | None = None
        self.known: set[str] = set()
        # 700 a minute on Suite Enterprise, and 100 lists on trials (*Rate limits*, *Tickets*: List Tickets limits)
        self.account = Allowance(clock, calls_a_minute, 60)
        self.lists = Allowance(clock, list_calls_a_minute, 60)
        self._users: dict[str, int] = {}

    def routes(self) -> list[Route]:
        """The paths of the pages named above."""
        api = "/api/v2"
        return [
            ("POST", "/oauth/tokens", self._token),
            ("GET", f"{api}/users/search{_JSON}", self._search_users),
            ("GET", f"{api}/users/me{_JSON}", self._me),
            ("GET", f"{api}/users/(?P<user>\\d+)/tickets/requested{_JSON}", self._requested),
            ("GET", f"{api}/tickets{_JSON}", self._tickets),
            ("POST", f"{api}/tickets{_JSON}", self._create),
            ("GET", f"{api}/tickets/show_many{_JSON}", self._show_many),
            ("PUT", f"{api}/tickets/update_many{_JSON}", self._update_many),
            ("DELETE", f"{api}/tickets/destroy_many{_JSON}", self._destroy_many),
            ("DELETE", f"{api}/deleted_tickets/destroy_many{_JSON}", self._purge_many),
            ("GET", f"{api}/tickets/(?P<number>\\d+){_JSON}", self._show),
            ("PUT", f"{api}/tickets/(?P<number>\\d+){_JSON}", self._update),
            ("DELETE", f"{api}/tickets/(?P<number>\\d+){_JSON}", self._destroy),
            ("GET", f"{api}/tickets/(?P<number>\\d+)/comments{_JSON}", self._comments),
            ("GET", "/attachments/(?P<number>\\d+)/(?P<index>\\d+)", self._file),
            ("GET", f"{api}/job_statuses/(?P<number>[0-9a-f]+){_JSON}", self._job),
            ("GET", f"{api}/search{_JSON}", self._search),
            ("GET", f"{api}/suspended_tickets{_JSON}", self._suspended),
            ("DELETE", f"{api}/suspended_tickets/destroy_many{_JSON}", self._destroy_suspended),
        ]

    def user_id(self, address: str) -> int:
        """The id of an end user; made when it first writes."""
        return self._users.setdefault(address.lower(), 35436 + len(self._users))

    def admit(self, asked: Asked) -> Told | None:
        """A bearer token on everything but the token's own exchange."""
        if asked.path == "/oauth/tokens" or self.tokens.is_good(bearer(asked)):
            return None
        return self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """*Rate limits*: 429 with ``Retry-After``; its body is plain text (a help-center post of May 2022)."""
        is_list = self._is_list(asked)
        if asked.path == "/oauth/tokens":
            return None
        if self.account.take() and (not is_list or self.lists.take()):
            return None
        words = "Number of allowed API requests per minute exceeded"
        wait = self.lists.resets_in if is_list and self.account.left else self.account.resets_in
        return Told(429, words, {"Retry-After": str(wait), **self.budget(asked)}, "text/plain")

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """*Best practices for avoiding rate limiting* shows these headers together."""
        headers = {
            "X-Rate-Limit": str(self.account.limit),
            "X-Rate-Limit-Remaining": str(self.account.left),
            "ratelimit-limit": str(self.account.limit),
            "ratelimit-remaining": str(self.account.left),
            "ratelimit-reset": str(self.account.resets_in),
        }
        if self._is_list(asked):
            lists = self.lists
            headers["zendesk-ratelimit-tickets-index"] = (
                f"total={lists.limit}; remaining={lists.left}; resets={lists.resets_in}"
            )
        return headers

    def error(self, status: int) -> Told:
        """Shapes as clients' tests show them; the words of 401 and 404 are those of the *Introduction*."""
        match status:
            case 401:
                return Told(401, {"error": "Couldn't authenticate you"})
            case 403:
                return Told(
                    403, {"error": {"title": "Forbidden", "message": "You do not have access to this page."}}
                )
            case 404:
                return Told(404, {"error": "RecordNotFound", "description": "Not found"})
            case 429:
                return Told(429, "Too many requests", {"Retry-After": "30"}, "text/plain")
            case _:
                return Told(status, {"error": "InternalError", "description": "try again later"})

    def _is_list(self, asked: Asked) -> bool:
        return re.match(r"/api/v2/tickets(\.json)?$", asked.path) is not None

    def _token(self, asked: Asked) -> Told:
        """*Create Token for Grant Type*: grant, client and scope as JSON; the answer tells ``expires_in``."""
        said = asked.json()
        if said.get("grant_type") != "client_credentials":
            return Told(400, {"error": "unsupported_grant_type"})
        if (said.get("client_id"), said.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Told(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
        return Told(
            200,
            {
                "access_token": self.tokens.issue(),
                "token_type": "bearer",
                "scope": said.get("scope", ""),
                "expires_in": TOKEN_SECONDS,
            },
        )

    def _search_users(self, asked: Asked) -> Told:
        """*Search Users*: by the address as the query, or ``email:address``."""
        wanted = asked.query.get("query", "").removeprefix("email:").strip('"').lower()
        rows: list[Row | Held] = [*self.desk.rows.values(), *self.desk.held.values()]
        known = {*self.known, *(one.requester.lower() for one in rows)}
        found = [self._user(wanted)] if wanted in known else []
        return Told(200, {"users": found, "next_page": None, "previous_page": None, "count": len(found)})

    def _me(self, _: Asked) -> Told:
        """*Show Self*; a light agent has the ``role_type`` 1, and ``ticket_restriction`` is null where it sees all (*Users*: JSON format)."""
        me = {
            "id": 35001,
            "role": "agent",
            "role_type": 0 if self.may_write else 1,
            "active": True,
            "ticket_restriction": self.restriction,
        }
        return Told(200, {"user": me})

    def _user(self, address: str) -> dict[str, object]:
        return {
            "id": self.user_id(address),
            "name": address.partition("@")[0],
            "email": address,
            "role": "end-user",
            "active": True,
            "suspended": False,
        }

    def _requested(self, asked: Asked, user: str) -> Told:
        rows = [one for one in self.desk.alive() if self.user_id(one.requester) == int(user)]
        if int(user) not in self._users.values():  # *Merge End Users*: whoever was merged is no user any more
            return self.error(404)
        return self._listed(asked, rows)

    def _tickets(self, asked: Asked) -> Told:
        """*List Tickets*. That it reads the table, and sees a ticket at once, is from memory [M]."""
        return self._listed(asked, self.desk.alive())

    def _listed(self, asked: Asked, rows: Sequence[Row]) -> Told:
        if "page[size]" in asked.query:
            return self._by_cursor(asked, rows)
        key: Callable[[Row], object] = lambda one: one.id  # noqa: E731
        match asked.query.get("sort_by", asked.query.get("sort", "").lstrip("-")):
            case "created_at":
                key = lambda one: (one.created_at, one.id)  # noqa: E731
            case "updated_at":
                key = lambda one: (one.updated_at, one.id)  # noqa: E731
            case _:
                pass
        is_down = asked.query.get("sort_order") == "desc" or asked.query.get("sort", "").startswith("-")
        ordered = sorted(rows, key=key, reverse=is_down)  # type: ignore[arg-type]  # each key orders its kind
        return self._by_number(asked, ordered, "tickets", self._ticket)

    def _by_number(
        self,
        asked: Asked,
        rows: Sequence[Row] | Sequence[Held],
        name: str,
        shown: Callable[..., dict[str, object]],
    ) -> Told:
        """Offset pages: ``page`` and ``per_page``, with the link to the next (*Pagination*)."""
        size = min(MOST_ROWS, asked.number("per_page", MOST_ROWS))
        page = asked.number("page", 1)
        if page > MOST_PAGES:
            return Told(400, {"error": "InvalidPaginationDepth", "description": "use cursor pagination"})
        part = rows[(page - 1) * size : page * size]
        more = len(rows) > page * size
        others = "&".join(f"{key}={value}" for key, value in asked.query.items() if key != "page")
        link = f"{asked.base}{asked.path}?{others}&page={page + 1}" if more else None
        value: dict[str, object] = {
            name: [shown(one) for one in part],
            "next_page": link,
            "previous_page": None,
            "count": len(rows),
        }
        return Told(200, {**value, **self._sideloaded(asked, part)})

    def _by_cursor(self, asked: Asked, rows: Sequence[Row]) -> Told:
        """Cursor pages: ``page[size]`` and ``page[after]``, with ``meta`` and ``links`` (*Pagination*).

        Sorts are ``id``, ``updated_at`` and ``status``, with ``-`` for descending (*List Tickets*).
        """
        sort = asked.query.get("sort", "id")
        if sort.lstrip("-") not in {"id", "updated_at", "status"}:
            return Told(
                400, {"error": "InvalidPaginationParameter", "description": f"sort is not valid: {sort}"}
            )
        size = min(MOST_ROWS, asked.number("page[size]", MOST_ROWS))
        is_down = sort.startswith("-")
        after = _opened(asked.query.get("page[after]", ""))
        ordered = sorted(rows, key=lambda one: one.id, reverse=is_down)
        rest = [one for one in ordered if after is None or (one.id < after if is_down else one.id > after)]
        part = rest[:size]
        meta = _meta(part, has_more=len(rest) > size)
        link = f"{asked.base}{asked.path}?page[size]={size}&sort={sort}&page[after]={meta['after_cursor']}"
        return Told(
            200,
            {
                "tickets": [self._ticket(one) for one in part],
                "meta": meta,
                "links": {"next": link if meta["has_more"] else None, "prev": None},
                **self._sideloaded(asked, part),
            },
        )

    def _sideloaded(self, asked: Asked, rows: Sequence[Row] | Sequence[Held]) -> dict[str, object]:
        """*Side-Loading*: ``include=users`` adds the users of the page once each."""
        if "users" not in asked.query.get("include", "").split(","):
            return {}
        return {"users": [self._user(one) for one in dict.fromkeys(row.requester for row in rows)]}

    def _ticket(self, row: Row) -> dict[str, object]:
        """*Tickets*: JSON format."""
        return {
            "id": row.id,
            "url": f"https://acme.zendesk.com/api/v2/tickets/{row.id}.json",
            "subject": row.subject,
            "raw_subject": row.subject,
            "description": row.body,
            "status": "closed" if not row.is_open else "new",
            "requester_id": self.user_id(row.requester),
            "submitter_id": self.user_id(row.requester),
            "recipient": "support@acme.test",
            "tags": row.tags,
            "via": {
                "channel": _VIA[row.channel],
                "source": {
                    "from": {"address": row.requester},
                    "to": {"address": "support@acme.test"},
                    "rel": None,
                },
            },
            "created_at": _stamp(row.created_at),
            "updated_at": _stamp(row.updated_at),
        }

    def _show_many(self, asked: Asked) -> Told:
        found = [row for one in _ids(asked) if (row := self.desk.find(one)) is not None]
        value = {"tickets": [self._ticket(one) for one in found], "count": len(found)}
        return Told(200, {**value, **self._sideloaded(asked, found)})

    def _show(self, asked: Asked, number: str) -> Told:
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        return Told(200, {"ticket": self._ticket(row), **self._sideloaded(asked, [row])})

    def _comments(self, asked: Asked, number: str) -> Told:
        """*Ticket Comments*: the first is the description; attachments have a ``content_url``."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        files = [
            {
                "file_name": one.name,
                "content_url": f"{asked.base}/attachments/{row.id}/{index}",
                "content_type": "application/pdf",
                "size": len(one.content),
            }
            for index, one in enumerate(row.files)
        ]
        texts = [row.body, *row.added]
        comments = [
            {
                "id": row.id * 100 + index,
                "body": text,
                "plain_body": text,
                "author_id": self.user_id(row.requester),
                "attachments": files if index == 0 else [],
            }
            for index, text in enumerate(texts)
        ]
        return Told(
            200, {"comments": comments, "next_page": None, "previous_page": None, "count": len(texts)}
        )

    def _file(self, _: Asked, number: str, index: str) -> Told:
        row = self.desk.find(int(number))
        if row is None or int(index) >= len(row.files):
            return self.error(404)
        # *Attachments*: content_url redirects to a temporary file URL, which is on another host
        place = f"https://files.zdusercontent.test/{row.id}/{index}?token=temporary"
        return Told(302, b"", headers={"Location": place})

    def _create(self, asked: Asked) -> Told:
        """*Create Ticket*: 201; a requester who is unknown is made, and then needs a name."""
        if not self.may_write:
            return self.error(403)
        said = asked.json().get("ticket", {})
        requester, comment = said.get("requester") or {}, said.get("comment") or {}
        address, body = requester.get("email"), comment.get("body")
        if not body or not address or (address not in self._users and not requester.get("name")):
            return Told(422, {"error": "RecordInvalid", "description": "Record validation errors"})
        row = self.desk.plant(said.get("subject") or body, body, address, channel="api")
        return Told(201, {"ticket": self._ticket(row)})

    def _update(self, asked: Asked, number: str) -> Told:
        row = self.desk.find(int(number))
        if not self.may_write:
            return self.error(403)
        if row is None:
            return self.error(404)
        if self.faults.swallows:
            return Told(200, {"ticket": self._ticket(row)})
        said = asked.json().get("ticket", {})
        if said.get("safe_update") and said.get("updated_stamp") != _stamp(row.updated_at):
            # *Tickets*: Protecting against ticket update collisions
            return Told(409, {"error": "UpdateConflict", "description": "Safe update failed"})
        error = self._changed(row, said)
        if error is not None:
            return Told(422, {"error": "RecordInvalid", "description": "Record validation errors", **error})
        return Told(200, {"ticket": self._ticket(row)})

    def _changed(self, row: Row, said: Mapping[str, object]) -> dict[str, object] | None:
        """What keeps the change from being made, or None: done. A closed ticket takes no change (*Tickets*)."""
        if not row.is_open:
            words = "Status: closed prevents ticket update"
            return {"details": {"status": [{"description": words}]}}
        added = said.get("additional_tags", [])
        if isinstance(said.get("tags"), list):
            row.tags = [str(one) for one in said["tags"]]  # type: ignore[attr-defined]  # a list, as just seen
        if isinstance(added, list):
            row.tags = sorted({*row.tags, *(str(one) for one in added)})
        if said.get("status") == "solved":
            self.desk.mails.append(row.requester)  # triggers of a new account write to the requester [M]
        if said.get("status") in {"solved", "closed"}:
            row.is_open = False
        self.desk.touch(row)
        return None

    def _update_many(self, asked: Asked) -> Told:
        """*Update Many Tickets*: a job, whose results name each ticket."""
        said = asked.json().get("ticket", {})

        def work() -> list[dict[str, object]]:
            results: list[dict[str, object]] = []
            for index, number in enumerate(_ids(asked)):
                row = self.desk.find(number)
                error = self._changed(row, said) if row is not None and not self.faults.swallows else None
                if row is None or error is not None:
                    kind = "TicketNotFound" if row is None else "TicketUpdateFailed"
                    results.append({"index": index, "id": number, "error": kind, "details": "see the ticket"})
                else:
                    results.append(
                        {
                            "index": index,
                            "id": number,
                            "action": "update",
                            "status": "Updated",
                            "success": True,
                        }
                    )
            return results

        return self._promised(asked, work)

    def _destroy(self, _: Asked, number: str) -> Told:
        row = self.desk.find(int(number))
        if not self.may_write:
            return self.error(403)
        if row is None:
            return self.error(404)
        if not self.faults.swallows:
            self.desk.bin(row)
        return Told(204)

    def _destroy_many(self, asked: Asked) -> Told:
        """*Bulk Delete Tickets*: softly, for 30 days."""

        def work() -> list[dict[str, object]]:
            rows = [row for one in _ids(asked) if (row := self.desk.find(one)) is not None]
            for one in rows:
                self.desk.bin(one)
            return [{"id": one.id, "action": "delete", "status": "Deleted", "success": True} for one in rows]

        return self._promised(asked, work)

    def _purge_many(self, asked: Asked) -> Told:
        """*Delete Multiple Tickets Permanently*: those that are in the bin."""

        def work() -> list[dict[str, object]]:
            for one in _ids(asked):
                row = self.desk.rows.get(one)
                if row is not None and row.deleted_at is not None:
                    del self.desk.rows[one]
            return [{"success": True}]

        return self._promised(asked, work)

    def _promised(self, asked: Asked, work: Callable[[], list[dict[str, object]]]) -> Told:
        if not self.may_write:
            return self.error(403)
        if len(_ids(asked)) > MOST_ROWS:
            return Told(400, {"error": "TooManyValues", "description": f"at most {MOST_ROWS} ids"})
        job = self.desk.promise(work, len(_ids(asked)))
        return Told(200, {"job_status": self._status(job, asked, is_first=True)})

    def _job(self, asked: Asked, number: str) -> Told:
        job = self.desk.jobs.get(number)
        return self.error(404) if job is None else Told(200, {"job_status": self._status(job, asked)})

    def _status(self, job: Job, asked: Asked, *, is_first: bool = False) -> dict[str, object]:
        """*Job Statuses*: queued, working, failed or completed; the first answer always says queued."""
        is_done = job.results is not None and not is_first
        return {
            "id": job.id,
            "url": f"{asked.base}/api/v2/job_statuses/{job.id}.json",
            "total": job.total,
            "progress": job.total if is_done else None,
            "status": "completed" if is_done else ("queued" if is_first else "working"),
            "message": None,
            "results": job.results if is_done else None,
        }

    def _search(self, asked: Asked) -> Told:
        """*Search*: shows a new ticket after a while, at most 1,000 in all; words are matched in subject and text."""
        page, size = asked.number("page", 1), min(MOST_ROWS, asked.number("per_page", MOST_ROWS))
        if page * size > MOST_FOUND:
            return Told(422, {"error": "invalid", "description": "Search Response Limits"})
        words = [
            one for one in asked.query.get("query", "").lower().split() if ":" not in one and ">" not in one
        ]
        rows = [
            one
            for one in self.desk.indexed()
            if all(word in f"{one.subject}\n{one.body}".lower() for word in words)
        ]
        newest = sorted(rows, key=lambda one: one.created_at, reverse=True)[:MOST_FOUND]
        return self._by_number(asked, newest, "results", self._ticket)

    def _suspended(self, asked: Asked) -> Told:
        """*Suspended Tickets*; a restricted agent is refused."""
        if not self.sees_suspended:
            return self.error(403)
        is_down = asked.query.get("sort_order") == "desc"
        held = sorted(self.desk.held.values(), key=lambda one: (one.created_at, one.id), reverse=is_down)
        if "page[size]" not in asked.query:
            return self._by_number(asked, held, "suspended_tickets", self._suspension)
        # *List Suspended Tickets*: Pagination: cursor; `sort_by` and `sort_order` beside it (its OpenAPI document)
        after = _opened(asked.query.get("page[after]", ""))
        rest = [one for one in held if after is None or (one.id < after if is_down else one.id > after)]
        part = rest[: min(MOST_ROWS, asked.number("page[size]", MOST_ROWS))]
        meta = _meta(part, has_more=len(rest) > len(part))
        return Told(200, {"suspended_tickets": [self._suspension(one) for one in part], "meta": meta})

    def _suspension(self, held: Held) -> dict[str, object]:
        """*Suspended Tickets*: JSON format."""
        return {
            "id": held.id,
            "url": f"https://acme.zendesk.com/api/v2/suspended_tickets/{held.id}.json",
            "author": {"id": self.user_id(held.requester), "name": "A Customer", "email": held.requester},
            "subject": held.subject,
            "content": held.body,
            "cause": held.cause,
            "cause_id": CAUSES.get(held.cause, 19),
            "error_messages": None,
            "message_id": held.message_id,
            "recipient": "support@acme.test",
            "ticket_id": None,
            "created_at": _stamp(held.created_at),
            "updated_at": _stamp(held.created_at),
            "via": {"channel": "email"},
        }

    def _destroy_suspended(self, asked: Asked) -> Told:
        """*Delete Multiple Suspended Tickets*: 204 [M]."""
        if not (self.may_write and self.sees_suspended):
            return self.error(403)
        for one in _ids(asked):
            self.desk.held.pop(one, None)
        return Told(204)


def _ids(asked: Asked) -> list[int]:
    return [int(one) for one in asked.query.get("ids", "").split(",") if one.isdigit()]


def _stamp(moment: datetime) -> str:
    """Whole seconds, as in the examples of *Tickets*."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _meta(rows: Sequence[Row] | Sequence[Held], *, has_more: bool) -> dict[str, object]:
    """*Pagination*: where the page ends, and whether there is another."""
    return {
        "has_more": has_more,
        "after_cursor": _sealed(rows[-1].id) if rows else None,
        "before_cursor": None,
    }


def _sealed(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def _opened(cursor: str) -> int | None:
    if not cursor:
        return None
    return int(base64.urlsafe_b64decode(f"{cursor}===").decode().partition(":")[2])
