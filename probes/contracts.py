"""The Protocols at which probes, watchers, ticketing systems and their runner meet."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from canary.canary import Canary
from canary.gauge import Gauge, GaugeName
from canary.hop import Channel
from canary.observation import Depth, Observation
from canary.signature import CanaryId
from canary.ticket import Ticket, TicketRef, TicketState
from canary.traffic import Strangers


class Clock(Protocol):
    """The only source of time. Implemented by `runners.clock` and the tests' fake."""

    def now(self) -> datetime:
        """The wall clock, aware UTC, for stamps."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A scope that raises `TimeoutError` when it lasts longer, as `asyncio.timeout` does."""
        ...


class Report(Protocol):
    """The only way out of a probe or watcher. Repeatable: the same fact told twice is stored once."""

    async def __call__(self, *observations: Observation) -> None:
        """Hand over all that one look or one hop came to; returns once all of it is stored, together."""
        ...


class CheckState(StrEnum):
    """What a check came to; ``fail`` makes `intake-prober check` exit with 2."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of `intake-prober check`.

    Attributes:
        place: what was tried: an account, a mailbox, a ticketing system, a domain.
        name: what of it: ``smtp.login``, ``imap.quota``, ``dns.spf``, ``ticket.close``, …
        finding: what was found, for people, without secrets.
        remedy: what to do; empty where all is well.
        seconds: how long it took, or None.
    """

    place: str
    name: str
    state: CheckState
    finding: str
    remedy: str = ""
    seconds: float | None = None


class Probe(Protocol):
    """One channel: submits a canary, hop by hop."""

    @property
    def channel(self) -> Channel:
        """The channel that it serves."""
        ...

    async def launch(self, canary: Canary, report: Report) -> None:
        """Submit the canary once and report one observation a hop, as it happens.

        A failure of the target is reported, not raised. Cancellable; never repeated for one canary.
        """
        ...

    async def check(self) -> Sequence[Check]:
        """Try what can be tried without sending anything."""
        ...


class Watcher(Protocol):
    """One place, shared by all outstanding canaries."""

    @property
    def place(self) -> str:
        """The place's name in the configuration."""
        ...

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        """One batched pass for all of them; for each that was not there, an observation `not_seen`.

        A ticket that is there but not intact is in vain, too: `not_seen` at ``ticket.content``.

        A place that can't be read is reported as a blind look for each canary, never raised.
        """
        ...

    async def news(self) -> None:
        """Return when another look may pay: an IDLE push, or the poll interval. Cancellable."""
        ...

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence["Removed"]:
        """Remove what the canaries left in this place; repeatable. One answer for each thing found.

        No more than ``at_most`` things are removed, whatever a canary has multiplied into; what is left over for
        that is answered as failed.
        """
        ...


class RemovalState(StrEnum):
    """What became of one thing that was to be removed."""

    DONE = "done"
    ACCEPTED = "accepted"
    FAILED = "failed"
    ABSENT = "absent"


ABOVE_CAP = "above the cap of removals an hour"
"""The detail of what was left for that reason alone."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One mail or ticket of a canary that was removed, or was not.

    Attributes:
        kind: ``mail`` or ``ticket``.
        what: its identity in the place: a UID with its folder, a ticket's id.
        detail: the remote's words, masked, where it failed.
    """

    canary: Canary
    kind: str
    place: str
    what: str
    state: RemovalState
    detail: str = ""


class View(StrEnum):
    """Whether a look-up sees a ticket at once, or only after its index has caught up."""

    STRONG = "strong"
    EVENTUAL = "eventual"


@dataclass(frozen=True, slots=True)
class Look:
    """What one look-up saw, and how far its silence may be trusted.

    Attributes:
        tickets: candidates; their tokens are not yet verified.
        lag_seconds: how far an eventual view may be behind; 0 for a strong one.
        is_complete: every page was read, so that absence may be said.
        since: tickets created before this were not asked for.
        skew_seconds: the system's clock less ours, or None.
        strangers: when tickets that are not ours were created; None where a look shows only some of them, or none.
        walk: what it is a piece of, where more tickets are to be read than one look may; None: a look of its own.
        blinded_by: what hid a part of it, a `Blind` or a `SecretUnavailable`; what it shows all the same is there.
        unread_until: all was read but single tickets, none of them made later than this, by our clock: for canaries that
            were launched later it is complete, and ``blinded_by`` is no matter.
    """

    tickets: tuple[Ticket, ...]
    view: View
    lag_seconds: float
    is_complete: bool
    since: datetime
    skew_seconds: float | None = None
    strangers: Strangers | None = None
    walk: "WalkFacts | None" = None
    blinded_by: Exception | None = None
    unread_until: datetime | None = None

    def is_complete_for(self, canary: Canary) -> bool:
        """Whether its ticket would have been seen, were it there."""
        return self.is_complete or (self.unread_until is not None and canary.launched_at > self.unread_until)


@dataclass(frozen=True, slots=True)
class WalkFacts:
    """How far a walk over several looks may be trusted; the look that ends it is the complete one.

    Attributes:
        began_at: when its first look began: only of what was there then is anything known.
        covers: canaries that it asked for from its first row on; of others it may not say absence.
        is_under_way: it goes on with the next look, and has not taken too long.
        met: canaries of whom it has met a ticket, which this look need not show again.
    """

    began_at: datetime
    covers: frozenset[CanaryId]
    is_under_way: bool
    met: frozenset[CanaryId] = frozenset()


class DisposalAction(StrEnum):
    """How a synthetic ticket leaves the agents' sight."""

    CLOSE = "close"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Disposal:
    """What to do with tickets that are ours, and the tag to mark them with."""

    action: DisposalAction
    tag: str


@dataclass(frozen=True, slots=True)
class Disposed:
    """What became of one ticket's disposal. ``accepted``: promised by the system, to be seen in a later look.

    Attributes:
        is_open: of one that failed, whether it is left open; None: not known.
    """

    ref: TicketRef
    state: RemovalState
    detail: str = ""
    is_open: bool | None = True


@dataclass(frozen=True, slots=True)
class Budget:
    """One rate-limit window as the answers seen so far tell it; None where the system does not say."""

    name: str
    left: int | None
    limit: int | None
    resets_at: datetime | None
    usable: int | None = (
        None  # of those left, what we may take by our share; None: by what is reserved for others
    )


class Blind(Exception):
    """A place could not be read. Mapped to a reason by `probes.reasons`; never a word about the target.

    Attributes:
        status: the HTTP status of the kind that it is; ``answered``: the one that came, where a rule made a kind of it.
        retry_after_seconds: how long the remote asked us to stay away, or None.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = self.answered = status
        self.retry_after_seconds = retry_after_seconds


class Uncounted(Blind):
    """What all processes together ask can't be counted, since our own store can't be read: nothing is asked."""


class TicketingSystem(Protocol):
    """One vendor. Knows neither schedule nor verdict nor signing key."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """Look once for all of them, in as few calls as the vendor allows.

        With no canaries it looks for anything that bears the marker and the tag (an empty store's `sweep`).

        Raises:
            Blind: refused, throttled, down, or not of the contract.
        """
        ...

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Close or delete; repeatable. Every ticket gets an answer; a refusal is an answer.

        The caller has verified each token and requester.
        """
        ...

    def budget(self) -> Sequence[Budget]:
        """The windows seen in answers so far; costs no call."""
        ...

    async def check(self) -> Sequence[Check]:
        """Whether it is reachable and we are authorised to search, tag and close."""
        ...


@dataclass(frozen=True, slots=True)
class FieldRead:
    """In how many tickets one field could be read, whoever's they are.

    Attributes:
        name: of the field, such as ``requester``.
        read: tickets in which it had a value of its kind.
        of: tickets in which it was sought.
        fault: why it could not be read in one of them, or why what was read can't be; empty where it only was not there
            and may be missing.
    """

    name: str
    read: int
    of: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a short look over recent tickets, whoever's, showed. Of strangers' tickets it holds counts alone.

    Attributes:
        name: the look's name in the configuration; empty where the system has one look only.
        shown: how many tickets were read; ``older``: how many more came before the time that was asked for.
        tickets: those that bear a word of a token's shape; no signature has been verified.
        fields: how many fields of all shown tickets could be read.
        is_whole: there were no more pages than were read.
        fault: why it could not be made to its end, with the remedy; empty where it could.
        is_unreadable: the fault is that the system did not answer us, not that its answer was not understood.
        status: by which the refusal is known, or None.
        note: why it was left out; empty where it was made.
    """

    name: str
    state: TicketState
    view: View
    lag_seconds: float
    shown: int = 0
    older: int = 0
    tickets: tuple[Ticket, ...] = ()
    fields: tuple[FieldRead, ...] = ()
    is_whole: bool = True
    skew_seconds: float | None = None
    fault: str = ""
    is_unreadable: bool = False
    status: int | None = None
    note: str = ""


class Triable(TicketingSystem, Protocol):
    """A ticketing system that can show what it understands of recent tickets, and make one to try our rights."""

    async def glance(self, since: datetime) -> Sequence[Glance]:
        """Read the newest tickets by each look, a few pages, changing nothing; never raises for what the system does.

        Raises:
            SecretUnavailable: our credential can't be had.
        """
        ...

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        """Make a ticket; its id. Not repeatable.

        Raises:
            Blind: it is refused, or the answer does not tell the id: there may be a ticket all the same.
            LookupError: it is not known how; the text says what is missing.
            SecretUnavailable: our credential can't be had.
        """
        ...


class GaugeReader(Protocol):
    """Reads one kind of gauge at one place."""

    @property
    def place(self) -> str:
        """The place's name in the configuration."""
        ...

    @property
    def name(self) -> GaugeName:
        """What it reads."""
        ...

    async def read(self) -> Sequence[Gauge]:
        """Read now; what can't be read is a gauge in state ``unknown``."""
        ...
