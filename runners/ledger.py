"""The one Report: every observation goes through here into the store, and to whoever shows the run."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Observation, Outcome, Stage
from canary.signature import CanaryId
from probes.masking import Masker
from runners.contracts import Store, StoreError
from runners.gathering import Gathering
from runners.progress import Progress
from runners.quarantine_contracts import sight_of
from runners.spool import Spool
from runners.telemetry.logs import ids_of

_log = logging.getLogger(__name__)

LOOKS_APART = timedelta(seconds=5)
"""Looks in vain are stored no more often, while they say the same."""


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
        spool: Spool | None = None,
        placed: Callable[[str], str] = str,
    ) -> None:
        """Keep the parts; what can't be stored goes into the spool, where there is one; ``placed`` names file and line."""
        self._append: Gathering[Observation, bool] = Gathering(lambda several: store.append(*several))
        self._masker = masker
        self._observer = observer
        self._progress = progress
        self._canaries = canaries
        self._noticed = noticed
        self._spool = spool
        self._placed = placed
        self._looks: dict[tuple[CanaryId, Hop, str], tuple[str, datetime]] = {}

    async def __call__(self, *observations: Observation) -> None:
        """Store observations in one transaction, masked and signed with who saw them.

        What others report meanwhile goes into the same one: with fifty canaries out, five hops each leave together.
        """
        canaries = self._canaries()
        looks: dict[tuple[CanaryId, Hop, str], tuple[str, datetime]] = {}
        signed = [
            replace(one, detail=self._detail(one), observer=self._observer)
            for one in observations
            if (canary := canaries.get(one.canary_id)) is None
            or not self._says_nothing_new(canary, one, looks)
        ]
        if not signed:
            return
        try:
            are_new = await self._append(signed)
        except StoreError:
            if self._spool is not None:
                self._spool.add([one for one in signed if not one.is_look_in_vain])
                # What is lost there is told by the spool itself, which says that it is full.
            raise
        self._looks.update({key: look for key, look in looks.items() if key[0] in self._canaries()})
        for one, is_new in zip(signed, are_new, strict=True):
            self._noticed(one)
            canary = canaries.get(one.canary_id)
            if is_new and canary is not None:
                self._progress.observed(canary, one)
                _warn_of_quarantine(canary, one)

    def forget(self, canary_ids: Collection[CanaryId]) -> None:
        """Remember nothing more of canaries that are over."""
        gone = [one for one in self._looks if one[0] in canary_ids]
        for one in gone:
            del self._looks[one]

    def _detail(self, observation: Observation) -> str:
        """Masked, and of what did not go well with file and line of the key that it is about."""
        detail = observation.detail
        if observation.outcome is not Outcome.OK:
            detail = self._placed(detail)
        return self._masker.detail(detail)

    def _says_nothing_new(
        self,
        canary: Canary,
        observation: Observation,
        looks: dict[tuple[CanaryId, Hop, str], tuple[str, datetime]],
    ) -> bool:
        """Whether it is one more look in vain of the same kind, soon after one that is stored and before the deadline.

        One that is not goes to ``looks``: it is known as stored when it is.

        With two hundred canaries out, writing each second that each is still not there is all that a prober would do.
        """
        if not observation.is_look_in_vain:
            return False
        if observation.stage(canary.deadline_at, canary.horizon_at) is not Stage.WAITING:
            return False
        place = (canary.id, observation.hop, observation.place)
        key = observation.key(canary.deadline_at, canary.horizon_at)
        before = self._looks.get(place)
        if before is not None and before[0] == key and observation.ended_at - before[1] < LOOKS_APART:
            return True
        looks[place] = (key, observation.ended_at)
        return False


def _warn_of_quarantine(canary: Canary, observation: Observation) -> None:
    """Say once a ticket that the vendor's rule did not catch it; what was not shown is no miss."""
    sight = sight_of(observation)
    if sight is not None and not sight.is_marked:
        extra = {**ids_of(canary), "place": observation.place}
        _log.warning("quarantine_missed", extra=extra)
