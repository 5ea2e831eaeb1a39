"""The portal probe of one path: satisfies `probes.contracts.Probe`."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
from probes.portal.connection import Reach, Verified
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
_LEAST_SECONDS: Final = 30.0
"""So much of its time, and the pace besides, a journey must have left when it begins; at most half of it all."""
_AGAIN_SECONDS: Final = 10.0


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
        self._controls = controls
        self._host = urlsplit(settings.url).hostname or ""
        self._reach = Reach(
            settings.url,
            ca_files=tuple(settings.ca_files),
            contexts=contexts if contexts is not None else Contexts(),
            clock=clock,
            has_proxy=browsers.has_proxy(settings.url),
        )

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

        A kept log-in with which anything failed is forgotten; where the portal may have meant it, the journey is begun
        again with a new one: once, and never after the submit.
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
                if progress.used_kept_session:
                    self._sessions.forget(self._settings.path)
                if not progress.begins_again(failed.fault):
                    return  # reported
                progress = Progress()
                stage = self._stage(canary, report, progress, attempt=2)
                await self._go(canary, stage, progress, state=None, left_seconds=left_seconds)
        except HopFailed:
            return  # reported

    async def rehearse(self, canary: Canary, show: Callable[[Hop, str, float], None]) -> Rehearsal:
        """Do all steps but the submit, for a person who writes them; the evidence of a failure is kept as ever.

        Args:
            canary: whose words are typed; not of the store.
            show: told of each step, with its hop and its seconds, as it is done.
        """
        began = self._clock.now()
        try:
            has_own = await self._reach.needs_own_authorities()
            async with arranged(
                self._settings,
                canary,
                browsers=self._browsers,
                artifacts=self._artifacts,
                masker=self._masker,
                clock=self._clock,
                storage_state=None,
                verifies=not has_own,
            ) as arrangement:
                progress = Progress()
                journey = Journey(
                    self._settings,
                    stage=self._stage(canary, _to_nobody, progress, attempt=1),
                    progress=progress,
                    arrangement=arrangement,
                    clock=self._clock,
                    left_seconds=self._left_seconds(canary),
                    reach=self._reach,
                    verified=self._verified(is_needed=has_own),
                )
                failure = None
                try:
                    await journey.prepare(show)
                except MAPPED as error:
                    failure = explain(error)
                facts = arrangement.collector.cleaned_facts(
                    await page_facts(arrangement.hand.page, arrangement.traffic, clock=self._clock)
                )
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
            reach=self._reach,
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
            if self._reach.has_proxy:
                passage.is_skipped, passage.detail = True, "the browser's proxy looks the name up"
                return
            look_up = partial(self._resolver.host, self._host)
            passage.question = Question(
                ControlProtocol.DNS, 53, self._host, partial(self._reach.fails, look_up)
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
            has_own = await self._reach.needs_own_authorities()
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
                        verifies=not has_own,
                    ),
                    left_seconds,
                )
            except (Failure, SecretUnavailable) as error:
                async with stage(Hop.PORTAL_LOAD, limit=1.0):
                    raise
                raise AssertionError("a hop that fails is raised as such") from error
            journey = Journey(
                self._settings,
                stage=partial(self._disputed, stage),
                progress=progress,
                arrangement=arrangement,
                clock=self._clock,
                left_seconds=left_seconds,
                reach=self._reach,
                verified=self._verified(is_needed=has_own),
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
            left = left_seconds()
            least = min(_LEAST_SECONDS + self._settings.pace_seconds, left / 2)
            async with self._clock.timeout(max(1.0, left - least)):
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
        async with stage(name, limit=limit) as passage:
            passage.question = self._reach.question(self._settings.url)
            yield passage

    def _verified(self, *, is_needed: bool) -> Verified:
        return Verified(self._reach, hosts=self._settings.expect_hosts, is_needed=is_needed)

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
