"""What a run tells while it goes on, for whoever shows it."""

from collections.abc import Callable
from typing import Protocol

from canary.canary import Canary
from canary.gauge import Gauge
from canary.incident import Change
from canary.observation import Observation
from canary.verdict import Judgement


class Progress(Protocol):
    """Hears each fact once it is stored. Must return at once and never raise."""

    def launched(self, canary: Canary) -> None:
        """A canary was recorded and is on its way."""
        ...

    def observed(self, canary: Canary, observation: Observation) -> None:
        """Something new was seen of a canary."""
        ...

    def judged(self, canary: Canary, judgement: Judgement) -> None:
        """A canary's verdict changed."""
        ...

    def changed(self, change: Change) -> None:
        """An incident opened, changed or ended."""
        ...

    def gauged(self, gauge: Gauge) -> None:
        """A gauge was read."""
        ...

    def note(self, text: str) -> None:
        """A warning or a remark, masked, without a trailing newline."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def launched(self, canary: Canary) -> None:
        """Ignored."""

    def observed(self, canary: Canary, observation: Observation) -> None:
        """Ignored."""

    def judged(self, canary: Canary, judgement: Judgement) -> None:
        """Ignored."""

    def changed(self, change: Change) -> None:
        """Ignored."""

    def gauged(self, gauge: Gauge) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""


class Heeding:
    """Passes all on, and lets somebody know when an incident changes."""

    def __init__(self, progress: Progress, changed: Callable[[], None]) -> None:
        """Keep whom to tell."""
        self._progress = progress
        self._changed = changed

    def launched(self, canary: Canary) -> None:
        """Passed on."""
        self._progress.launched(canary)

    def observed(self, canary: Canary, observation: Observation) -> None:
        """Passed on."""
        self._progress.observed(canary, observation)

    def judged(self, canary: Canary, judgement: Judgement) -> None:
        """Passed on."""
        self._progress.judged(canary, judgement)

    def changed(self, change: Change) -> None:
        """Passed on, and heeded."""
        self._progress.changed(change)
        self._changed()

    def gauged(self, gauge: Gauge) -> None:
        """Passed on."""
        self._progress.gauged(gauge)

    def note(self, text: str) -> None:
        """Passed on."""
        self._progress.note(text)
