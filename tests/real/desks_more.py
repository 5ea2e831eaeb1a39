"""Benches for the ticketing contract: Redmine and Roundup, each read by its preset alone."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar

import httpx

from canary.canary import Canary
from probes.contracts import TicketingSystem
from runners.clock import SystemClock
from tests.contracts.ticketing_bench import Ability, Bench
from tests.contracts.ticketing_wire import Wire
from tests.generic_desks import of_preset, opened
from tests.real.desks import canary_mail
from tests.real.servers.redmine import Redmine
from tests.real.servers.redmine_files import CANARY as REDMINE_CANARY
from tests.real.servers.redmine_files import STRANGER as REDMINE_STRANGER
from tests.real.servers.roundup import Roundup
from tests.real.servers.roundup_files import CANARY as ROUNDUP_CANARY
from tests.real.servers.roundup_files import STRANGER as ROUNDUP_STRANGER

_SUPPORT = "support@acme.test"
_OF_THE_FLOOD = "an order of the flood"


class PresetBench(Bench):
    """A real system, read by a preset.

    Attributes:
        preset: its name.
        variable: where the preset reads its secret.
        few_rows: what a copy of the preset says otherwise, so that it reads one page of two rows.
    """

    preset: ClassVar[str]
    variable: ClassVar[str]
    few_rows: ClassVar[Mapping[str, str]]

    def __init__(self, folder: Path, url: str, secret: str) -> None:
        self._folder = folder
        self._url = url
        self.secret = secret
        self.wire = Wire()

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected(self.secret)

    def short_sighted(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected(self.secret, changed=self.few_rows)

    @asynccontextmanager
    async def connected(
        self, secret: str, *, changed: Mapping[str, str] | None = None
    ) -> AsyncIterator[TicketingSystem]:
        config = of_preset(self._folder, self.preset, self._url, {self.variable: secret}, changed)
        transport = self.wire.around(httpx.AsyncHTTPTransport())
        async with opened(config, clock=SystemClock(), transport=transport) as system:
            yield system

    async def pause(self) -> None:
        await asyncio.sleep(0.2)

    def now(self) -> datetime:
        return datetime.now(UTC)


class RedmineBench(PresetBench):
    """A Redmine with what tests do beside the adapter."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.CHANNEL: "an issue does not tell how it came in",
        Ability.MESSAGE_ID: "an issue does not tell the Message-ID of its mail",
        Ability.FILES: "attachments are told by a further request, which the preset does not make",
        Ability.DIVERTED: "mail that its handler drops leaves nothing that its API shows",
        Ability.LAG: "its list reads the table",
        Ability.JOBS: "it makes a change before it answers",
        Ability.VERSIONS: "it heeds no If-Match, and an old lock_version is a mere 422",
        Ability.APPENDING: "it threads by `[words #number]` in the subject, which no canary bears",
    }
    preset: ClassVar[str] = "redmine"
    variable: ClassVar[str] = "REDMINE_KEY"
    few_rows: ClassVar[Mapping[str, str]] = {
        "size_param: limit, size: 100": "size_param: limit, size: 2",
        "    rows: issues\n": "    max_pages: 1\n    rows: issues\n",
    }
    proofs: tuple[str, ...] = ("/users/current.json",)

    def __init__(self, redmine: Redmine, folder: Path) -> None:
        super().__init__(folder, redmine.url, redmine.keys.prober)
        self.redmine = redmine
        self._is_flooded = False
        if not redmine.issues():
            redmine.open_issue("an old question", "of whoever", requester=REDMINE_STRANGER)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected("0" * 40)

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[TicketingSystem]:
        with self.redmine.without_workflow():
            async with self.opened() as system:
                yield system

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        if requester in {REDMINE_CANARY, REDMINE_STRANGER}:
            return str(self.redmine.open_issue(subject, body, requester=requester))
        said = self.redmine.deliver(
            plain_mail(subject, body, requester), "--unknown-user=create", "--no-account-notice"
        )
        return str(newest(self.redmine.issues(), "subject", subject, f"the mail handler said {said}"))

    def raw(self, ticket_id: str) -> bytes:
        return repr(self.redmine.content_of(int(ticket_id))).encode()

    def mails_sent(self) -> int:
        return self.redmine.mails_sent()

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        code, said = self.redmine.deliver(canary_mail(canary, canary.sender, _SUPPORT, attachment).as_bytes())
        assert code == 0, said

    def flood(self, count: int) -> None:
        """Write the issues straight into the database: three hundred by its API take a minute."""
        first = self.redmine.open_issue(_OF_THE_FLOOD, "where is it?", requester=REDMINE_STRANGER)
        self._is_flooded = True
        with closing(self.redmine.database()) as database, database:
            known = [row[1] for row in database.execute("PRAGMA table_info(issues)")]
            names = ", ".join(f'"{name}"' for name in known if name != "id")
            copy = f"INSERT INTO issues ({names}) SELECT {names} FROM issues WHERE id = ?"  # noqa: S608 - its own words
            database.executemany(copy, [(first,)] * (count - 1))
            # each is the root of its own tree of issues, as the application has it
            database.execute("UPDATE issues SET root_id = id WHERE subject = ?", (_OF_THE_FLOOD,))

    def ebb(self) -> None:
        if not self._is_flooded:
            return
        self._is_flooded = False
        with closing(self.redmine.database()) as database, database:
            database.execute("DELETE FROM issues WHERE subject = ?", (_OF_THE_FLOOD,))

    def delete_by_hand(self, ticket_id: str) -> None:
        answer = self.redmine.call(f"/issues/{ticket_id}.json", method="DELETE", key=self.redmine.keys.admin)
        assert answer.status == 204, answer

    def give_out_again(self, ticket_id: str, subject: str, body: str, requester: str) -> None:
        self.delete_by_hand(ticket_id)
        again = self.open_ticket(subject, body, requester)
        assert again == ticket_id, "only the newest number is given out again"


class RoundupBench(PresetBench):
    """A Roundup with what tests do beside the adapter. Start it with ``wrong_logins=0``: `refused` uses a wrong one."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.FLOOD: "the text is not in its list, so that a flood is read row by row, 40 a look",
        Ability.CHANNEL: "an issue does not tell how it came in",
        Ability.FILES: "an issue's files are further requests, which the preset does not make",
        Ability.DIVERTED: "mail that it refuses becomes a bounce, which the mailbox watcher reads",
        Ability.LAG: "its list reads the table",
        Ability.JOBS: "it makes a change before it answers",
        Ability.SAME_ID: "a deleted issue is only hidden, so that no id is given out again",
        Ability.APPENDING: "it threads by `[issue12]` in the subject, which no canary bears",
        Ability.READ_ONLY: "its API does not tell what our user may do, before it is tried",
        Ability.SILENCE: "a wrong password is refused with 401, and nobody with 403",
    }
    preset: ClassVar[str] = "roundup"
    variable: ClassVar[str] = "ROUNDUP_PASSWORD"
    few_rows: ClassVar[Mapping[str, str]] = {
        'size_param: "@page_size", size: 100': 'size_param: "@page_size", size: 2',
        "    rows: data.collection\n": "    max_pages: 1\n    rows: data.collection\n",
    }

    def __init__(self, roundup: Roundup, folder: Path) -> None:
        super().__init__(folder, roundup.url, roundup.password)
        self.roundup = roundup
        if not roundup.issues():
            roundup.open_issue("an old question", "of whoever", requester=ROUNDUP_STRANGER)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected("wrong-password")

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        if requester in {ROUNDUP_CANARY, ROUNDUP_STRANGER}:
            return self.roundup.open_issue(subject, body, requester=requester)
        code = self.roundup.deliver(plain_mail(subject, body, requester))
        return str(newest(self.roundup.issues(), "title", subject, f"the mail gateway ended with {code}"))

    def raw(self, ticket_id: str) -> bytes:
        return json.dumps(self.roundup.content_of(ticket_id), default=repr).encode()

    def mails_sent(self) -> int:
        return self.roundup.mails_sent()

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        code = self.roundup.deliver(canary_mail(canary, canary.sender, _SUPPORT, attachment).as_bytes())
        assert code == 0

    def delete_by_hand(self, ticket_id: str) -> None:
        headers = self.roundup.write_headers(self.roundup.etag(f"issue/{ticket_id}"))
        answer = self.roundup.call(f"/data/issue/{ticket_id}", method="DELETE", headers=headers)
        assert answer.status == 200, answer


def plain_mail(subject: str, body: str, sender: str) -> bytes:
    """A mail of anybody, as a mail server's pipe hands it over."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, _SUPPORT, subject
    message.set_content(body)
    return message.as_bytes()


def newest(rows: list[dict[str, object]], field: str, subject: str, told: str) -> object:
    """The id of the last row with a subject."""
    with contextlib.suppress(IndexError):
        return [one["id"] for one in rows if one[field] == subject][-1]
    raise AssertionError(f"no ticket {subject}: {told}")
