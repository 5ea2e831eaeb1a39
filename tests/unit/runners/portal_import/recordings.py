"""Recordings: what Playwright's recorder wrote, and what people made of it."""

HELPDESK = """\
import asyncio
import re
from playwright.async_api import Playwright, async_playwright, expect


async def run(playwright: Playwright) -> None:
    browser = await playwright.chromium.launch(headless=False)
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto("https://desk.acme.example/tickets/submit/")
    await page.get_by_role("textbox", name="Summary of the problem").click()
    await page.get_by_role("textbox", name="Summary of the problem").fill("My printer burns")
    await page.get_by_role("textbox", name="Summary of the problem").press("Tab")
    await page.get_by_role("textbox", name="Description of your issue").click()
    await page.get_by_role("textbox", name="Description of your issue").fill("It is on fire.")
    await page.get_by_label("Priority").select_option("2")
    await page.get_by_role("button", name="Attach File").fill("C:\\\\fakepath\\\\note.txt")
    await page.get_by_role("textbox", name="Your E-Mail Address").click()
    await page.get_by_role("textbox", name="Your E-Mail Address").fill("zoe@probe.test")
    await page.get_by_role("button", name="Submit Ticket \uf1d8").click()
    await expect(page.get_by_role("table")).to_contain_text("[support-1] . My printer burns [Open]")

    # ---------------------
    await context.close()
    await browser.close()


async def main() -> None:
    async with async_playwright() as playwright:
        await run(playwright)


asyncio.run(main())
"""
"""django-helpdesk 2.6.1's public form, by the recorder of Playwright 1.65 (async); the assertion as its toolbar writes it."""

HELPDESK_PYTEST = """\
import re
from playwright.sync_api import Page, expect


def test_example(page: Page) -> None:
    page.goto("https://desk.acme.example/tickets/submit/")
    page.get_by_role("textbox", name="Summary of the problem").click()
    page.get_by_role("textbox", name="Summary of the problem").fill("My printer burns")
    page.get_by_role("textbox", name="Summary of the problem").press("Tab")
    page.get_by_role("textbox", name="Description of your issue").click()
    page.get_by_role("textbox", name="Description of your issue").fill("It is on fire.")
    page.get_by_label("Priority").select_option("2")
    page.get_by_role("button", name="Attach File").fill("C:\\\\fakepath\\\\note.txt")
    page.get_by_role("textbox", name="Your E-Mail Address").click()
    page.get_by_role("textbox", name="Your E-Mail Address").fill("zoe@probe.test")
    page.get_by_role("button", name="Submit Ticket \uf1d8").click()
"""
"""The same, for pytest, without an assertion."""

REQUEST_TRACKER = """\
import re
from playwright.sync_api import Playwright, sync_playwright, expect


def run(playwright: Playwright) -> None:
    browser = playwright.chromium.launch(headless=False)
    context = browser.new_context()
    page = context.new_page()
    page.goto("https://rt.acme.example/")
    page.locator("#user").click()
    page.locator("#user").fill("canary")
    page.locator("#user").press("Tab")
    page.locator("input[name=\\"pass\\"]").fill("correct horse")
    page.get_by_role("button", name="Login").click()
    page.goto("https://rt.acme.example/SelfService/CreateTicketInQueue.html")
    page.get_by_role("link", name="Support").click()
    page.locator("input[name=\\"Subject\\"]").click()
    page.locator("input[name=\\"Subject\\"]").fill("My printer burns")
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.locator("html").click()
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.get_by_text("I").fill("I")
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.get_by_text("It").fill("It\u00a0")
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.get_by_text("It i").fill("It i")
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.get_by_text("It is on fire. Please help").fill("It is on fire. Please help")
    page.locator("iframe[title=\\"Rich Text Editor, Content\\"]").content_frame.get_by_text("It is on fire. Please help.").fill("It is on fire. Please help.")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.locator("#body")).to_contain_text("Ticket 1 created in queue 'Support'")

    # ---------------------
    context.close()
    browser.close()


with sync_playwright() as playwright:
    run(playwright)
"""
"""Request Tracker 5.0.3's self-service, by the same recorder (sync); some of the editor's lines are left out."""

HEAD = """\
import re
from playwright.sync_api import Page, expect


def test_example(page: Page) -> None:
    page.goto("https://support.acme.example/")
"""


def recorded(*lines: str) -> bytes:
    """A recording with these lines behind the first `goto`; the first of them is line 7."""
    return (HEAD + "".join(f"    {line}\n" for line in lines)).encode()


ENDING = (
    'page.get_by_role("button", name="Send").click()',
    'expect(page.get_by_text("Thank you")).to_be_visible()',
)
"""How a recording ends that has a submit and a confirm."""
