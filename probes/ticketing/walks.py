"""Where walks are kept: by the store, or in this process alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from canary.walk import Walk


class Walks(Protocol):
    """Where walks are kept: the store, so that a restarted process or another replica goes on."""

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        """Those of one look of a system."""
        ...

    async def keep_walk(self, walk: Walk) -> None:
        """Keep a walk as it is now, in place of what was kept of it (repeatable)."""
        ...

    async def drop_walks(self, walks: Sequence[Walk]) -> None:
        """Forget walks that nobody needs any more, whatever is kept of them (repeatable)."""
        ...


class OwnWalks:
    """Walks of this process alone, where there is no store."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, datetime], Walk] = {}

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        """Those of one look of a system."""
        return tuple(one for key, one in self._kept.items() if key[:2] == (place, look))

    async def keep_walk(self, walk: Walk) -> None:
        """Keep a walk as it is now."""
        self._kept[walk.place, walk.look, walk.started_at] = walk

    async def drop_walks(self, walks: Sequence[Walk]) -> None:
        """Forget walks that nobody needs any more."""
        for one in walks:
            self._kept.pop((one.place, one.look, one.started_at), None)
