"""Where it is counted what all processes together ask of a system: in the store, or in this process alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from canary.call_share import Grant, Stretch, Want, take
from canary.hush import Hush


class SharedCalls(Protocol):
    """Counts calls by account: whose limits they are. Raises `probes.contracts.Uncounted` where it can't."""

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window, as the last one who took left it."""
        ...

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls before they are made; one grant a want, in their order. Not repeatable."""
        ...

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone."""
        ...

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it; of two the one that lasts longer stands (repeatable)."""
        ...


class OwnCalls:
    """The calls of this process alone, where there is no store."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[Stretch, ...]] = {}
        self._hushes: dict[str, Hush] = {}

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window."""
        return tuple(one for key, several in self._kept.items() if key[0] == account for one in several)

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls; one grant a want, in their order."""
        grants = []
        for want in wants:
            key = (account, want.name)
            self._kept[key], grant = take(self._kept.get(key, ()), want, now=now)
            grants.append(grant)
        return grants

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone."""
        return self._hushes.get(account)

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it."""
        self._hushes[account] = hush.later(self._hushes.get(account), hush.asked_at)
