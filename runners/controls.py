"""What controls came to, kept in the store; and when places outside last answered this process."""

from datetime import datetime

from probes.contracts import Clock
from runners.contracts import Store


class StoredControls:
    """Satisfies `probes.selfcheck.ControlHistory`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def note(self, control: str, at: datetime, worked: bool) -> None:
        """Keep one try. Raises `StoreError`."""
        await self._store.note_control(control, at=at, worked=worked)

    async def worked_at(self, control: str) -> datetime | None:
        """When it last worked; None: never. Raises `StoreError`."""
        return await self._store.control_worked_at(control)


class Heard:
    """Satisfies `probes.selfcheck.OutsideAnswers` by what this process heard."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: dict[str, datetime] = {}

    def heard(self, place: str) -> None:
        """A place outside answered just now."""
        self._answers[place] = self._clock.now()

    def answered_at(self, *, other_than: str) -> datetime | None:
        """The latest answer of any other place; None: there was none."""
        return max((at for place, at in self._answers.items() if place != other_than), default=None)
