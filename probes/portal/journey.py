"""One canary's journey through a portal, hop by hop; the request is submitted once, or never."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Page

from canary.hop import Hop
from canary.reason import Reason
from probes.contracts import Clock
from probes.hops import Passage
from probes.portal.elements import awaited_first, find
from probes.portal.explaining import DIAGNOSIS_SECONDS, Explainer
from probes.portal.settings import PortalSettings
from probes.portal.sight import look, status_reason
from probes.portal.stages import Progress, Stage
from probes.portal.steps import Locator, Step, Submit
from probes.portal.submission import Submission
from probes.portal.timing import page_facts, traffic_facts
from probes.portal.traffic import shown
from probes.portal.visiting import Arrangement
from probes.reasons import Failure

_POLL_SECONDS: Final = 0.25


class Journey:
    """The hops of a portal after `dns`. Not repeatable: a journey submits once."""

    def __init__(
        self,
        settings: PortalSettings,
        *,
        stage: Stage,
        progress: Progress,
        arrangement: Arrangement,
        clock: Clock,
        left_seconds: Callable[[], float],
        before_load: Callable[[], Awaitable[None]],
    ) -> None:
        """Keep the parts.

        Args:
            settings: the path's.
            stage: `probes.hops.hop` with all but name and limit.
            progress: told of how far it is.
            arrangement: the page, which is still empty, and who listens to it.
            clock: times and limits.
            left_seconds: until the launch must be over.
            before_load: what is tried of the connection before the browser connects.
        """
        self._settings = settings
        self._stage = stage
        self._progress = progress
        self._hand = arrangement.hand
        self._traffic = arrangement.traffic
        self._clock = clock
        self._before_load = before_load
        self._explainer = Explainer(
            settings, arrangement, progress=progress, clock=clock, left_seconds=left_seconds
        )
        split, action = next(
            (number, one.action)
            for number, one in enumerate(settings.steps)
            if isinstance(one.action, Submit)
        )
        self._before = settings.steps[:split]
        self._needed = settings.steps[: split + 1]
        self._submission = Submission(
            settings,
            step=settings.steps[split],
            action=action,
            after=settings.steps[split + 1 :],
            stage=stage,
            hand=self._hand,
            traffic=self._traffic,
            explainer=self._explainer,
            progress=progress,
            clock=clock,
        )

    async def run(self, load_extras: Callable[[Passage], None]) -> None:
        """Pass every hop.

        Args:
            load_extras: adds to `portal.load` what only the caller knows (the browser, the question to controls).

        Raises:
            HopFailed: a hop failed, and was reported with its evidence.
        """
        await self._load(load_extras)
        if self._settings.login:
            await self._log_in()
        await self._fill_in()
        await self._submission.submit()
        await self._submission.confirm()

    async def prepare(self, show: Callable[[Hop, str, float], None]) -> None:
        """All but the submit, for `portal try`: each step told with its hop and its seconds, as it is done.

        Raises:
            Failure: a step failed, and why.
        """
        limits = self._settings.limits
        async with self._explainer.explained(Passage(), Hop.PORTAL_LOAD, limit=limits.load_seconds):
            began = self._clock.monotonic()
            await self._open()
            show(Hop.PORTAL_LOAD, f"go {shown(self._settings.url)}", self._clock.monotonic() - began)
        async with self._explainer.explained(Passage(), Hop.PORTAL_LOGIN, limit=limits.login_seconds):
            await self._do_all(
                self._settings.login, lambda step, seconds: show(Hop.PORTAL_LOGIN, str(step), seconds)
            )
            if self._settings.login:
                await self._refuse_login_error()
        async with self._explainer.explained(Passage(), Hop.PORTAL_FORM, limit=limits.form_seconds):
            await self._do_all(self._before, lambda step, seconds: show(Hop.PORTAL_FORM, str(step), seconds))
        async with self._explainer.explained(Passage(), Hop.PORTAL_SUBMIT, limit=limits.step_seconds):
            began = self._clock.monotonic()
            await self._submission.ready()
            doing = f"{self._explainer.doing}: it could be submitted, and was not"
            show(Hop.PORTAL_SUBMIT, doing, self._clock.monotonic() - began)

    async def _load(self, load_extras: Callable[[Passage], None]) -> None:
        limit = self._settings.limits.load_seconds
        async with self._stage(Hop.PORTAL_LOAD, limit=limit + DIAGNOSIS_SECONDS) as passage:
            passage.facts["url.full"] = shown(self._settings.url)
            load_extras(passage)
            async with self._explainer.explained(passage, Hop.PORTAL_LOAD, limit=limit):
                await self._open()
            passage.facts |= await page_facts(self._hand.page, self._traffic, clock=self._clock)
            passage.detail = self._slow_parts(passage)

    async def _open(self) -> None:
        """Go to the address and wait until the page is usable: its first needed element, or its load event."""
        await self._before_load()
        page = self._hand.page
        limit = self._settings.limits.load_seconds * 1000
        response = await page.goto(self._settings.url, wait_until="domcontentloaded", timeout=limit)
        wanted = self._first_element()
        if wanted is None:
            await page.wait_for_load_state("load", timeout=limit)
        else:
            await self._either_shown_or_loaded(page, wanted, limit)
        status = response.status if response is not None else 0
        host = (urlsplit(page.url).hostname or "").lower()
        is_there = wanted is not None and await find(page, wanted).first.is_visible()
        if host in self._settings.expect_hosts and status < 400 and (is_there or wanted is None):  # noqa: PLR2004
            return
        await self._refuse_wrong_page(status)

    async def _refuse_wrong_page(self, status: int) -> None:
        """Fail if this is not the portal's page; the missing element alone is the next hop's to tell.

        Raises:
            Failure: elsewhere, an error, a log-in, a captcha, closed for maintenance, or empty.
        """
        page = self._hand.page
        sight = await look(page)
        host = (urlsplit(page.url).hostname or "").lower()
        if host not in self._settings.expect_hosts and not sight.challenge:
            raise Failure(Reason.REDIRECTED, f"it went to {shown(page.url)} ({sight.words})")
        reason = status_reason(
            status,
            sight,
            has_credentials=self._settings.http_login is not None or bool(self._settings.headers),
        )
        if reason is not None:
            raise Failure(reason, f"{shown(page.url)} answers {status}: {sight.words}")
        if sight.challenge:
            raise Failure(Reason.CHALLENGED, sight.challenge)
        if sight.passwords and not self._settings.login:
            raise Failure(Reason.REDIRECTED, f"a log-in stands before it: {shown(page.url)} ({sight.words})")
        if sight.maintenance:
            raise Failure(Reason.REDIRECTED, f"a maintenance page: {sight.words}")
        if sight.size == 0:
            raise Failure(Reason.PAGE_ERROR, "the page is empty")

    def _first_element(self) -> Locator | None:
        """With a kept session the page may begin with the form: then no element of the log-in is waited for."""
        if self._settings.login and not self._progress.used_kept_session:
            return awaited_first(self._settings.login)
        return awaited_first(self._needed)

    async def _either_shown_or_loaded(self, page: Page, wanted: Locator, limit: float) -> None:
        """A tracker that never answers keeps the load event away for ever, and no customer from the form."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._until_shown(page, wanted)),
                group.create_task(page.wait_for_load_state("load", timeout=limit)),
            ]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    async def _until_shown(self, page: Page, wanted: Locator) -> None:
        while not await find(page, wanted).first.is_visible():
            await self._clock.sleep(_POLL_SECONDS)

    async def _log_in(self) -> None:
        limit = self._settings.limits.login_seconds
        async with self._stage(Hop.PORTAL_LOGIN, limit=limit + DIAGNOSIS_SECONDS) as passage:
            async with self._explainer.explained(passage, Hop.PORTAL_LOGIN, limit=limit):
                first = awaited_first(self._settings.login)
                if self._progress.used_kept_session and (
                    first is None or not await find(self._hand.page, first).first.is_visible()
                ):
                    passage.detail = "the log-in of an earlier canary still holds"
                    return
                await self._do_all(self._settings.login)
                await self._refuse_login_error()
                self._progress.has_logged_in, self._progress.used_kept_session = True, False
            passage.facts |= traffic_facts(self._traffic)

    async def _refuse_login_error(self) -> None:
        """Most portals answer a refused password with 200 and the form again.

        Raises:
            Failure: the form is there again, and says so.
        """
        page = self._hand.page
        await page.wait_for_load_state("domcontentloaded")
        sight = await look(page)
        if sight.refuses_login:
            raise Failure(Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}")

    async def _fill_in(self) -> None:
        limit = self._settings.limits.form_seconds
        began = self._clock.monotonic()
        async with self._stage(Hop.PORTAL_FORM, limit=limit + DIAGNOSIS_SECONDS) as passage:
            took: list[str] = []

            def note(step: Step, seconds: float) -> None:
                took.append(f"{step.number}: {seconds:.2f} s")

            async with self._explainer.explained(passage, Hop.PORTAL_FORM, limit=limit):
                await self._do_all(self._before, note)
            passage.facts |= traffic_facts(self._traffic)
            passage.detail = "steps " + ", ".join(took) if took else ""
        # a person needs a while; bot defences know it. It belongs to no hop.
        left = self._settings.pace_seconds - (self._clock.monotonic() - began)
        if left > 0:
            await self._clock.sleep(left)

    async def _do_all(
        self, steps: tuple[Step, ...], note: Callable[[Step, float], None] | None = None
    ) -> None:
        for step in steps:
            self._explainer.doing = str(step)
            began = self._clock.monotonic()
            if step.is_optional and not await self._is_shown(step):
                continue
            await self._hand.do(step, within_seconds=self._step_ms(step) / 1000)
            if note is not None:
                note(step, self._clock.monotonic() - began)
        self._explainer.doing = ""

    async def _is_shown(self, step: Step) -> bool:
        locator = awaited_first((Step(step.number, step.action),))
        return locator is None or await self._hand.find(locator).first.is_visible()

    def _step_ms(self, step: Step) -> float:
        seconds = (
            step.timeout_seconds if step.timeout_seconds is not None else self._settings.limits.step_seconds
        )
        return seconds * 1000

    def _slow_parts(self, passage: Passage) -> str:
        slowest = passage.facts.get("intake.page.slowest", "")
        return f"slowest: {slowest}" if slowest else ""
