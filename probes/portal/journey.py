"""One canary's journey through a portal, hop by hop; the request is submitted once, or never."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator as PageLocator
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.hop import Hop
from canary.reason import Reason
from probes.contracts import Clock
from probes.hops import Passage
from probes.portal.connection import Reach, Verified
from probes.portal.elements import awaited_first, find_seen
from probes.portal.explaining import DIAGNOSIS_SECONDS, Explainer, Unexplained
from probes.portal.failures import is_on_its_way
from probes.portal.settings import PortalSettings
from probes.portal.sight import look
from probes.portal.stages import Progress, Stage
from probes.portal.steps import Locator, Step, Submit, Wait
from probes.portal.submission import Submission
from probes.portal.timing import page_facts, traffic_facts
from probes.portal.traffic import shown
from probes.portal.visiting import Arrangement
from probes.reasons import Failure

_POLL_SECONDS: Final = 0.25
_SETTLE_SECONDS: Final = 3.0
"""So long after its load event a page that lacks what is needed may still bring it, or go elsewhere."""


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
        reach: Reach,
        verified: Verified,
    ) -> None:
        """Keep the parts.

        Args:
            settings: the path's.
            stage: `probes.hops.hop` with all but name and limit.
            progress: told of how far it is.
            arrangement: the page, which is still empty, and who listens to it.
            clock: times and limits.
            left_seconds: until the launch must be over.
            reach: the way to the portal beside the browser.
            verified: verifies certificates where the browser can't.
        """
        self._settings = settings
        self._stage = stage
        self._progress = progress
        self._hand = arrangement.hand
        self._traffic = arrangement.traffic
        self._clock = clock
        self._verified = verified
        progress.has_sent_token = lambda: self._traffic.has_sent_token
        self._explainer = Explainer(
            settings, arrangement, progress=progress, clock=clock, left_seconds=left_seconds, reach=reach
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
            verify=self._verify,
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
            if self._submission.is_confirmed_before:
                doing += (
                    "; what is to confirm it is to be seen already: choose what only a confirmation shows"
                )
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
        await self._verified.verify([self._settings.url])
        page = self._hand.page
        limit = self._settings.limits.load_seconds * 1000
        await page.goto(self._settings.url, wait_until="commit", timeout=limit)
        wanted = self._first_element()
        if self._is_at_home:
            if wanted is None:
                await page.wait_for_load_state("load", timeout=limit)
            else:
                await self._until_usable(page, wanted, limit)
            is_there = wanted is None or await find_seen(page, wanted).is_visible()
            if is_there and self._is_at_home:
                return
        await self._refuse_wrong_page()

    @property
    def _is_at_home(self) -> bool:
        """Whether the page is one of the portal's, and no error of its server."""
        documents = [one for one in self._traffic.exchanges if one.is_document]
        has_failed = bool(documents) and documents[-1].has_failed
        host = (urlsplit(self._hand.page.url).hostname or "").lower()
        return host in self._settings.expect_hosts and not has_failed

    async def _refuse_wrong_page(self) -> None:
        """Fail if this is not the portal's page; the missing element alone is the next hop's to tell.

        Raises:
            Unexplained: elsewhere, an error, a log-in, a captcha, closed for maintenance, or empty.
        """
        page = self._hand.page
        with contextlib.suppress(PlaywrightTimeout):
            await page.wait_for_load_state("domcontentloaded", timeout=_SETTLE_SECONDS * 1000)
        sight = await look(page)
        is_log_in = bool(sight.passwords) and not self._settings.login
        is_said = sight.maintenance or (sight.error and not sight.fields)
        if not self._is_at_home or sight.is_challenge or is_log_in or is_said or sight.size == 0:
            raise Unexplained

    def _first_element(self) -> Locator | None:
        """With a kept session the page may begin with the form: then no element of the log-in is waited for."""
        if self._settings.login and not self._progress.used_kept_session:
            return awaited_first(self._settings.login)
        return awaited_first(self._needed)

    async def _until_usable(self, page: Page, wanted: Locator, limit: float) -> None:
        """Until the element is to be seen, or the page has loaded without it.

        A tracker that never answers keeps the load event away for ever, and no customer from the form.
        """
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_seen(find_seen(page, wanted), limit)),
                    group.create_task(self._settled(page, limit)),
                ]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _settled(self, page: Page, limit: float) -> None:
        """Loaded, and no longer at work: a page that draws itself by script is blank, or turns a wheel, at first."""
        await page.wait_for_load_state("load", timeout=limit)
        step_seconds = self._settings.limits.step_seconds
        until = self._clock.monotonic() + step_seconds
        await self._clock.sleep(min(_SETTLE_SECONDS, step_seconds))
        while self._clock.monotonic() < until:
            sight = await look(page)
            if sight.size and not sight.spinners:
                return
            await self._clock.sleep(_POLL_SECONDS)

    async def _log_in(self) -> None:
        limit = self._settings.limits.login_seconds
        async with self._stage(Hop.PORTAL_LOGIN, limit=limit + DIAGNOSIS_SECONDS) as passage:
            async with self._explainer.explained(passage, Hop.PORTAL_LOGIN, limit=limit):
                first = awaited_first(self._settings.login)
                if self._progress.used_kept_session and (
                    first is None or not await find_seen(self._hand.page, first).is_visible()
                ):
                    passage.detail = "the log-in of an earlier canary still holds"
                    return
                self._explainer.known_refusal = (await look(self._hand.page)).refuses_login
                await self._do_all(self._settings.login)
                await self._refuse_login_error()
                self._progress.has_logged_in, self._progress.used_kept_session = True, False
            passage.facts |= traffic_facts(self._traffic)

    async def _refuse_login_error(self) -> None:
        """Most portals answer a refused password with 200 and the form again, some of them after a while.

        Raises:
            Failure: the form is there, and says so.
            Unexplained: it is there, and says nothing; or the portal itself failed at it.
        """
        is_proved = isinstance(self._settings.login[-1].action, Wait)
        until = self._clock.monotonic() + self._settings.limits.step_seconds
        while True:
            await self._hand.page.wait_for_load_state("domcontentloaded")
            sight = await look(self._hand.page)
            if (sight.passwords or sight.refuses_login) and self._traffic.failed_write(self._explainer.first):
                raise Unexplained
            if sight.refuses_login not in {"", self._explainer.known_refusal}:
                raise Failure(Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}")
            if is_proved or not sight.passwords:
                return
            if self._clock.monotonic() >= until:
                raise Unexplained
            await self._clock.sleep(_POLL_SECONDS)

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
            self._explainer.at(step)
            await self._verify()
            began = self._clock.monotonic()
            if step.is_optional and not await self._is_shown(step):
                self._explainer.left_out()
                continue
            await self._hand.do(step, within_seconds=self._step_ms(step) / 1000)
            if note is not None:
                note(step, self._clock.monotonic() - began)
        self._explainer.doing = ""

    async def _is_shown(self, step: Step) -> bool:
        locator = awaited_first((Step(step.number, step.action),))
        if locator is None:
            return True
        until = self._clock.monotonic() + (_SETTLE_SECONDS if self._hand.may_move else 0.0)
        while True:
            try:
                await self._hand.page.wait_for_load_state("domcontentloaded")
                if await self._hand.find_seen(locator).is_visible():
                    return True
            except PlaywrightError as error:
                if not is_on_its_way(error):
                    raise
            if self._clock.monotonic() >= until:
                return False
            await self._clock.sleep(_POLL_SECONDS)

    async def _verify(self) -> None:
        """Before anything is typed or clicked: whom the page came from."""
        await self._verified.verify(one.url for one in self._traffic.exchanges)

    def _step_ms(self, step: Step) -> float:
        seconds = (
            step.timeout_seconds if step.timeout_seconds is not None else self._settings.limits.step_seconds
        )
        return seconds * 1000

    def _slow_parts(self, passage: Passage) -> str:
        slowest = passage.facts.get("intake.page.slowest", "")
        return f"slowest: {slowest}" if slowest else ""


async def _seen(element: PageLocator, limit: float) -> None:
    """To be seen, and with the page's own handlers on it, unless the rest of the page never comes."""
    await element.wait_for(state="visible", timeout=limit)
    with contextlib.suppress(PlaywrightTimeout):
        await element.page.wait_for_load_state("domcontentloaded", timeout=_SETTLE_SECONDS * 1000)
