"""What controls came to, kept in the store."""

from datetime import datetime

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

    async def note_excuse(self, control: str, at: datetime) -> None:
        """Keep that its failure excused us. Raises `StoreError`."""
        await self._store.note_excuse(control, at=at)

    async def excused_at(self) -> datetime | None:
        """When one last did. Raises `StoreError`."""
        return await self._store.excused_at()


class Untold:
    """A history of nothing, for `check`: what it tries there is only shown."""

    async def note(self, control: str, at: datetime, worked: bool) -> None:
        """Ignored."""

    async def worked_at(self, control: str) -> datetime | None:  # noqa: ARG002 -- it knows of none
        """Never."""
        return None

    async def note_excuse(self, control: str, at: datetime) -> None:
        """Ignored."""

    async def excused_at(self) -> datetime | None:
        """Never."""
        return None
