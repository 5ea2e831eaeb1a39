"""The part of the memory store that is about quarantine."""

from collections.abc import Mapping, Sequence

from canary.canary import Canary
from canary.observation import Observation
from canary.path import PathName
from canary.quarantine import Quarantine, Sight, quarantine_of
from canary.signature import CanaryId
from runners.quarantine_contracts import sight_of


class MemoryQuarantines:
    """Mixed into `MemoryStore`, which forgets canaries."""

    _sights: dict[CanaryId, tuple[PathName, Sight]]

    def _note_sight(self, canary: Canary, observation: Observation) -> None:
        sight = sight_of(observation)
        if sight is not None:
            self._sights.setdefault(canary.id, (canary.path, sight))

    async def quarantines(self, paths: Sequence[PathName]) -> Mapping[PathName, Quarantine]:
        known = await self.known(list(self._sights))
        kept = {one: sight for one, sight in self._sights.items() if one in known}
        return {name: quarantine_of(sight for path, sight in kept.values() if path == name) for name in paths}

    async def known(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, Canary]:
        raise NotImplementedError
