"""Benches for the ticketing contract: the sandbox's django-helpdesk, and Request Tracker."""

import asyncio
import json
import sqlite3
import urllib.parse
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import ClassVar

import httpx

from canary.canary import Canary
from probes.contracts import TicketingSystem
from probes.http import open_api
from probes.http_wire import HttpSettings
from probes.masking import Masker, Secret
from probes.ticketing import helpdesk, rt
from probes.ticketing.helpdesk import Helpdesk
from probes.ticketing.rt import RequestTracker
from probes.ticketing.settings import HelpdeskSettings, RtSettings
from runners.clock import SystemClock
from tests.contracts.ticketing_bench import BODY, MARKER, TAG, Ability, Bench
from tests.contracts.ticketing_wire import Wire
from tests.real.sandbox_mail import send
from tests.real.servers.mail import Mail
from tests.real.servers.request_tracker import RequestTracker as RunningTracker
from tests.sandbox import Sandbox

_OF_THE_FLOOD = "customer@flood.test"


class GivenSecret:
    """A token that the test knows."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.reads: list[bool] = []

    async def read(self, *, renew: bool = False) -> Secret:
        self.reads.append(renew)
        return Secret(self.value)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A ticket of somebody else."""

    subject: str
    body: str
    requester: str
    resolution: str = ""
    message_id: str = ""


class HelpdeskBench(Bench):
    """The sandbox's helpdesk with what tests do beside the adapter."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.DIVERTED: "mail that django-helpdesk ignores leaves nothing that its API shows",
        Ability.LAG: "its list reads the table",
        Ability.JOBS: "it makes a change before it answers",
        Ability.VERSIONS: "its API knows no ETag and no version",
        Ability.SAME_ID: "Django's SQLite columns are AUTOINCREMENT: an id is never given out again",
        Ability.APPENDING: "it threads by a number in the subject, which no canary bears",
        Ability.SILENCE: "a wrong token is refused with 401 wherever it is used",
        Ability.READ_ONLY: "a token that may read its API may change it: rights are those of staff",
    }

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.wire = Wire()
        self.secret = sandbox.endpoints.desk_token
        self._is_flooded = False

    def opened(self) -> AbstractAsyncContextManager[Helpdesk]:
        return self.connected(self.sandbox.endpoints.desk_token)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected("0" * 40)

    @asynccontextmanager
    async def connected(
        self,
        token: str,
        *,
        page_size: int = 100,
        most_pages: int = 100,
        total_seconds: float = 20.0,
        url: str | None = None,
    ) -> AsyncIterator[Helpdesk]:
        clock, masker = SystemClock(), Masker()
        url = url or self.sandbox.endpoints.desk_url
        http = HttpSettings(name="desk", url=url, total_seconds=total_seconds)
        async with open_api(
            http,
            clock=clock,
            masker=masker,
            secret=GivenSecret(token),
            authorise=helpdesk.authorise,
            transport=self.wire.around(httpx.AsyncHTTPTransport()),
        ) as api:
            settings = HelpdeskSettings(
                name="desk", url=url, marker=MARKER, tag=TAG, page_size=page_size, most_pages=most_pages
            )
            yield Helpdesk(settings, api, clock=clock, masker=masker)

    def short_sighted(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected(self.secret, page_size=2, most_pages=1)

    async def pause(self) -> None:
        await asyncio.sleep(0.1)

    def flood(self, count: int) -> None:
        self.insert(Stranger(f"order {number}", "where is it?", _OF_THE_FLOOD) for number in range(count))
        self._is_flooded = True

    def ebb(self) -> None:
        if not self._is_flooded:
            return
        self._is_flooded = False
        with closing(sqlite3.connect(self._database(), timeout=20)) as database, database:
            ours = "(SELECT id FROM helpdesk_ticket WHERE submitter_email = ?)"
            for statement in (
                f"DELETE FROM helpdesk_followup WHERE ticket_id IN {ours}",  # noqa: S608 - our own words
                "DELETE FROM helpdesk_ticket WHERE submitter_email = ?",
            ):
                database.execute(statement, (_OF_THE_FLOOD,))

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        message = canary_mail(canary, self.sandbox.canary.address, self.sandbox.support.address, attachment)
        send(self.sandbox, message)

    def delete_by_hand(self, ticket_id: str) -> None:
        with self.sandbox.desk() as api:
            api.delete(f"/api/tickets/{ticket_id}/").raise_for_status()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        queue = self._queue()
        with self.sandbox.desk() as api:
            ticket = {"queue": queue, "title": subject, "description": body, "submitter_email": requester}
            answer = api.post("/api/tickets/", json={**ticket, "priority": 3})
            answer.raise_for_status()
            return str(answer.json()["id"])

    def raw(self, ticket_id: str) -> bytes:
        with self.sandbox.desk() as api:
            answer = api.get(f"/api/tickets/{ticket_id}/")
            answer.raise_for_status()
            return answer.content

    def mails_sent(self) -> int:
        counters = self.sandbox.state()["counters"]["smtp"]
        return sum(count for name, count in counters.items() if name.startswith("accepted_"))

    def insert(self, strangers: Iterable[Stranger]) -> None:
        """Write many tickets straight into the helpdesk's database: a thousand by its API take half a minute."""
        with closing(sqlite3.connect(self._database(), timeout=20)) as database, database:
            template = self.open_ticket("a template", "for the others", "template@customer.test")
            ticket = _row(database, "helpdesk_ticket", f"id = {template}")
            followup = {
                **_row(database, "helpdesk_followup", f"ticket_id = {template}", optional=True),
                "message_id": None,
            }
            for one in strangers:
                values = {
                    **ticket,
                    "title": one.subject,
                    "description": one.body,
                    "submitter_email": one.requester,
                    "resolution": one.resolution,
                }
                number = _insert(database, "helpdesk_ticket", values)
                if len(followup) > 1:
                    said = {**followup, "ticket_id": number, "message_id": one.message_id or None}
                    _insert(database, "helpdesk_followup", said)

    def content(self) -> dict[int, tuple[object, ...]]:
        """Every ticket and follow-up as the database has it, by the ticket's id."""
        with closing(sqlite3.connect(self._database(), timeout=20)) as database:
            tickets = database.execute("SELECT id, * FROM helpdesk_ticket ORDER BY id").fetchall()
            followups = database.execute("SELECT ticket_id, * FROM helpdesk_followup ORDER BY id").fetchall()
        return {row[0]: (row, tuple(one for one in followups if one[0] == row[0])) for row in tickets}

    def _queue(self) -> int:
        with closing(sqlite3.connect(self._database(), timeout=20)) as database:
            return int(database.execute("SELECT id FROM helpdesk_queue").fetchone()[0])

    def _database(self) -> str:
        (found,) = self.sandbox.directory.rglob("desk.sqlite3")
        return str(found)


def canary_mail(canary: Canary, sender: str, recipient: str, attachment: bytes) -> EmailMessage:
    """A canary's mail with one file."""
    message = EmailMessage()
    message["From"], message["To"] = sender, recipient
    message["Subject"] = f"{canary.subject_prefix} Grüße"
    message["Message-ID"] = canary.message_id
    message.set_content(BODY)
    message.add_attachment(attachment, maintype="application", subtype="pdf", filename="invoice.pdf")
    return message


class TrackerBench(Bench):
    """A Request Tracker with what tests do beside the adapter."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.FLOOD: "it takes 0.3 s to make a ticket by its API, and has no other way in bulk",
        Ability.DIVERTED: "mail that it refuses becomes a bounce, which the mailbox watcher reads",
        Ability.LAG: "TicketSQL reads the table",
        Ability.JOBS: "it makes a change before it answers",
        Ability.SAME_ID: "it never removes the row of a deleted ticket, so that no id is given out again",
        Ability.APPENDING: "it threads by `[name #number]` in the subject, which no canary bears",
        Ability.SILENCE: "a wrong token is refused with 401 wherever it is used",
        Ability.READ_ONLY: "its tests of rights are in test_request_tracker.py, by queues and custom fields",
    }

    def __init__(self, tracker: RunningTracker, mail: Mail) -> None:
        self.tracker = tracker
        self.wire = Wire()
        self.secret = tracker.token
        self._mail = mail

    def opened(self) -> AbstractAsyncContextManager[RequestTracker]:
        return self.connected(self.tracker.token)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected("1-1-" + "0" * 32)

    @asynccontextmanager
    async def connected(
        self,
        token: str,
        *,
        custom_field: str | None = "Canary",
        closed_status: str = "rejected",
        most_pages: int = 50,
        quarantine_queue: str | None = None,
    ) -> AsyncIterator[RequestTracker]:
        clock, masker = SystemClock(), Masker()
        http = HttpSettings(name="rt", url=self.tracker.url)
        async with open_api(
            http,
            clock=clock,
            masker=masker,
            secret=GivenSecret(token),
            authorise=rt.authorise,
            transport=self.wire.around(httpx.AsyncHTTPTransport()),
        ) as api:
            settings = RtSettings(
                name="rt",
                url=self.tracker.url,
                marker=MARKER,
                queue=self.tracker.queue,
                quarantine_queue=quarantine_queue,
                tag=TAG,
                custom_field=custom_field,
                closed_status=closed_status,
                most_pages=most_pages,
            )
            yield RequestTracker(settings, api, clock=clock, masker=masker)

    @asynccontextmanager
    async def short_sighted(self) -> AsyncIterator[TicketingSystem]:
        async with self.connected(self.tracker.token, most_pages=1) as system:
            system._per_page = 2
            yield system

    async def pause(self) -> None:
        await asyncio.sleep(0.2)

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        message = canary_mail(canary, canary.sender, self.tracker.support_address, attachment)
        self._mail.send(message.as_bytes())

    def delete_by_hand(self, ticket_id: str) -> None:
        self.tracker.call(f"ticket/{ticket_id}", {"Status": "deleted"}, method="PUT")

    def now(self) -> datetime:
        return datetime.now(UTC)

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        status, answer = self.tracker.call(
            "ticket",
            {"Queue": self.tracker.queue, "Subject": subject, "Requestor": requester, "Content": body},
            method="POST",
        )
        if status != 201:
            raise ValueError(f"the ticket was not made: {status} {answer}")
        return str(answer["id"])

    def raw(self, ticket_id: str) -> bytes:
        fields = urllib.parse.urlencode({"fields": "Type,Field,OldValue,NewValue,Created", "per_page": 100})
        parts = [
            self.tracker.call(f"ticket/{ticket_id}")[1],
            self.tracker.call(f"ticket/{ticket_id}/history?{fields}")[1],
            self.tracker.call(f"ticket/{ticket_id}/attachments?fields=Headers,Content&per_page=100")[1],
        ]
        return json.dumps(parts, sort_keys=True).encode()

    def set_time_zone(self, zone: str) -> None:
        """Give the prober's user a time zone; the database is asked, for its own user has not the right."""
        path = self.tracker.site.directory / "var" / "rt.sqlite"
        with closing(sqlite3.connect(path, timeout=20)) as database, database:
            database.execute("UPDATE Users SET Timezone = ? WHERE Name = 'prober'", (zone,))

    def mails_sent(self) -> int:
        self._mail.postfix.drain()
        return self._mail.postfix.log().count(f"from=<{self.tracker.support_address}>")


def _row(
    database: sqlite3.Connection, table: str, where: str, *, optional: bool = False
) -> dict[str, object]:
    cursor = database.execute(f"SELECT * FROM {table} WHERE {where}")  # noqa: S608 - our own words
    row = cursor.fetchone()
    if row is None and optional:
        return {}
    names = [one[0] for one in cursor.description]
    return {name: value for name, value in zip(names, row, strict=True) if name != "id"}


def _insert(database: sqlite3.Connection, table: str, values: dict[str, object]) -> int:
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" for _ in values)
    cursor = database.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - our own words
        tuple(values.values()),
    )
    return int(cursor.lastrowid or 0)
