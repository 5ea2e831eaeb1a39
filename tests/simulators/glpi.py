"""GLPI's REST API of versions 10 and 11, as ``apirest.md`` of glpi-project/glpi has it.

Its sections, each named where a fact of it is used: *Init session*, *Kill session*, *Search items*, *Get an item*,
*Get all items*, *Get sub items*, *Update item(s)*, *Delete item(s)*, *Errors*. Numbers of search options are those that
``listSearchOptions`` gives for Ticket in a new installation; causes are constants of ``src/NotImportedEmail.php``, whose
search options have no id among them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from probes.contracts import Clock
from tests.simulators.gateway import Asked, Route, Simulator, Tokens, Told
from tests.simulators.table import Row

USER_TOKEN: Final = "the-remote-access-key-of-the-prober"
APP_TOKEN: Final = "the-token-of-the-client"
SESSION_SECONDS: Final = 1440
"""PHP's default life of an idle session; here it counts from the log-in."""
MOST_ROWS: Final = 1000
"""*Search items*: more than the installation's maximum is refused [M]."""
CAUSES: Final = {
    "could not be affected to an entity": 0,
    "e-mail not found, impossible import": 1,
    "impossible to create the ticket": 2,
    "the user has no right": 3,
}
"""0 no rule, 1 unknown user, 2 failed, 3 rights (``NotImportedEmail.php``); the words are an interface's."""
_TITLE, _ID, _STATUS, _DATE, _CONTENT, _SOURCE, _REQUESTER = "1", "2", "12", "15", "21", "9", "4"
_ALWAYS: Final = frozenset({_TITLE, _ID})
_PREFERRED: Final = frozenset({_STATUS, _DATE, _REQUESTER})
"""Columns without ``forcedisplay``: the user's preferences, here those of a new installation."""
_NEW: Final = 1
_CLOSED: Final = 6
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_CRITERION = re.compile(r"criteria\[(\d+)\]\[(\w+)\]")
_REQUEST_TYPE: Final = {"email": "E-Mail", "portal": "Helpdesk", "form": "Helpdesk", "api": "Other"}


class Glpi(Simulator):
    """One installation; times are the server's own, in lists and in what is asked for.

    Attributes:
        zone: the server's (``date`` of a ticket is what the server's clock showed).
        users: ids of the addresses that are users'; others ask as nobody, by their address alone.
        sees_refused: whether our profile has the right ``config``, which `NotImportedEmail` asks for.
        allowed: whether our address is one of those that the API's client may come from.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.sessions = Tokens(clock, lifetime_seconds=SESSION_SECONDS)
        self.users: dict[str, int] = {}
        self.may_write = True
        self.sees_refused = True
        self.allowed = True
        self.zone = ZoneInfo("UTC")
        self.serves_files = True

    def routes(self) -> list[Route]:
        """The endpoints of the sections named above."""
        api = "/apirest.php"
        return [
            ("GET", f"{api}/initSession/?", self._log_in),
            ("GET", f"{api}/killSession/?", self._log_out),
            ("GET", f"{api}/search/Ticket/?", self._search),
            ("GET", f"{api}/NotImportedEmail/?", self._refused),
            ("GET", f"{api}/Ticket/(?P<number>\\d+)", self._show),
            ("GET", f"{api}/Document/(?P<number>\\d+)", self._document),
            ("GET", f"{api}/Ticket/(?P<number>\\d+)/Ticket_User/?", self._actors),
            ("GET", f"{api}/User/(?P<number>\\d+)/UserEmail/?", self._addresses),
            ("POST", f"{api}/Ticket/?", self._create),
            ("PUT", f"{api}/Ticket/?", self._update_many),
            ("PUT", f"{api}/Ticket/(?P<number>\\d+)", self._update),
            ("DELETE", f"{api}/Ticket/(?P<number>\\d+)", self._delete),
            ("DELETE", f"{api}/NotImportedEmail/(?P<number>\\d+)", self._drop_refused),
        ]

    def admit(self, asked: Asked) -> Told | None:
        """*Init session*, *Errors*: the client's address first, then its token, then the session's."""
        if not self.allowed:
            return Told(
                403, ["ERROR_NOT_ALLOWED_IP", "The IP address that emitted this API call is not allowed"]
            )
        if asked.headers.get("app-token") != APP_TOKEN:
            return Told(400, ["ERROR_WRONG_APP_TOKEN_PARAMETER", "parameter app_token seems wrong"])
        if "/initSession" in asked.path:
            return None
        if "session-token" not in asked.headers:
            return Told(400, ["ERROR_SESSION_TOKEN_MISSING", "parameter session_token is missing or empty"])
        return None if self.sessions.is_good(asked.headers["session-token"]) else self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """It has no limits."""
        del asked
        return None

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """And tells none."""
        del asked
        return {}

    def error(self, status: int) -> Told:
        """*Errors*: an array of a code and a sentence."""
        match status:
            case 401:
                return Told(401, ["ERROR_SESSION_TOKEN_INVALID", "session_token seems invalid"])
            case 403:
                return Told(403, ["ERROR_RIGHT_MISSING", "You don't have permission to perform this action."])
            case 404:
                return Told(404, ["ERROR_ITEM_NOT_FOUND", "Item not found"])
            case _:
                return Told(status, ["ERROR", "An error occurred"])

    def _log_in(self, asked: Asked) -> Told:
        if asked.headers.get("authorization") != f"user_token {USER_TOKEN}":
            return Told(401, ["ERROR_GLPI_LOGIN_USER_TOKEN", "parameter user_token seems invalid"])
        return Told(200, {"session_token": self.sessions.issue()})

    def _log_out(self, _: Asked) -> Told:
        self.sessions.revoke()
        return Told(200)

    def _search(self, asked: Asked) -> Told:
        rows = [self._columns(one) for one in self.desk.alive()]
        return self._found(asked, rows)

    def _columns(self, row: Row) -> dict[str, object]:
        """Columns have numbers for names (*Search items*); of a requester the search tells the user's id."""
        return {
            _TITLE: row.subject,
            _ID: row.id,
            _STATUS: _NEW if row.is_open else _CLOSED,
            _DATE: row.created_at.astimezone(self.zone).strftime(_FORMAT),
            _CONTENT: f"<p>{row.body}</p>",
            _SOURCE: _REQUEST_TYPE[row.channel],
            _REQUESTER: self.users.get(row.requester, 0) or None,
        }

    def _actors(self, _: Asked, number: str) -> Told:
        """*Get sub items*: who has to do with a ticket; ``type`` 1 asks, 2 is assigned (``src/CommonITILActor.php``)."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        user = self.users.get(row.requester, 0)
        asks = {"users_id": user, "type": 1, "alternative_email": "" if user else row.requester}
        assigned = {"users_id": 2, "type": 2, "alternative_email": ""}
        return Told(
            200, [{"id": index, "tickets_id": row.id, **one} for index, one in enumerate((assigned, asks))]
        )

    def _addresses(self, _: Asked, number: str) -> Told:
        """*Get sub items*: a user's addresses."""
        found = [address for address, user in self.users.items() if user == int(number)]
        if not found:
            return self.error(404)
        return Told(200, [{"id": 1, "users_id": int(number), "is_default": 1, "email": one} for one in found])

    def _refused(self, asked: Asked) -> Told:
        """*Get all items* of `NotImportedEmail`: what the collector took from the mailbox and made no ticket of."""
        if not self.sees_refused:
            return self.error(403)
        rows: list[dict[str, object]] = [
            {
                "id": one.id,
                "from": one.requester,
                "to": "support@acme.test",
                "mailcollectors_id": 1,
                "date": one.created_at.astimezone(self.zone).strftime(_FORMAT),
                "subject": one.subject,
                "messageid": one.message_id or "",
                "reason": CAUSES.get(one.cause, 2),
                "users_id": 0,
            }
            for one in self.desk.held.values()
        ]
        rows.sort(key=lambda row: str(row["id"]), reverse=asked.query.get("order") == "DESC")
        first, _, last = asked.query.get("range", "0-49").partition("-")
        part = rows[int(first) : int(last) + 1]
        told = f"{first}-{int(first) + max(0, len(part) - 1)}/{len(rows)}"
        return Told(200 if len(part) == len(rows) else 206, part, {"Content-Range": told})

    def _found(self, asked: Asked, rows: Sequence[Mapping[str, object]]) -> Told:
        """*Search items*: 200 for all of it, 206 for a part; ``data`` is missing where there is nothing."""
        criteria: dict[str, dict[str, str]] = {}
        for name, given in asked.query.items():
            said = _CRITERION.match(name)
            if said is not None:
                criteria.setdefault(said[1], {})[said[2]] = given
        found = [row for row in rows if all(_meets(row, one) for one in criteria.values())]
        sort = asked.query.get("sort", _ID)
        found.sort(key=lambda row: str(row.get(sort, "")), reverse=asked.query.get("order") == "DESC")
        first, _, last = asked.query.get("range", "0-49").partition("-")
        start, end = int(first), int(last)
        if found and start >= len(found):
            words = f"Provided range exceed total count of data: {len(found)}"
            return Told(400, ["ERROR_RANGE_EXCEED_TOTAL", words])
        part = found[start : min(end + 1, start + MOST_ROWS)]
        wanted = {given for name, given in asked.query.items() if name.startswith("forcedisplay[")}
        shown = _ALWAYS | (wanted or {*_PREFERRED, *(one.get("field", "") for one in criteria.values())})
        data = [{name: row[name] for name in row if name in shown} for row in part]
        stop = start + max(0, len(part) - 1)
        value: dict[str, object] = {
            "totalcount": len(found),
            "count": len(part),
            "sort": [int(sort)],
            "order": ["DESC" if asked.query.get("order") == "DESC" else "ASC"],
            "content-range": f"{start}-{stop}/{len(found)}",
        }
        if data:
            value["data"] = data
        headers = {"Content-Range": f"{start}-{stop}/{len(found)}", "Accept-Range": f"Ticket {MOST_ROWS}"}
        return Told(200 if len(part) == len(found) else 206, value, headers)

    def _show(self, asked: Asked, number: str) -> Told:
        """*Get an item*: here columns have their names, and content is HTML that was escaped.

        Documents stand with it on request (``src/Api/API.php``, getItem: the document's own columns).
        """
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        files = [
            {"assocID": place, "id": row.id * 100 + place, "filename": one.name, "mime": "application/pdf"}
            for place, one in enumerate(row.files)
        ]
        return Told(
            200,
            {
                **({"_documents": files} if asked.query.get("with_documents") else {}),
                "id": row.id,
                "name": row.subject,
                "content": f"&lt;p&gt;{row.body}&lt;/p&gt;",
                "status": _NEW if row.is_open else _CLOSED,
                "date": row.created_at.astimezone(self.zone).strftime(_FORMAT),
                "date_mod": row.updated_at.strftime(_FORMAT),
                "is_deleted": 0,
            },
        )

    def _document(self, asked: Asked, number: str) -> Told:
        """*Download a document file*: its content with ``alt=media`` [M], else what is known of it."""
        row, place = self.desk.find(int(number) // 100), int(number) % 100
        if row is None or place >= len(row.files):
            return self.error(404)
        if asked.query.get("alt") != "media" or not self.serves_files:
            return Told(200, {"id": int(number), "filename": row.files[place].name})
        return Told(200, row.files[place].content, kind="application/pdf")

    def _create(self, asked: Asked) -> Told:
        """*Add item(s)*: 201; whoever is logged in asks, and is mailed unless ``_disablenotif`` is set [M]."""
        if not self.may_write:
            return Told(400, ["ERROR_GLPI_ADD", [{"id": False, "message": "You don't have permission"}]])
        said = asked.json().get("input", {})
        row = self.desk.plant(said["name"], said["content"], "prober@acme.test", channel="api")
        if not said.get("_disablenotif"):
            self.desk.mails.append(row.requester)
        return Told(201, {"id": row.id, "message": ""})

    def _update(self, asked: Asked, number: str) -> Told:
        """*Update item(s)*: a result for each, by its id."""
        if self.desk.find(int(number)) is None:
            return self.error(404)
        return self._updated([{**asked.json().get("input", {}), "id": int(number)}])

    def _update_many(self, asked: Asked) -> Told:
        """*Update item(s)*: an array of objects, each with its ``id``."""
        return self._updated(asked.json().get("input", []))

    def _updated(self, changes: Sequence[Mapping[str, Any]]) -> Told:
        """400 where nothing was changed, 207 where not all was, each with the results beside the code (*Errors*)."""
        results: list[dict[str, object]] = []
        for said in changes:
            row = self.desk.find(said["id"]) if isinstance(said.get("id"), int) else None
            words = "Item not found" if row is None else "" if self.may_write else "You don't have permission"
            results.append({str(said.get("id")): not words, "message": words})
            if row is not None and not words and not self.faults.swallows:
                if "status" in said:
                    row.is_open = int(said["status"]) not in {5, _CLOSED}
                self.desk.touch(row)
        failed = [one for one in results if one["message"]]
        if not failed:
            return Told(200, results)
        if len(failed) == len(results):
            return Told(400, ["ERROR_GLPI_UPDATE", results])
        return Told(207, ["ERROR_GLPI_PARTIAL_UPDATE", results])

    def _delete(self, asked: Asked, number: str) -> Told:
        """*Delete item(s)*: into the bin, or for good with ``force_purge``."""
        row = self.desk.find(int(number))
        if row is None:
            return self.error(404)
        if not self.may_write:
            return Told(400, ["ERROR_GLPI_DELETE", [{number: False, "message": "You don't have permission"}]])
        if not self.faults.swallows:
            if asked.query.get("force_purge") == "true":
                del self.desk.rows[row.id]
            else:
                self.desk.bin(row)
        return Told(200, [{number: True, "message": ""}])

    def _drop_refused(self, _: Asked, number: str) -> Told:
        gone = self.desk.held.pop(int(number), None)
        return self.error(404) if gone is None else Told(200, [{number: True, "message": ""}])


def _meets(row: Mapping[str, object], criterion: Mapping[str, str]) -> bool:
    """*Search items*: a criterion on a field that there is not is answered with nothing here."""
    actual, value = row.get(criterion.get("field", "")), criterion.get("value", "")
    match criterion.get("searchtype"):
        case "contains":
            return value.lower() in str(actual).lower()
        case "equals":
            return str(actual) == value
        case "morethan":
            return str(actual) > _moment(value)
        case "lessthan":
            return str(actual) < _moment(value)
        case _:
            return False


def _moment(value: str) -> str:
    return datetime.strptime(value, _FORMAT).strftime(_FORMAT)  # noqa: DTZ007 - compared as text only
