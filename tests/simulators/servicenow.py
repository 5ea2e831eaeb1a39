"""ServiceNow's Table API, as its documentation and public recordings have it.

Pages: *Table API*, *Batch API*, *Inbound REST API rate limiting*, *Encoded query strings*, KB0535493 (received mail); a recording of
a list with its ``Link`` header (gist bryanbarnard/ee1d952604a11e0f0342); ``create_query`` of ServiceNow's clients.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Final

from probes.contracts import Clock
from tests.simulators.gateway import Allowance, Asked, Route, Simulator, Told
from tests.simulators.table import Row

USER: Final = "prober"
PASSWORD: Final = "the-password-of-the-prober"
_CONTACT: Final = {"email": "email", "portal": "self-service", "form": "self-service", "api": "self-service"}
_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
"""Times are UTC, without a zone (*Table API*)."""
_CLOSED: Final = "7"
_PART = re.compile(r"^(?P<name>[a-z_.]+)(?P<operator>>=|<=|>|<|!=|LIKE|IN|=)(?P<value>.*)$")


class ServiceNow(Simulator):
    """One instance. ``calls_an_hour`` None: no administrator made a rule.

    Attributes:
        required: fields that closing an incident asks for, by a data policy.
        sees_mail: whether our user may read ``sys_email``.
    """

    def __init__(self, clock: Clock, *, calls_an_hour: int | None = None) -> None:
        super().__init__(clock)
        self.rule = Allowance(clock, calls_an_hour, 3600) if calls_an_hour is not None else None
        self.may_write = True
        self.time_zone = "GMT"
        self.sees_mail = True
        self.required: tuple[str, ...] = ()

    def routes(self) -> list[Route]:
        """The paths of the pages named above."""
        table = "/api/now(?:/v\\d)?/table"
        return [
            ("GET", f"{table}/incident", self._incidents),
            ("POST", f"{table}/incident", self._create),
            ("GET", f"{table}/incident/(?P<number>[0-9a-f]{{32}})", self._show),
            ("PATCH", f"{table}/incident/(?P<number>[0-9a-f]{{32}})", self._update),
            ("DELETE", f"{table}/incident/(?P<number>[0-9a-f]{{32}})", self._delete),
            ("GET", f"{table}/sys_email", self._mails),
            ("DELETE", f"{table}/sys_email/(?P<number>[0-9a-f]{{32}})", self._drop_mail),
            ("GET", f"{table}/sys_user", self._users),
            ("POST", "/api/now(?:/v1)?/batch", self._batch),
            ("GET", "/api/now/attachment", self._files),
            ("GET", "/api/now/attachment/(?P<number>[0-9a-f]{32})/file", self._file),
        ]

    def admit(self, asked: Asked) -> Told | None:
        """Basic."""
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return None if asked.headers.get("authorization") == f"Basic {pair}" else self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """*Inbound REST API rate limiting*: 429 and ``Retry-After``."""
        del asked
        if self.rule is None or self.rule.take():
            return None
        told = _failure(429, "Rate limit exceeded", "by a rule for this user")
        return Told(429, told.value, {"Retry-After": str(self.rule.resets_in)})

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """*Inbound REST API rate limiting*: told only where a rule exists; the reset is Unix time."""
        del asked
        if self.rule is None:
            return {}
        reset = int(self.clock.now().timestamp()) + self.rule.resets_in
        return {
            "X-RateLimit-Limit": str(self.rule.limit),
            "X-RateLimit-Reset": str(reset),
            "X-RateLimit-Rule": "d6fd6c4d07c1001012345678f11ed0ba",
        }

    def error(self, status: int) -> Told:
        """``{"error": {"message", "detail"}, "status": "failure"}`` (*Table API*)."""
        match status:
            case 401:
                return _failure(401, "User Not Authenticated", "Required to provide Auth information")
            case 403:
                return _failure(403, "Insufficient rights to query records", "ACL Exception")
            case 404:
                return _failure(
                    404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"
                )
            case _:
                return _failure(status, "Transaction cancelled", "maximum execution time exceeded")

    def _incidents(self, asked: Asked) -> Told:
        return self._listed(asked, [self._incident(one) for one in self.desk.alive()])

    def _listed(self, asked: Asked, rows: Sequence[Mapping[str, str]]) -> Told:
        """*Table API*: offset and limit, the count in ``X-Total-Count``, the next page in ``Link``."""
        found = _asked_for(asked.query.get("sysparm_query", ""), rows)
        limit, offset = asked.number("sysparm_limit", 10000), asked.number("sysparm_offset", 0)
        names = [one for one in asked.query.get("sysparm_fields", "").split(",") if one]
        part = [
            {name: row.get(name, "") for name in names} if names else dict(row)
            for row in found[offset : offset + limit]
        ]
        links = []
        others = "&".join(
            f"{name}={value}" for name, value in asked.query.items() if name != "sysparm_offset"
        )
        if offset + limit < len(found):
            links.append(f'<{asked.base}{asked.path}?{others}&sysparm_offset={offset + limit}>;rel="next"')
        links.append(f'<{asked.base}{asked.path}?{others}&sysparm_offset=0>;rel="first"')
        return Told(200, {"result": part}, {"X-Total-Count": str(len(found)), "Link": ",".join(links)})

    def _incident(self, row: Row) -> dict[str, str]:
        """Every value is text. ``caller_id`` is a reference; its dotted address can be asked for."""
        return {
            "sys_id": sys_id(row.id),
            "number": f"INC{row.id:07d}",
            "short_description": row.subject,
            "description": row.body,
            "caller_id.email": row.requester,
            "contact_type": _CONTACT[row.channel],
            "state": "1" if row.is_open else _CLOSED,
            "active": str(row.is_open).lower(),
            "sys_tags": ",".join(row.tags),
            "close_notes": str(row.fields.get("close_notes", "")),
            "close_code": str(row.fields.get("close_code", "")),
            "sys_created_on": row.created_at.strftime(_FORMAT),
            "sys_updated_on": row.updated_at.strftime(_FORMAT),
            "sys_mod_count": str(row.version - 1),
        }

    def _mails(self, asked: Asked) -> Told:
        """KB0535493: what came in, what was ignored and why, and the record that was made."""
        if not self.sees_mail:
            return self.error(403)
        made = [
            {
                "sys_id": sys_id(one.id + 500000),
                "type": "received",
                "mailbox": "received",
                "state": "processed",
                "error_string": "",
                "message_id": one.message_id or "",
                "subject": one.subject,
                "body_text": one.body,
                "from": one.requester,
                "target_table": "incident",
                "target": sys_id(one.id),
                "receive_type": "new",
                "sys_created_on": one.created_at.strftime(_FORMAT),
            }
            for one in self.desk.alive()
            if one.channel == "email"
        ]
        ignored = [
            {
                "sys_id": sys_id(one.id + 500000),
                "type": "received-ignored",
                "mailbox": "junk",
                "state": "ignored",
                "error_string": one.cause,
                "message_id": one.message_id or "",
                "subject": one.subject,
                "body_text": one.body,
                "from": one.requester,
                "target_table": "",
                "target": "",
                "receive_type": "none",
                "sys_created_on": one.created_at.strftime(_FORMAT),
            }
            for one in self.desk.held.values()
        ]
        return self._listed(asked, [*made, *ignored])

    def _drop_mail(self, _: Asked, number: str) -> Told:
        gone = self.desk.held.pop(int(number, 16) - 500000, None)
        return self.error(404) if gone is None else Told(204)

    def _users(self, asked: Asked) -> Told:
        return self._listed(
            asked, [{"sys_id": sys_id(1), "user_name": USER, "active": "true", "time_zone": self.time_zone}]
        )

    def _row(self, number: str) -> Row | None:
        return self.desk.find(int(number, 16))

    def _show(self, asked: Asked, number: str) -> Told:
        """*Retrieve a record*: a field of a reference is there where ``sysparm_fields`` names it, else the reference."""
        row = self._row(number)
        if row is None:
            return self.error(404)
        shown = self._incident(row)
        names = [one for one in asked.query.get("sysparm_fields", "").split(",") if one]
        if names:
            return Told(200, {"result": {name: shown.get(name, "") for name in names}})
        link = f"{asked.base}/api/now/table/sys_user/{sys_id(7)}"
        whole = {name: one for name, one in shown.items() if "." not in name}
        return Told(200, {"result": {**whole, "caller_id": {"link": link, "value": sys_id(7)}}})

    def _update(self, asked: Asked, number: str) -> Told:
        """*Table API*: PATCH, answered with the record; a data policy refuses with 403."""
        row = self._row(number)
        if row is None:
            return self.error(404)
        if not self.may_write:
            return self.error(403)
        said = asked.json()
        missing = [one for one in self.required if str(said.get("state")) == _CLOSED and not said.get(one)]
        if missing:
            return _failure(403, "Operation Failed", f"Data Policy Exception: {missing[0]} is mandatory")
        if not self.faults.swallows:
            if "state" in said:
                row.is_open = str(said["state"]) != _CLOSED
            if "sys_tags" in said:
                row.tags = [one for one in str(said["sys_tags"]).split(",") if one]
            row.fields |= {name: said[name] for name in ("close_code", "close_notes") if name in said}
            self.desk.touch(row)
        return Told(200, {"result": self._incident(row)})

    def _create(self, asked: Asked) -> Told:
        """*Table API*, create a record: 201 with the record; without a caller it has none."""
        if not self.may_write:
            return self.error(403)
        said = asked.json()
        row = self.desk.plant(
            said.get("short_description", ""), said.get("description", ""), "", channel="api"
        )
        return Told(201, {"result": self._incident(row)})

    def _batch(self, asked: Asked) -> Told:
        """*Batch API*: bodies in base64 both ways; each request by the rights that it needs alone."""
        said = asked.json()
        served = []
        for one in said.get("rest_requests", []):
            inner = Asked(
                one["method"],
                one["url"],
                {},
                asked.headers,
                base64.b64decode(one.get("body", "")),
                asked.host,
            )
            told = self._routed(inner)
            served.append(
                {
                    "id": one["id"],
                    "status_code": told.status,
                    "body": base64.b64encode(told.content).decode(),
                    "execution_time": 12,
                }
            )
        batch = said.get("batch_request_id", "")
        return Told(200, {"batch_request_id": batch, "serviced_requests": served, "unserviced_requests": []})

    def _delete(self, _: Asked, number: str) -> Told:
        row = self._row(number)
        if row is None:
            return self.error(404)
        if not self.may_write:
            return self.error(403)
        if not self.faults.swallows:
            del self.desk.rows[row.id]
        return Told(204)

    def _files(self, asked: Asked) -> Told:
        """*Attachment API*: by ``table_sys_id``."""
        rows = [
            {
                "sys_id": f"{one.id * 100 + index:032x}",
                "table_name": "incident",
                "table_sys_id": sys_id(one.id),
                "file_name": file.name,
                "download_link": f"{asked.base}/api/now/attachment/{one.id * 100 + index:032x}/file",
            }
            for one in self.desk.alive()
            for index, file in enumerate(one.files)
        ]
        return self._listed(asked, rows)

    def _file(self, _: Asked, number: str) -> Told:
        row, index = self.desk.find(int(number, 16) // 100), int(number, 16) % 100
        if row is None or index >= len(row.files):
            return self.error(404)
        return Told(200, row.files[index].content, kind="application/octet-stream")


def sys_id(number: int) -> str:
    """32 hexadecimal digits."""
    return f"{number:032x}"


def _asked_for(query: str, rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """*Encoded query strings*. A condition on a column that there is not is ignored, and everything comes back."""
    found = list(rows)
    for part in query.split("^"):
        if part.startswith(("ORDERBYDESC", "ORDERBY")):
            name = part.removeprefix("ORDERBYDESC").removeprefix("ORDERBY")
            found.sort(key=lambda row, name=name: row.get(name, ""), reverse=part.startswith("ORDERBYDESC"))  # type: ignore[misc]  # a default binds the loop's value
            continue
        said = _PART.match(part)
        if said is None or (rows and said["name"] not in rows[0]):
            continue
        found = [row for row in found if _holds(row[said["name"]], said["operator"], said["value"])]
    return found


def _holds(actual: str, operator: str, value: str) -> bool:
    low, wanted = actual.lower(), value.lower()
    match operator:
        case "LIKE":
            return wanted in low
        case "IN":
            return actual in value.split(",")
        case "=" | "!=":
            return (low == wanted) is (operator == "=")
        case _:
            compare = {">=": ge, ">": gt, "<=": le, "<": lt}[operator]
            return bool(compare(actual, _moment(value)))


def _moment(value: str) -> str:
    """Times compare as their text does, in this format alone."""
    return datetime.strptime(value, _FORMAT).replace(tzinfo=UTC).strftime(_FORMAT)


def _failure(status: int, message: str, detail: str) -> Told:
    return Told(status, {"error": {"message": message, "detail": detail}, "status": "failure"})
