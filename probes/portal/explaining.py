"""The body of a portal's hop: bounded, and where it stops, diagnosed and its evidence kept."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.hop import Hop
from canary.reason import Reason, Side
from probes.contracts import Clock
from probes.hops import Passage
from probes.portal.browsing import Browsing
from probes.portal.connection import Reach
from probes.portal.diagnosis import diagnose
from probes.portal.elements import awaited_first
from probes.portal.findings import Situation
from probes.portal.settings import PortalSettings
from probes.portal.stages import Progress
from probes.portal.steps import Fill, Locator, Step, Template
from probes.portal.timing import page_facts
from probes.portal.visiting import Arrangement
from probes.reasons import Failure
from probes.selfcheck import DISPUTABLE

_STOP_SECONDS: Final = 2.0
DIAGNOSIS_SECONDS: Final = 60.0
"""So much longer than its own limit a hop may take, to find out why and to keep the evidence."""


class Unexplained(Exception):
    """It went wrong, and no call failed: the diagnosis is to say why."""


class Explainer:
    """Knows all that an explanation may rest on.

    Attributes:
        doing: the step under way, as people write it; empty: none.
        known_alerts: what the page called wrong before the submit: a notice, that is no answer to it.
        first: the number of the first exchange of the hop under way.
        known_refusal: what looked like a refusal before anything was typed into the log-in.
    """

    def __init__(
        self,
        settings: PortalSettings,
        arrangement: Arrangement,
        *,
        progress: Progress,
        clock: Clock,
        left_seconds: Callable[[], float],
        reach: Reach,
    ) -> None:
        self._settings = settings
        self._hand = arrangement.hand
        self._traffic = arrangement.traffic
        self._collector = arrangement.collector
        self._progress = progress
        self._clock = clock
        self.left_seconds = left_seconds
        self._reach = reach
        self._last_secret = max(
            (
                step.number
                for step in settings.login
                if isinstance(step.action, Fill) and not isinstance(step.action.value, Template)
            ),
            default=0,
        )
        self._number = 0
        self._browsing = Browsing(arrangement, clock)
        self.first = 0
        self.doing = ""
        self.known_alerts: tuple[str, ...] = ()
        self.known_refusal = ""
        self._element: Locator | None = None

    def at(self, step: Step) -> None:
        """The journey is at this step."""
        self._browsing.begin(step)
        self.doing, self._number = str(step), step.number
        self._element = awaited_first((replace(step, is_optional=False),))

    def left_out(self) -> None:
        """The step that the journey is at is none of it: what it is about is not there."""
        self._browsing.forget()

    @asynccontextmanager
    async def explained(
        self, passage: Passage, hop: Hop, *, limit: float, since: int | None = None
    ) -> AsyncIterator[None]:
        """The body of a hop, within its limit.

        Args:
            passage: takes the facts of the failure.
            hop: which hop it is.
            limit: seconds; fewer where the launch must be over sooner.
            since: the number of the first exchange that belongs to it; None: the next one.

        Raises:
            Failure: what went wrong.
        """
        first = self.first = len(self._traffic.exchanges) if since is None else since
        self.doing, self._number, self._element = "", 0, None
        self._traffic.hop = hop
        passage.browsed = self._browsing.enter()
        passage.limit_reason = (
            Reason.BROWSER_UNRESPONSIVE
        )  # the hop's own limit runs out only if the diagnosis hangs
        left = self.left_seconds()
        try:
            async with self._clock.timeout(max(1.0, min(limit, left))):
                yield
            self._browsing.end(is_done=True)
        except (PlaywrightError, TimeoutError, Failure, Unexplained) as error:
            self._browsing.end(is_done=False)
            failure = await diagnose(
                error,
                Situation(
                    hop,
                    self.doing,
                    first,
                    has_left=self._progress.has_left,
                    known_alerts=self.known_alerts,
                    known_refusal=self.known_refusal,
                    has_typed_all=0 < self._last_secret < self._number,
                    element=self._element,
                ),
                hand=self._hand,
                traffic=self._traffic,
                settings=self._settings,
                clock=self._clock,
                reach=self._reach,
            )
            reason = failure.fault.reason
            passage.limit_reason = reason  # by now it is known, however long the evidence takes
            if self._progress.begins_again(failure.fault) or reason is Reason.SESSION_EXPIRED:
                # a customer would not have come with a session of hours ago
                passage.side = Side.PROBER if self._progress.used_kept_session else None
            if left < limit and type(error) is TimeoutError:
                passage.side = Side.PROBER  # the launch began too late for it
            if reason is Reason.CERTIFICATE_INVALID and self._settings.ca_files and self._reach.has_proxy:
                passage.side = Side.PROBER  # behind a proxy the path's own authorities can't be asked
            if reason in DISPUTABLE and (failed := self._failed_document(first)) is not None:
                passage.question = self._reach.question(failed)
            await self._stop_loading()
            page = await page_facts(self._hand.page, self._traffic, clock=self._clock)
            passage.facts |= self._collector.cleaned_facts(page)
            await self.keep_evidence(passage, reason)
            raise self._collector.cleaned(failure) from error

    async def keep_evidence(self, passage: Passage, reason: Reason) -> None:
        """Keep what there is to be seen of a failure or a flaw, and name it in the passage's facts; ends the trace."""
        facts, trouble = await self._collector.collect(reason)
        passage.facts |= facts
        if trouble:
            passage.facts["intake.artifact.trouble"] = trouble

    def _failed_document(self, first: int) -> str | None:
        """The address of the last document of this hop that did not come; None: all did."""
        documents = [one for one in self._traffic.since(first) if one.is_document]
        return next((one.url for one in reversed(documents) if one.is_broken or one.is_untold), None)

    async def _stop_loading(self) -> None:
        """Give up a page that does not come: Playwright shows nothing of the one before it as long as it may."""
        if not any(one.is_document and one.is_pending for one in self._traffic.exchanges):
            return
        with contextlib.suppress(PlaywrightError, TimeoutError):
            async with self._clock.timeout(_STOP_SECONDS):
                session = await self._hand.page.context.new_cdp_session(self._hand.page)
                await session.send("Page.stopLoading")
                await session.detach()
