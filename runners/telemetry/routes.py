"""A way out for figures: what takes a whole snapshot, and what is said where it does not."""

from typing import Protocol

from runners.telemetry.families import Snapshot


class NotPushed(Exception):
    """A snapshot was not taken; the message says why and what to do, for people, without a secret."""


class Route(Protocol):
    """One way out. `push` may be repeated with a newer snapshot, and can be cancelled."""

    @property
    def name(self) -> str:
        """Its key in the configuration, from the top."""
        ...

    @property
    def needs_order(self) -> bool:
        """Whether an older snapshot that arrives later would be taken for the newer one."""
        ...

    async def push(self, snapshot: Snapshot) -> None:
        """Hand a snapshot over.

        Raises:
            NotPushed: it was not taken.
        """
        ...
