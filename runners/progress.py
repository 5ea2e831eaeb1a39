"""What a run tells while it goes on, for whoever shows it."""

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
