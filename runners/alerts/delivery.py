"""Drain the outbox: every message to its sink at least once, in order a key, and no sink waits for another."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from canary.alert import Alert
from runners.alert_contracts import AlertStore, Outgoing
from runners.alerts.contracts import AlertSink, Clock, Mask, Undelivered, limit_of, pace_of
from runners.contracts import StoreError

LOOK_SECONDS: Final = 5.0
"""How often the outbox is looked at where nobody says that there is something new."""
LEASE_MARGIN_SECONDS: Final = 10.0
"""How much longer a message is ours than its delivery may take: else a second process would send it beside us."""
DRAIN_SECONDS: Final = 30.0
"""How long a one-shot run delivers at most before it exits; the next run goes on."""
FIRST_RETRY_SECONDS: Final = 5.0
LONGEST_RETRY_SECONDS: Final = 300.0
_LONGEST_STORE_PAUSE: Final = 60.0
_DRAIN_LOOK_SECONDS: Final = 1.0
_JITTER_SHARE: Final = 0.2

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ours:
    """Since when a message is ours, by both clocks, and for how many seconds."""

    monotonic: float
    now: datetime
    seconds: float

    @property
    def lease_until(self) -> datetime:
        return self.now + timedelta(seconds=self.seconds)

    def is_stale(self, clock: Clock) -> bool:
        """Whether so much of the lease is over that the rest may not do: the monotonic clock stands still in a suspend."""
        passed = max(clock.monotonic() - self.monotonic, (clock.now() - self.now).total_seconds())
        return passed >= self.seconds / 3


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers what the store hands out. Any number of processes may do so on one store.

    The store hands out the first message of a key that was not delivered, to one holder at a time; so a resolve never
    overtakes its trigger, whoever sends them. A message may arrive twice (a crash after it was sent, a lease that ran
    out): its sink repeats it by its id. What a sink refuses for good stays in the outbox as dead, where the next review
    finds it and tells the other sinks.

    Attributes:
        store: the outbox.
        sinks: by their names; what is written for others is left alone.
        clock: waits and stamps.
        holder: this process.
        chance: a number from 0 to 1, for the jitter.
        mask: takes secrets out of what is stored and logged.
    """

    store: AlertStore
    sinks: Mapping[str, AlertSink]
    clock: Clock
    holder: str
    chance: Callable[[], float]
    mask: Mask
    _news: dict[str, asyncio.Event] = field(default_factory=dict, init=False, repr=False)
    _not_before: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    _failing: set[str] = field(default_factory=set, init=False, repr=False)

    def __post_init__(self) -> None:
        """Give each sink its bell."""
        self._news.update({name: asyncio.Event() for name in self.sinks})

    def wake(self) -> None:
        """Something new is in the outbox: look at once."""
        for one in self._news.values():
            one.set()

    async def run(self) -> None:
        """Deliver for ever. Cancellable at any moment: what was under way is sent again when its lease has run out."""
        async with asyncio.TaskGroup() as group:
            for name in self.sinks:
                group.create_task(self._serve(name))

    async def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Deliver until nothing is left for our sinks, at most for so long (30 s); a retry that falls due is made."""
        try:
            async with self.clock.timeout(min(seconds, DRAIN_SECONDS)), asyncio.TaskGroup() as group:
                for name in self.sinks:
                    group.create_task(self._empty(name))
        except TimeoutError:
            _log.warning(
                "alert_not_delivered",
                extra={"detail": "the time to deliver in is over; the next run goes on"},
            )

    async def _serve(self, name: str) -> None:
        pause = 1.0
        while True:
            # Cleared before the look: what is written meanwhile rings again.
            self._news[name].clear()
            try:
                was_there = await self._one(name)
                pause = 1.0
            except StoreError as error:
                self._store_failed(error)
                await self.clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_STORE_PAUSE)
                continue
            if not was_there:
                await self._wait(self._news[name])

    async def _empty(self, name: str) -> None:
        while True:
            try:
                if await self._one(name):
                    continue
                waiting = (await self.store.outbox()).get(name)
                if waiting is None or waiting.pending == 0:
                    return
            except StoreError as error:
                self._store_failed(error)
            await self.clock.sleep(_DRAIN_LOOK_SECONDS)

    async def _wait(self, news: asyncio.Event) -> None:
        try:
            async with self.clock.timeout(LOOK_SECONDS):
                await news.wait()
        except TimeoutError:
            return

    async def _one(self, name: str) -> bool:
        """Deliver one message that is due; whether there was one. Raises `StoreError` where none can be had."""
        # A sink that asked us to stay away meant all messages, not the one that it refused.
        await self._stay_away(name)
        # Both clocks before the claim: a process that stood still since knows by one of them.
        lease_seconds = limit_of(self.sinks[name]) + LEASE_MARGIN_SECONDS
        ours = _Ours(self.clock.monotonic(), self.clock.now(), lease_seconds)
        # One at a time: a lease must outlast all that was taken with it.
        taken = await self.store.claim_alerts(
            ours.now,
            sinks=[name],
            holder=self.holder,
            lease_until=ours.lease_until,
            limit=1,
        )
        for one in taken:
            held = await self._held(one.alert, ours)
            if held is not None:
                await self._deliver(name, one, ends_at=held.monotonic + lease_seconds)
        return bool(taken)

    async def _held(self, alert: Alert, ours: "_Ours") -> "_Ours | None":
        """Our hold of a message, fresh enough to send it; None: it is another's by now, who may have sent its end, too.

        Asked again where this process stood still while it asked. Raises `StoreError`: nothing is sent then.
        """
        while ours.is_stale(self.clock):
            ours = _Ours(self.clock.monotonic(), self.clock.now(), ours.seconds)
            if not await self.store.renew_alert(alert.id, holder=self.holder, lease_until=ours.lease_until):
                _log.warning(
                    "alert_not_delivered",
                    extra={
                        "place": alert.sink,
                        "detail": f"{alert.key} {alert.seq}: this process stood still, and another one has it",
                    },
                )
                return None
        return ours

    async def _stay_away(self, name: str) -> None:
        seconds = self._not_before.get(name, -math.inf) - self.clock.monotonic()
        if seconds > 0:
            await self.clock.sleep(seconds)

    async def _deliver(self, name: str, outgoing: Outgoing, *, ends_at: float) -> None:
        alert = outgoing.alert
        failure, never = await self._attempt(self.sinks[name], alert)
        asked = (failure.retry_after_seconds if failure is not None else None) or 0.0
        self._not_before[name] = self.clock.monotonic() + max(asked, pace_of(self.sinks[name]))
        if failure is None:
            _log.info("alert_delivered", extra={"place": name, "detail": f"{alert.key} {alert.seq}"})
            now = self.clock.now()
            # The first one that it takes again: what waits for it need not wait out its own back-off.
            wakes = name in self._failing
            self._failing.discard(name)
            delivered = partial(
                self.store.alert_delivered, alert.id, at=now, refused=never, wakes_others=wakes
            )
            await self._note(delivered, ends_at)
            return
        error = self.mask(str(failure))
        outcome = "dead" if failure.permanent else "deferred"
        detail = f"{alert.key} {alert.seq}: {error}"
        _log.warning("alert_not_delivered", extra={"place": name, "outcome": outcome, "detail": detail})
        if failure.permanent:
            now = self.clock.now()
            await self._note(
                lambda: self.store.alert_given_up(alert.id, at=now, error=error, holder=self.holder), ends_at
            )
            return
        self._failing.add(name)
        wait = retry_seconds(outgoing.attempts, self.chance())
        now = self.clock.now()
        if asked > 0:
            until = now + timedelta(seconds=asked)
            await self._note(lambda: self.store.pause_sink(name, at=now, until=until), ends_at)
        next_at = now + timedelta(seconds=max(wait, asked))
        deferred = partial(
            self.store.alert_deferred, alert.id, next_at=next_at, error=error, holder=self.holder
        )
        await self._note(deferred, ends_at)

    async def _attempt(self, sink: AlertSink, alert: Alert) -> tuple[Undelivered | None, str | None]:
        """Why it was not taken, if it was not; and who will never get it although it was."""
        limit_seconds = limit_of(sink)
        try:
            async with self.clock.timeout(limit_seconds):
                return None, await sink.deliver(alert)
        except Undelivered as error:
            return error, None
        except TimeoutError:
            return Undelivered(f"{sink.name}: took longer than {limit_seconds:g} s", permanent=False), None
        except Exception as error:  # noqa: BLE001 -- the boundary of a sink: see below
            # A fault in one sink must not stop the others, nor lose its message: the next release may send it.
            _log.exception("alert_not_delivered", extra={"place": sink.name})
            fault = f"{sink.name}: a fault of the prober, {type(error).__name__}"
            return Undelivered(fault, permanent=False), None

    async def _note(self, verb: Callable[[], Awaitable[None]], ends_at: float) -> bool:
        """Store what became of a message, again and again while it is ours; whether that was possible.

        Where it was not, the message is sent once more when its lease has run out.
        """
        pause = 0.5
        while True:
            try:
                await verb()
            except StoreError as error:
                self._store_failed(error)
                if self.clock.monotonic() + pause >= ends_at:
                    return False
                await self.clock.sleep(pause)
                pause *= 2
            else:
                return True

    def _store_failed(self, error: StoreError) -> None:
        _log.error("store_failed", extra={"detail": self.mask(str(error))})


def retry_seconds(attempts: int, chance: float) -> float:
    """How long to wait after so many attempts before this one: 5 s, doubled up to 5 min, give or take a fifth.

    ``chance`` is from 0 to 1: so that what failed at once is not tried again at once.
    """
    doubled = FIRST_RETRY_SECONDS * float(2 ** min(attempts, 10))
    return min(doubled, LONGEST_RETRY_SECONDS) * (1 - _JITTER_SHARE + 2 * _JITTER_SHARE * chance)
