"""Collect what a failed journey leaves for the engineer: screenshot, trace, HAR and console, without secrets."""

import asyncio
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.canary import Canary
from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.masking import Masker
from probes.portal.acts import Hand
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Visit
from probes.portal.redaction import clean_trace
from probes.portal.traffic import Traffic
from probes.portal.words import Words, clean_url
from probes.reasons import Failure
from probes.servers import SecretSource, SecretUnavailable

_ALL_SECONDS: Final = 20.0
_SECRETS_SECONDS: Final = 5.0
_TRACE_SECONDS: Final = 8.0
_SCREENSHOT_SECONDS: Final = 8.0
_MOST_TRACE_BYTES: Final = 128 * 2**20
"""Unpacked, pictures and scripts too: all of its texts are read, which takes time and memory."""
_MOST_MASKED: Final = 10
_SHORTEST_COOKIE: Final = 8
_FACTS: Final = {
    "screenshot.png": "intake.artifact.screenshot",
    "trace.zip": "intake.artifact.trace",
    "network.har": "intake.artifact.har",
    "console.txt": "intake.artifact.console",
}
_BLIND: Final = frozenset({Reason.BROWSER_CRASHED, Reason.BROWSER_UNRESPONSIVE})
"""The browser answers nothing more: there is only what it said before."""


@dataclass(slots=True)
class Collector:
    """Collects the evidence of one canary, once.

    A screenshot shows what a customer sees: fields in which secrets were typed and texts that repeat them are covered,
    and what the portal itself writes on the page is not.

    Attributes:
        configured: the path's own secrets (headers, HTTP log-in), which the browser sends by itself.
    """

    canary: Canary
    visit: Visit
    hand: Hand
    traffic: Traffic
    artifacts: Artifacts
    masker: Masker
    clock: Clock
    configured: Sequence[SecretSource] = ()

    async def collect(self, reason: Reason) -> tuple[Mapping[str, Fact], str]:
        """The evidence, written: its ids as facts, and why something is missing, or nothing.

        Never raises for a page, a disk or a secret: the verdict does not depend on it.
        """
        files: dict[str, bytes] = {}
        trouble = ""
        try:
            async with self.clock.timeout(_ALL_SECONDS):
                await self._gather(files, is_blind=reason in _BLIND)
        except TimeoutError:
            trouble = "the browser was too slow for all of the evidence"
        except SecretUnavailable:
            files.clear()
            trouble = "no evidence is kept: a secret that must be masked in it can't be read"
        except zipfile.BadZipFile:
            trouble = "the browser's trace is no archive"
        written, not_written = await self.artifacts.save(self.canary, files)
        return {_FACTS[name]: id_ for name, id_ in written.items()}, not_written or trouble

    def cleaned(self, failure: Failure) -> Failure:
        """A failure whose words hold no secret that was typed: a page may repeat it."""
        fault = failure.fault
        return Failure.of(replace(fault, detail=Words(self.hand.typed).cleaned(fault.detail)))

    def cleaned_facts(self, facts: Mapping[str, Fact]) -> dict[str, Fact]:
        """Facts whose texts hold no secret that was typed."""
        words = Words(self.hand.typed)
        return {
            name: words.cleaned(value) if isinstance(value, str) else value for name, value in facts.items()
        }

    async def _gather(self, files: dict[str, bytes], *, is_blind: bool) -> None:
        secrets = list(self.hand.typed) + await self._configured()
        files["console.txt"] = self._console(secrets, is_whole=False)
        if is_blind:
            return
        secrets += await self._cookies()
        raw = await self._trace()
        screenshot = await self.screenshot()
        if screenshot is not None:
            files["screenshot.png"] = screenshot
        if raw is not None:
            harmless = set(self.hand.customer.words.values())
            cleaned = await asyncio.to_thread(clean_trace, raw, secrets, harmless=harmless)
            files["trace.zip"], files["network.har"] = cleaned.trace, cleaned.har
            files["console.txt"] = self._console([*secrets, *cleaned.secrets], is_whole=True)

    async def _configured(self) -> list[str]:
        try:
            async with self.clock.timeout(_SECRETS_SECONDS):
                return [(await source.read()).reveal() for source in self.configured]
        except TimeoutError:
            raise SecretUnavailable("it is not read in time") from None

    async def _cookies(self) -> list[str]:
        try:
            async with self.clock.timeout(_SECRETS_SECONDS):
                # a short one is a setting ("true", "en"), and would be masked in every other word
                cookies = await self.visit.context.cookies()
                return [one["value"] for one in cookies if len(one["value"]) >= _SHORTEST_COOKIE]
        except (PlaywrightError, TimeoutError):
            return []  # the browser is gone: so is the trace

    async def screenshot(self) -> bytes | None:
        """The page as it is, as PNG, what was typed or configured in secret covered; None: it can't be had.

        Raises:
            SecretUnavailable: a secret can't be read, so it can't be covered.
        """
        page = self.hand.page
        if not page.url.startswith("http"):
            return None  # no page came
        words = [*self.hand.typed[:_MOST_MASKED], *await self._configured()]
        repeated = [page.get_by_text(word) for word in words]
        try:
            async with self.clock.timeout(_SCREENSHOT_SECONDS + 1):  # the driver's own limit needs the driver
                return await page.screenshot(
                    timeout=_SCREENSHOT_SECONDS * 1000,
                    mask=[*self.hand.secret_fields, *repeated],
                    mask_color="#888888",
                    animations="disabled",
                )
        except (PlaywrightError, TimeoutError):
            return None

    async def _trace(self) -> bytes | None:
        """The trace as Playwright wrote it, from a folder that goes with the browser whatever becomes of us."""
        try:
            file = self.visit.folder / f"{self.canary.id}.zip"
            try:
                async with self.clock.timeout(_TRACE_SECONDS):
                    await self.visit.context.tracing.stop(path=file)
                return file.read_bytes() if _unpacked_bytes(file) <= _MOST_TRACE_BYTES else None
            finally:
                file.unlink(missing_ok=True)
        except (PlaywrightError, TimeoutError, OSError):
            return None

    def _console(self, secrets: Sequence[str], *, is_whole: bool) -> bytes:
        """What the page said; only its address where the trace is missing, which tells what was handed out in secret."""
        words = Words(secrets)
        lines = [f"page: {clean_url(self.hand.page.url)}"]
        if is_whole:
            lines += [f"script error: {one}" for one in self.traffic.script_errors]
            lines += self.traffic.console
        else:
            lines.append(
                "The rest is not kept: without the browser's trace nobody can say what in it is secret."
            )
        return "\n".join(self.masker.mask(words.cleaned(line)) for line in lines).encode() + b"\n"


def _unpacked_bytes(file: Path) -> int:
    """How much an archive holds; raises `zipfile.BadZipFile`."""
    with zipfile.ZipFile(file) as archive:
        return sum(one.file_size for one in archive.infolist())
