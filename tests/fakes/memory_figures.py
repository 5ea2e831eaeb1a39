"""The part of the memory store that is about pushing figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from canary.instruments import Instrument, by_name
from runners.contracts import Sample


class MemoryFigures:
    """Mixed into `MemoryStore`."""

    _samples: dict[tuple[str, str], Sample]
    _turns: dict[str, tuple[str, datetime]]

    def _series(self, instrument: Instrument, labels: Mapping[str, str]) -> tuple[str, str]:
        raise NotImplementedError

    async def add_figures(self, figures: Sequence[Sample], *, at: datetime) -> None:
        del at
        for one in figures:
            key = self._series(by_name(one.name), one.labels)
            before = self._samples[key]
            least = [each for each in (before.least, one.least) if each is not None]
            greatest = [each for each in (before.greatest, one.greatest) if each is not None]
            self._samples[key] = replace(
                before,
                value=before.value + one.value,
                counts=tuple(a + b for a, b in zip(before.counts, one.counts, strict=True)),
                least=min(least, default=None),
                greatest=max(greatest, default=None),
            )

    async def take_turn(self, name: str, *, holder: str, now: datetime, until: datetime) -> bool:
        theirs, their_end = self._turns.get(name, (holder, now))
        if theirs != holder and their_end > now:
            return False
        self._turns[name] = (holder, until)
        return True

    async def end_turn(self, name: str, *, holder: str) -> None:
        if self._turns.get(name, ("", None))[0] == holder:
            del self._turns[name]
