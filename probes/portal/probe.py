"""The portal probe of one path: satisfies `probes.contracts.Probe`."""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Channel, Hop
from canary.observation import Fact, Observation
from canary.reason import Reason
from probes.contracts import Check, Clock, Report
from probes.dns import Resolver
from probes.hops import HopFailed, Passage, hop
from probes.masking import Masker
from probes.message.request import expected_content
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Browsers
from probes.portal.checks import check_path
from probes.portal.connection import connect_once
from probes.portal.journey import Journey
from probes.portal.sessions import Sessions
from probes.portal.settings import PortalSettings, Session
from probes.portal.stages import Progress, Stage
from probes.portal.steps import Upload
from probes.portal.timing import page_facts
from probes.portal.visiting import Arrangement, arranged
from probes.reasons import MAPPED, Failure, Fault, explain
from probes.selfcheck import ControlProtocol, Question, SideJudge
from probes.servers import SecretUnavailable
from probes.tls import Contexts

_log = logging.getLogger(__name__)

_RESERVE_SECONDS: Final = 30.0
"""A launch is over so long before its deadline (a quarter of the time, if that is less), as an e-mail's is."""
_LEAST_SECONDS: Final = 5.0
"""So much of its time a journey must have left when it begins."""
_AGAIN_SECONDS: Final = 10.0
_PORTS: Final = {"https": 443, "http": 80}


async def _to_nobody(*_: Observation) -> None:
    """A rehearsal is told to the person at the terminal, and to nobody else."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What `portal try` came to.

    Attributes:
        fault: why a step could not be done; None: all of them were. Its detail is not yet masked.
        screenshot: of the end, as PNG; None: there is no page to be seen.
        facts: what the browser measured of the last page.
    """

    fault: Fault | None
    screenshot: bytes | None
    facts: Mapping[str, Fact]
    began_at: datetime


class PortalProbe:
    """Plays a customer of one portal; the browser is shared with all other paths."""

    def __init__(
        self,
        settings: PortalSettings,
        *,
        clock: Clock,
        resolver: Resolver,
        masker: Masker,
        browsers: Browsers,
        artifacts: Artifacts,
        sessions: Sessions,
        contexts: Contexts | None = None,
        controls: SideJudge | None = None,
    ) -> None:
        """Keep the parts; opens nothing.

        Args:
            settings: the path's.
            clock: times and limits.
            resolver: looks the portal's name up.
            masker: for the details of observations.
            browsers: the one browser.
            artifacts: takes the evidence of failures.
            sessions: log-ins of earlier canaries.
            contexts: shared TLS contexts; None: of its own.
            controls: decide whose fault a silence is; None: the reason's table does.
        """
        self._settings = settings
        self._clock = clock
        self._resolver = resolver
        self._masker = masker
        self._browsers = browsers
        self._artifacts = artifacts
        self._sessions = sessions
        self._contexts = contexts if contexts is not None else Contexts()
        self._controls = controls
        parts = urlsplit(settings.url)
        self._host, self._port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
        self._is_tls = parts.scheme == "https"

    @property
    def channel(self) -> Channel:
        """The portal."""
        return Channel.PORTAL

    def expected_content(self, canary: Canary) -> ExpectedContent:
        """What a ticket of the canary must say."""
        uploads = any(isinstance(step.action, Upload) for step in self._settings.steps)
        return expected_content(canary, self._settings.request, bears_attachment=uploads)

    async def launch(self, canary: Canary, report: Report) -> None:
        """Go through the portal once; see `probes.contracts.Probe`.

        A kept log-in that the portal no longer takes is forgotten, and the journey begun again with a new one: once,
        and never after the submit.
        """
        left_seconds = self._left_seconds(canary)
        state = self._sessions.kept(self._settings.path, self._settings.session)
        try:
            await self._look_up(self._stage(canary, report, Progress(), attempt=1))
            progress = Progress(used_kept_session=state is not None)
            stage = self._stage(canary, report, progress, attempt=1)
            try:
                await self._go(canary, stage, progress, state=state, left_seconds=left_seconds)
            except HopFailed as failed:
                if not progress.begins_again(failed.fault):
                    return  # reported
                self._sessions.forget(self._settings.path)
                progress = Progress()
                stage = self._stage(canary, report, progress, attempt=2)
                await self._go(canary, stage, progress, state=None, left_seconds=left_seconds)
        except HopFailed:
            return  # reported

    async def rehearse(self, canary: Canary, show: Callable[[Hop, str, float], None]) -> Rehearsal:
        """Do all steps but the submit, for a person who writes them; nothing is sent or recorded.

        Args:
            canary: whose words are typed; not of the store.
            show: told of each step, with its hop and its seconds, as it is done.
        """
        began = self._clock.now()
        try:
            async with arranged(
                self._settings,
                canary,
                browsers=self._browsers,
                artifacts=self._artifacts,
                masker=self._masker,
                clock=self._clock,
                storage_state=None,
            ) as arrangement:
                progress = Progress()
                journey = Journey(
                    self._settings,
                    stage=self._stage(canary, _to_nobody, progress, attempt=1),
                    progress=progress,
                    arrangement=arrangement,
                    clock=self._clock,
                    left_seconds=self._left_seconds(canary),
                    before_load=self._verify_chain,
                )
                failure = None
                try:
                    await journey.prepare(show)
                except Failure as error:
                    failure = error.fault
                facts = await page_facts(arrangement.hand.page, arrangement.traffic, clock=self._clock)
                screenshot = await arrangement.collector.screenshot()
        except (Failure, SecretUnavailable) as error:
            return Rehearsal(explain(error), None, {}, began)
        return Rehearsal(failure, screenshot, facts, began)

    async def check(self) -> Sequence[Check]:
        """The browser, the name, the connection, and the portal's first page; submits nothing."""
        return await check_path(
            self._settings,
            browsers=self._browsers,
            resolver=self._resolver,
            contexts=self._contexts,
            clock=self._clock,
            masker=self._masker,
        )

    def _stage(self, canary: Canary, report: Report, progress: Progress, *, attempt: int) -> Stage:
        return partial(
            hop,
            canary=canary,
            clock=self._clock,
            report=report,
            place=self._host,
            attempt=attempt,
            masker=self._masker,
            controls=self._controls,
            gives_up=progress.gives_up,
        )

    def _left_seconds(self, canary: Canary) -> Callable[[], float]:
        left = (canary.deadline_at - self._clock.now()).total_seconds()
        over_at = self._clock.monotonic() + left - min(_RESERVE_SECONDS, left / 4)
        return lambda: over_at - self._clock.monotonic()

    async def _look_up(self, stage: Stage) -> None:
        async with stage(Hop.DNS, limit=self._settings.limits.dns_seconds) as passage:
            look_up = partial(self._resolver.host, self._host)
            passage.question = Question(
                ControlProtocol.DNS, 53, self._host, partial(self._fails_again, look_up)
            )
            found = await look_up()
            passage.facts |= found.facts
            passage.detail = ", ".join(address for host in found.hosts for address in host.addresses)

    async def _go(
        self,
        canary: Canary,
        stage: Stage,
        progress: Progress,
        *,
        state: Any | None,  # noqa: ANN401 -- Playwright's storage state
        left_seconds: Callable[[], float],
    ) -> None:
        """One journey.

        Raises:
            HopFailed: a hop failed; reported.
        """
        async with AsyncExitStack() as stack:
            try:
                arrangement = await self._arranged_in_time(
                    stack,
                    arranged(
                        self._settings,
                        canary,
                        browsers=self._browsers,
                        artifacts=self._artifacts,
                        masker=self._masker,
                        clock=self._clock,
                        storage_state=state,
                    ),
                    left_seconds,
                )
            except (Failure, SecretUnavailable) as error:
                async with stage(Hop.PORTAL_LOAD, limit=1.0):
                    raise Failure.of(fault) if (fault := explain(error)) is not None else error from None
                raise
            journey = Journey(
                self._settings,
                stage=partial(self._disputed, stage),
                progress=progress,
                arrangement=arrangement,
                clock=self._clock,
                left_seconds=left_seconds,
                before_load=self._verify_chain,
            )
            memory = await arrangement.visit.memory_bytes()
            try:
                await journey.run(partial(self._note_browser, arrangement, memory))
            finally:
                if progress.has_logged_in:
                    await self._keep_session(arrangement)

    async def _arranged_in_time(
        self,
        stack: AsyncExitStack,
        arranging: AbstractAsyncContextManager[Arrangement],
        left_seconds: Callable[[], float],
    ) -> Arrangement:
        """Wait for a place in the browser, but not so long that the portal would be blamed for our own queue.

        Raises:
            Failure: no browser, or none in time.
        """
        try:
            async with self._clock.timeout(max(1.0, left_seconds() - _LEAST_SECONDS)):
                return await stack.enter_async_context(arranging)
        except TimeoutError:
            raise Failure(
                Reason.BROWSER_UNRESPONSIVE,
                "the browser was busy with other canaries, or slow to start, until the launch had to be over",
            ) from None

    def _note_browser(self, arrangement: Arrangement, memory_bytes: int, passage: Passage) -> None:
        """What the journey itself does not know, as facts of `portal.load`."""
        passage.facts["browser.version"] = arrangement.visit.version
        passage.facts["intake.browser.memory"] = memory_bytes
        passage.facts["intake.browser.sandboxed"] = arrangement.visit.is_sandboxed

    @asynccontextmanager
    async def _disputed(self, stage: Stage, name: Hop, *, limit: float) -> AsyncIterator[Passage]:
        """A hop in the browser: where its fault may be our own network's, the controls are asked."""
        again = partial(self._fails_again, self._connect_and_close)
        async with stage(name, limit=limit) as passage:
            passage.question = Question(
                ControlProtocol.HTTPS, self._port, f"{self._host}:{self._port}", again
            )
            yield passage

    async def _keep_session(self, arrangement: Arrangement) -> None:
        """Keep the log-in for the next canary; that it can't be kept costs only the next one's time."""
        if self._settings.session is Session.NONE:
            return
        try:
            async with self._clock.timeout(_AGAIN_SECONDS):
                state = await arrangement.visit.context.storage_state()
        except (PlaywrightError, TimeoutError):
            return
        trouble = self._sessions.keep(self._settings.path, self._settings.session, state)
        if trouble:
            _log.warning("portal_session_not_kept", extra={"path": self._settings.path, "detail": trouble})

    async def _verify_chain(self) -> None:
        """Verify the portal's certificate against the path's own authorities, as the browser can't.

        Raises:
            OSError: refused, or not valid.
            Failure: silent.
        """
        if not self._settings.ca_files or not self._is_tls:
            return
        try:
            await self._connect_and_close()
        except TimeoutError as error:
            raise Failure(Reason.CONNECT_TIMEOUT, f"no TLS within {_AGAIN_SECONDS:g} s") from error

    async def _connect_and_close(self) -> None:
        context: ssl.SSLContext | None = None
        if self._is_tls:
            context = self._contexts.verified(tuple(self._settings.ca_files))
        async with self._clock.timeout(_AGAIN_SECONDS):
            await connect_once(self._host, self._port, context=context)

    async def _fails_again(self, action: Callable[[], Awaitable[object]]) -> bool:
        """The second try from a fresh connection: whether it fails too."""
        try:
            async with self._clock.timeout(_AGAIN_SECONDS):
                await action()
        except MAPPED:
            return True
        return False
