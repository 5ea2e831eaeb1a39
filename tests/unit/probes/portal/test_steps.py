"""Steps are told as the configuration writes them, and never with a value that is typed."""

import re
from pathlib import Path

import pytest

from probes.masking import Secret
from probes.portal.steps import (
    Action,
    By,
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
    Tick,
    Upload,
    Wait,
)

SUBJECT = Locator(By.LABEL, "Subject")


class Source:
    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002
        return Secret("hunter2-hunter2")


SECRET = Source()


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (Go("/submit?key=abc"), "go /submit"),
        (Click(Locator(By.ROLE, "link", name="Ask")), "click {role: link, name: Ask}"),
        (Fill(SUBJECT, Template("{{ subject }}")), "fill {label: Subject}"),
        (Fill(SUBJECT, Hidden(SECRET)), "fill {label: Subject}"),
        (Fill(SUBJECT, OneTimePassword(SECRET)), "fill {label: Subject}"),
        (Select(SUBJECT, "Normal"), "select Normal in {label: Subject}"),
        (Tick(SUBJECT), "check {label: Subject}"),
        (Tick(SUBJECT, is_on=False), "uncheck {label: Subject}"),
        (Upload(SUBJECT), "upload {label: Subject}"),
        (Press("Enter"), "press Enter"),
        (Press("Tab", SUBJECT), "press Tab in {label: Subject}"),
        (Wait(shown=SUBJECT), "wait {label: Subject}"),
        (Wait(gone=SUBJECT), "wait {gone: {label: Subject}}"),
        (Wait(url=re.compile(r"/done$")), "wait {url: //done$/}"),
        (Frame(Locator(By.CSS, "iframe", index=-1)), "frame {css: iframe, nth: -1}"),
        (Frame(None), "frame main"),
        (Script(Path("/etc/intake/steps.py"), "choose"), "script steps.py:choose"),
        (Submit(Locator(By.TEXT, "Send", is_exact=True)), "submit {text: Send, exact: true}"),
        (Confirm(text="Thank you"), "confirm {text: Thank you}"),
        (Confirm(url="/done"), "confirm {url: /done}"),
        (Confirm(shown=Locator(By.ROLE, "heading", name=re.compile("Thank.*"))), "confirm {role: heading, name: /Thank.*/}"),
    ],
)  # fmt: skip
def test_step__is_told_with_number_word_and_place(action: Action, told: str) -> None:
    assert str(Step(3, action)) == f"step 3 ({told})"
