"""Files of tickets: their digests, each fetched once, and not again at once where it is not served."""

import hashlib
import math
from typing import Final

from probes.contracts import Blind, Clock
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.gathering import stays_away

_REMEMBERED: Final = 2000
_ASKED_AGAIN_SECONDS: Final = 60.0


class Files:
    """What the files of one system hold, as far as it was asked for."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._digests: dict[str, str] = {}
        self._not_served: dict[str, float] = {}

    async def digest(self, url: str) -> str | None:
        """The SHA-256 of a file in hexadecimal; None: it is not served now, so that it can't be compared.

        Many systems serve a file only once it was scanned: it is asked for again a minute later. So is one that fails
        or is too long: one file must not hide the tickets of a whole desk.

        Raises:
            Blind: we are to stay away: throttled, closed for maintenance, or refused as a whole.
            SecretUnavailable: our credential can't be had.
        """
        known = self._digests.get(url)
        if known is not None or self._clock.monotonic() < self._not_served.get(url, -math.inf):
            return known
        try:
            content = await self._calls.fetched(url)
        except Blind as error:
            if stays_away(error):
                raise
            content = None
        if len(self._digests) + len(self._not_served) >= _REMEMBERED:
            self._digests.clear()
            self._not_served.clear()
        if content is None:
            self._not_served[url] = self._clock.monotonic() + _ASKED_AGAIN_SECONDS
            return None
        self._digests[url] = hashlib.sha256(content).hexdigest()
        return self._digests[url]
