"""An observation: what was seen of one canary at one hop, or a look that saw nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from canary.hop import Hop
from canary.page import PageRequest, PageStep
from canary.reason import CAUSES, Reason, Side
from canary.signature import CanaryId
from canary.ticket import Ticket

Fact = str | int | float | bool


class Outcome(StrEnum):
    """How a hop went. ``unknown``: an answer was lost, or it was looked for in vain, or we could not look."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Evidence(StrEnum):
    """How it is known: seen by us, said by the remote side, or concluded from a later hop."""

    OBSERVED = "observed"
    REPORTED = "reported"
    INFERRED = "inferred"


class Depth(StrEnum):
    """How wide a look is: ``poll`` is narrow and cheap; ``deadline`` is wide and takes in what was diverted."""

    POLL = "poll"
    DEADLINE = "deadline"


class Stage(StrEnum):
    """When a look in vain began, as counted from the canary's own times."""

    WAITING = "waiting"
    DEADLINE = "deadline"
    HORIZON = "horizon"


@dataclass(frozen=True, slots=True)
class LookFacts:
    """What kind of look it was, so that its silence can be weighed.

    Attributes:
        is_complete: all pages were read and no filter was ignored; only then may absence be said.
        is_blind: the place could not be read at all.
        lag_seconds: how far the view may be behind what is true (0: it sees a ticket at once).
        status: the HTTP status of the kind of error that a look got which could not read; None: none.
        answered: the one that came; another where a rule of the configuration says what kind it is.
    """

    depth: Depth
    is_complete: bool
    is_blind: bool = False
    lag_seconds: float = 0.0
    status: int | None = None
    answered: int | None = None

    @property
    def can_say_absence(self) -> bool:
        """Whether what it did not see was not there."""
        return self.is_complete and not self.is_blind


@dataclass(frozen=True, slots=True)
class Relay:
    """One relay that a mail passed, from one ``Received:`` field (RFC 5321 section 4.4).

    Attributes:
        remote_at: the relay's own stamp, aware; None where it could not be read.
        delay_seconds: since the relay before it, by the relays' own clocks; None where unknown.
        is_clock_suspect: its clock contradicts its neighbours'.
        raw: the field as it stood in the mail, on one line, in ASCII, addresses masked; empty where it was not kept.
    """

    by_host: str
    from_host: str | None
    protocol: str | None
    queue_id: str | None
    remote_at: datetime | None
    delay_seconds: float | None
    is_clock_suspect: bool = False
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact of one canary at one hop.

    Attributes:
        began_at, ended_at: aware UTC by our clock; for a look, its own begin and end.
        seconds: the duration by the monotonic clock; None where one process did not see both ends.
        reason: why it failed or is unknown. A hop that is ``ok`` and has a reason is a flawed success.
        side: whose fault, where it was decided at the moment of failure; None: as the reason's table says.
        detail: for people, masked, at most 1,000 characters.
        place: the server, mailbox or ticketing system where it was seen.
        attempt: counts the tries of a launch hop from 1.
        rules_out_ticket: this ends the canary: no ticket can come of it (a launch given up before anything
            left, a 5yz answer, a final bounce).
        ticket: the ticket seen, its token verified by the watcher.
        remote_at: the remote's own word of when it happened (created_at, INTERNALDATE).
        skew_seconds: the remote's clock less ours, where known.
        facts: attributes of the span to come, by their names in the catalogue.
        observer: which process saw it.
        steps, requests: what the browser did in it, as far as that is kept.
    """

    canary_id: CanaryId
    hop: Hop
    outcome: Outcome
    evidence: Evidence
    began_at: datetime
    ended_at: datetime
    seconds: float | None = None
    reason: Reason | None = None
    side: Side | None = None
    detail: str = ""
    place: str = ""
    attempt: int = 1
    rules_out_ticket: bool = False
    ticket: Ticket | None = None
    look: LookFacts | None = None
    remote_at: datetime | None = None
    skew_seconds: float | None = None
    relays: tuple[Relay, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=lambda: MappingProxyType({}))
    observer: str = ""
    steps: tuple[PageStep, ...] = ()
    requests: tuple[PageRequest, ...] = ()

    @property
    def order(self) -> tuple[datetime, datetime, int, *tuple[str, ...]]:
        """A total order that depends on the facts alone: by the times first."""
        return (
            self.ended_at,
            self.began_at,
            self.attempt,
            self.hop,
            self.outcome,
            self.reason or "",
            f"{self.ticket.ref.system}:{self.ticket.ref.id}" if self.ticket is not None else "",
            self.detail,
            self.evidence,
            self.cause_side or "",
            self.place,
            repr(self.look) if self.look is not None else "",
            self.remote_at.isoformat() if self.remote_at is not None else "",
            str(self.skew_seconds) if self.skew_seconds is not None else "",
            str(self.rules_out_ticket),
        )

    @property
    def is_look_in_vain(self) -> bool:
        """Whether it only says that a place was looked at without seeing the canary."""
        return self.look is not None and self.outcome is Outcome.UNKNOWN

    @property
    def cause_side(self) -> Side | None:
        """Whose fault it is: as decided at the moment, else as the reason says; None without a reason."""
        if self.side is not None:
            return self.side
        return CAUSES[self.reason].side if self.reason is not None else None

    def stage(self, deadline_at: datetime, horizon_at: datetime) -> Stage:
        """When this look began; its lag must have passed for it to cover the deadline or the horizon."""
        lag = timedelta(seconds=self.look.lag_seconds if self.look is not None else 0.0)
        if self.began_at >= horizon_at + lag:
            return Stage.HORIZON
        return Stage.DEADLINE if self.began_at >= deadline_at + lag else Stage.WAITING

    def key(self, deadline_at: datetime, horizon_at: datetime) -> str:
        """What makes it the same fact when reported twice: the store keeps one row a key.

        Looks in vain renew one row a place, stage and kind; the first complete look of a stage stands for good.
        """
        if self.is_look_in_vain and self.look is not None:
            sight = "blind" if self.look.is_blind else "complete" if self.look.is_complete else "partial"
            depth = "" if self.stage(deadline_at, horizon_at) is Stage.WAITING else f"/{self.look.depth}"
            return f"look/{self.hop}/{self.place}/{self.stage(deadline_at, horizon_at)}{depth}/{sight}"
        ticket = f"/{self.ticket.ref.system}:{self.ticket.ref.id}" if self.ticket is not None else ""
        reason = f"/{self.reason}" if self.reason is not None else ""
        return f"{self.hop}/{self.place}/{self.attempt}{ticket}/{self.outcome}{reason}"
