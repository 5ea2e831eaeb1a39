"""Do one step on a page."""

import importlib.util
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal, assert_never
from urllib.parse import urljoin

import pyotp
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import FrameLocator, Page
from playwright.async_api import Locator as PageLocator
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.reason import Reason
from probes.contracts import Clock
from probes.message.request import filled
from probes.portal.customer import Customer
from probes.portal.elements import find, find_seen, in_browser, matches
from probes.portal.steps import (
    Action,
    Click,
    Confirm,
    Fill,
    Frame,
    Go,
    Hidden,
    Locator,
    OneTimePassword,
    Press,
    Script,
    Select,
    Step,
    Submit,
    Template,
    Text,
    Tick,
    Upload,
    Value,
    Wait,
)
from probes.reasons import Failure


class _Totp(pyotp.TOTP):
    """Of any length of key: 80 bits are common, and the portal decides, not we."""

    min_secret_length_bits = 8


_GLANCE_MS: Final = 500.0
_LEAST_MS: Final = 1.0
"""None at all is no limit to Playwright."""

UserScript = Callable[[Page, Customer], Awaitable[object]]


@dataclass(slots=True)
class Hand:
    """The customer's hand on one page.

    Attributes:
        typed: every secret that was typed, so that evidence can be cleaned of it.
        secret_fields: where they were typed, so that screenshots hide them.
        is_browser_alive: whether driver and browser are there.
        has_clicked: whether anything was clicked or pressed yet.
    """

    page: Page
    customer: Customer
    url: str
    clock: Clock
    is_browser_alive: Callable[[], bool]
    typed: list[str] = field(default_factory=list)
    secret_fields: list[PageLocator] = field(default_factory=list)
    has_clicked: bool = False
    _may_move: bool = False
    _frame: FrameLocator | None = None
    _has_lost_a_page: bool = False
    _others: list[Page] = field(default_factory=list)

    def find(self, locator: Locator) -> PageLocator:
        """The element, in the frame that the steps are in."""
        return find(self._frame if self._frame is not None else self.page, locator)

    def find_seen(self, locator: Locator) -> PageLocator:
        """The first that is to be seen of such elements, in the frame that the steps are in."""
        return find_seen(self._frame if self._frame is not None else self.page, locator)

    def find_text(self, text: Text) -> PageLocator:
        """The first of the smallest elements that are to be seen and hold the text."""
        within = self._frame if self._frame is not None else self.page
        return within.get_by_text(in_browser(text)).filter(visible=True).first

    def is_on(self, page: Page | None) -> bool:
        """Whether the journey is, was, or will be in that window; None: one that is just being opened."""
        return page not in self._others and (self.has_clicked or page is self.page)

    @property
    def may_move(self) -> bool:
        """Whether the step before may have led to another page, which is then on its way."""
        return self._may_move

    @property
    def inside(self) -> PageLocator | None:
        """The document of the frame that the steps are in; None: they are in the page itself."""
        return self._frame.locator(":root") if self._frame is not None else None

    @property
    def has_lost_its_browser(self) -> bool:
        """Whether the browser is gone."""
        return not self.is_browser_alive()

    @property
    def has_lost_its_page(self) -> bool:
        """Whether the window is closed while the browser lives: the page did that."""
        return self._has_lost_a_page and self.is_browser_alive()

    def follow(self, opened: Page) -> None:
        """Go where a link leads that opens a window; back where it was when that is closed.

        A window that comes before anything was clicked is none of ours: an advertisement.
        """
        if not self.has_clicked:
            self._others.append(opened)
            return
        before = self.page
        self.page = opened
        self.leave_frames()

        def go_back(_: Page) -> None:
            if self.page is opened and not before.is_closed():
                self.page = before
                self.leave_frames()
                self._has_lost_a_page = True

        opened.on("close", go_back)

    def leave_frames(self) -> None:
        """Be in the page itself again, as after a navigation."""
        self._frame = None

    async def do(self, step: Step, *, within_seconds: float) -> None:
        """Do a step that sends nothing: anything but submit and confirm.

        Raises:
            playwright.async_api.Error: it can't be done.
            Failure: a secret, or the user's script, failed.
        """
        action, until = step.action, self.clock.monotonic() + within_seconds
        element = getattr(action, "locator", None)
        self._has_lost_a_page = False  # what is to come is done where we are back
        if self._may_move and isinstance(element, Locator):
            await self.wait_for(lambda: self.find(element).first, "attached", within_seconds * 1000)
        self._may_move = isinstance(action, Click | Press | Script)
        self.has_clicked = self.has_clicked or self._may_move
        await self._do(action, max(_LEAST_MS, (until - self.clock.monotonic()) * 1000))

    async def wait_for(
        self,
        find_it: Callable[[], PageLocator],
        state: Literal["attached", "visible", "hidden"],
        timeout: float,  # noqa: ASYNC109 -- Playwright's own limit, in ms
    ) -> None:
        """Wait for an element wherever the steps are by then: the window that a click opens is told of a little later.

        Raises:
            playwright.async_api.TimeoutError: in vain.
        """
        until = self.clock.monotonic() + timeout / 1000
        while True:
            left = max(_LEAST_MS, (until - self.clock.monotonic()) * 1000)
            try:
                await find_it().wait_for(state=state, timeout=min(left, _GLANCE_MS))
            except PlaywrightTimeout:
                if left <= _GLANCE_MS:
                    raise
            else:
                return

    async def _do(self, action: Action, timeout: float) -> None:  # noqa: ASYNC109, C901, PLR0912 -- Playwright's own limit, in ms; one case an action
        match action:
            case Go():
                self.leave_frames()
                url = urljoin(self.url, action.url)
                await self.page.goto(url, wait_until="domcontentloaded", timeout=timeout)
            case Click():
                await self.find(action.locator).click(timeout=timeout)
            case Fill():
                await self._fill(action, timeout)
            case Select() if action.is_value:
                await self.find(action.locator).select_option(value=action.option, timeout=timeout)
            case Select():
                await self.find(action.locator).select_option(label=action.option, timeout=timeout)
            case Tick():
                await self.find(action.locator).set_checked(action.is_on, timeout=timeout)
            case Upload():
                await self._upload(action, timeout)
            case Press():
                await self._press(action, timeout)
            case Wait():
                await self.wait(action, timeout)
            case Frame():
                self._frame = self._inside(action)
            case Script():
                await self._script(action)
            case Submit() | Confirm():
                raise AssertionError("sending and confirming are hops of their own")
            case _:
                assert_never(action)

    async def wait(self, action: Wait, timeout: float) -> None:  # noqa: ASYNC109
        """Wait for what is shown, gone, or in the address bar."""
        if action.url is not None:
            wanted = action.url
            await self.page.wait_for_url(
                lambda url: matches(wanted, url), timeout=timeout, wait_until="commit"
            )
        elif action.gone is not None:
            gone = action.gone
            await self.wait_for(lambda: self.find_seen(gone), "hidden", timeout)
        elif action.shown is not None:
            shown = action.shown
            await self.wait_for(lambda: self.find_seen(shown), "visible", timeout)

    async def press_submit(self, action: Submit, timeout: float) -> None:  # noqa: ASYNC109
        """Send: the one click, or key, of a canary's life. What comes of it is not waited for."""
        self.has_clicked = True
        if action.key is not None:
            await self.find(action.locator).press(action.key, timeout=timeout, no_wait_after=True)
        else:
            await self.find(action.locator).click(timeout=timeout, no_wait_after=True)

    async def _fill(self, action: Fill, timeout: float) -> None:  # noqa: ASYNC109
        field_ = self.find(action.locator)
        text = await self._text(action.value)
        if not isinstance(action.value, Template):
            self.typed.append(text)
            self.secret_fields.append(field_)
        await field_.fill(text, timeout=timeout)

    async def _text(self, value: Value) -> str:
        match value:
            case Template():
                return filled(value.text, self.customer.words)
            case Hidden():
                return (await value.source.read()).reveal()
            case OneTimePassword():
                key = (await value.key.read()).reveal().replace(" ", "")
                try:
                    return _Totp(key).at(self.clock.now())
                except ValueError:  # binascii.Error too
                    raise Failure(
                        Reason.CREDENTIALS_REJECTED, "the key of the one-time password is not base32"
                    ) from None
            case _:
                assert_never(value)

    async def _upload(self, action: Upload, timeout: float) -> None:  # noqa: ASYNC109
        file = self.customer.attachment
        if file is None:
            raise Failure(Reason.JOURNEY_INVALID, "there is nothing to upload: the request has no attachment")
        await self.find(action.locator).set_input_files(
            {"name": file.name, "mimeType": "application/octet-stream", "buffer": file.content},
            timeout=timeout,
        )

    async def _press(self, action: Press, timeout: float) -> None:  # noqa: ASYNC109
        if action.locator is not None:
            await self.find(action.locator).press(action.key, timeout=timeout)
        else:
            await self.page.keyboard.press(action.key)

    def _inside(self, action: Frame) -> FrameLocator | None:
        return self.find(action.locator).content_frame if action.locator is not None else None

    async def _script(self, action: Script) -> None:
        script = loaded(action)
        try:
            await script(self.page, self.customer)
        except PlaywrightError:
            raise  # a page that is not as the script expects it, like any step
        except (
            Exception
        ) as error:  # the user's own code may raise anything: it ends the canary, and names its place
            raise Failure(
                Reason.JOURNEY_INVALID,
                f"{action.file.name}:{action.function} raised {type(error).__name__}: {error}",
            ) from error


def loaded(action: Script) -> UserScript:
    """The user's function.

    Raises:
        Failure: the file can't be imported, or has no such function.
    """
    spec = importlib.util.spec_from_file_location(f"intake_prober_script_{action.file.stem}", action.file)
    if spec is None or spec.loader is None:
        raise Failure(Reason.JOURNEY_INVALID, f"{action.file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        function: UserScript = getattr(module, action.function)
    except Exception as error:  # whatever the user's file does when it is imported
        raise Failure(
            Reason.JOURNEY_INVALID,
            f"{action.file.name} can't be used: {type(error).__name__}: {error}",
        ) from error
    return function
