"""Read the gauges of places, give each its state, and explain a breach by what they show."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.forecast import Reading, forecast
from canary.gauge import Gauge, GaugeName, GaugeState, capacity_state
from canary.gauge_words import is_full
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.quantity import whole_percent
from canary.reason import Reason
from probes.contracts import Clock
from runners.contracts import Store
from runners.prober import GaugedPlace
from runners.progress import Progress

TREND = timedelta(hours=24)
"""How far back readings are taken into the forecast."""
GAUGES_SECONDS = 300.0
"""So often the daemon reads all gauges; a one-shot run reads them each time."""
READ_SECONDS = 20.0
_UNITS = {
    GaugeName.MAILBOX_CAPACITY: "By",
    GaugeName.MAILBOX_BACKLOG: "{message}",
    GaugeName.CERTIFICATE_EXPIRY: "s",
    GaugeName.CLOCK_SKEW: "s",
}
FULL_SHARE = 0.95
"""From here on a mailbox counts as the cause of mail that did not arrive."""


class Gauging:
    """Reads gauges, keeps them, and knows what they mean."""

    def __init__(self, store: Store, *, clock: Clock, progress: Progress) -> None:
        self._store = store
        self._clock = clock
        self._progress = progress

    async def read(self, places: Sequence[GaugedPlace]) -> tuple[Gauge, ...]:
        """Read all gauges of the places side by side, judge, store and return them.

        Raises:
            StoreError: the readings could not be kept.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._read_place(place)) for place in places]
        gauges = tuple(gauge for task in tasks for gauge in task.result())
        await self._store.add_gauges(gauges)
        for gauge in gauges:
            self._progress.gauged(gauge)
        return gauges

    async def _read_place(self, place: GaugedPlace) -> list[Gauge]:
        try:
            async with self._clock.timeout(READ_SECONDS):
                readings = await place.reader.read()
        except TimeoutError:
            readings = [_not_read(place, self._clock.now(), f"no answer within {READ_SECONDS:.0f} s")]
        except OSError as error:
            # A gauge that can't be read never ends the launches beside it.
            readings = [_not_read(place, self._clock.now(), str(error))]
        return [await self._judged(place, gauge) for gauge in readings]

    async def _judged(self, place: GaugedPlace, gauge: Gauge) -> Gauge:
        if gauge.value is None or gauge.state is GaugeState.UNKNOWN:
            return replace(gauge, state=GaugeState.UNKNOWN)
        match gauge.name:
            case GaugeName.MAILBOX_CAPACITY:
                return await self._capacity(place, gauge)
            case GaugeName.MAILBOX_BACKLOG:
                return _backlog(place, gauge)
            case _:
                return gauge

    async def _capacity(self, place: GaugedPlace, gauge: Gauge) -> Gauge:
        before = await self._store.gauges(
            place=gauge.place, name=gauge.name, resource=gauge.resource, since=gauge.read_at - TREND
        )
        readings = [Reading(one.read_at, one.value) for one in (*before, gauge) if one.value is not None]
        trend = forecast(readings, gauge.limit)
        full_in = trend.full_at - gauge.read_at if trend is not None and trend.full_at is not None else None
        previous = before[-1].state if before else GaugeState.OK
        state = capacity_state(gauge.share, full_in=full_in, limits=place.capacity, previous=previous)
        if gauge.limit is None:
            # Not good: nobody can say how far it is from full. `check` tells how to declare a limit.
            return replace(gauge, state=GaugeState.UNKNOWN, detail=gauge.detail or "no limit is known")
        growing = f"full in {_hours(full_in)} at this rate" if full_in is not None else ""
        if is_full(gauge):
            growing = "it is full"
        return replace(gauge, state=state, detail="; ".join(one for one in (growing, gauge.detail) if one))


def _not_read(place: GaugedPlace, at: datetime, detail: str) -> Gauge:
    """Absent would be taken for good."""
    return Gauge(
        place=place.reader.place,
        name=place.reader.name,
        value=None,
        unit=_UNITS.get(place.reader.name, "1"),
        limit=None,
        read_at=at,
        state=GaugeState.UNKNOWN,
        detail=detail,
    )


def explanations(canary: Canary, gauges: Sequence[Gauge], *, now: datetime) -> list[Observation]:
    """What the gauges of a mailbox say about a canary that was looked for in vain.

    Only what the place itself reports is an explanation: a full mailbox, or mail that nobody fetches.
    """
    found = []
    for gauge in gauges:
        if (
            gauge.name is GaugeName.MAILBOX_CAPACITY
            and gauge.state is GaugeState.PAGE
            and (gauge.share or 0) >= FULL_SHARE
        ):
            used = f"{whole_percent(gauge.share or 0)} used" + (f"; {gauge.detail}" if gauge.detail else "")
            found.append((Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, f"mailbox {gauge.place}: {used}"))
        if gauge.name is GaugeName.MAILBOX_BACKLOG and gauge.value and gauge.state is not GaugeState.UNKNOWN:
            found.append(
                (
                    Hop.TICKET_CREATED,
                    Reason.BACKLOG_GROWING,
                    f"mailbox {gauge.place}: {gauge.value:.0f} unprocessed"
                    + (f", {gauge.detail}" if gauge.detail else ""),
                )
            )
    return [
        Observation(
            canary_id=canary.id,
            hop=hop,
            outcome=Outcome.UNKNOWN,
            evidence=Evidence.REPORTED,
            began_at=now,
            ended_at=now,
            reason=reason,
            detail=detail,
            place=f"gauge/{reason}",
        )
        for hop, reason, detail in found
    ]


def _backlog(place: GaugedPlace, gauge: Gauge) -> Gauge:
    age = gauge.read_at - gauge.oldest_at if gauge.oldest_at is not None else timedelta(0)
    state = GaugeState.WARN if age > place.backlog_age else GaugeState.OK
    oldest = f"the oldest for {_hours(age)}" if gauge.oldest_at is not None else ""
    return replace(gauge, state=state, detail=oldest)


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 1:
        return f"{max(0, int(span.total_seconds()))} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"  # noqa: PLR2004 -- read at a glance
