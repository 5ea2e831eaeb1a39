"""What a simulated vendor keeps, whatever the vendor: tickets, what it holds aside, and the jobs that it promised."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from probes.contracts import Clock

STRANGERS_A_SECOND = 50
FIRST_ID = 1001


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    name: str
    content: bytes


@dataclass(slots=True)
class Row:
    """A ticket. The words of its fields are ours; a vendor's file has the vendor's.

    Attributes:
        channel: ``email``, ``portal``, ``form`` or ``api``.
        visible_at: when a lagging index begins to show it.
        added: texts that were appended to it later, by mail.
        deleted_at: when it was put into the bin, or None.
    """

    id: int
    subject: str
    body: str
    requester: str
    created_at: datetime
    updated_at: datetime
    visible_at: datetime
    channel: str = "email"
    is_open: bool = True
    tags: list[str] = field(default_factory=list)
    message_id: str | None = None
    files: tuple[File, ...] = ()
    added: list[str] = field(default_factory=list)
    version: int = 1
    deleted_at: datetime | None = None
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A mail that the vendor has and made no ticket of."""

    id: int
    subject: str
    body: str
    requester: str
    created_at: datetime
    cause: str
    message_id: str | None = None


@dataclass(slots=True)
class Job:
    """A change that was promised. ``due_at`` None: only when a test says so."""

    id: str
    what: Callable[[], list[dict[str, object]]]
    total: int
    due_at: datetime | None
    results: list[dict[str, object]] | None = None


class Desk:
    """The tables of one simulated vendor, and what tests do beside its API.

    Attributes:
        lag_seconds: how long after its creation a ticket is shown by the index.
        job_seconds: how long a job takes; None: until `finish_jobs`.
        hides: our user may see no ticket any more: lists are empty, and nothing is refused.
        mails: addresses that were written to, in order.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rows: dict[int, Row] = {}
        self.held: dict[int, Held] = {}
        self.jobs: dict[str, Job] = {}
        self.lag_seconds = 0.0
        self.job_seconds: float | None = 0.0
        self.mails: list[str] = []
        self.hides = False
        self._last_id = FIRST_ID - 1

    def plant(
        self,
        subject: str,
        body: str,
        requester: str,
        *,
        channel: str = "email",
        message_id: str | None = None,
        files: Iterable[File] = (),
        created_at: datetime | None = None,
        number: int | None = None,
    ) -> Row:
        """A new ticket, with the next id unless one is given."""
        at = created_at or self.clock.now()
        self._last_id += 1
        row = Row(
            id=number if number is not None else self._last_id,
            subject=subject,
            body=body,
            requester=requester,
            created_at=at,
            updated_at=at,
            visible_at=at + timedelta(seconds=self.lag_seconds),
            channel=channel,
            message_id=message_id,
            files=tuple(files),
        )
        self.rows[row.id] = row
        return row

    def hold(
        self, subject: str, body: str, requester: str, *, cause: str, message_id: str | None = None
    ) -> Held:
        """Take a mail and make no ticket of it."""
        self._last_id += 1
        held = Held(self._last_id, subject, body, requester, self.clock.now(), cause, message_id)
        self.held[held.id] = held
        return held

    def append(self, number: int, text: str) -> None:
        """Add a mail to an existing ticket."""
        row = self.rows[number]
        row.added.append(text)
        self.touch(row)

    def strangers(self, count: int, *, a_second: float = STRANGERS_A_SECOND) -> None:
        """Customers' tickets, the last of them now and the others so many a second before."""
        now = self.clock.now()
        for index in range(count):
            at = now - timedelta(seconds=(count - 1 - index) / a_second)
            self.plant(f"order {index}", "where is it?", f"customer{index % 97}@customer.test", created_at=at)

    def give_out_again(self, number: int, subject: str, body: str, requester: str) -> Row:
        """Delete a ticket for good and give its id to another one."""
        del self.rows[number]
        return self.plant(subject, body, requester, number=number)

    def touch(self, row: Row) -> None:
        """Note that a ticket was changed."""
        row.version += 1
        row.updated_at = self.clock.now()

    def bin(self, row: Row) -> None:
        """Delete softly."""
        row.deleted_at = self.clock.now()
        self.touch(row)

    def alive(self) -> list[Row]:
        """What the table shows now, by id."""
        return sorted(
            (one for one in self.rows.values() if one.deleted_at is None and not self.hides),
            key=lambda one: one.id,
        )

    def indexed(self) -> list[Row]:
        """What the index shows now, by id."""
        now = self.clock.now()
        return [one for one in self.alive() if one.visible_at <= now]

    def find(self, number: int) -> Row | None:
        """The ticket, unless it is gone."""
        row = self.rows.get(number)
        return row if row is not None and row.deleted_at is None and not self.hides else None

    def raw(self, number: int) -> bytes:
        """A ticket byte for byte, as no API shows it."""
        return json.dumps(asdict(self.rows[number]), default=repr, sort_keys=True).encode()

    def promise(self, what: Callable[[], list[dict[str, object]]], total: int) -> Job:
        """Begin a job."""
        seconds = self.job_seconds
        due_at = None if seconds is None else self.clock.now() + timedelta(seconds=seconds)
        job = Job(f"{len(self.jobs) + 1:032x}", what, total, due_at)
        self.jobs[job.id] = job
        self.settle()
        return job

    def settle(self) -> None:
        """Do the jobs that are due."""
        for one in self.jobs.values():
            if one.results is None and one.due_at is not None and one.due_at <= self.clock.now():
                one.results = one.what()

    def finish_jobs(self) -> None:
        """Do all that was promised."""
        for one in self.jobs.values():
            if one.results is None:
                one.results = one.what()
