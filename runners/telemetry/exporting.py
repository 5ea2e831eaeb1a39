"""Drain the outbox of traces: each part sent at least once, and the same each time; a receiver that is down holds up nothing."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Final, Protocol

from probes.contracts import Clock
from runners.contracts import StoreError
from runners.export_contracts import ExportStore, PartKey, TracePart
from runners.store import codec
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.span_rows import TraceBatch
from runners.telemetry.spans import spans_of

LOOK_SECONDS: Final = 5.0
"""How often the outbox is looked at; the first time after so long, too, when a canary's first byte has long left."""
DRAIN_SECONDS: Final = 10.0
"""How long a one-shot run sends at most, after its answer; the next run goes on."""
AT_ONCE: Final = 8
"""How many parts are claimed together."""
FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
DRAIN_AT_ONCE: Final = 4
"""A canary has two or three parts: a run takes those of its own in one look."""
MOST_ATTEMPTS: Final = 200
"""A part that was refused so often, each time after another was taken, is no better the next time."""
LEASE_MARGIN_SECONDS: Final = 30.0
_JITTER_SHARE: Final = 0.2
_LONGEST_STORE_PAUSE: Final = 60.0

_log = logging.getLogger(__name__)


class Sender(Protocol):
    """Whoever takes parts to the receiver."""

    @property
    def limit_seconds(self) -> float:
        """What one sending may take at most."""
        ...

    async def send(self, *batches: TraceBatch) -> None:
        """Send parts in one request; raises `NotSent`."""
        ...

    def close(self) -> None:
        """Nothing more is sent for now."""
        ...


class _Round(Enum):
    """What one look at the outbox came to."""

    DONE = "done"
    """Nothing more is due."""
    SENT = "sent"
    """As much as was asked for; more may be due."""
    FAILED = "failed"


def _to_nobody() -> None:
    """The default of `Exporter.failed`."""


@dataclass(slots=True)
class Exporter:
    """Sends what the store hands out. Any number of processes may do so on one store.

    A part is frozen before it is sent: whoever sends it again, after a crash or a lease that ran out, sends the same.
    A receiver that fails is left alone for a while, with all that is for it; nothing else waits for that.

    Attributes:
        store: the outbox.
        sender: takes parts to the receiver.
        clock: waits and stamps.
        holder: this process.
        chance: a number from 0 to 1, for the jitter.
        redact: takes secrets and strangers' addresses out of what is sent, stored and logged.
        resource: what every span comes from.
        version: of this program.
        failed: told of each part that was not taken.
        counted_for: the prober whose stored counter grows with it, where this process ends soon; None: it doesn't.
    """

    store: ExportStore
    sender: Sender
    clock: Clock
    holder: str
    chance: Callable[[], float]
    redact: Callable[[str], str]
    resource: Mapping[str, str]
    version: str
    failed: Callable[[], None] = _to_nobody
    counted_for: str | None = None
    _failures: int = field(default=0, init=False)
    _asked_seconds: float = field(default=0.0, init=False)
    _is_told: bool = field(default=False, init=False)
    _took_another: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Send for ever. Cancellable at any moment: what was under way is sent again when its lease has run out."""
        try:
            await self._run()
        finally:
            self.sender.close()

    async def _run(self) -> None:
        pause = 1.0
        await self.clock.sleep(LOOK_SECONDS)
        while True:
            try:
                came_to = await self._round(AT_ONCE)
                pause = 1.0
            except StoreError as error:
                _log.warning("store_failed", extra={"detail": self.redact(str(error))})
                await self.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_STORE_PAUSE)
                continue
            if came_to is _Round.FAILED:
                await self.clock.sleep(self._pause_seconds())
            elif came_to is _Round.DONE:
                await self.clock.sleep(LOOK_SECONDS)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Send until nothing is due, the receiver fails, or the time is over; what is left is for the next run.

        Raises nothing of a receiver or a store: whoever drains has done its work already.
        """
        try:
            async with self.clock.timeout(seconds):
                while await self._round(DRAIN_AT_ONCE) is _Round.SENT:
                    pass
        except TimeoutError:
            self._tell("the time to send in is over; the next run goes on")
        except StoreError as error:
            self._tell(self.redact(str(error)))
        finally:
            self.sender.close()

    def _pause_seconds(self) -> float:
        doubled = FIRST_PAUSE_SECONDS * 2.0 ** min(self._failures - 1, 10)
        jittered = min(doubled, LONGEST_PAUSE_SECONDS) * (
            1 - _JITTER_SHARE + 2 * _JITTER_SHARE * self.chance()
        )
        return max(jittered, self._asked_seconds)

    async def _round(self, limit: int) -> _Round:
        """Claim, freeze and send some parts; raises `StoreError`."""
        now = self.clock.now()
        lease = timedelta(seconds=limit * self.sender.limit_seconds + LEASE_MARGIN_SECONDS)
        parts = await self.store.claim_traces(now, holder=self.holder, lease_until=now + lease, limit=limit)
        if not parts:
            return _Round.DONE
        sent = _Round.SENT if len(parts) == limit else _Round.DONE
        ends_at = self.clock.monotonic() + lease.total_seconds() - LEASE_MARGIN_SECONDS / 2
        frozen = await self._frozen(parts)
        parts = [one for one in parts if one.key in frozen]
        if len(parts) > 1:
            came_to = await self._together(parts, frozen)
            if came_to is not None:
                return sent if came_to is _Round.SENT else came_to
        for index, part in enumerate(parts):
            if self.clock.monotonic() + self.sender.limit_seconds > ends_at:
                await self._give_back(parts[index:])  # somebody else may send them by the time that we could
                return _Round.SENT
            if not await self._send_one(part, frozen[part.key]):
                await self._give_back(parts[index + 1 :])
                return _Round.FAILED
        return sent

    async def _give_back(self, parts: Sequence[TracePart]) -> None:
        await self.store.release_traces([one.key for one in parts], holder=self.holder)

    async def _frozen(self, parts: Sequence[TracePart]) -> Mapping[PartKey, str]:
        """What each part is, made now where that was not done before; without those of which nothing is stored."""
        bodies = {one.key: one.body for one in parts if one.body is not None}
        fresh = [one.key for one in parts if one.body is None]
        if not fresh:
            return bodies
        rows = await self.store.trace_rows([one.canary_id for one in fresh])
        made: dict[PartKey, str] = {}
        for key in fresh:
            error = "nothing is stored of it any more"
            try:
                batch = spans_of(rows[key.canary_id], key.part) if key.canary_id in rows else None
            except Exception as fault:  # noqa: BLE001 -- one canary's rows must not hold up the traces of all others
                _log.exception("export_failed", extra={"canary_id": key.canary_id})
                batch, error = None, f"a fault of the prober: {type(fault).__name__}"
            if batch is None:
                await self._give_up(key, error)
            else:
                made[key] = codec.dumps(
                    replace(batch.redacted(self.redact), resource=self.resource, version=self.version)
                )
        return {**bodies, **await self.store.freeze_traces(made)}

    async def _together(self, parts: Sequence[TracePart], frozen: Mapping[PartKey, str]) -> _Round | None:
        """Send all in one request; None: it was refused for what is in it, so that each is to be tried by itself."""
        try:
            await self.sender.send(*(codec.loads(TraceBatch, frozen[one.key]) for one in parts))
        except NotSent as failure:
            if failure.may_be_of_one:
                return None
            await self._not_sent(parts[0], failure)
            await self._give_back(parts[1:])
            return _Round.FAILED
        except Exception:  # noqa: BLE001 -- a fault in making one part: by itself it is found out which
            return None
        await self._sent(*(one.key for one in parts))
        return _Round.SENT

    async def _sent(self, *keys: PartKey) -> None:
        await self.store.trace_sent(*keys)
        if self._failures:
            _log.info("export_resumed")
        self._failures, self._asked_seconds, self._is_told, self._took_another = 0, 0.0, False, True

    async def _send_one(self, part: TracePart, body: str) -> bool:
        """Send one part; whether the receiver works."""
        try:
            await self.sender.send(codec.loads(TraceBatch, body))
        except NotSent as failure:
            return await self._not_sent(part, failure)
        except Exception as fault:  # noqa: BLE001 -- a fault in making or sending one part ends no other
            _log.exception("export_failed", extra={"canary_id": part.key.canary_id})
            await self._give_up(part.key, f"a fault of the prober: {type(fault).__name__}")
            return True
        await self._sent(part.key)
        return True

    async def _not_sent(self, part: TracePart, failure: NotSent) -> bool:
        error = self.redact(str(failure))
        # It may be the part's own fault only where another one was taken just before; else it is an outage, in which
        # no part may grow old.
        is_attempt = self._took_another
        self._took_another = False
        if failure.permanent or (is_attempt and part.attempts + 1 >= MOST_ATTEMPTS):
            await self._give_up(part.key, error)
            return True
        self._failures += 1
        self._asked_seconds = failure.retry_after_seconds or 0.0
        self.failed()
        self._tell(error)
        now = self.clock.now()
        await self.store.trace_deferred(
            part.key,
            at=now,
            next_at=now + timedelta(seconds=self._pause_seconds()),
            error=error,
            is_attempt=is_attempt,
            prober=self.counted_for,
        )
        return False

    async def _give_up(self, key: PartKey, error: str) -> None:
        _log.warning(
            "export_failed",
            extra={"canary_id": key.canary_id, "outcome": "dead", "detail": f"{key.part}: {error}"},
        )
        self.failed()
        await self.store.trace_given_up(key, at=self.clock.now(), error=error, prober=self.counted_for)

    def _tell(self, error: str) -> None:
        """One line an outage, not one a try."""
        if not self._is_told:
            self._is_told = True
            _log.warning("export_failed", extra={"detail": error})
