"""The part of the memory store that is about walks."""

from collections.abc import Sequence
from datetime import datetime

from canary.walk import KEPT, Walk


class MemoryWalks:
    """Mixed into `MemoryStore`."""

    _walks: dict[tuple[str, str, datetime], Walk]

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        found = (one for one in self._walks.values() if (one.place, one.look) == (place, look))
        return tuple(sorted(found, key=lambda one: one.started_at))

    async def keep_walk(self, walk: Walk) -> None:
        self._walks[walk.place, walk.look, walk.started_at] = walk

    async def drop_walks(self, walks: Sequence[Walk]) -> None:
        for one in walks:
            self._walks.pop((one.place, one.look, one.started_at), None)

    def _forget_walks(self, now: datetime) -> None:
        self._walks = {key: one for key, one in self._walks.items() if one.moved_at >= now - KEPT}
