"""An open page in a real browser never shows old data as fresh: when the prober is away, and when the page slept."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route

from canary.verdict import Verdict
from tests.fakes.page_scene import FORM, NOW, Scene
from tests.real.page_stage import PHONE, chromium, listening, looking
from tests.real.portal_scene import browser_family

pytestmark = [pytest.mark.real, pytest.mark.browser]


@pytest.fixture(autouse=True)
def _no_browser_stays() -> Iterator[None]:
    yield
    assert browser_family() == []


async def quiet() -> Scene:
    """One path, and all is well."""
    scene = Scene()
    scene.paths = {FORM: scene.paths[FORM]}
    await scene.settled(FORM, NOW - timedelta(minutes=30))
    return scene


async def broken(scene: Scene) -> None:
    """It broke while nobody could see it."""
    for minutes in (20, 10):
        await scene.settled(FORM, NOW - timedelta(minutes=minutes), Verdict.BREACHED)
    scene.clock.step(600)


async def opened(page: Page, url: str) -> None:
    await page.goto(f"{url}/")
    await page.locator("[data-live]", has_text="follows").wait_for()


def test_prober_that_goes_and_comes_back__is_said_and_withdrawn_and_the_data_is_new() -> None:
    async def watch() -> tuple[list[str], list[str], list[str]]:
        scene = await quiet()
        gone, back = [], []
        async with chromium() as browser, looking(browser, size=PHONE) as one:
            page = one.page
            async with listening(scene.parts()) as url:
                await opened(page, url)
                assert not await page.locator("#old").is_visible()
            await page.locator("#old", has_text="does not answer").wait_for()
            gone = [await page.inner_text("#told"), await page.title(), await page.inner_text("h1")]
            gone += [await page.evaluate("getComputedStyle(document.querySelector('main')).filter")]
            seen = await page.inner_text("#old")
            assert "What is shown is of 2026-03-02 03:07:00 UTC, " in seen
            report = await Axe().run(page)
            width = await page.evaluate("document.documentElement.scrollWidth")
            await broken(scene)
            # The stream was closed with the server; the same broadcaster serves again.
            scene.events.reopen()
            async with listening(scene.parts(), port=int(url.rpartition(":")[2])):
                await page.locator("#old").wait_for(state="hidden")
                await page.locator("[data-live]", has_text="follows").wait_for()
                back = [await page.inner_text("#told"), await page.title(), await page.inner_text("h1")]
                back += [await page.inner_text(".asof time")]
            assert width <= PHONE["width"]
            return gone, back, [report.generate_report()] if report.violations_count else []

    gone, back, violations = asyncio.run(watch())

    assert gone == [
        "The prober does not answer.",
        "Old: The path is ok · intake-prober fra-1",
        "The path is ok",
        "grayscale(1)",
    ]
    assert back == [
        "The prober answers again. contact-form is broken",
        "contact-form is broken · intake-prober fra-1",
        "contact-form is broken",
        "2026-03-02 03:17:00 UTC",
    ]
    assert violations == []


def test_prober_that_still_answers_once_after_it_closed_the_stream__is_found_gone_all_the_same() -> None:
    async def ending() -> str:
        scene = await quiet()
        async with chromium() as browser, looking(browser) as one:
            page = one.page
            async with listening(scene.parts()) as url:
                await opened(page, url)
                async with page.expect_response(f"{url}/"):
                    scene.events.close()  # as the server does before it lets its port go
            await page.locator("#old", has_text="does not answer").wait_for()
            return await page.inner_text("#told")

    assert asyncio.run(ending()) == "The prober does not answer."


def test_page_that_slept__is_said_to_be_old_until_it_is_read_anew() -> None:
    async def wake() -> tuple[str, str, str]:
        scene = await quiet()
        held = asyncio.Event()

        async def slow(route: Route) -> None:
            await held.wait()
            await route.continue_()

        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            page = one.page
            await page.clock.install()
            await opened(page, url)
            await page.route(f"{url}/", slow)
            await broken(scene)
            await page.clock.fast_forward(8 * 3600 * 1000)  # as a laptop that was shut for the night
            await page.locator("#old", has_text="was asleep").wait_for()
            said, title = await page.inner_text("#old"), await page.title()
            held.set()
            await page.locator("#old").wait_for(state="hidden")
            return said, title, await page.inner_text("h1")

    said, title, headline = asyncio.run(wake())

    assert said.startswith(
        "This page was asleep, and is being read anew. What is shown is of 2026-03-02 03:07:00 UTC, 8 h "
    )
    assert title.startswith("Old: ")
    assert headline == "contact-form is broken"


def test_prober_that_never_answers__is_said_although_its_port_is_open() -> None:
    async def hang() -> str:
        scene = await quiet()

        async def never(_: Route) -> None:
            await asyncio.Event().wait()

        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            page = one.page
            await opened(page, url)
            await page.route(f"{url}/", never)
            await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await page.locator("#old", has_text="does not answer").wait_for()
            return await page.inner_text("[data-live]")

    assert asyncio.run(hang()) == "The prober does not answer: this is old."


def test_page_out_of_the_browsers_memory__is_read_anew_and_follows_again() -> None:
    async def back() -> tuple[str, int]:
        scene = await quiet()
        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            page = one.page
            await opened(page, url)
            await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
            await broken(scene)
            await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
            await page.locator("h1", has_text="broken").wait_for()
            await page.locator("[data-live]", has_text="follows").wait_for()
            return await page.inner_text(".asof time"), scene.events.readers

    assert asyncio.run(back()) == ("2026-03-02 03:17:00 UTC", 1)


def test_stream_that_is_refused_for_a_while__is_taken_up_again() -> None:
    async def refused() -> str:
        scene = await quiet()
        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            page = one.page
            await page.clock.install()
            await page.route(f"{url}/events", lambda route: route.fulfill(status=503, body="busy"))
            await page.goto(f"{url}/")
            await page.locator("[data-live]", has_text="every minute").wait_for()
            await page.unroute(f"{url}/events")
            await page.clock.fast_forward(61_000)
            await page.locator("[data-live]", has_text="follows").wait_for()
            return await page.inner_text("[data-live]")

    assert asyncio.run(refused()) == "It follows what happens."


def test_change_that_is_told_of_while_the_page_is_read__is_read_soon_and_not_a_minute_later() -> None:
    async def again() -> str:
        scene = await quiet()
        asked, answered = asyncio.Event(), asyncio.Event()

        async def slow(route: Route) -> None:
            asked.set()
            await answered.wait()
            await route.continue_()

        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            page = one.page
            await page.add_init_script(
                "const Real = EventSource;"
                "globalThis.EventSource = class extends Real {"
                "  constructor(url) { super(url); globalThis.stream = this; } };"
                "AbortSignal.timeout = undefined;"  # as in a browser of 2021
            )
            await opened(page, url)
            await page.route(f"{url}/", slow)
            for _ in range(2):
                await page.evaluate("stream.dispatchEvent(new Event('changed'))")
                await asked.wait()
            async with page.expect_response(f"{url}/") as first:
                answered.set()
            assert (await first.value).ok
            async with page.expect_request(f"{url}/", timeout=20_000) as second:
                pass
            return (await second.value).headers["x-fragment"]

    assert asyncio.run(again()) == "1"
