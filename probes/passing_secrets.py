"""Secrets that are replaced by new ones again and again: masked until a while after they were replaced."""

from collections import deque
from typing import Final

from probes.contracts import Clock
from probes.masking import Masker, Secret

MASKED_SECONDS: Final = 3600.0
"""How long a token that was replaced may still turn up in a text."""


class PassingSecrets:
    """What one credential has brought so far. Each word more makes masking of every text slower, so they don't stay."""

    def __init__(self, masker: Masker, clock: Clock) -> None:
        self._masker = masker
        self._clock = clock
        self._lent: list[Secret] = []
        self._replaced: deque[tuple[float, list[Secret]]] = deque()

    def lend(self, secret: Secret) -> Secret:
        """Mask this secret until an hour after it is replaced; returns it."""
        self._lent.append(self._masker.lend(secret))
        return secret

    def replace(self) -> None:
        """Note that what was lent so far is replaced; what was replaced long ago is masked no longer."""
        now = self._clock.monotonic()
        if self._lent:
            self._replaced.append((now + MASKED_SECONDS, self._lent))
            self._lent = []
        while self._replaced and self._replaced[0][0] <= now:
            for one in self._replaced.popleft()[1]:
                self._masker.forget(one)
