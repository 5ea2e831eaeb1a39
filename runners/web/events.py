"""What tells open pages that something changed: a broadcaster with bounded queues, and its server-sent events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from probes.contracts import Clock

MOST_READERS: Final = 64
HEARTBEAT_SECONDS: Final = 15.0
"""A comment this often: proxies close what is silent for a minute, and a reader that has gone is noticed."""
LIFE_SECONDS: Final = 600.0
"""So long a stream lives: a browser comes again by itself, and a reader that is none does not stay."""
_HELLO: Final = b"retry: 3000\n: connected\n\n"
_HEARTBEAT: Final = b": still here\n\n"


_TURNS: Final = frozenset({"incidents", "health"})


class TooManyReaders(Exception):
    """So many pages are open already that another one is refused."""


class Broadcaster:
    """Tells whoever listens that something changed.

    A reader that is slow hears once of several changes: it reads everything anew anyway.
    """

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[str | None]] = set()
        self._is_closed = False
        self.changes = 0
        """How many were noted so far; who keeps an answer compares it."""
        self.turns = 0
        """How many of them were such that an answer from before is of no use: an incident opened or ended."""

    def note(self, kind: str) -> None:
        """Something of that kind changed; never waits."""
        self.changes += 1
        if kind in _TURNS:
            self.turns += 1
        for reader in self._readers:
            if not reader.full():
                reader.put_nowait(kind)

    def close(self) -> None:
        """End every stream, so that the server can stop; repeatable."""
        self._is_closed = True
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(None)

    def reopen(self) -> None:
        """Take readers again, after `close`: the page was opened anew."""
        self._is_closed = False

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._readers)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[str | None]]:
        """A queue of what changes from now on; None is the end.

        Raises:
            TooManyReaders: there are `MOST_READERS` already.
        """
        if len(self._readers) >= MOST_READERS:
            raise TooManyReaders
        reader: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        if self._is_closed:
            reader.put_nowait(None)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)


async def stream(broadcaster: Broadcaster, clock: Clock) -> AsyncIterator[bytes]:
    """The events as a browser reads them (WHATWG HTML, server-sent events), until the end, `LIFE_SECONDS` or cancellation.

    Raises:
        TooManyReaders: before the first byte.
    """
    with broadcaster.listening() as reader:
        ends_at = clock.monotonic() + LIFE_SECONDS
        yield _HELLO
        while clock.monotonic() < ends_at:
            try:
                async with clock.timeout(HEARTBEAT_SECONDS):
                    kind = await reader.get()
            except TimeoutError:
                yield _HEARTBEAT
                continue
            if kind is None:
                return
            yield b"event: changed\ndata: " + kind.replace("\n", " ").encode() + b"\n\n"
