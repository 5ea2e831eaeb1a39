"""Which of the recorded clicks sends the request, and what confirms it."""

import pytest

from runners.portal_import.recording import import_recording
from runners.portal_import.writing import path_data
from tests.unit.runners.portal_import.recordings import recorded

SUBJECT = 'page.get_by_label("Subject").fill("x")'
SEND = 'page.get_by_role("button", name="Send").click()'
CONTINUE = 'page.get_by_role("button", name="Continue").click()'
THANKS = 'expect(page.get_by_text("Thank you")).to_be_visible()'


def ends(*lines: str) -> list[object]:
    data = path_data(import_recording(recorded(SUBJECT, *lines)))["steps"]
    assert isinstance(data, list)
    return data[1:]


SENT = {"submit": {"role": "button", "name": "Send"}}
THANKED = {"confirm": {"text": "Thank you"}}


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        pytest.param((SEND, THANKS), [SENT, THANKED], id="a button, then an assertion"),
        pytest.param((SEND,), [SENT, {"confirm": None}], id="the last button"),
        pytest.param(
            (CONTINUE, SEND),
            [{"click": {"role": "button", "name": "Continue"}}, SENT, {"confirm": None}],
            id="the one that is called so",
        ),
        pytest.param(
            (SEND, THANKS, 'page.get_by_role("link", name="Log out").click()'),
            [SENT, THANKED],
            id="not the one that leaves",
        ),
        pytest.param(
            ('page.get_by_text("Los").click()', THANKS),
            [{"submit": {"text": "Los"}}, THANKED],
            id="whatever was clicked before an assertion",
        ),
        pytest.param(
            ('page.get_by_label("Subject").press("Enter")', THANKS),
            [{"submit": {"label": "Subject", "key": "Enter"}}, THANKED],
            id="a key in an element",
        ),
        pytest.param(
            ('page.keyboard.press("Enter")', THANKS),
            [{"submit": {"label": "Subject", "key": "Enter"}}, THANKED],
            id="a key, where the last text was typed",
        ),
        pytest.param((), [{"submit": None}, {"confirm": None}], id="nothing: it is to be completed"),
        pytest.param(
            (SEND, 'expect(page).to_have_url("https://support.acme.example/requests/12")'),
            [SENT, {"confirm": {"url": r"//requests/(?P<ticket>\d+)/"}}],
            id="an address confirms",
        ),
        pytest.param(
            (SEND, 'expect(page.get_by_text("Request #12 was created")).to_be_visible()'),
            [SENT, {"confirm": {"text": r"/Request #(?P<ticket>\d+) was created/"}}],
            id="a text with a number confirms with any number",
        ),
        pytest.param(
            (SEND, 'expect(page.get_by_test_id("done")).to_be_visible()', 'expect(page.locator("form")).to_be_hidden()'),
            [SENT, {"confirm": {"test_id": "done"}}, {"wait": {"gone": {"css": "form"}}}],
            id="an element confirms, another is waited for until it is gone",
        ),
    ],
)  # fmt: skip
def test_end_of_a_recording__becomes_submit_and_confirm(lines: tuple[str, ...], steps: list[object]) -> None:
    assert ends(*lines) == steps


def test_click_that_opens_the_form__is_not_taken_for_the_one_that_sends() -> None:
    path = import_recording(recorded('page.get_by_role("button", name="Create ticket").click()', SUBJECT))

    assert path_data(path)["steps"] == [
        {"click": {"role": "button", "name": "Create ticket"}},
        {"fill": {"label": "Subject", "with": "{{ subject }}"}},
        {"submit": None},
        {"confirm": None},
    ]
    assert "nothing in it sends the request" in [one.why for one in path.notes]


def test_what_comes_after_the_end__is_told_and_left_out() -> None:
    path = import_recording(recorded(SUBJECT, SEND, THANKS, 'page.get_by_role("link", name="Home").click()'))

    assert [(one.line, one.why) for one in path.notes] == [
        (10, "what comes after the request was sent is left out")
    ]


def test_form_that_takes_no_word_of_the_canary__is_told() -> None:
    path = import_recording(recorded('page.locator("#f1").fill("x")', SEND, THANKS))

    assert [one.why for one in path.notes] == [
        "no field takes the subject or the body, so a ticket could not be recognised"
    ]
