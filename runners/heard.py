"""Keep what looks brought along by the way: clocks, how ticketing systems answered, when real tickets came."""

from dataclasses import replace

from canary.gauge import Gauge
from canary.usual import readings
from runners.contracts import Store
from runners.prober import Prober


async def keep_what_was_heard(prober: Prober, store: Store) -> tuple[Gauge, ...]:
    """Store what the looks of this process told since the last time, and return it as gauges; asks nobody anything.

    Repeatable: what could not be kept is kept the next time, and nothing is counted twice.

    Raises:
        StoreError: it could not be kept.
    """
    systems = [one.tickets for one in prober.places.values() if one.tickets is not None]
    told = (
        *prober.outside.skews(),
        *(one for system in systems for one in system.gauges()),
        *await _traffic(prober, store),
    )
    heard = tuple(replace(one, detail=prober.placed(one.detail)) for one in told)
    await store.add_gauges(heard)
    return heard


async def _traffic(prober: Prober, store: Store) -> list[Gauge]:
    found: list[Gauge] = []
    for name, place in prober.places.items():
        if place.listening is None:
            continue
        heard = place.listening.heard()
        for one in heard:
            await store.note_traffic(name, one)
        place.listening.forget(heard)
        history = await store.traffic(name)
        if history is not None:
            found += readings(name, history)
    return found
