"""The page in a real browser, on a server that really listens."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.contracts import CanaryQuery
from runners.web.access import Access
from runners.web.app import build_app
from runners.web.serving import bind, serve
from tests.fakes.page_scene import FORM, HOSTILE, MAIL, NOW, OLD, Scene, night
from tests.real.page_stage import PHONE, chromium, listening, looking, picture
from tests.real.portal_scene import Source, browser_family

pytestmark = [pytest.mark.real, pytest.mark.browser]
TOKEN = "a-token-of-the-page-0123456789ab"


@pytest.fixture(autouse=True)
def _no_browser_stays() -> Iterator[None]:
    yield
    assert browser_family() == []


async def addresses(scene: Scene) -> list[str]:
    """One of every page."""
    words = [
        "/",
        f"/paths/{MAIL}",
        "/canaries",
        "/incidents",
        "/silences",
        "/nowhere",
        "/runbook",
        "/runbook/diverted",
    ]
    for path, verdict in ((MAIL, Verdict.BREACHED), (OLD, Verdict.INCONCLUSIVE), (FORM, Verdict.CONFIRMED)):
        query = CanaryQuery(path=path, verdict=verdict, limit=1)
        words += [f"/canaries/{one.canary.id}" for one in await scene.store.canaries(query)]
    words += [f"/incidents/{one.id}" for one in await scene.store.incidents(path=None, since=NOW, limit=0)]
    return words


def told(complaints: list[str]) -> list[str]:
    """What the browser complained of, but that a page is not there, which is asked for."""
    return [one for one in complaints if "404" not in one]


async def focused(page: Page) -> str:
    found: str = await page.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page__is_accessible_and_has_no_complaint(tmp_path: Path, scheme: str) -> None:
    async def look() -> list[str]:
        scene = await night()
        scene.said.append("the new configuration was refused: intake.yaml:14: every: 10 is not a duration")
        found = []
        async with (
            listening(scene.parts()) as url,
            chromium() as browser,
            looking(browser, scheme=scheme) as one,
        ):
            for number, address in enumerate(await addresses(scene)):
                await one.page.goto(f"{url}{address}")
                results = await Axe().run(one.page)
                await picture(one.page, tmp_path / f"{scheme}-{number}.png")
                if results.violations_count:
                    found.append(f"{address}: {results.generate_report()}")
            found += told(one.complaints)
        return found

    assert asyncio.run(look()) == []


def test_phone_of_320_pixels__needs_no_horizontal_scrolling(tmp_path: Path) -> None:
    async def look() -> list[str]:
        scene = await night(detail="552 5.2.2 " + "x" * 200)
        wide = []
        async with (
            listening(scene.parts()) as url,
            chromium() as browser,
            looking(browser, size=PHONE) as one,
        ):
            for number, address in enumerate(await addresses(scene)):
                await one.page.goto(f"{url}{address}")
                await one.page.evaluate(
                    "for (const one of document.querySelectorAll('details')) one.open = true"
                )
                width = await one.page.evaluate("document.documentElement.scrollWidth")
                await picture(one.page, tmp_path / f"phone-{number}.png")
                if width > PHONE["width"]:
                    wide.append(f"{address}: {width}")
        return wide

    assert asyncio.run(look()) == []


def test_hostile_words__run_nothing_and_the_policy_has_nothing_to_report(tmp_path: Path) -> None:
    async def look() -> tuple[list[str], list[str], list[str]]:
        scene = await night(hours=2, detail=HOSTILE)
        scene.said.append(HOSTILE)
        ran, violated = [], []
        async with listening(scene.parts()) as url, chromium() as browser, looking(browser) as one:
            await one.page.add_init_script(
                "window.violated = []; addEventListener('securitypolicyviolation',"
                " (event) => violated.push(event.violatedDirective + ' ' + event.blockedURI))"
            )
            for address in (*await addresses(scene), f"/paths/{HOSTILE.replace('/', '%2F')}"):
                await one.page.goto(f"{url}{address}")
                await one.page.evaluate(
                    "for (const one of document.querySelectorAll('details')) one.open = true"
                )
                shown = await one.page.evaluate("window.pwned === undefined")
                ran += [] if shown else [address]
                violated += await one.page.evaluate("window.violated")
            await picture(one.page, tmp_path / "hostile.png")
            return ran, violated, told(one.complaints)

    assert asyncio.run(look()) == ([], [], [])


def test_policy__stops_a_script_that_came_in_all_the_same() -> None:
    async def look() -> tuple[bool, bool]:
        scene = Scene()
        async with listening(scene.parts()) as url, chromium() as browser, looking(browser) as one:
            await one.page.goto(f"{url}/")
            await one.page.evaluate(
                "const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s)"
            )
            return await one.page.evaluate("window.pwned === undefined"), bool(one.complaints)

    assert asyncio.run(look()) == (True, True)


def test_keyboard_alone__leads_from_the_overview_to_the_canary_that_failed() -> None:
    async def walk() -> list[str]:
        scene = await night(hours=3)
        steps = []
        async with listening(scene.parts()) as url, chromium() as browser, looking(browser) as one:
            page = one.page
            await page.goto(f"{url}/")
            await page.keyboard.press("Tab")
            steps.append(await focused(page))
            await page.keyboard.press("Enter")
            steps.append(await focused_id(page))
            await page.keyboard.press("Tab")
            steps.append(await focused(page))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            steps.append(str(outline))
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/incidents/*")
            for _ in range(40):
                await page.keyboard.press("Tab")
                if "/canaries/" in str(await page.evaluate("document.activeElement.href || ''")):
                    break
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/canaries/*")
            steps.append(await page.inner_text("h1"))
        return steps

    async def focused_id(page: Page) -> str:
        return str(await page.evaluate("document.activeElement.id"))

    assert asyncio.run(walk()) == [
        "Skip to the content",
        "content",
        "smtp.accept: mailbox_full",
        "solid",
        "Canary of billing-email: breached",
    ]


def test_change__is_shown_without_a_reload_and_focus_and_opened_details_stay() -> None:
    async def follow() -> tuple[str, str, str, bool]:
        scene = Scene()
        scene.paths = {FORM: scene.paths[FORM]}
        first = await scene.settled(FORM, NOW - timedelta(minutes=30))
        async with listening(scene.parts()) as url, chromium() as browser, looking(browser) as one:
            page = one.page
            await page.goto(f"{url}/")
            await page.locator("[data-live]", has_text="follows").wait_for()
            await page.evaluate("window.same = true")
            await page.focus("a[href='/paths/contact-form']")
            for minutes in (20, 10):
                await scene.settled(FORM, NOW - timedelta(minutes=minutes), Verdict.BREACHED)
            scene.events.note("incident")
            await page.locator("h1", has_text="broken").wait_for()
            state = await page.inner_text("h1")
            spoken = await page.inner_text("#told")
            held = str(await page.evaluate("window.same && document.activeElement.getAttribute('href')"))

            await page.goto(f"{url}/canaries/{first.id}")
            await page.locator("[data-live]", has_text="follows").wait_for()
            await page.click("summary")
            scene.clock.step(60)
            scene.events.note("verdict")
            await page.locator(".asof time", has_text="03:08:00").wait_for()
            return state, spoken, held, bool(await page.evaluate("document.querySelector('details').open"))

    assert asyncio.run(follow()) == (
        "contact-form is broken",
        "contact-form is broken",
        "/paths/contact-form",
        True,
    )


def test_prober_that_has_gone__is_said_on_the_open_page() -> None:
    async def gone() -> str:
        scene = Scene()
        async with chromium() as browser, looking(browser) as one:
            async with listening(scene.parts()) as url:
                await one.page.goto(f"{url}/")
                await one.page.locator("[data-live]", has_text="follows").wait_for()
            await one.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await one.page.locator("[data-live]", has_text="does not answer").wait_for()
            return await one.page.inner_text("[data-live]")

    assert asyncio.run(gone()) == "The prober does not answer: this is old."


def test_answer_without_a_page__is_said_on_the_open_page() -> None:
    async def refused() -> str:
        scene = Scene()
        async with chromium() as browser, looking(browser) as one, listening(scene.parts()) as url:
            await one.page.goto(f"{url}/")
            await one.page.locator("[data-live]", has_text="follows").wait_for()
            await one.page.route(f"{url}/", lambda route: route.fulfill(status=401, body="No token."))
            await one.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            await one.page.locator("[data-live]", has_text="this is old").wait_for()
            return await one.page.inner_text("[data-live]")

    assert asyncio.run(refused()) == "The prober does not answer: this is old."


def test_without_scripts__the_page_is_whole_and_reads_itself_anew() -> None:
    async def look() -> tuple[str, str]:
        scene = await night(hours=2)
        async with (
            listening(scene.parts()) as url,
            chromium() as browser,
            looking(browser, java_script_enabled=False) as one,
        ):
            await one.page.goto(f"{url}/")
            refresh = await one.page.get_attribute("meta[http-equiv=refresh]", "content")
            return await one.page.inner_text("h1"), str(refresh)

    assert asyncio.run(look()) == ("2 of 5 paths are broken", "60")


def test_token__is_asked_for_once_and_leaves_the_address_bar() -> None:
    async def look() -> tuple[int, str, int, list[str]]:
        scene = await night(hours=2)
        access = Access(token=Source(TOKEN))
        async with (
            listening(scene.parts(access=access)) as url,
            chromium() as browser,
            looking(browser) as one,
        ):
            refused = await one.page.goto(f"{url}/")
            await one.page.goto(f"{url}/incidents?token={TOKEN}")
            address = one.page.url.removeprefix(url)
            again = await one.page.goto(f"{url}/")
            await one.page.locator("[data-live]", has_text="follows").wait_for()
            kept = [one["value"] for one in await one.page.context.cookies()]
            assert refused is not None
            assert again is not None
            return refused.status, address, again.status, [one for one in kept if TOKEN in one]

    assert asyncio.run(look()) == (401, "/incidents", 200, [])


# The server


async def _served(work: Callable[[str], Awaitable[None]]) -> tuple[float, int]:
    """Do something with a served page; the seconds that its end took, and its port."""
    clock = SystemClock()
    scene = Scene()
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    parts = scene.parts()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(build_app(parts), listener, clock=clock, closing=parts.events.close))
        await work(f"http://127.0.0.1:{port}")
        began = clock.monotonic()
        task.cancel()
        await asyncio.wait([task])
    return clock.monotonic() - began, port


def test_server_that_is_told_to_stop__ends_open_streams_and_lets_its_port_go() -> None:
    heard: list[bytes] = []

    async def work(url: str) -> None:
        async def listen() -> None:
            async with httpx.AsyncClient() as client, client.stream("GET", f"{url}/events") as answer:
                async for chunk in answer.aiter_bytes():
                    heard.append(chunk)
                    ready.set()

        ready = asyncio.Event()
        tasks.append(asyncio.create_task(listen()))
        await ready.wait()

    tasks: list[asyncio.Task[None]] = []

    async def whole() -> tuple[float, int]:
        found = await _served(work)
        await asyncio.wait(tasks)
        return found

    seconds, port = asyncio.run(whole())

    assert heard[0].startswith(b"retry: ")
    assert seconds < 2.5
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_client_that_goes__is_forgotten() -> None:
    async def left() -> int:
        scene = Scene()
        async with listening(scene.parts()) as url:
            async with httpx.AsyncClient() as client, client.stream("GET", f"{url}/events") as answer:
                async for _ in answer.aiter_bytes():
                    assert scene.events.readers == 1
                    break
            async with asyncio.timeout(5):
                while scene.events.readers:  # noqa: ASYNC110 -- the server's own task ends then
                    await asyncio.sleep(0.02)
            return scene.events.readers

    assert asyncio.run(left()) == 0


def test_server__says_nothing_of_what_it_is_made_of() -> None:
    async def asked() -> httpx.Headers:
        scene = Scene()
        async with listening(scene.parts()) as url, httpx.AsyncClient() as client:
            return (await client.get(f"{url}/healthz")).headers

    assert "server" not in asyncio.run(asked())
