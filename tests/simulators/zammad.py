"""Zammad's API v1, as zammad-documentation and Zammad's own source have it.

Files, each named where a fact of it is used: zammad-documentation ``api/intro.rst``, ``api/ticket/index.rst``,
``api/ticket/articles.rst``, ``api/ticket/tags.rst``, ``system/monitoring``; zammad ``app/controllers/
tickets_controller.rb``, ``app/controllers/concerns/can_search.rb``, ``lib/selector/base.rb``, ``lib/selector/sql.rb``.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from probes.contracts import Clock
from tests.simulators.gateway import Asked, Route, Simulator, Told
from tests.simulators.table import Row

TOKEN: Final = "the-token-of-an-agent"
HEALTH_TOKEN: Final = "the-token-of-the-health-check"
MOST_FOUND: Final = 200
"""Rows of one search (``tickets_controller.rb``)."""
_CHANNEL: Final = {"email": "email", "portal": "web", "form": "web", "api": "note"}
"""Names of article types; the form's tickets bear ``preferences.form``."""


class Zammad(Simulator):
    """One installation. ``may_delete``: only an administrator's token may (``api/ticket/index.rst``)."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.may_write = True
        self.may_delete = True
        self.wrong_key_sees_nothing = False

    def routes(self) -> list[Route]:
        """The paths of the files named above."""
        api = "/api/v1"
        return [
            ("GET", f"{api}/tickets", self._list),
            ("POST", f"{api}/tickets", self._create),
            ("POST", f"{api}/tickets/search", self._search),
            ("GET", f"{api}/tickets/search", self._search),
            ("GET", f"{api}/tickets/(?P<number>\\d+)", self._show),
            ("PUT", f"{api}/tickets/(?P<number>\\d+)", self._update),
            ("DELETE", f"{api}/tickets/(?P<number>\\d+)", self._delete),
            ("GET", f"{api}/ticket_articles/by_ticket/(?P<number>\\d+)", self._articles),
            (
                "GET",
                f"{api}/ticket_attachment/(?P<number>\\d+)/(?P<article>\\d+)/(?P<index>\\d+)",
                self._file,
            ),
            ("GET", f"{api}/users/me", self._me),
            ("GET", f"{api}/tags", self._tags),
            ("POST", f"{api}/tags/add", self._add_tag),
            ("GET", f"{api}/monitoring/health_check", self._health),
        ]

    def admit(self, asked: Asked) -> Told | None:
        """``api/intro.rst``: ``Authorization: Token token=…``."""
        if asked.path.endswith("/health_check"):
            return None if asked.query.get("token") == HEALTH_TOKEN else self.error(403)
        if asked.headers.get("authorization") == f"Token token={TOKEN}":
            return None
        if self.wrong_key_sees_nothing:  # as a proxy or an anonymous role may have it: no word, and no ticket
            return Told(200, [])
        return self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """It has no limits of its own on these paths."""
        del asked
        return None

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """And tells none."""
        del asked
        return {}

    def error(self, status: int) -> Told:
        """``{"error": …}`` with a sentence for people beside it (``api/intro.rst``)."""
        match status:
            case 401:
                words = "Authentication required"
            case 403:
                words = "Not authorized"
            case 404:
                words = "Couldn't find Ticket"
            case _:
                words = "Sorry, something went wrong"
        return Told(status, {"error": words, "error_human": words})

    def _list(self, asked: Asked) -> Told:
        """By ascending id, at most 100 a page (``tickets_controller.rb``)."""
        size, page = min(100, asked.number("per_page", 100)), asked.number("page", 1)
        rows = self.desk.alive()[(page - 1) * size : page * size]
        return Told(200, [self._ticket(one, is_expanded="expand" in asked.query) for one in rows])

    def _search(self, asked: Asked) -> Told:
        """With a ``condition`` and no ``query`` it reads the table, else the index (``can_search.rb``)."""
        said = {**asked.query, **asked.json()}
        condition, query = said.get("condition"), str(said.get("query") or "")
        if query or not isinstance(condition, dict):
            words = query.lower().split()
            rows = [one for one in self.desk.indexed() if all(word in _text(one) for word in words)]
        else:
            rows = [one for one in self.desk.alive() if _selected(one, condition)]
        is_down = said.get("order_by") != "asc"
        rows.sort(key=lambda one: (one.created_at, one.id), reverse=is_down)
        limit, page = min(MOST_FOUND, int(said.get("limit", 10))), int(said.get("page", 1))
        part = rows[(page - 1) * limit : page * limit]
        return Told(200, [self._ticket(one, is_expanded=bool(said.get("expand"))) for one in part])

    def _ticket(self, row: Row, *, is_expanded: bool = True) -> dict[str, object]:
        """``api/ticket/index.rst``; ``expand`` writes the names beside the ids."""
        shown: dict[str, object] = {
            "id": row.id,
            "number": f"6{row.id:04d}",
            "title": row.subject,
            "group_id": 1,
            "state_id": 1 if row.is_open else 4,
            "priority_id": 2,
            "customer_id": 10,
            "preferences": {"form": {}} if row.channel == "form" else {},
            "created_at": _stamp(row.created_at),
            "updated_at": _stamp(row.updated_at),
        }
        if is_expanded:
            shown |= {
                "group": "Users",
                "state": "new" if row.is_open else "closed",
                "customer": row.requester,
                "create_article_type": _CHANNEL[row.channel],
            }
        return shown

    def _show(self, asked: Asked, number: str) -> Told:
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        return Told(200, self._ticket(row, is_expanded="expand" in asked.query))

    def _me(self, _: Asked) -> Told:
        """``api/user.rst``."""
        return Told(200, {"id": 3, "email": "prober@acme.test", "active": True})

    def _articles(self, _: Asked, number: str) -> Told:
        """``api/ticket/articles.rst``: the first made the ticket."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        texts = [row.body, *row.added]
        return Told(
            200,
            [
                {
                    "id": row.id * 100 + index,
                    "ticket_id": row.id,
                    "from": row.requester,
                    "subject": row.subject,
                    "body": text,
                    "content_type": "text/plain",
                    "message_id": row.message_id if index == 0 else None,
                    "type": _CHANNEL[row.channel],
                    "sender": "Customer",
                    "internal": False,
                    "attachments": [
                        {"id": place, "filename": one.name, "size": str(len(one.content))}
                        for place, one in enumerate(row.files)
                    ]
                    if index == 0
                    else [],
                    "created_at": _stamp(row.created_at),
                }
                for index, text in enumerate(texts)
            ],
        )

    def _file(self, _: Asked, number: str, article: str, index: str) -> Told:
        row = self.desk.find(int(number))
        if row is None or int(article) != row.id * 100 or int(index) >= len(row.files):
            return self.error(404)
        return Told(200, row.files[int(index)].content, kind="application/octet-stream")

    def _create(self, asked: Asked) -> Told:
        """``api/ticket/index.rst``: 201; ``guess:`` finds or makes the customer. Triggers of a new installation
        acknowledge what a customer sent by mail, telephone or form [M]."""
        if not self.may_write:
            return self.error(403)
        said = asked.json()
        customer, article = str(said.get("customer_id", "")), said.get("article") or {}
        if said.get("group") != "Users" or not customer.startswith("guess:") or not article.get("body"):
            return Told(422, {"error": "Missing required params"})
        address = customer.removeprefix("guess:")
        row = self.desk.plant(said["title"], article["body"], address, channel="api")
        if article.get("type") != "note" or not article.get("internal"):
            self.desk.mails.append(address)
        return Told(201, self._ticket(row))

    def _update(self, asked: Asked, number: str) -> Told:
        row = self.desk.find(int(number))
        if not self.may_write:
            return self.error(403)
        if row is None:
            return self.error(404)
        said = asked.json()
        if not self.faults.swallows:
            if said.get("state") in {"new", "open", "closed"}:
                row.is_open = said["state"] != "closed"
            self.desk.touch(row)
        return Told(200, self._ticket(row))

    def _delete(self, _: Asked, number: str) -> Told:
        """At once and for good; 200 with an empty object (``api/ticket/index.rst``)."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        if not self.may_delete:
            return self.error(403)
        if not self.faults.swallows:
            del self.desk.rows[row.id]
        return Told(200, {})

    def _tags(self, asked: Asked) -> Told:
        """``api/ticket/tags.rst``."""
        row = self.desk.find(asked.number("o_id", 0))
        return Told(200, {"tags": row.tags if row is not None else []})

    def _add_tag(self, asked: Asked) -> Told:
        """``api/ticket/tags.rst``: 201 with ``true``."""
        said = asked.json()
        row = self.desk.find(int(said.get("o_id", 0)))
        if row is None or said.get("object") != "Ticket":
            return self.error(404)
        if not self.may_write:
            return self.error(403)
        if not self.faults.swallows:
            row.tags = sorted({*row.tags, str(said["item"])})
            self.desk.touch(row)
        return Told(201, value=True)

    def _health(self, _: Asked) -> Told:
        """What could not be made a ticket is a number in a sentence (``monitoring_controller.rb``)."""
        count = len(self.desk.held)
        issues = [f"emails that could not be processed: {count}"] if count else []
        return Told(200, {"healthy": not issues, "message": "; ".join(issues) or "success", "issues": issues})


def _selected(row: Row, block: Mapping[str, Any]) -> bool:
    """A block of conditions, or one condition a name, which means the same with AND (``lib/selector/base.rb``, ``sql.rb``)."""
    if "conditions" not in block:
        block = {"operator": "AND", "conditions": [{"name": name, **one} for name, one in block.items()]}
    held = [_selected(row, one) if "conditions" in one else _meets(row, one) for one in block["conditions"]]
    return {"AND": all(held), "OR": any(held), "NOT": not all(held)}[block["operator"]]


def _meets(row: Row, part: Mapping[str, Any]) -> bool:
    """One condition, by the operators of the ticket selector; both ends of a window belong to it (``lib/selector/sql.rb``)."""
    value = part.get("value")
    match part.get("name"), part.get("operator"):
        case "ticket.created_at", "after (absolute)":
            return row.created_at >= datetime.fromisoformat(str(value))
        case "ticket.created_at", "before (absolute)":
            return row.created_at <= datetime.fromisoformat(str(value))
        case "ticket.title", "contains":
            return str(value).lower() in row.subject.lower()
        case "ticket.title", "is":
            return row.subject == value
        case _:
            return False


def _text(row: Row) -> str:
    return f"{row.subject}\n{row.body}\n{row.requester}".lower()


def _stamp(moment: datetime) -> str:
    """With milliseconds, as in the examples of ``api/ticket/index.rst``."""
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03d}Z"
