"""What a sink is, how it says that it did not take an alert, and the little that it needs of the rest."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, Protocol, runtime_checkable

from canary.alert import Alert

LIMIT_SECONDS: Final = 20.0
"""How long one delivery may take: a command that prints the secret, and the 10 s of a POST."""

Mask = Callable[[str], str]
"""Takes secrets out of a text."""
ReadSecret = Callable[[], Awaitable[str]]
"""Reads a secret as it is now; raises `Undelivered` where it can't be had."""


class Undelivered(Exception):
    """A sink did not take an alert. The message is masked and names the sink's answer, never its address.

    Attributes:
        permanent: the sink will never take it: trying again is of no use.
        retry_after_seconds: how long the sink asked us to stay away, or None.
        suspects_secret: it may be our secret that was refused; by default, of whatever is permanent.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        retry_after_seconds: float | None = None,
        suspects_secret: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds
        self.suspects_secret = permanent if suspects_secret is None else suspects_secret


class Clock(Protocol):
    """What alerts need of `probes.contracts.Clock`; alerts know no probe."""

    def now(self) -> datetime:
        """The wall clock, aware UTC, for stamps."""
        ...

    def monotonic(self) -> float:
        """Seconds, for durations."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        ...

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A scope that raises `TimeoutError` when it lasts longer."""
        ...


class AlertSink(Protocol):
    """Somewhere that alerts go. Its constructor does no IO.

    One that needs longer than `LIMIT_SECONDS` for a delivery says so by an attribute ``limit_seconds``, one that
    takes a message only so often by ``pace_seconds``.
    """

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    async def deliver(self, alert: Alert) -> str | None:
        """Hand one alert over; repeatable by ``alert.id``. Cancellable: it may or may not have arrived then.

        Returns:
            who will never get it although it was taken, masked; None: nobody is left out.

        Raises:
            Undelivered: it was not taken, for now or for good.
        """
        ...


@runtime_checkable
class Refreshed(AlertSink, Protocol):
    """A sink that forgets an alert which it is not told again (Alertmanager)."""

    async def refresh(self, still_open: Sequence[Alert]) -> None:
        """Tell again all that lasts, and for a while what has ended; repeatable.

        Raises:
            Undelivered: nobody took it.
        """
        ...


def limit_of(sink: AlertSink) -> float:
    """How many seconds one delivery to a sink may take."""
    return float(getattr(sink, "limit_seconds", LIMIT_SECONDS))


def pace_of(sink: AlertSink) -> float:
    """How many seconds must lie between two messages to a sink."""
    return float(getattr(sink, "pace_seconds", 0.0))
