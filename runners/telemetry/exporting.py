"""Drain the outbox of traces: each part sent at least once, and the same each time; a receiver that is down holds up nothing."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from functools import cache
from typing import Final, Protocol

from canary.signature import CanaryId
from probes.contracts import Clock
from runners.contracts import StoreError
from runners.export_contracts import ExportStore, PartKey, TracePart, TraceRows
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
DRAIN_AT_ONCE: Final = 36
"""A canary has two or three parts: a run of ten takes those of its own in one look, reads each one's rows once, and sends
them in one request."""
MOST_ATTEMPTS: Final = 200
"""A part that was refused so often, each time while another was taken, is no better the next time."""
IN_A_ROW: Final = 2
"""Where so many parts are refused one after the other, and none is taken, it is the receiver that fails."""
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


@dataclass(frozen=True, slots=True)
class _Frozen:
    """A part as it is kept; ``made``: the same as values, where this process has just made it."""

    text: str
    made: TraceBatch | None = None

    def batch(self) -> TraceBatch:
        """What is sent, the same each time: raises where the text can't be read."""
        return self.made if self.made is not None else codec.loads(TraceBatch, self.text)


def _to_nobody() -> None:
    """The default of `Exporter.failed`."""


@dataclass(slots=True)
class Exporter:
    """Sends what the store hands out. Any number of processes may do so on one store.

    A part is frozen before it is sent: whoever sends it again, after a crash or a lease that ran out, sends the same
    spans. A request may hold several parts. Where it is refused for what may be in it, or a part of its spans was
    rejected, each is sent by itself; then what was taken of it comes twice.
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
                await self.clock.sleep(self._pause_seconds(self._failures))
            elif came_to is _Round.DONE:
                await self.clock.sleep(LOOK_SECONDS)

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Send until nothing is due, the receiver fails, or the time is over; what is left is for the next run.

        A part that is refused while others are taken holds up none of them.

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

    def _pause_seconds(self, tries: int) -> float:
        doubled = FIRST_PAUSE_SECONDS * 2.0 ** min(tries - 1, 10)
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
        # After an outage it is one part that finds out whether it is over.
        if len(parts) > 1 and not self._failures:
            came_to = await self._together(parts, frozen)
            if came_to is not None:
                return sent if came_to is _Round.SENT else came_to
        return await self._each(parts, frozen, ends_at=ends_at, sent=sent)

    async def _each(
        self, parts: Sequence[TracePart], frozen: Mapping[PartKey, _Frozen], *, ends_at: float, sent: _Round
    ) -> _Round:
        """Send each part by itself; one that is refused for what may be in it holds up no other one."""
        refused: list[tuple[TracePart, NotSent]] = []
        came_to, before, in_a_row = sent, self._took_another, 0
        self._took_another = False
        for index, part in enumerate(parts):
            if self.clock.monotonic() + self.sender.limit_seconds > ends_at:
                await self._give_back(parts[index:])  # somebody else may send them by the time that we could
                came_to = _Round.SENT
                break
            failure = await self._send_one(part, frozen[part.key])
            if failure is None:
                in_a_row = 0
                continue
            refused.append((part, failure))
            in_a_row += 1
            if not failure.may_be_of_one or (in_a_row >= IN_A_ROW and not self._took_another):
                await self._give_back(parts[index + 1 :])
                came_to = _Round.FAILED
                break
        # It may be a part's own fault only where another one was taken just before or after; else it is an outage, in
        # which no part may grow old.
        is_attempt = before or self._took_another
        if not self._took_another and refused:
            came_to = _Round.FAILED
        await self._not_sent(refused, is_outage=came_to is _Round.FAILED, is_attempt=is_attempt)
        return came_to

    async def _give_back(self, parts: Sequence[TracePart]) -> None:
        await self.store.release_traces([one.key for one in parts], holder=self.holder)

    async def _frozen(self, parts: Sequence[TracePart]) -> Mapping[PartKey, _Frozen]:
        """What each part is, made now where that was not done before; without those of which nothing is stored."""
        bodies = {one.key: _Frozen(one.body) for one in parts if one.body is not None}
        fresh = [one.key for one in parts if one.body is None]
        if not fresh:
            return bodies
        made, lost = self._made(fresh, await self.store.trace_rows([one.canary_id for one in fresh]))
        for key, error in lost.items():
            await self._give_up(key, error)
        kept = await self.store.freeze_traces({key: one.text for key, one in made.items()})
        # Somebody may have been quicker: then theirs is what is sent.
        ours = {key: one for key, one in made.items() if kept.get(key) == one.text}
        return {**bodies, **{key: ours.get(key) or _Frozen(text) for key, text in kept.items()}}

    def _made(
        self, keys: Sequence[PartKey], rows: Mapping[CanaryId, TraceRows]
    ) -> tuple[Mapping[PartKey, _Frozen], Mapping[PartKey, str]]:
        """The parts as they will be kept and sent; and of those that can't be made, why."""
        redact = cache(self.redact)  # within one moment: most words stand in every span
        made: dict[PartKey, _Frozen] = {}
        lost: dict[PartKey, str] = {}
        for key in keys:
            error = "nothing is stored of it any more"
            try:
                batch = spans_of(rows[key.canary_id], key.part) if key.canary_id in rows else None
            except Exception as fault:  # noqa: BLE001 -- one canary's rows must not hold up the traces of all others
                _log.exception("export_failed", extra={"canary_id": key.canary_id})
                batch, error = None, f"a fault of the prober: {type(fault).__name__}"
            if batch is None:
                lost[key] = error
            else:
                batch = replace(batch.redacted(redact), resource=self.resource, version=self.version)
                made[key] = _Frozen(codec.dumps(batch), batch)
        return made, lost

    async def _together(self, parts: Sequence[TracePart], frozen: Mapping[PartKey, _Frozen]) -> _Round | None:
        """Send all in one request; None: it was refused for what is in it, so that each is to be tried by itself."""
        try:
            await self.sender.send(*(frozen[one.key].batch() for one in parts))
        except NotSent as failure:
            if failure.may_be_of_one:
                return None
            await self._not_sent([(parts[0], failure)], is_outage=True, is_attempt=False)
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

    async def _send_one(self, part: TracePart, body: _Frozen) -> NotSent | None:
        """Send one part; why it is to be tried again, or None: it is done with."""
        try:
            await self.sender.send(body.batch())
        except NotSent as failure:
            if not failure.permanent:
                return failure
            await self._give_up(part.key, self.redact(str(failure)))
            return None
        except Exception as fault:  # noqa: BLE001 -- a fault in making or sending one part ends no other
            _log.exception("export_failed", extra={"canary_id": part.key.canary_id})
            await self._give_up(part.key, f"a fault of the prober: {type(fault).__name__}")
            return None
        await self._sent(part.key)
        return None

    async def _not_sent(
        self, refused: Sequence[tuple[TracePart, NotSent]], *, is_outage: bool, is_attempt: bool
    ) -> None:
        """Have parts tried again later: all together after an outage, else each as often as it was tried before."""
        if is_outage:
            self._failures += 1
            self._asked_seconds = max(one.retry_after_seconds or 0.0 for _, one in refused)
            self._took_another = False
        for part, failure in refused:
            error = self.redact(str(failure))
            if is_attempt and part.attempts + 1 >= MOST_ATTEMPTS:
                await self._give_up(part.key, error)
                continue
            self.failed()
            self._tell(error)
            now, tries = self.clock.now(), self._failures if is_outage else part.attempts + 1
            await self.store.trace_deferred(
                part.key,
                at=now,
                next_at=now + timedelta(seconds=self._pause_seconds(tries)),
                error=error,
                is_attempt=is_attempt,
                prober=self.counted_for,
            )

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
