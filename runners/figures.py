"""What the store keeps of a process's own figures, and whose turn it is to push them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from runners.contracts import Sample


class FigureStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about pushing figures. Raises `StoreError` from any of them."""

    async def add_figures(self, figures: "Sequence[Sample]", *, at: datetime) -> None:
        """Add what a process counted and measured to the series that are kept, all or none; not repeatable."""
        ...

    async def take_turn(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        """Whether the turn is this holder's from now on: nobody had it, or whoever did let it lapse."""
        ...

    async def end_turn(self, name: str, *, holder: str) -> None:
        """Give a turn up (repeatable); one that is another's by now is left alone."""
        ...
