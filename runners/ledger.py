"""The one Report: every observation goes through here into the store, and to whoever shows the run."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from canary.canary import Canary
from canary.observation import Observation
from canary.signature import CanaryId
from probes.masking import Masker
from runners.contracts import Store
from runners.progress import Progress


class Ledger:
    """Satisfies `probes.contracts.Report`.

    A `StoreError` is raised to the reporter: a launch stops before its next hop, so that nothing leaves that is not
    recorded; a watcher's look is simply made again.
    """

    def __init__(
        self,
        store: Store,
        *,
        masker: Masker,
        observer: str,
        progress: Progress,
        canaries: Callable[[], Mapping[CanaryId, Canary]],
        noticed: Callable[[Observation], None],
    ) -> None:
        self._store = store
        self._masker = masker
        self._observer = observer
        self._progress = progress
        self._canaries = canaries
        self._noticed = noticed

    async def __call__(self, observation: Observation, /) -> None:
        """Store one observation, masked and signed with who saw it."""
        signed = replace(observation, detail=self._masker.detail(observation.detail), observer=self._observer)
        is_new = await self._store.append(signed)
        self._noticed(signed)
        canary = self._canaries().get(signed.canary_id)
        if is_new and canary is not None:
            self._progress.observed(canary, signed)
