"""The part of the memory store that is about real tickets."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from canary.traffic import KEPT, History, Watched, Way, take


def _sum(before: Mapping[datetime, float], more: Mapping[datetime, float]) -> dict[datetime, float]:
    return {hour: before.get(hour, 0.0) + more.get(hour, 0.0) for hour in {*before, *more}}


class MemoryTraffic:
    """Mixed into `MemoryStore`."""

    _traffic: dict[str, History]

    async def note_traffic(self, place: str, watched: Watched) -> None:
        before = self._traffic.get(place)
        taken = take(before.mark if before is not None else None, watched)
        tickets: dict[Way, Counter[datetime]] = {
            way: Counter(hours) for way, hours in (before.tickets if before is not None else {}).items()
        }
        for (way, hour), count in taken.tickets.items():
            tickets.setdefault(way, Counter())[hour] += count
        newest = dict(before.newest) if before is not None else {}
        for way, at in taken.newest.items():
            newest[way] = max(at, newest.get(way, at))
        seconds = _sum(before.seconds if before is not None else {}, taken.seconds)
        self._traffic[place] = History(taken.mark, seconds, tickets, newest)

    async def traffic(self, place: str) -> History | None:
        return self._traffic.get(place)

    def _forget_traffic(self, now: datetime) -> None:
        before = now - KEPT
        for place, one in self._traffic.items():
            self._traffic[place] = replace(
                one,
                seconds={hour: some for hour, some in one.seconds.items() if hour >= before},
                tickets={
                    way: {hour: count for hour, count in hours.items() if hour >= before}
                    for way, hours in one.tickets.items()
                },
            )
