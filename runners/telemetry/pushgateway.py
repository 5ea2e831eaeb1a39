"""A Pushgateway: the whole snapshot as one group, which replaces what was there.

`PUT /metrics/job/<job>/<label>/<value>` replaces a group, so that paths which are gone vanish; timestamps are refused, and
so are types that differ from another group's (Pushgateway README, read on 2026-11-30; tried with 1.5.1).
"""

import asyncio
import base64
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from probes.contracts import Clock
from probes.masking import Masker
from runners.telemetry.families import Snapshot
from runners.telemetry.plain_text import CONTENT_TYPE, plain_text
from runners.telemetry.routes import NotPushed

if TYPE_CHECKING:
    import httpx

KEY = "telemetry.metrics.pushgateway"
JOB = "intake-prober"
PUT_SECONDS = 10.0
"""How long one push may take, from connect to the answer."""
MOST_ANSWER_BYTES = 4096
"""How much of a refusal is read: it says what is wrong in a line."""


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """Satisfies `runners.telemetry.routes.Route`.

    Attributes:
        url: its base, below which `/metrics` lies.
        prober: the group's label of that name; never that of a host or a pod, or groups would pile up.
        ca_files: PEM files of authorities that are trusted beside the system's.
    """

    url: str
    prober: str
    clock: Clock
    masker: Masker
    ca_files: tuple[str, ...] = ()
    put_seconds: float = PUT_SECONDS

    @property
    def name(self) -> str:
        """Its key in the configuration."""
        return KEY

    @property
    def needs_order(self) -> bool:
        """It takes no timestamps: what comes last stands."""
        return True

    @property
    def group_url(self) -> str:
        """Where the group lies."""
        return f"{self.url.rstrip('/')}/metrics/job/{JOB}/{group_label('prober', self.prober)}"

    async def push(self, snapshot: Snapshot) -> None:
        """Replace the group. Cancellable; a push that was cancelled may have arrived.

        Raises:
            NotPushed: it did not take the snapshot.
        """
        body = await asyncio.to_thread(plain_text, snapshot)
        await self._ask("PUT", self.group_url, body)

    async def read(self, path: str) -> str:
        """What it shows below its base: for `check`, which pushes nothing.

        Raises:
            NotPushed: it does not answer as a Pushgateway does.
        """
        return await self._ask("GET", f"{self.url.rstrip('/')}/{path}")

    async def _ask(self, method: str, url: str, body: bytes | None = None) -> str:
        import httpx

        shown = self.masker.mask(url)
        try:
            async with self.clock.timeout(self.put_seconds):
                return await self._exchange(method, url, body)
        except TimeoutError:
            raise NotPushed(
                f"{shown} gave no answer within {self.put_seconds:g} s. Look at the gateway, and at the way to it."
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            words = self.masker.detail(str(error) or type(error).__name__)
            raise NotPushed(
                f"{shown} can't be reached ({words}). Look whether the gateway runs, and at {KEY}."
            ) from error

    async def _exchange(self, method: str, url: str, body: bytes | None) -> str:
        import httpx

        async with (
            httpx.AsyncClient(
                verify=self._context(),
                timeout=self.put_seconds,
                follow_redirects=False,
                trust_env=urlsplit(url).hostname not in {"localhost", "127.0.0.1", "::1"},
            ) as client,
            client.stream(method, url, content=body, headers={"Content-Type": CONTENT_TYPE}) as response,
        ):
            if response.is_success:
                return (await response.aread()).decode(errors="replace")
            said = self.masker.detail(await _beginning(response))
            raise NotPushed(_refusal(self.masker.mask(url), response.status_code, said))

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        for file in self.ca_files:
            context.load_verify_locations(file)
        return context


def group_label(name: str, value: str) -> str:
    """A label of the group as the path has it; what a path can't hold is told in base64, as the gateway wants it."""
    if "/" in value or not value:
        encoded = base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
        return f"{name}@base64/{encoded or '='}"
    return f"{name}/{quote(value, safe='')}"


async def _beginning(response: "httpx.Response") -> str:
    read = b""
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) >= MOST_ANSWER_BYTES:
            break
    return read[:MOST_ANSWER_BYTES].decode(errors="replace")


def _refusal(url: str, status: int, said: str) -> str:
    words = f"{url} answered {status}" + (f": {said}" if said else "")
    match status:
        case 400:
            remedy = "Another group may hold one of our metrics with another type: look at its page, and delete that group."
        case 401 | 403:
            remedy = "It wants a credential: let the prober in without one, or put a proxy in between that adds it."
        case 404 | 405:
            remedy = f"That is no Pushgateway, or it lies below another path: correct {KEY}."
        case _ if 300 <= status < 400:  # noqa: PLR2004 -- 3xx
            remedy = f"Redirects are not followed: name the final address at {KEY}."
        case _:
            remedy = "Look at the gateway's log."
    return f"{words}. {remedy}"
