"""What the store keeps of leases: who launches a canary, who watches it, and until when that is believed."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from canary.canary import Canary
from canary.signature import CanaryId
from canary.verdict import Verdict

if TYPE_CHECKING:
    from runners.contracts import Record


def new_holder(prober: str, randomness: Callable[[int], bytes]) -> str:
    """What this process is called in the store, for people and for itself: no other one ever was called so.

    Host and process id alone come back: in a container, after each restart.
    """
    return f"{prober}/{socket.gethostname()}/{os.getpid()}/{randomness(4).hex()}"


@dataclass(frozen=True, slots=True)
class Held:
    """A canary that is watched, and as much of it as says whether there is news."""

    canary_id: CanaryId
    verdict: Verdict
    launch_ended: bool


class LeaseStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about leases. Raises `StoreError` from any of them."""

    async def renew(self, canary_ids: Sequence[CanaryId], *, holder: str, lease_until: datetime) -> None:
        """Keep the launch leases that this holder has."""
        ...

    async def abandoned(self, now: datetime) -> Sequence[Canary]:
        """Canaries whose launch began, has no end, and whose lease ran out."""
        ...

    async def hold(self, now: datetime, *, holder: str, lease_until: datetime) -> Sequence[Held]:
        """Watch what nobody else watches: all that is outstanding and held by this holder from now on, oldest first.

        A watch that was not renewed until its end is anybody's; whoever launches a canary watches it first.
        """
        ...

    async def records(self, canary_ids: Sequence[CanaryId]) -> "Sequence[Record]":
        """Canaries by their ids, oldest first."""
        ...

    async def others_claimed(self, holder: str, *, since: datetime) -> bool:
        """Whether another holder claimed a slot, of whatever path, since that time."""
        ...

    async def let_go(self, *, holder: str, at: datetime) -> None:
        """Give up all watches of this holder, so that another takes them over at once."""
        ...
