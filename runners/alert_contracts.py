"""What the store keeps of alerts: what was told, what is to be sent, and what is silenced."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from canary.alert import Alert, Severity, Subject
from canary.review import Standing
from canary.silence import Silence, SilenceId


@dataclass(frozen=True, slots=True)
class AlertStep:
    """What one review changes, to be stored with the fact that it is about.

    Attributes:
        standing: what was told from now on; None: the concern is over.
        version: of the standing that was reviewed; 0: there was none yet.
        alerts: the messages, one row of the outbox each.
    """

    subject: Subject
    standing: Standing | None
    version: int
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is to be delivered; ``attempts``: how often that was tried before."""

    alert: Alert
    attempts: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits for a sink.

    Attributes:
        oldest_at: when the oldest of what is pending was written; None where nothing is.
        dead: what the sink will never take.
        partial: what it took, and not for everybody whom it was meant for.
        takes_others: it took something after the newest of what it will never take.
        last_error: what it last said of what is pending, dead or partial.
        refused_at: when the oldest of what is dead or partial was written; None where nothing is.
    """

    pending: int = 0
    oldest_at: datetime | None = None
    dead: int = 0
    partial: int = 0
    takes_others: bool = False
    last_error: str | None = None
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """The message that opened a page at one sink, which has not heard yet that it is over.

    Attributes:
        is_taken: the sink took it, or something later of the same key.
        given_up_at: when the sink last refused it for good; None: it took it, or was not heard yet.
        error: what the sink last said, masked.
    """

    id: str
    key: str
    sink: str
    written_at: datetime
    is_taken: bool
    given_up_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedEnd:
    """The end of what a sink knows of, which it refused for good: to that sink, it lasts.

    Attributes:
        refused_at: when it last did so; None: it is being tried once more.
        is_heard: another sink took the same end.
        error: what the sink last said, masked.
    """

    id: str
    key: str
    subject: Subject
    sink: str
    severity: Severity
    written_at: datetime
    is_heard: bool
    refused_at: datetime | None = None
    error: str | None = None


class AlertStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about alerts. Raises `StoreError` from any of them."""

    async def standings(self) -> Mapping[Subject, tuple[Standing | None, int]]:
        """What was told of each subject, and its version; None of one that is over."""
        ...

    async def store_alerts(self, *steps: AlertStep, at: datetime) -> None:
        """Store what reviews came to, all or none. Raises `SettlementConflict`."""
        ...

    async def claim_alerts(
        self, now: datetime, *, sinks: Sequence[str], holder: str, lease_until: datetime, limit: int
    ) -> Sequence[Outgoing]:
        """Take due messages for a while, each the first of its key to its sink that was not delivered.

        Due, and free, is also what waits or is held for longer than anything does: by a clock that was set back since.
        """
        ...

    async def renew_alert(self, alert_id: str, *, holder: str, lease_until: datetime) -> bool:
        """Keep a message for longer; whether it is still that holder's, whose lease may have run out unnoticed."""
        ...

    async def alert_delivered(
        self, alert_id: str, *, at: datetime, refused: str | None = None, wakes_others: bool = False
    ) -> None:
        """A message arrived (repeatable), perhaps not for everybody: ``refused`` says for whom not; counted once."""
        ...

    async def alert_deferred(
        self, alert_id: str, *, next_at: datetime, error: str, holder: str | None = None
    ) -> None:
        """A message is to be tried again then, unless another ``holder`` has it by now; None: whoever has it."""
        ...

    async def pause_sink(self, sink: str, *, at: datetime, until: datetime) -> None:
        """A sink asked to be left alone until then: nobody is handed a message to it before. Its newest word counts."""
        ...

    async def alert_given_up(
        self, alert_id: str, *, at: datetime, error: str, holder: str | None = None
    ) -> None:
        """A sink will never take a message (repeatable), unless another ``holder`` has it by now; counted once."""
        ...

    async def give_up_alerts(
        self, *, but: Collection[str], before: datetime, at: datetime, error: str
    ) -> int:
        """Give up what is pending for any sink but these and was written before that time; returns how many.

        Repeatable; each is counted once.
        """
        ...

    async def page_openings(self, keys: Collection[str]) -> Sequence[Opening]:
        """What opened the pages of these keys, a message each sink, the oldest first; of what is not yet over."""
        ...

    async def refused_ends(self, since: datetime) -> Sequence[RefusedEnd]:
        """What ended since then, was refused for good, and whose key that sink took something of; the oldest first.

        Left out is what was begun anew under the same key.
        """
        ...

    async def try_again(self, alert_ids: Collection[str], *, at: datetime) -> None:
        """Have messages that were given up delivered once more (repeatable), unless their end is written by now.

        An end, unless anything is written after it. They count as dead until they are taken; what is given up once more is not counted again.
        """
        ...

    async def outbox(self, *, dead_since: datetime | None = None) -> Mapping[str, OutboxState]:
        """What waits for each sink, and what (of what was written since then) is dead or partial; others are left out."""
        ...

    async def pages_since(self, since: datetime, *, until: datetime) -> int:
        """How many concerns were opened as a page in that time, whatever the number of sinks."""
        ...

    async def add_silence(self, silence: Silence) -> None:
        """Keep a silence (repeatable)."""
        ...

    async def end_silence(self, silence_id: SilenceId, *, at: datetime) -> bool:
        """End a silence before its time; whether there was one that had not ended."""
        ...

    async def silences(self, now: datetime) -> Sequence[Silence]:
        """Those that are in force or still to come at that time, the one that ends first first."""
        ...
