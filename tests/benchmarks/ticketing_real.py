"""The real ticketing systems of the benchmark, and a quick way to fill each with hundreds of tickets."""

import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from tests.benchmarks.rt_rows import copy_ticket
from tests.contracts.ticketing_bench import BODY, SENDER, STRANGER, TAG, Bench
from tests.real.desks import HelpdeskBench, TrackerBench
from tests.real.desks import Stranger as DeskTicket
from tests.real.desks_more import RedmineBench, RoundupBench
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import running_mail
from tests.real.servers.needed import NotHere
from tests.real.servers.process import server_directory, unprivileged_account
from tests.real.servers.redmine import running_redmine
from tests.real.servers.request_tracker import running_request_tracker
from tests.real.servers.roundup import running_roundup
from tests.sandbox import Sandbox

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RealSystem:
    """One that runs.

    Attributes:
        fill: makes a ticket of each subject and requester, with the body of a canary.
        why: what of the calls grows with the canaries, and why.
    """

    name: str
    bench: Bench
    fill: Callable[[Sequence[tuple[str, str]]], None]
    why: str

    def plant(self, subjects: Sequence[str]) -> None:
        """Tickets of the canaries' sender."""
        self.fill([(one, SENDER) for one in subjects])

    def flood(self, count: int) -> None:
        """Tickets of a stranger."""
        self.fill([(f"order {number}", STRANGER) for number in range(count)])


def measured(sandbox: Sandbox, measure: Callable[[RealSystem], T]) -> Sequence[Future[T | None]]:
    """Begin to measure all of them, each in a thread of its own: most of their time is waiting for the system.

    One that this machine has not is left out, and said so: None.
    """
    pool = ThreadPoolExecutor(len(_SYSTEMS))
    begun = [pool.submit(_one, start, sandbox, measure) for start in _SYSTEMS]
    pool.shutdown(wait=False)
    return begun


def _one(
    start: Callable[[Sandbox], AbstractContextManager[RealSystem]],
    sandbox: Sandbox,
    measure: Callable[[RealSystem], T],
) -> T | None:
    with ExitStack() as running:
        try:
            system = running.enter_context(start(sandbox))
        except NotHere as error:
            sys.stderr.write(f"left out: {error}. {error.remedy}\n")
            return None
        return measure(system)


@contextmanager
def _helpdesk(sandbox: Sandbox) -> Iterator[RealSystem]:
    bench = HelpdeskBench(sandbox)
    sandbox.poller(running=False)

    def fill(wanted: Sequence[tuple[str, str]]) -> None:
        bench.insert(DeskTicket(subject, BODY, requester) for subject, requester in wanted)

    yield RealSystem(
        "helpdesk",
        bench,
        fill,
        "its list has no search: pages back from the newest, two in a narrow look; 1 to close one",
    )
    sandbox.poller(running=True)


@contextmanager
def _request_tracker(_: Sandbox) -> Iterator[RealSystem]:
    with (
        server_directory("certificates", unprivileged_account()) as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail) as tracker,
    ):
        tracker.fetcher.is_paused = True
        bench = TrackerBench(tracker, mail)

        def fill(wanted: Sequence[tuple[str, str]]) -> None:
            """Copy the rows of one that was made by the API: its own command line makes one a second."""
            first = int(bench.open_ticket("a template", BODY, wanted[0][1]))
            path = tracker.site.directory / "var" / "rt.sqlite"
            with closing(sqlite3.connect(path, timeout=60)) as database, database:
                for subject, _ in wanted:
                    copy_ticket(database, first, subject)
                database.execute("UPDATE Tickets SET Status = 'deleted' WHERE id = ?", (first,))

        yield RealSystem(
            "rt",
            bench,
            fill,
            "text and files: 1 a ticket, once, 40 a look; 3 to close one: read, change, read back",
        )


@contextmanager
def _redmine(_: Sandbox) -> Iterator[RealSystem]:
    with TemporaryDirectory() as folder, running_redmine() as redmine:
        bench = RedmineBench(redmine, Path(folder))

        def fill(wanted: Sequence[tuple[str, str]]) -> None:
            """Copy the row of one that was made by the API: two hundred by it take half a minute."""
            first = redmine.open_issue("a template", BODY, requester=wanted[0][1])
            with closing(redmine.database()) as database, database:
                _copy_issues(database, first, [subject for subject, _ in wanted])

        yield RealSystem(
            "redmine",
            bench,
            fill,
            "who asked: 1 an author; 3 to close one: read, change, read back",
        )


def _copy_issues(database: sqlite3.Connection, first: int, subjects: Sequence[str]) -> None:
    known = [
        row[1] for row in database.execute("PRAGMA table_info(issues)") if row[1] not in {"id", "subject"}
    ]
    names = ", ".join(f'"{name}"' for name in known)
    copy = f"INSERT INTO issues (subject, {names}) SELECT ?, {names} FROM issues WHERE id = ?"  # noqa: S608 - its own words
    database.executemany(copy, [(one, first) for one in subjects])
    # each is the root of its own tree of issues, as the application has it
    database.execute("UPDATE issues SET root_id = id")
    database.execute("DELETE FROM issues WHERE id = ?", (first,))


@contextmanager
def _roundup(_: Sandbox) -> Iterator[RealSystem]:
    with TemporaryDirectory() as folder, running_roundup(wrong_logins=0) as roundup:
        bench = RoundupBench(roundup, Path(folder))
        roundup.call("/data/keyword", {"name": TAG}, method="POST")  # refused where it is there already

        def fill(wanted: Sequence[tuple[str, str]]) -> None:
            for subject, requester in wanted:
                roundup.open_issue(subject, BODY, requester=requester)

        yield RealSystem(
            "roundup",
            bench,
            fill,
            "text: 1 a ticket, 40 a look; in a deadline look also of strangers' younger than 3 min; 3 to close one: read, change, read back",
        )


_SYSTEMS = (_helpdesk, _request_tracker, _redmine, _roundup)
