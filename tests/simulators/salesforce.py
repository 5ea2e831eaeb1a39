"""Salesforce Service Cloud's REST API, as developer.salesforce.com and help.salesforce.com publish it.

Pages, each named where a fact of it is used: *Query* and *Query More Results* (REST API guide), *Update Records Using
sObject Collections*, *OAuth 2.0 Client Credentials Flow*, *OAuth 2.0 JWT Bearer Flow*, *Headers: Limit Info Header*,
*Case* and *EmailMessage* (object reference), *Maximum number of rows returned by SOQL queries* (000386264).
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from probes.contracts import Clock
from tests.simulators.gateway import Asked, Route, Simulator, Tokens, Told, bearer
from tests.simulators.soql import MalformedQuery, NotFilterable, Query, chosen, parsed
from tests.simulators.table import Row

CLIENT_ID: Final = "3MVG9.the-consumer-key"
CLIENT_SECRET: Final = "the-consumer-secret"
USERNAME: Final = "prober@acme.test"
TOKEN_SECONDS: Final = 7200
"""A session's default; the token's answer does not tell it [M]."""
MOST_ROWS: Final = 2000
"""Rows of one answer, fewer where long texts are among the fields (000386264)."""
LONG_TEXT_ROWS: Final = 200
"""How many a page has here as soon as a long text is asked for: the documentation gives no number."""
MOST_RECORDS: Final = 200
"""Records of one collection (*Update Records Using sObject Collections*)."""
MOST_URI: Final = 16384
"""Bytes of URI and headers; more is answered 414 or 431 (000386264)."""
JWT_SECONDS: Final = 180
"""An assertion ends within three minutes (*OAuth 2.0 JWT Bearer Flow*)."""
_LONG: Final = frozenset({"Description", "TextBody", "HtmlBody", "Headers", "Synthetic_Note__c"})
"""Long text areas can't be filtered or ordered by (SOQL reference)."""
_VERSION: Final = r"/services/data/v(?P<version>\d+\.\d)"
_ORIGIN: Final = {"email": "Email", "portal": "Web", "form": "Web", "api": "API"}
"""Values of a picklist that an administrator may change; these are those of a new org [M]."""


class Salesforce(Simulator):
    """One org, with the custom text ``Synthetic__c`` on Case.

    Attributes:
        required: fields that closing a case asks for, by a validation rule.
        long_text_rows: rows of a page with a long text.
        settings: rows of `EmailServicesFunction` and `EmailServicesAddress`, as an administrator set them.
    """

    def __init__(self, clock: Clock, *, calls_a_day: int = 15000) -> None:
        super().__init__(clock)
        self.tokens = Tokens(clock, lifetime_seconds=TOKEN_SECONDS)
        self.may_write = True
        self.calls_a_day = calls_a_day
        self.used = 0
        self.required: tuple[str, ...] = ()
        self.long_text_rows = LONG_TEXT_ROWS
        self.settings: dict[str, list[dict[str, object]]] = {
            "EmailServicesFunction": [
                {
                    "FunctionName": "EmailToCase",
                    "IsActive": True,
                    "AuthorizationFailureAction": "1",
                    "OverLimitAction": "2",
                    "IsErrorRoutingEnabled": False,
                    "ErrorRoutingAddress": None,
                }
            ],
            "EmailServicesAddress": [
                {"LocalPart": "support", "IsActive": True, "AuthorizedSenders": None},
            ],
            "CaseStatus": [
                {"ApiName": "New", "MasterLabel": "New", "IsClosed": False, "IsDefault": True},
                {"ApiName": "Closed", "MasterLabel": "Closed", "IsClosed": True, "IsDefault": False},
            ],
        }
        self._cursors: dict[str, tuple[Query, list[Mapping[str, object]], int]] = {}

    def routes(self) -> list[Route]:
        """The paths of the pages named above."""
        return [
            ("POST", "/services/oauth2/token", self._token),
            ("GET", f"{_VERSION}/query/?", self._query),
            ("GET", f"{_VERSION}/query/(?P<locator>[^/]+)", self._more),
            ("GET", f"{_VERSION}/limits/?", self._limits),
            ("PATCH", f"{_VERSION}/composite/sobjects/?", self._update_many),
            ("DELETE", f"{_VERSION}/composite/sobjects/?", self._delete_many),
            ("POST", f"{_VERSION}/sobjects/Case/?", self._create),
            ("GET", f"{_VERSION}/sobjects/Case/(?P<id>\\w+)", self._show),
            ("PATCH", f"{_VERSION}/sobjects/Case/(?P<id>\\w+)", self._update),
            ("DELETE", f"{_VERSION}/sobjects/Case/(?P<id>\\w+)", self._delete),
            ("GET", f"{_VERSION}/sobjects/ContentVersion/(?P<id>\\w+)/VersionData", self._file),
        ]

    def admit(self, asked: Asked) -> Told | None:
        """A session on everything but the token's own exchange; the URI has an end."""
        if len(asked.path) + sum(len(value) for value in asked.query.values()) > MOST_URI:
            return Told(414, "<h1>URI Too Long</h1>", kind="text/html")
        if asked.path == "/services/oauth2/token" or self.tokens.is_good(bearer(asked)):
            return None
        return self.error(401)

    def throttle(self, asked: Asked) -> Told | None:
        """403 and not 429, without a wait (airbyte ``source-salesforce/unit_tests``)."""
        if asked.path == "/services/oauth2/token":
            return None
        if self.used >= self.calls_a_day:
            return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.used += 1
        return None

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """*Limit Info Header*: used and limit of the org's day."""
        if asked.path == "/services/oauth2/token":
            return {}
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{self.calls_a_day}"}

    def error(self, status: int) -> Told:
        """Errors are an array (*Status Codes and Error Responses*)."""
        match status:
            case 401:
                return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
            case 403:
                return _error(
                    403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."
                )
            case 404:
                return _error(404, "NOT_FOUND", "The requested resource does not exist")
            case 503:
                return _error(503, "SERVER_UNAVAILABLE", "We're temporarily unavailable")
            case _:
                return _error(status, "UNKNOWN_EXCEPTION", "An unexpected error occurred.")

    def _token(self, asked: Asked) -> Told:
        """*OAuth 2.0 Client Credentials Flow*, *JWT Bearer Flow*: a form; errors are an object here, not an array."""
        said = asked.form()
        match said.get("grant_type"):
            case "client_credentials":
                is_good = (said.get("client_id"), said.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
                refusal = ("invalid_client", "invalid client credentials")
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                is_good = self._is_good_assertion(said.get("assertion", ""))
                refusal = ("invalid_grant", "invalid assertion")
            case _:
                is_good, refusal = False, ("unsupported_grant_type", "grant type not supported")
        if not is_good:
            return Told(400, {"error": refusal[0], "error_description": refusal[1]})
        return Told(
            200,
            {
                "access_token": self.tokens.issue(),
                "signature": "c2lnbmF0dXJl",
                "scope": "api",
                "instance_url": asked.base,
                "id": f"{asked.base}/id/00Dxx0000000001/005xx0000000001",
                "token_type": "Bearer",
                "issued_at": str(int(self.clock.now().timestamp() * 1000)),
            },
        )

    def _is_good_assertion(self, assertion: str) -> bool:
        """The claims alone: who, for whom and how long. That it is signed is not looked at here."""
        try:
            part = assertion.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(f"{part}{'=' * (-len(part) % 4)}"))
        except (ValueError, IndexError):
            return False
        left = float(claims.get("exp", 0)) - self.clock.now().timestamp()
        return (claims.get("iss"), claims.get("sub")) == (CLIENT_ID, USERNAME) and 0 < left <= JWT_SECONDS

    def _query(self, asked: Asked, version: str) -> Told:
        try:
            query = parsed(asked.query.get("q", ""))
            rows = chosen(query, self._table(query.table), unfilterable=_LONG)
            unknown = [one for one in query.fields if rows and one not in rows[0]]
        except NotFilterable as error:
            return _error(400, "INVALID_FIELD", f"field '{error}' can not be filtered in a query call")
        except MalformedQuery as error:
            code = "INVALID_FIELD" if "No such column" in str(error) else "MALFORMED_QUERY"
            return _error(400, code, str(error))
        except KeyError as error:
            return _error(400, "INVALID_TYPE", f"sObject type {error} is not supported.")
        if unknown:
            return _error(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{query.table}'.")
        return self._page(query, rows, 0, version)

    def _page(self, query: Query, rows: Sequence[Mapping[str, object]], start: int, version: str) -> Told:
        """*Query*: ``done`` and ``nextRecordsUrl``; *Query More Results* takes no parameters."""
        wanted = {*query.fields, *(one for names in query.children.values() for one in names)}
        size = self.long_text_rows if wanted & _LONG else MOST_ROWS
        part = rows[start : start + size]
        value: dict[str, object] = {
            "totalSize": len(rows),
            "done": start + size >= len(rows),
            "records": [self._record(query, one, version) for one in part],
        }
        if not value["done"]:
            locator = f"01gxx{len(self._cursors):010d}-{start + size}"
            self._cursors[locator] = (query, list(rows), start + size)
            value["nextRecordsUrl"] = f"/services/data/v{version}/query/{locator}"
        return Told(200, value)

    def _more(self, _: Asked, version: str, locator: str) -> Told:
        if locator not in self._cursors:
            return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        query, rows, start = self._cursors[locator]
        return self._page(query, rows, start, version)

    def _record(self, query: Query, row: Mapping[str, object], version: str) -> dict[str, object]:
        shown: dict[str, object] = {
            "attributes": {
                "type": query.table,
                "url": f"/services/data/v{version}/sobjects/{query.table}/{row.get('Id')}",
            },
        }
        for name in query.fields:
            parent, _, field = name.partition(".")  # a parent's field comes within an object of the parent
            if field:
                inner = shown.setdefault(parent, {"attributes": {"type": parent}})
                assert isinstance(inner, dict)
                inner[field] = _shown(row[name])
            else:
                shown[name] = _shown(row[name])
        for child, names in query.children.items():
            records = row.get(f"_{child}")
            if not isinstance(records, list) or not records:
                shown[child] = None
                continue
            shown[child] = {
                "totalSize": len(records),
                "done": True,
                "records": [{name: _shown(one[name]) for name in names} for one in records],
            }
        return shown

    def _table(self, name: str) -> list[dict[str, object]]:
        match name:
            case "Case":
                return [self._case(one) for one in self.desk.alive()]
            case "EmailMessage":
                return [mail for one in self.desk.alive() for mail in self._mails(one)]
            case "ContentDocumentLink":
                return [file for one in self.desk.alive() for file in self._files(one)]
            case _:
                return self.settings[name]

    def _case(self, row: Row) -> dict[str, object]:
        """*Case*. ``SuppliedEmail`` is set for mail and Web-to-Case; CreatedDate has whole seconds."""
        is_ours_to_see = row.channel in {"email", "form"}
        return {
            "Id": case_id(row.id),
            "CaseNumber": f"{row.id:08d}",
            "Subject": row.subject,
            "Description": row.body,
            "SuppliedEmail": row.requester if is_ours_to_see else None,
            "Origin": _ORIGIN[row.channel],
            "Status": "New" if row.is_open else "Closed",
            "IsClosed": not row.is_open,
            "Synthetic__c": " ".join(row.tags) or None,
            "CreatedDate": row.created_at.replace(microsecond=0),
            "LastModifiedDate": row.updated_at.replace(microsecond=0),
            "_EmailMessages": self._mails(row),
        }

    def _mails(self, row: Row) -> list[dict[str, object]]:
        """*EmailMessage*: one for the mail that made the case, one for each that came later."""
        if row.channel != "email":
            return []
        texts = [row.body, *row.added]
        return [
            {
                "Id": f"02s{row.id:09d}{index:03d}AAA",
                "ParentId": case_id(row.id),
                "FromAddress": row.requester,
                "Subject": row.subject,
                "TextBody": text,
                "Headers": f"Message-ID: {row.message_id}" if row.message_id and index == 0 else None,
                "MessageIdentifier": row.message_id if index == 0 else None,
                "MessageDate": row.created_at.replace(microsecond=0),
                "Incoming": True,
                "HasAttachment": bool(row.files) and index == 0,
            }
            for index, text in enumerate(texts)
        ]

    def _files(self, row: Row) -> list[dict[str, object]]:
        return [
            {
                "LinkedEntityId": next((one["Id"] for one in self._mails(row)), case_id(row.id)),  # [M]
                "ContentDocumentId": f"069{row.id:09d}{index:03d}AAA",
                "ContentDocument.Title": one.name.rpartition(".")[0],
                "ContentDocument.FileExtension": one.name.rpartition(".")[2],
                "ContentDocument.LatestPublishedVersionId": f"068{row.id:09d}{index:03d}AAA",
            }
            for index, one in enumerate(row.files)
        ]

    def _file(self, _: Asked, version: str, id: str) -> Told:  # noqa: A002 - the route's word
        row, index = self.desk.find(int(id[3:12])), int(id[12:15])
        if not version or row is None or index >= len(row.files):
            return self.error(404)
        return Told(200, row.files[index].content, kind="application/octetstream")

    def _limits(self, _: Asked, version: str) -> Told:
        """*Limits*: what is left of the day."""
        left = self.calls_a_day - self.used
        return Told(
            200, {"DailyApiRequests": {"Max": self.calls_a_day, "Remaining": left}}, {"X-Version": version}
        )

    def _update_many(self, asked: Asked, version: str) -> Told:
        """*Update Records Using sObject Collections*: 200 with a result each, in their order."""
        records = asked.json().get("records", [])
        if len(records) > MOST_RECORDS:
            return _error(400, "LIMIT_EXCEEDED", f"record limit reached in v{version}")
        return Told(200, [self._saved(one.get("id", ""), partial(self._set, said=one)) for one in records])

    def _delete_many(self, asked: Asked, version: str) -> Told:
        """*Delete Records Using sObject Collections*: into the recycle bin [M]."""
        ids = [one for one in asked.query.get("ids", "").split(",") if one]
        if len(ids) > MOST_RECORDS:
            return _error(400, "LIMIT_EXCEEDED", f"record limit reached in v{version}")
        return Told(200, [self._saved(one, self._binned) for one in ids])

    def _saved(self, case: str, change: Callable[[Row], tuple[str, str] | None]) -> dict[str, object]:
        """One SaveResult."""
        row = self.desk.find(int(case[3:15])) if case[:3] == "500" and case[3:15].isdigit() else None
        error = ("ENTITY_IS_DELETED", "entity is deleted") if row is None else None
        if row is not None and not self.may_write:
            error = ("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        if row is not None and error is None and not self.faults.swallows:
            error = change(row)
        if error is None:
            return {"id": case, "success": True, "errors": []}
        return {"success": False, "errors": [{"statusCode": error[0], "message": error[1], "fields": []}]}

    def _set(self, row: Row, said: Mapping[str, object]) -> tuple[str, str] | None:
        missing = [one for one in self.required if said.get("Status") == "Closed" and not said.get(one)]
        if missing:
            return "FIELD_CUSTOM_VALIDATION_EXCEPTION", f"closing needs {missing[0]}"
        if isinstance(said.get("Synthetic__c"), str):
            row.tags = str(said["Synthetic__c"]).split()
        if said.get("Status") in {"Closed", "New"}:
            row.is_open = said["Status"] == "New"
        self.desk.touch(row)
        return None

    def _binned(self, row: Row) -> tuple[str, str] | None:
        self.desk.bin(row)
        return None

    def _show(self, asked: Asked, version: str, id: str) -> Told:  # noqa: A002 - the route's word
        row = self.desk.find(int(id[3:15])) if id[3:15].isdigit() else None
        if row is None:
            return self.error(404)
        query = Query(tuple(one for one in self._case(row) if not one.startswith("_")), "Case")
        names = asked.query.get("fields", "").split(",") if asked.query.get("fields") else query.fields
        return Told(200, self._record(Query(tuple(names), "Case"), self._case(row), version))

    def _create(self, asked: Asked, version: str) -> Told:
        """*Create a Record*: 201 with the id; a field that there is not is refused."""
        said = asked.json()
        unknown = [one for one in said if one not in {"Subject", "Description", "SuppliedEmail"}]
        if unknown:
            return _error(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on Case (v{version})")
        if not self.may_write:
            return _error(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights")
        row = self.desk.plant(said["Subject"], said["Description"], said["SuppliedEmail"], channel="form")
        return Told(201, {"id": case_id(row.id), "success": True, "errors": []})

    def _update(self, asked: Asked, version: str, id: str) -> Told:  # noqa: A002 - the route's word
        """*Update a Record*: 204 and no body."""
        return self._single(self._saved(id, lambda row: self._set(row, asked.json())), version)

    def _delete(self, _: Asked, version: str, id: str) -> Told:  # noqa: A002 - the route's word
        return self._single(self._saved(id, self._binned), version)

    def _single(self, result: Mapping[str, object], version: str) -> Told:
        if result["success"]:
            return Told(204)
        errors = result["errors"]
        assert isinstance(errors, list)
        error = errors[0]
        status = 404 if error["statusCode"] == "ENTITY_IS_DELETED" else 400
        return _error(status, error["statusCode"], f"{error['message']} (v{version})")


def case_id(number: int) -> str:
    """An id of 18 characters; a case's begins with 500 (object reference)."""
    return f"500{number:012d}AAA"


def _error(status: int, code: str, message: str) -> Told:
    return Told(status, [{"message": message, "errorCode": code}])


def _shown(value: object) -> object:
    """Times as the REST API writes them: ``2026-03-02T12:00:00.000+0000``."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.000+0000") if isinstance(value, datetime) else value
