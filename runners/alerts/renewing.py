"""A secret that was rotated at its source: read anew when a sink refuses, and tried once more."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from canary.alert import Alert
from runners.alerts.contracts import AlertSink, Undelivered, limit_of, pace_of


@dataclass(frozen=True, slots=True)
class RenewableSecret:
    """A secret that may be remembered from the last time; satisfies `ReadSecret`.

    Attributes:
        fetch: reads it; with True, so that nothing remembered is used. Raises `Undelivered` where it can't be had.
    """

    fetch: Callable[[bool], Awaitable[str]]

    async def __call__(self) -> str:
        """The secret, perhaps a remembered one."""
        return await self.fetch(False)

    async def renew(self) -> bool:
        """Read it anew; whether it is another one than before."""
        before = await self.fetch(False)
        return await self.fetch(True) != before


@dataclass(frozen=True, slots=True)
class Renewing:
    """A sink whose secrets are read anew when it refuses; only if one changed is the alert sent once more."""

    sink: AlertSink
    secrets: Sequence[RenewableSecret]

    @property
    def name(self) -> str:
        """The sink's name."""
        return self.sink.name

    @property
    def limit_seconds(self) -> float:
        """How long the sink may take."""
        return limit_of(self.sink)

    @property
    def pace_seconds(self) -> float:
        """How long the sink wants between two messages."""
        return pace_of(self.sink)

    async def deliver(self, alert: Alert) -> str | None:
        """Hand one alert over. Raises `Undelivered`; cancellable."""
        try:
            return await self.sink.deliver(alert)
        except Undelivered as refusal:
            if not refusal.suspects_secret:
                raise
            changed = [await one.renew() for one in self.secrets]
            if not any(changed):
                raise
            return await self.sink.deliver(alert)
