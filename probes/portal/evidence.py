"""Collect what a failed journey leaves for the engineer: screenshot, trace, HAR and console, without secrets."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from canary.canary import Canary
from canary.observation import Fact
from probes.contracts import Clock
from probes.masking import Masker
from probes.portal.acts import Hand
from probes.portal.artifacts import Artifacts
from probes.portal.redaction import Words, clean_trace, clean_url
from probes.portal.traffic import Traffic
from probes.servers import SecretSource

_SCREENSHOT_SECONDS: Final = 5.0
_TRACE_SECONDS: Final = 5.0
_FACTS: Final = {
    "screenshot.png": "intake.artifact.screenshot",
    "trace.zip": "intake.artifact.trace",
    "network.har": "intake.artifact.har",
    "console.txt": "intake.artifact.console",
}


@dataclass(slots=True)
class Collector:
    """Collects the evidence of one canary, once.

    Attributes:
        configured: the path's own secrets (headers, HTTP log-in), which the browser sends by itself.
    """

    canary: Canary
    context: BrowserContext
    hand: Hand
    traffic: Traffic
    artifacts: Artifacts
    masker: Masker
    clock: Clock
    configured: Sequence[SecretSource] = ()

    async def collect(self) -> tuple[Mapping[str, Fact], str]:
        """The evidence, written: its ids as facts, and why something is missing, or nothing. Never raises for a page."""
        secrets = await self._secrets()
        files: dict[str, bytes] = {}
        screenshot = await self._screenshot()
        if screenshot is not None:
            files["screenshot.png"] = screenshot
        trace = await self._trace()
        if trace is not None:
            harmless = set(self.hand.customer.words.values())
            files["trace.zip"], files["network.har"] = clean_trace(trace, secrets, harmless=harmless)
        files["console.txt"] = self._console(secrets)
        written, trouble = await self.artifacts.save(self.canary, files)
        return {_FACTS[name]: id_ for name, id_ in written.items()}, trouble

    async def _secrets(self) -> list[str]:
        """Every word that must not stay: what was typed, what is configured, what the portal handed out."""
        words = list(self.hand.typed)
        words += [(await source.read()).reveal() for source in self.configured]
        try:
            async with self.clock.timeout(_TRACE_SECONDS):
                words += [cookie["value"] for cookie in await self.context.cookies()]
        except (PlaywrightError, TimeoutError):
            pass  # the browser is gone: so is the trace
        return words

    async def _screenshot(self) -> bytes | None:
        if not self.hand.page.url.startswith("http"):
            return None  # no page came
        try:
            return await self.hand.page.screenshot(
                timeout=_SCREENSHOT_SECONDS * 1000,
                mask=self.hand.secret_fields,
                mask_color="#888888",
                animations="disabled",
            )
        except PlaywrightError:
            return None

    async def _trace(self) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="intake-prober-trace-") as folder:
            file = Path(folder) / "trace.zip"
            try:
                async with self.clock.timeout(_TRACE_SECONDS):
                    await self.context.tracing.stop(path=file)
                return file.read_bytes()
            except (PlaywrightError, TimeoutError, OSError):
                return None

    def _console(self, secrets: Sequence[str]) -> bytes:
        words = Words(secrets)
        lines = [f"page: {clean_url(self.hand.page.url)}"]
        lines += [f"script error: {one}" for one in self.traffic.script_errors]
        lines += self.traffic.console
        return "\n".join(self.masker.mask(words.replaced(line)) for line in lines).encode() + b"\n"
