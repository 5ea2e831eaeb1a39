"""Files of tickets: their digests, each fetched once, and not again at once where it is not served."""

import hashlib
import math
from pathlib import PurePosixPath
from typing import Final

from probes.contracts import Blind, Clock
from probes.http_wire import Answer
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.gathering import stays_away

_REMEMBERED: Final = 2000
_ASKED_AGAIN_SECONDS: Final = 60.0


_ANSWERS: Final = {"application/json": (".json", ".txt"), "text/html": (".html", ".htm", ".txt")}
"""Media types of what is said in place of a file, and how names end for which they are a file's own."""


class Files:
    """What the files of one system hold, as far as it was asked for."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._digests: dict[str, str] = {}
        self._not_served: dict[str, float] = {}

    async def digest(self, url: str, name: str) -> str | None:
        """The SHA-256 of a file in hexadecimal; None: it is not served now, so that it can't be compared.

        Many systems serve a file only once it was scanned: it is asked for again a minute later. So is one that fails
        or is too long: one file must not hide the tickets of a whole desk. What is answered in JSON or as a page, where the
        file's ``name`` is of another kind, is words about the file, or a log-in, and no file.

        Raises:
            Blind: we are to stay away: throttled, closed for maintenance, or refused as a whole.
            SecretUnavailable: our credential can't be had.
        """
        known = self._digests.get(url)
        if known is not None or self._clock.monotonic() < self._not_served.get(url, -math.inf):
            return known
        try:
            answer = await self._calls.fetched(url)
        except Blind as error:
            if stays_away(error):
                raise
            answer = None
        if len(self._digests) + len(self._not_served) >= _REMEMBERED:
            self._digests.clear()
            self._not_served.clear()
        if answer is None or _speaks_of(answer, name):
            self._not_served[url] = self._clock.monotonic() + _ASKED_AGAIN_SECONDS
            return None
        self._digests[url] = hashlib.sha256(answer.content).hexdigest()
        return self._digests[url]


def _speaks_of(answer: Answer, name: str) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    ending = PurePosixPath(name.lower()).suffix
    return kind in _ANSWERS and bool(ending) and ending not in _ANSWERS[kind]
