"""When a credential that was refused may be shown again: desks lock an account out that fails many times."""

from collections.abc import Hashable
from typing import Final

from probes.contracts import Blind, Clock

_FIRST_SECONDS: Final = 30.0
_LONGEST_SECONDS: Final = 600.0


class Backoff:
    """The refusals of one system's credential, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._times = 0
        self._until = 0.0
        self._refused: Hashable = None
        self._why = ""
        self._served: set[str] = set()

    @property
    def is_waiting(self) -> bool:
        """Whether what was refused last is not shown yet."""
        return self._times > 0 and self._clock.monotonic() < self._until

    @property
    def has_failed(self) -> bool:
        """Whether the last word was a refusal."""
        return self._times > 0

    def check(self, credential: Hashable) -> None:
        """Make sure that it may be shown; one that has changed always may.

        Raises:
            Blind: it is the one that was refused, and the wait isn't over.
        """
        if self.is_waiting and credential == self._refused:
            wait = self._until - self._clock.monotonic()
            raise Blind(
                f"{self._why} Not tried again for {wait:.0f} s, so that the account is not locked; a secret that"
                " changes is tried at once.",
                status=401,
            )

    def refuse(self, credential: Hashable, error: Blind, *, key: str | None = None) -> None:
        """Note a refusal: of the log-in, or, with a ``key``, of one kind of call.

        A call of a kind that never was served, while others are, may lack a right of its own: it is no word about the
        credential.
        """
        if key is not None and self._served and key not in self._served:
            return
        self._times = self._times + 1 if credential == self._refused else 1
        self._refused, self._why = credential, str(error)
        wait = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(self._times - 1, 10))
        self._until = self._clock.monotonic() + wait

    def serve(self, key: str) -> None:
        """Note that a call of this kind was served."""
        self._times, self._refused = 0, None
        self._served.add(key)
