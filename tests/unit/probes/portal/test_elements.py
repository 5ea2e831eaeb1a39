"""Which element a page is waited for by, and what a text must be to be the wanted one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.portal.elements import awaited_first, in_browser, matches
from probes.portal.steps import (
    Action,
    By,
    Click,
    Confirm,
    Fill,
    Frame,
    Go,
    Locator,
    Press,
    Select,
    Step,
    Submit,
    Template,
    Text,
    Tick,
    Upload,
    Wait,
)

ONE = Locator(By.LABEL, "one")
OTHER = Click(Locator(By.LABEL, "other"))


def steps(*actions: Action) -> tuple[Step, ...]:
    return tuple(Step(number, action) for number, action in enumerate(actions, 1))


@pytest.mark.parametrize(
    "action",
    [Click(ONE), Fill(ONE, Template("x")), Select(ONE, "x"), Tick(ONE), Upload(ONE), Submit(ONE), Press("Tab", ONE), Wait(shown=ONE)],
)  # fmt: skip
def test_first_step_that_needs_an_element__is_waited_for_by_it(action: Action) -> None:
    assert awaited_first(steps(action, OTHER)) == ONE


@pytest.mark.parametrize(
    "action", [Go("/"), Press("Enter"), Wait(gone=ONE), Wait(url="/x"), Frame(ONE), Confirm(text="x")]
)
def test_first_step_that_needs_no_element_of_the_page__is_waited_for_by_none(action: Action) -> None:
    assert awaited_first(steps(action, OTHER)) is None


def test_optional_steps__are_passed_over() -> None:
    assert awaited_first((Step(1, OTHER, is_optional=True), Step(2, Click(ONE)))) == ONE
    assert awaited_first((Step(1, OTHER, is_optional=True),)) is None
    assert awaited_first(()) is None


@pytest.mark.parametrize(
    ("wanted", "text", "is_match"),
    [
        ("/done", "https://a.example/Done?x=1", True),
        ("/done", "https://a.example/new", False),
        (re.compile(r"/done$"), "https://a.example/done", True),
        (re.compile(r"/done$"), "https://a.example/Done", False),
        (re.compile(r"(?i)/done$"), "https://a.example/Done", True),
    ],
)
def test_text__is_a_part_without_case__or_found_by_the_expression(
    wanted: Text, text: str, is_match: bool
) -> None:
    assert matches(wanted, text) is is_match


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (r"request #(?P<ticket>\d+)", r"request #(\d+)"),
        (r"(?i)thank you\Z", "thank you$"),
        (r"\Athanks", "^thanks"),
        (r"(?P<q>['\"])x(?P=q)", r"(['\"])x\1"),
        (r"C:\\Apps", r"C:\\Apps"),
        (r"plain \d+ (?:x|y)", r"plain \d+ (?:x|y)"),
    ],
)
def test_regular_expression__is_said_as_the_browser_says_it(ours: str, theirs: str) -> None:
    said = in_browser(re.compile(ours))

    assert isinstance(said, re.Pattern)
    assert said.pattern == theirs


def test_flags__stay() -> None:
    said = in_browser(re.compile(r"(?i)thanks"))

    assert isinstance(said, re.Pattern)
    assert said.search("THANKS")
    assert in_browser("thanks") == "thanks"


@given(st.text(alphabet="ab#1 ", max_size=12))
def test_what_the_browser_looks_for__is_what_we_look_for(text: str) -> None:
    ours = re.compile(r"\Aa(?P<number>\d|#)b(?P=number)\Z")
    theirs = in_browser(ours)

    assert isinstance(theirs, re.Pattern)
    assert (ours.search(text) is None) == (theirs.search(text) is None)
