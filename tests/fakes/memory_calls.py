"""The part of the memory store that is about calls of ticketing systems."""

from collections.abc import Sequence
from datetime import datetime

from canary.call_share import KEPT, Grant, Stretch, Want, take
from canary.hush import Hush


class MemoryCalls:
    """Mixed into `MemoryStore`."""

    _calls: dict[str, tuple[datetime, tuple[Stretch, ...]]]
    _hushes: dict[str, Hush] | None = None

    async def stretches(self, account: str) -> Sequence[Stretch]:
        return self._calls[account][1] if account in self._calls else ()

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        known = tuple(await self.stretches(account))
        grants = []
        for want in wants:
            left, grant = take([one for one in known if one.name == want.name], want, now=now)
            known = (*(one for one in known if one.name != want.name), *left)
            grants.append(grant)
        self._calls[account] = (now, known)
        return grants

    async def hush(self, account: str) -> Hush | None:
        return (self._hushes or {}).get(account)

    async def keep_hush(self, account: str, hush: Hush) -> None:
        hushes = self._hushes or {}
        self._hushes = {**hushes, account: hush.later(hushes.get(account), hush.asked_at)}
        self._calls.setdefault(account, (hush.asked_at, ()))

    def _forget_calls(self, now: datetime) -> None:
        self._calls = {key: one for key, one in self._calls.items() if one[0] >= now - KEPT}
        self._hushes = {key: one for key, one in (self._hushes or {}).items() if key in self._calls}
