"""The fault points of a canary's life: every await on the outside, before and after it, by name and occurrence.

`python -m tests.chaos.points ACTION FILE -- ARGUMENTS` runs `intake-prober ARGUMENTS` with all of them in place.
ACTION is ``list`` (each point that was passed becomes a line of FILE) or ``kill NAME N SIDE`` or ``stop NAME N SIDE``
written as one word with colons (``kill:store.append:3:after``): the process ends itself there by SIGKILL, or stops
itself by SIGSTOP; FILE is written just before.
"""

import inspect
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiosmtplib

from probes.certificates import CertificateReader
from probes.dns import Resolver
from probes.email.session import SmtpSession
from probes.http import Api
from probes.mailbox.backlog import MailboxBacklogReader
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.watcher import SenderMailboxWatcher, SupportMailboxWatcher
from probes.ticketing.helpdesk import Helpdesk
from probes.ticketing.watcher import TicketWatcher
from runners.store import SqlStore
from runners.store.engine import Writer

AWAITS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "dns": (Resolver, ("host",)),
    "smtp": (SmtpSession, ("open", "starttls", "login", "submit", "quit")),
    "smtp.command": (aiosmtplib.SMTP, ("mail", "rcpt", "execute_command")),
    "smtp.answer": (aiosmtplib.protocol.SMTPProtocol, ("read_response",)),
    "support": (SupportMailboxWatcher, ("look", "news", "remove")),
    "sender": (SenderMailboxWatcher, ("look", "news", "remove")),
    "ticket": (TicketWatcher, ("look", "news", "remove")),
    "desk": (Helpdesk, ("find", "dispose")),
    "http": (Api, ("call",)),
    "capacity": (MailboxCapacityReader, ("read",)),
    "backlog": (MailboxBacklogReader, ("read",)),
    "certificate": (CertificateReader, ("read",)),
    "store": (
        SqlStore,
        tuple(name for name, verb in vars(SqlStore).items() if inspect.iscoroutinefunction(verb)),
    ),
}
"""Where a canary's life touches the outside, and by which coroutines."""


@dataclass(frozen=True, slots=True)
class Point:
    """One moment: just before or after the n-th time that an await is reached."""

    name: str
    occurrence: int
    side: str

    def __str__(self) -> str:
        return f"{self.name}:{self.occurrence}:{self.side}"


def point_of(text: str) -> Point:
    name, occurrence, side = text.rsplit(":", 2)
    return Point(name, int(occurrence), side)


class Points:
    """Counts what is passed, and does what is asked for at one of them."""

    def __init__(self, act: Callable[[Point], None]) -> None:
        self._act = act
        self._counts: Counter[str] = Counter()

    def put(self) -> None:
        """Put a point before and after every await of the list."""
        for place, (owner, names) in AWAITS.items():
            for name in names:
                setattr(owner, name, self._around(f"{place}.{name}", getattr(owner, name)))

    def _around(self, name: str, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def passed(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 -- whatever the coroutine takes
            self._counts[name] += 1
            occurrence = self._counts[name]
            self._act(Point(name, occurrence, "before"))
            answer = await call(*arguments, **options)
            self._act(Point(name, occurrence, "after"))
            return answer

        return passed


class BetweenTransactions:
    """Lets a process stand still only where it holds no lock of the store: one that does stops everybody else, too."""

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def put(self) -> None:
        """Have each transaction take its turn."""
        run = Writer._run

        def in_turn(writer: Writer, *arguments: Any) -> Any:  # noqa: ANN401 -- as the method that it stands for
            with self._turn:
                return run(writer, *arguments)

        setattr(Writer, "_run", in_turn)  # noqa: B010 -- the fault point

    def stop(self) -> None:
        """Stand still until somebody lets the process go on."""
        with self._turn:
            os.kill(os.getpid(), signal.SIGSTOP)


def main(words: list[str]) -> int:
    action, path, _, *arguments = words
    file = Path(path)
    verb, _, wanted = action.partition(":")

    def note(point: Point) -> None:
        with file.open("a") as lines:
            lines.write(f"{point}\n")

    standing = BetweenTransactions()

    def strike(point: Point) -> None:
        if str(point) != wanted:
            return
        note(point)
        if verb == "stop":
            standing.stop()
        else:
            os.kill(os.getpid(), signal.SIGKILL)

    if verb == "stop":
        standing.put()
    Points(note if verb == "list" else strike).put()
    from runners.cli.app import main as intake_prober

    return intake_prober(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
