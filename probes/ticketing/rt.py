"""Request Tracker 5 over REST2: one TicketSQL search for all canaries, bodies read for matches alone.

Every call costs it about 0.3 s whatever it asks, so the search is batched and what does not change is read once. A
page holds at most 100 tickets and larger wishes are cut silently; ``total`` is null for a user who can't see
everything, so pages are read until one is not full (RT::REST2::Resource::Collection of 5.0.3). A change that it
does not make is answered 200 with the error as text, and unknown custom fields are dropped: whatever is written
is read back.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import find_tokens
from canary.ticket import Ticket, TicketId, TicketRef, TicketState
from probes.contracts import (
    Blind,
    Budget,
    Check,
    CheckState,
    Clock,
    Disposal,
    DisposalAction,
    Disposed,
    Glance,
    Look,
    RemovalState,
    View,
)
from probes.http import Api
from probes.json_answer import Json
from probes.masking import Masker, Secret
from probes.ticketing.checking import checked, skew_check
from probes.ticketing.disposing import dispose_each
from probes.ticketing.rt_message import FIELDS, FirstMessage, first_message
from probes.ticketing.settings import LOOK_BACK_SECONDS, ORPHAN_DAYS, RtSettings
from probes.ticketing.tallying import SAMPLE, bears_token, tally_of

_REST: Final = "REST/2.0/"
_PER_PAGE: Final = 100
_DELETED: Final = "deleted"
_CLOSED: Final = frozenset({"resolved", "rejected", _DELETED})
_FIELDS: Final = "Subject,Status,Created,Requestor,Queue,CustomFields"
_TRIES: Final = 3
_REMEMBERED: Final = 500
_ZONE_CHANGE_SECONDS: Final = 3600
"""Between the moment asked for and now, the zone of our user may have left summer time."""


def authorise(secret: Secret) -> Mapping[str, str]:
    """Request Tracker's authentication token (docs/authentication.pod of 5.0.3)."""
    return {"Authorization": f"token {secret.reveal()}"}


class RequestTracker:
    """A Request Tracker as a `TicketingSystem`. TicketSQL reads the table: the view is strong."""

    def __init__(self, settings: RtSettings, api: Api, *, clock: Clock, masker: Masker) -> None:
        self._settings = settings
        self._api = api
        self._clock = clock
        self._masker = masker
        self._per_page = _PER_PAGE
        self._messages: dict[int, FirstMessage] = {}

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._settings.name

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """One search, by the marker and the oldest launch; see `TicketingSystem.find`.

        A wide look takes in every queue that we may see, and the tickets of our senders whose subject lost the
        marker. Without canaries it goes back as far as tokens are kept.
        """
        since = self._since(canaries)
        order = (
            "ASC" if canaries else "DESC"
        )  # of strays the newest first: the oldest may be years of closed ones
        rows, is_complete = await self._search(self._query(canaries, depth, since), order)
        tokens = frozenset(one.token for one in canaries)
        rows = [one for one in rows if _may_be_ours(one["Subject"].text(), tokens)]
        tickets: list[Ticket] = []
        bodies_left = self._settings.most_bodies
        for row in rows:
            number = row["id"].number()
            if number not in self._messages:
                bodies_left -= 1
                if bodies_left < 0:
                    is_complete = False  # the next look goes on where this one ends
                    continue
            message = await self._message(number)
            if _bears(message, row["Subject"].text(), tokens):
                tickets.append(self._ticket(row, message))
        return Look(
            tickets=tuple(tickets),
            view=View.STRONG,
            lag_seconds=0.0,
            is_complete=is_complete,
            since=since,
            skew_seconds=self._api.skew.seconds,
        )

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Tag and close without mail, or delete (its status then is ``deleted``)."""
        match how.action:
            case DisposalAction.CLOSE:
                return await dispose_each(tickets, self._close, how, masker=self._masker)
            case DisposalAction.DELETE:
                return await dispose_each(tickets, self._delete, how, masker=self._masker)

    async def glance(self, since: datetime) -> Sequence[Glance]:
        """One page of the newest tickets; the message of ours and of a few others, about 0.3 s each."""
        seconds = math.ceil((self._clock.now() - since).total_seconds())
        parts = [f"Created >= '-{seconds} seconds'"]
        if self._settings.queue is not None:
            parts.append(f"Queue = {_quoted(self._settings.queue)}")
        rows: list[Json] = []
        shown: list[Ticket] = []
        read: list[Ticket] = []
        fault, is_asking = "", True
        try:
            rows = list((await self._page(" AND ".join(parts), "DESC", 1))["items"].items())
            for row in rows:
                is_asking = False
                is_ours = bool(find_tokens(row["Subject"].text()))
                ticket = self._ticket(row, FirstMessage(None, None, None, None))
                if is_ours or len(read) < SAMPLE:
                    is_asking = True
                    ticket = self._ticket(row, await self._message(row["id"].number()))
                    read.append(ticket)
                shown.append(ticket)
        except Blind as error:
            fault = self._masker.mask(str(error))
        return [
            Glance(
                "",
                TicketState.TICKET,
                View.STRONG,
                0.0,
                shown=len(shown),
                tickets=tuple(one for one in read if bears_token(one)),
                fields=(
                    *tally_of(shown, sought=("id", "created_at", "requester", "subject", "open")),
                    *tally_of(read, sought=("channel", "body", "message_id")),
                ),
                is_whole=len(rows) < self._per_page and not fault,
                skew_seconds=self._api.skew.seconds,
                fault=fault,
                is_unreadable=bool(fault) and is_asking,
            )
        ]

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        """Make a ticket in the configured queue; a stock scrip mails the requester an acknowledgement."""
        queue = self._settings.queue
        if queue is None:
            raise LookupError(
                f"the configuration of {self.name} does not say in which queue a ticket is made: add queue"
            )
        ticket = {"Queue": queue, "Subject": subject, "Requestor": requester, "Content": body}
        answer = await self._api.call("POST", f"{_REST}ticket", body=ticket)
        return str(answer.json()["id"].number())

    def budget(self) -> Sequence[Budget]:
        """Windows of whatever stands in front of it; Request Tracker itself has none."""
        return self._api.rate_limits.windows(now=self._clock.now())

    async def check(self) -> Sequence[Check]:
        """Search for one ticket and read what we may do with it; changes nothing."""
        found = await checked(self.name, "ticket.search", self._check_search, masker=self._masker)
        if found.state is CheckState.FAIL:
            return (found,)
        changes = await checked(self.name, "ticket.close", self._check_change, masker=self._masker)
        return (found, changes, skew_check(self.name, self._api.skew))

    async def _search(self, query: str, order: str) -> tuple[list[Json], bool]:
        rows: dict[int, Json] = {}
        for page in range(1, self._settings.most_pages + 1):
            answer = await self._page(query, order, page)
            found = list(answer["items"].items())
            rows.update((one["id"].number(), one) for one in found)
            if len(found) < self._per_page:
                return list(rows.values()), True
        return list(rows.values()), False

    async def _page(self, query: str, order: str, page: int) -> Json:
        return await self._api.get(
            f"{_REST}tickets",
            {
                "query": query,
                "fields": _FIELDS,
                "fields[Requestor]": "EmailAddress",
                "fields[Queue]": "Name",
                "orderby": "id",
                "order": order,
                "per_page": str(self._per_page),
                "page": str(page),
            },
        )

    def _query(self, canaries: Sequence[Canary], depth: Depth, since: datetime) -> str:
        marker = f"Subject LIKE {_quoted(self._settings.marker)}"
        # A date, also one that says UTC, is moved by our user's time zone (RT::Date 5.0.3); a distance is not.
        # `3900 seconds ago` would be the year 3900 (Time::ParseDate).
        seconds = math.ceil((self._clock.now() - since).total_seconds() + _ZONE_CHANGE_SECONDS)
        parts = [f"Created >= '-{seconds} seconds'"]
        if depth is Depth.POLL and canaries:
            parts.append(marker)
            if self._settings.queue is not None:
                queues = [self._settings.queue, self._settings.quarantine_queue]
                named = " OR ".join(f"Queue = {_quoted(one)}" for one in queues if one is not None)
                parts.append(f"( {named} )")
            return " AND ".join(parts)
        if not canaries:
            parts.append("Status = '__Active__'")  # what is closed already is no stray
        senders = sorted({one.sender for one in canaries})
        ways = [marker, *(f"Requestor.EmailAddress = {_quoted(one)}" for one in senders)]
        if not canaries and self._settings.custom_field is not None:
            ways.append(f"CF.{{{self._settings.custom_field}}} = {_quoted(self._settings.tag)}")
        return f"{' AND '.join(parts)} AND ( {' OR '.join(ways)} )"

    async def _message(self, number: int) -> FirstMessage:
        if number not in self._messages:
            if len(self._messages) >= _REMEMBERED:
                self._messages.clear()
            answer = await self._api.get(
                f"{_REST}ticket/{number}/attachments",
                {
                    "fields": FIELDS,
                    "per_page": str(_PER_PAGE),
                    "orderby": "id",
                },
            )
            self._messages[number] = first_message(answer)
        return self._messages[number]

    def _ticket(self, row: Json, message: FirstMessage) -> Ticket:
        number = row["id"].number()
        requesters = [one["EmailAddress"].text().lower() for one in row["Requestor"].items()]
        return Ticket(
            ref=TicketRef(
                self.name,
                TicketId(str(number)),
                f"{self._settings.url.rstrip('/')}/Ticket/Display.html?id={number}",
            ),
            subject=row["Subject"].text(),
            body=message.body,
            requester=requesters[0] if len(requesters) == 1 else None,
            remote_created_at=row["Created"].moment(),
            channel=message.channel,
            tags=self._tags(row),
            shows_tags=self._shows_tags(row),
            group=row["Queue"]["Name"].text() if row.has("Queue") and row["Queue"].has("Name") else None,
            is_open=row["Status"].text() not in _CLOSED,
            message_id=message.message_id,
            attachments=message.attachments,
        )

    def _tags(self, row: Json) -> frozenset[str]:
        return frozenset(value.text() for one in self._tag_fields(row) for value in one["values"].items())

    def _shows_tags(self, row: Json) -> bool:
        """Whether the field is among those shown, empty or not: without SeeCustomField it is left out."""
        return bool(self._tag_fields(row))

    def _tag_fields(self, row: Json) -> list[Json]:
        name = self._settings.custom_field
        if name is None or not row.has("CustomFields") or row["CustomFields"].value == "":
            return []
        return [one for one in row["CustomFields"].items() if one["name"].text() == name]

    async def _close(self, ticket: Ticket, how: Disposal) -> Disposed:
        for _ in range(_TRIES):
            read = await self._api.call("GET", self._path(ticket), accept={HTTPStatus.NOT_FOUND})
            if read.status == HTTPStatus.NOT_FOUND:
                return Disposed(ticket.ref, RemovalState.ABSENT, "no longer there")
            if read.json()["Status"].text() == _DELETED:  # closing it would bring it back
                return Disposed(ticket.ref, RemovalState.ABSENT, "already deleted")
            if self._is_closed(read.json(), how):
                return Disposed(ticket.ref, RemovalState.ABSENT, "already closed")
            body: dict[str, object] = {"Status": self._settings.closed_status}
            if self._settings.custom_field is not None:
                body["CustomFields"] = {self._settings.custom_field: how.tag}
            etag = read.headers.get("etag")
            answer = await self._api.call(
                "PUT",
                self._path(ticket),
                body=body,
                headers={"If-Match": etag} if etag else {},
                accept={HTTPStatus.PRECONDITION_FAILED},
            )
            if answer.status != HTTPStatus.PRECONDITION_FAILED:
                return await self._closed(ticket, how, answer.json())
        return Disposed(ticket.ref, RemovalState.FAILED, "somebody else changes it all the time")

    async def _closed(self, ticket: Ticket, how: Disposal, said: Json) -> Disposed:
        """Read back what was written: an invalid change is answered like a valid one."""
        after = await self._api.get(self._path(ticket))
        if self._is_closed(after, how):
            return Disposed(ticket.ref, RemovalState.DONE)
        words = "; ".join(one.text() for one in said.items()) if isinstance(said.value, list) else ""
        is_closed = after["Status"].text() in _CLOSED
        finding = "closed and not tagged" if is_closed else "not closed"
        return Disposed(
            ticket.ref,
            RemovalState.FAILED,
            self._masker.detail(f"{finding}; it said: {words or 'nothing'}"),
        )

    def _is_closed(self, ticket: Json, how: Disposal) -> bool:
        is_tagged = self._settings.custom_field is None or how.tag in self._tags(ticket)
        return ticket["Status"].text() in _CLOSED and is_tagged

    async def _delete(self, ticket: Ticket, how: Disposal) -> Disposed:
        read = await self._api.call("GET", self._path(ticket), accept={HTTPStatus.NOT_FOUND})
        if read.status == HTTPStatus.NOT_FOUND or read.json()["Status"].text() == _DELETED:
            return Disposed(ticket.ref, RemovalState.ABSENT, "already deleted")
        await self._api.call("DELETE", self._path(ticket))
        after = await self._api.get(self._path(ticket))
        if after["Status"].text() == _DELETED:
            return Disposed(ticket.ref, RemovalState.DONE)
        return Disposed(ticket.ref, RemovalState.FAILED, f"it took the {how.action} and did not do it")

    def _path(self, ticket: Ticket) -> str:
        return f"{_REST}ticket/{ticket.ref.id}"

    async def _check_search(self) -> Check:
        rows = await self._newest()
        seen = "a ticket of ours or a customer's was found" if rows else "no ticket is shown yet"
        return Check(self.name, "ticket.search", CheckState.OK, f"reachable and authorised; {seen}")

    async def _check_change(self) -> Check:
        rows = await self._newest()
        if not rows:
            return Check(
                self.name,
                "ticket.close",
                CheckState.WARN,
                "what we may do can't be known before there is a ticket that we may see",
                "Check again after the first canary.",
            )
        links = (await self._api.get(f"{_REST}ticket/{rows[0]['id'].number()}"))["_hyperlinks"]
        actions = {one["to"].text() for one in links.items() if one.has("to")}
        fields = {one["name"].text() for one in links.items() if one["ref"].text() == "customfield"}
        missing = [f"status {self._settings.closed_status}"] if not actions else []
        if self._settings.custom_field is not None and self._settings.custom_field not in fields:
            missing.append(f"custom field {self._settings.custom_field}")
        if not missing:
            return Check(self.name, "ticket.close", CheckState.OK, "authorised to tag and close")
        return Check(
            self.name,
            "ticket.close",
            CheckState.FAIL,
            f"the newest ticket does not offer us: {', '.join(missing)}",
            "Give the user ModifyTicket, SeeCustomField and ModifyCustomField on the queue, or set `cleanup: none`.",
        )

    async def _newest(self) -> list[Json]:
        query = f"Queue = {_quoted(self._settings.queue)}" if self._settings.queue is not None else "id > 0"
        answer = await self._api.get(
            f"{_REST}tickets",
            {"query": query, "orderby": "id", "order": "DESC", "per_page": "1", "fields": "Status"},
        )
        return list(answer["items"].items())

    def _since(self, canaries: Sequence[Canary]) -> datetime:
        if not canaries:
            return self._clock.now() - timedelta(days=ORPHAN_DAYS)
        return min(one.launched_at for one in canaries) - timedelta(seconds=LOOK_BACK_SECONDS)


def _quoted(word: str) -> str:
    """A literal of TicketSQL."""
    escaped = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _may_be_ours(subject: str, tokens: frozenset[str]) -> bool:
    """Whether the body is worth a call: a token of ours in the subject, or none at all."""
    words = find_tokens(subject)
    return not words or not tokens or not tokens.isdisjoint(words)


def _bears(message: FirstMessage, subject: str, tokens: Collection[str]) -> bool:
    """Whether a ticket bears a token of ours; without canaries, any token."""
    words = find_tokens("\n".join((subject, message.body or "", message.message_id or "")))
    return any(word in tokens for word in words) if tokens else bool(words)
