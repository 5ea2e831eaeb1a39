"""The dead man's switch: pings by which somebody else learns that the prober itself lives."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from runners.alerts.contracts import ReadSecret, Undelivered
from runners.alerts.posting import Poster

TIMEOUT_SECONDS: Final = 5.0
_MOST_BODY_BYTES: Final = 10_000
"""Healthchecks keeps 100 kB of a ping's body (Pinging API); a reader wants the first lines."""
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Pings in the manner of healthchecks. Sent straight, never through the outbox: an old ping proves nothing.

    Success means that the prober did its work, also when it found the target broken. ``run_id``, a UUID, pairs a start
    with its end. A ping that fails is logged and harms nobody; cancellable.

    Attributes:
        url: reads the ping URL, perhaps a remembered one.
        renew: reads it anew; whether it is another one than before. None: it can't be.
    """

    name: str
    url: ReadSecret
    poster: Poster
    renew: Callable[[], Awaitable[bool]] | None = None

    async def start(self, run_id: str) -> bool:
        """The prober begins its work; whether the ping arrived."""
        return await self._ping("/start", run_id, "")

    async def success(self, run_id: str, text: str = "") -> bool:
        """It did its work; whether the ping arrived."""
        return await self._ping("", run_id, text)

    async def failure(self, run_id: str, text: str = "") -> bool:
        """It could not do its work; whether the ping arrived."""
        return await self._ping("/fail", run_id, text)

    async def test(self, run_id: str) -> None:
        """Say something that is no sign of life: a success would have it that a daemon lives that may be dead.

        ``/log`` keeps a text and changes no state (Healthchecks, Pinging API). Raises `Undelivered`.
        """
        await self._post("/log", run_id, "A test by intake-prober check --send.")

    async def _ping(self, what: str, run_id: str, text: str) -> bool:
        try:
            await self._post(what, run_id, text)
        except Undelivered as error:
            _log.warning("heartbeat_failed", extra={"place": self.name, "detail": str(error)})
            return False
        return True

    async def _post(self, what: str, run_id: str, text: str) -> None:
        try:
            await self._post_once(what, run_id, text)
        except Undelivered as refusal:
            # A URL that was rotated is answered with 401, 403 or 404.
            if self.renew is None or not refusal.suspects_secret or not await self.renew():
                raise
            await self._post_once(what, run_id, text)

    async def _post_once(self, what: str, run_id: str, text: str) -> None:
        base, _, query = (await self.url()).partition("?")
        pairs = "&".join(one for one in (query, urlencode({"rid": run_id})) if one)
        body = self.poster.mask(text).encode()[:_MOST_BODY_BYTES]
        await self.poster.post(f"{base.rstrip('/')}{what}?{pairs}", body, _TEXT)
