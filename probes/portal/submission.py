"""Submit a request once, and see what the page says to it."""

import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.hop import Hop
from canary.observation import Evidence
from canary.reason import Reason
from probes.contracts import Clock
from probes.hops import Passage
from probes.portal.acts import Hand
from probes.portal.elements import matches
from probes.portal.explaining import DIAGNOSIS_SECONDS, Explainer, Unexplained
from probes.portal.failures import is_on_its_way
from probes.portal.settings import PortalSettings
from probes.portal.sight import look
from probes.portal.stages import Progress, Stage
from probes.portal.steps import Confirm, Frame, Step, Submit, Wait
from probes.portal.timing import page_facts, traffic_facts
from probes.portal.traffic import Exchange, Traffic, shown
from probes.reasons import Failure

_SILENT_SECONDS: Final = 2.0
"""If nothing has left the page so long after the submit, it is looked at whether the form says why."""
_ALERTED_SECONDS: Final = 10.0
"""So long a page may say in an alert that it is sending, before that is taken for a refusal."""
_SENDING_SECONDS: Final = 10.0
_LEAST_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.25
_GLANCE_SECONDS: Final = 1.0
"""A page that is about to be replaced by another one answers nothing until then (Playwright 1.65)."""


class Submission:
    """The hops `portal.submit` and `portal.confirmation`. Not repeatable: the click happens once."""

    def __init__(
        self,
        settings: PortalSettings,
        *,
        step: Step,
        action: Submit,
        after: tuple[Step, ...],
        stage: Stage,
        hand: Hand,
        traffic: Traffic,
        explainer: Explainer,
        progress: Progress,
        clock: Clock,
        verify: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._submit_step = step
        self._action = action
        self._after = after
        self._stage = stage
        self._hand = hand
        self._traffic = traffic
        self._explainer = explainer
        self._progress = progress
        self._clock = clock
        self._verify = verify
        self._first = 0
        self._is_noted = False
        self.is_confirmed_before = False
        """Whether what is to confirm the request is to be seen without it: then it is no sign that it arrived."""

    async def submit(self) -> None:
        """Click, once, and wait for the first answer.

        Raises:
            HopFailed: it failed, or its outcome is unknown; reported.
        """
        limit = self._settings.limits.submit_seconds
        async with self._stage(Hop.PORTAL_SUBMIT, limit=limit + DIAGNOSIS_SECONDS) as passage:
            async with self._explainer.explained(passage, Hop.PORTAL_SUBMIT, limit=limit):
                await self.ready()
                self._refuse_too_late()
                self._first = len(self._traffic.exchanges)
                passage.perhaps_left = self._progress.has_left = True
                await self._hand.press_submit(self._action, self._step_ms(self._submit_step))
                answer = await self._answer(limit)
                await self._refuse_answer(answer)
            passage.facts |= traffic_facts(self._traffic)
            if answer is not None and answer.status is not None:
                passage.facts["http.request.method"] = answer.method
                passage.facts["http.response.status_code"] = answer.status
            self._note_double(passage)

    async def ready(self) -> None:
        """See that it can be clicked, without clicking: what fails here has surely sent nothing.

        Raises:
            playwright.async_api.Error: it can't.
        """
        self._explainer.at(self._submit_step)
        await self._verify()
        element = self._hand.find(self._action.locator)
        timeout = self._step_ms(self._submit_step)
        if self._action.key is None:
            await element.click(trial=True, timeout=timeout)
        else:
            await element.wait_for(state="visible", timeout=timeout)
        with contextlib.suppress(PlaywrightError):  # a page that can't be read is diagnosed where it matters
            sight = await look(self._hand.inside or self._hand.page)
            self._explainer.known_alerts = (*sight.alerts, *sight.invalid)
        self.is_confirmed_before = await self._is_seen_confirmed()

    def _refuse_too_late(self) -> None:
        """A click that can't be waited for would be taken back by the end of the launch.

        Raises:
            Failure: too little time is left.
        """
        left = self._explainer.left_seconds()
        if left < min(_LEAST_SECONDS, self._settings.limits.submit_seconds):
            raise Failure(
                Reason.BROWSER_UNRESPONSIVE,
                f"not submitted: {max(0.0, left):.1f} s are left of the launch; the browser was too slow or too busy",
            )

    async def _answer(self, limit: float) -> Exchange | None:
        """The exchange by which the request left, answered; None: the confirmation came first (a page that stays)."""
        began = self._clock.monotonic()
        until = began + limit
        looks = iter(((began + _SILENT_SECONDS, False), (began + _ALERTED_SECONDS, True)))
        quiet_until, counts_alerts = next(looks)
        while True:
            self._traffic.changed.clear()
            sent = self._traffic.submissions(self._first)
            answered = next((one for one in sent if _is_answer(one)), None)
            if answered is not None:
                return answered
            if not self.is_confirmed_before and await self._is_seen_confirmed() and not self._is_sending():
                return None
            now = self._clock.monotonic()
            if now >= until:
                raise TimeoutError
            if not sent and now >= quiet_until:
                await self._refuse_invalid(counts_alerts=counts_alerts)
                quiet_until, counts_alerts = next(looks, (until, True))
            await self._pulse(min(_POLL_SECONDS, until - now))

    async def _pulse(self, seconds: float) -> None:
        try:
            async with self._clock.timeout(seconds):
                await self._traffic.changed.wait()
        except TimeoutError:
            return

    def _is_sending(self) -> bool:
        """Whether the request is surely still on its way, whatever the page says by now."""
        return any(one.bears_token for one in self._traffic.sending(self._first))

    async def _until_sent(self, seconds: float) -> None:
        """Let the page end what it sends: its window is closed after this, and that would be taken back."""
        until = self._clock.monotonic() + seconds
        while self._traffic.sending(self._first):
            left = until - self._clock.monotonic()
            if left <= 0:
                return
            self._traffic.changed.clear()
            await self._pulse(min(_POLL_SECONDS, left))

    async def _refuse_invalid(self, *, counts_alerts: bool) -> None:
        """Nothing left the page: if the form says why, it need not be waited for.

        Args:
            counts_alerts: whether a text that is marked as important counts, too: it may say that it is being sent.

        Raises:
            Failure: it does.
        """
        try:
            sight = await look(self._hand.inside or self._hand.page)
        except PlaywrightError as error:
            if is_on_its_way(error):
                return
            raise
        fresh = sight.without(self._explainer.known_alerts)
        said = fresh.validation if counts_alerts or fresh.invalid else ""
        if said and not sight.challenge:
            raise Failure(Reason.FORM_REJECTED, f"the form says: {said}", is_answer=True)

    async def _refuse_answer(self, answer: Exchange | None) -> None:
        """Fail where the request was answered with an error, or its answer was lost.

        Raises:
            Failure: why; what became of the request is then for the ticketing system to say.
        """
        if answer is None or (not answer.failure and (answer.status or 0) < 400):  # noqa: PLR2004
            return
        if answer.is_document and not answer.failure:
            await self._hand.page.wait_for_load_state("domcontentloaded")
        raise Unexplained

    async def confirm(self) -> None:
        """Wait for what the path calls a confirmation.

        Raises:
            HopFailed: it is not shown; reported.
        """
        limit = self._settings.limits.confirmation_seconds
        async with self._stage(Hop.PORTAL_CONFIRMATION, limit=limit + DIAGNOSIS_SECONDS) as passage:
            passage.evidence = Evidence.REPORTED
            passage.perhaps_left = True  # what is lost here says nothing of the request
            async with self._explainer.explained(
                passage, Hop.PORTAL_CONFIRMATION, limit=limit, since=self._first
            ):
                for step in self._after:
                    self._explainer.at(step)
                    await self._confirm_one(step, passage)
                await self._verify()
                await self._until_sent(_SENDING_SECONDS)
            passage.facts |= await page_facts(
                self._hand.page, self._traffic, clock=self._clock, waits_for_paint=False
            )
            self._note_double(passage)
            if self._is_noted:
                await self._explainer.keep_evidence(passage, Reason.SUBMITTED_TWICE)

    async def _confirm_one(self, step: Step, passage: Passage) -> None:
        match step.action:
            case Confirm():
                number = await self._wait_for(step.action, self._step_ms(step))
                if number is not None:
                    passage.facts["intake.ticket.id"] = number
            case Wait() | Frame():
                await self._hand.do(step, within_seconds=self._step_ms(step) / 1000)
            case _:
                raise AssertionError("the configuration allows nothing else after the submit")

    async def _wait_for(self, confirm: Confirm, timeout: float) -> str | None:  # noqa: ASYNC109 -- Playwright's, in ms
        """Wait for a confirmation; returns the ticket's number where it names one."""
        page = self._hand.page
        if confirm.url is not None:
            wanted = confirm.url
            await page.wait_for_url(lambda url: matches(wanted, url), timeout=timeout, wait_until="commit")
            return _ticket(wanted, page.url)
        if confirm.text is not None:
            text = confirm.text
            await self._hand.wait_for(lambda: self._hand.find_text(text), "visible", timeout)
            return _ticket(text, await self._hand.find_text(text).inner_text(timeout=timeout))
        if confirm.shown is not None:
            element = confirm.shown
            await self._hand.wait_for(lambda: self._hand.find_seen(element), "visible", timeout)
        return None

    async def _is_seen_confirmed(self) -> bool:
        """Whether the first confirmation is to be seen already; a page on its way shows nothing."""
        if any(one.is_document and one.is_untold for one in self._traffic.since(self._first)):
            return False
        try:
            async with self._clock.timeout(_GLANCE_SECONDS):
                return await self._is_confirmed()
        except TimeoutError:
            return False
        except PlaywrightError as error:
            if is_on_its_way(error):
                return False
            raise

    async def _is_confirmed(self) -> bool:
        confirm = next((one.action for one in self._after if isinstance(one.action, Confirm)), None)
        if confirm is None:
            return False
        if confirm.url is not None:
            return matches(confirm.url, self._hand.page.url)
        if confirm.text is not None:
            return await self._hand.find_text(confirm.text).is_visible()
        return confirm.shown is not None and await self._hand.find_seen(confirm.shown).is_visible()

    def _note_double(self, passage: Passage) -> None:
        """The page itself sent the request more than once."""
        sent = [
            one  # also what the page gave up by going on: it may have arrived
            for one in self._traffic.since(self._first)
            if one.may_write and one.bears_token and one.host in self._settings.expect_hosts
        ]
        if self._is_noted:
            return
        if len(sent) > 1 and len({(one.url, one.body) for one in sent}) == 1:
            self._is_noted = True
            passage.flaw = Reason.SUBMITTED_TWICE
            passage.detail = f"the page sent it {len(sent)} times to {shown(sent[0].url)}"

    def _step_ms(self, step: Step) -> float:
        seconds = (
            step.timeout_seconds if step.timeout_seconds is not None else self._settings.limits.step_seconds
        )
        return seconds * 1000


def _is_answer(one: Exchange) -> bool:
    """An error counts only where it surely is the request's own: the page's statistics may fail, too."""
    is_told = one.status is not None or bool(one.failure)
    return is_told and (one.is_certain or not one.has_failed)


def _ticket(wanted: re.Pattern[str] | str, text: str) -> str | None:
    if not isinstance(wanted, re.Pattern) or "ticket" not in wanted.groupindex:
        return None
    found = wanted.search(text)
    return found["ticket"] if found is not None else None
