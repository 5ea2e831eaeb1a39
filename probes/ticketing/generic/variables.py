"""Values that are asked for once and kept: the id of our sender at the system, say."""

from collections.abc import Mapping, Sequence

from probes.contracts import Clock
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.picking import seen_of
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.settings import VarSettings
from probes.ticketing.generic.templates import Words


class Variables:
    """The variables of one system, asked for when a request first names them."""

    def __init__(self, settings: Sequence[VarSettings], calls: Calls, *, clock: Clock) -> None:
        self._settings = {one.name: one for one in settings}
        self._calls = calls
        self._clock = clock
        self._kept: dict[tuple[str, str | None], tuple[object, float]] = {}

    async def words(self, asking: Asking, words: Words, requester: str | None) -> Mapping[str, object] | None:
        """What a request names as ``vars.…``; None where the system knows no such value yet.

        Raises:
            Blind: it can't be asked for.
            SecretUnavailable: our credential can't be had.
        """
        wanted = sorted(part for name, part in asking.names if name == "vars")
        found: dict[str, object] = {}
        for name in wanted:
            value = await self._value(self._settings[name], words, requester)
            if value in (None, ""):
                return None
            found[name] = value
        return found

    def forget(self, asking: Asking, requester: str | None) -> None:
        """Ask anew for what a request names: the system did not know it any more."""
        for name, part in asking.names:
            if name == "vars" and part in self._settings:
                is_each = self._settings[part].per_requester
                self._kept.pop((part, requester if is_each else None), None)

    async def _value(self, var: VarSettings, words: Words, requester: str | None) -> object:
        key = (var.name, requester if var.per_requester else None)
        now = self._clock.monotonic()
        kept = self._kept.get(key)
        if kept is not None and now < kept[1]:
            return kept[0]
        answer, _ = await self._calls.call(var.asking, {**words, "requester": requester})
        seen = seen_of(answer)
        value = var.pick.found(seen)
        if var.of is not None and var.of.found(seen) != (requester or "").lower():
            return None  # a search by words may show somebody else
        if value not in (None, ""):
            self._kept[key] = (value, now + var.keep_seconds)
        return value


def requester_of(words: Words) -> str | None:
    """The sender that a look is repeated for, if it is for senders."""
    requester = words.get("requester")
    return str(requester) if requester else None
