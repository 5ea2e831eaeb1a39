"""A path: one way by which a customer's request reaches support; the unit of configuration and alerting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType, Protocol

from canary.hop import Channel, Hop
from canary.reason import Reason

PathName = NewType("PathName", str)

_BISECT = ".bisect"
"""No configured path's name has a full stop."""


def bisect_name(path: PathName) -> PathName:
    """The name under which the bisect canaries of a path are kept."""
    return PathName(path + _BISECT)


def is_bisect(path: PathName) -> bool:
    """Whether it is the name of bisect canaries: they count in no SLO and open no incident."""
    return path.endswith(_BISECT)


class Reply(StrEnum):
    """What the path demands of the acknowledgement that customers get."""

    IGNORED = "ignored"
    EXPECTED = "expected"
    REQUIRED = "required"


class Proof(StrEnum):
    """What proves that the request was taken in: the ticket itself, or only its acknowledgement."""

    API = "api"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Slo:
    """What is promised.

    Attributes:
        deadline_seconds: from launch to the intact ticket.
        horizon_seconds: from launch until a breached canary is given up.
        objective_share: the share of canaries that must be confirmed, 0 to 1.
    """

    deadline_seconds: float
    horizon_seconds: float = 86400.0
    objective_share: float = 0.99

    def __post_init__(self) -> None:
        """Hold the deadline within the horizon.

        Raises:
            ValueError: the figures contradict each other.
        """
        if not 0 < self.deadline_seconds <= self.horizon_seconds:
            raise ValueError("the deadline must be positive and no later than the horizon")
        if not 0 < self.objective_share <= 1:
            raise ValueError("the objective must be a share above 0 and at most 1")


@dataclass(frozen=True, slots=True)
class OpenRule:
    """An incident opens when ``failed`` of the last ``of`` canaries that count were breached."""

    failed: int
    of: int


@dataclass(frozen=True, slots=True)
class IncidentPolicy:
    """When an incident opens and when it is over.

    Attributes:
        open: any of these rules opens one.
        resolve: this many confirmed in a row end it.
        at_once: reasons that open one with the first breach.
    """

    open: tuple[OpenRule, ...] = (OpenRule(2, 3),)
    resolve: int = 2
    at_once: frozenset[Reason] = frozenset()

    @property
    def window(self) -> int:
        """How many of the last canaries the rules look at."""
        return max(rule.of for rule in self.open)


class Moments(Protocol):
    """When a schedule launches."""

    def latest(self, now: datetime) -> datetime | None:
        """The latest moment that is not after ``now``, aware UTC; None if there was none for long."""
        ...


@dataclass(frozen=True, slots=True)
class Path:
    """One way in, as the judge and the incidents see it.

    Attributes:
        route: the hops that a canary of this path passes, in order.
        budgets: the seconds that a hop may take before it is called slow.
        interval_seconds: the longest time between two scheduled launches, with the nights and weekends in which the
            schedule rests; None: launched by hand only.
        usual_gap_seconds: the longest time between two launches while the schedule runs; None: it never rests.
        moments: of a schedule that rests, when it launches; None: each ``interval_seconds``.
        ticketing: the name of the ticketing system; None with ``proof`` reply.
        mailbox: the support mailbox that the prober may read, or None.
        requesters: addresses that a ticket of ours may bear besides the sender's own (forwarders).
        quarantine_misses: so many canaries in a row that were first seen without the mark of the ticketing system's
            quarantine rule stop the schedule; None: a miss is only told.
    """

    name: PathName
    channel: Channel
    route: tuple[Hop, ...]
    slo: Slo
    reply: Reply = Reply.IGNORED
    proof: Proof = Proof.API
    budgets: Mapping[Hop, float] = field(default_factory=lambda: MappingProxyType({}))
    interval_seconds: float | None = None
    usual_gap_seconds: float | None = None
    moments: Moments | None = None
    ticketing: str | None = None
    mailbox: str | None = None
    requesters: frozenset[str] = frozenset()
    incidents: IncidentPolicy = field(default_factory=IncidentPolicy)
    is_enabled: bool = True
    team: str = ""
    domain: str = ""
    runbook: str | None = None
    quarantine_misses: int | None = None

    @property
    def usual_seconds(self) -> float | None:
        """The longest time between two launches while the schedule runs; None: launched by hand only."""
        return self.interval_seconds if self.usual_gap_seconds is None else self.usual_gap_seconds
