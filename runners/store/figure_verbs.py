"""The verbs of the store that are about pushing figures, each one transaction."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from runners.contracts import Sample
from runners.store import counters, turns
from runners.store.connecting import Database


class SqlFigures:
    """Satisfies `runners.figures.FigureStore`; a part of `SqlStore`."""

    _database: Database

    async def add_figures(self, figures: Sequence[Sample], *, at: datetime) -> None:
        """Add what a process counted and measured to the series that are kept."""
        if figures:
            await self._database.write(partial(counters.add_figures, figures=figures, at=at))

    async def take_turn(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Whether the turn is this holder's from now on."""
        work = partial(turns.take, name=name, holder=holder, now=now, until=until)
        return await self._database.write(work)

    async def end_turn(self, name: str, *, holder: str) -> None:
        """Give a turn up."""
        await self._database.write(partial(turns.end, name=name, holder=holder))
