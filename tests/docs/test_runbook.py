"""The runbook has a page for each reason, fit for three in the morning, and none for what is no reason."""

from pathlib import Path

import pytest

from canary.reason import CAUSES, Reason, Side
from tests.architecture.tree import ROOT
from tests.docs.pages import commands, headings, text_of

FOLDER = Path("docs/runbook")
INDEX = FOLDER / "README.md"
HEADINGS = [
    "Meaning",
    "How it is detected",
    "What customers feel",
    "Check first",
    "Whom to call",
    "When it is ours",
]
SIDES = {
    Side.TARGET: "target",
    Side.PROBER: "prober",
    Side.EITHER: "undecided until a control has answered",
}


def page_of(reason: Reason) -> Path:
    return FOLDER / f"{reason}.md"


@pytest.mark.parametrize("reason", list(Reason))
def test_reason__has_a_page_with_every_heading_and_something_below_each(reason: Reason) -> None:
    sections = text_of(page_of(reason)).split("\n## ")

    assert headings(page_of(reason))[1:] == HEADINGS
    assert sections[0].startswith(f"# `{reason}`: ")
    assert all(len(one.split("\n", 1)[1].strip()) >= 8 for one in sections[1:])


@pytest.mark.parametrize("reason", list(Reason))
def test_page__says_the_side_and_the_finality_that_the_reason_has(reason: Reason) -> None:
    cause = CAUSES[reason]
    ends = "yes" if cause.is_final else "no"

    assert (
        f"**Side:** {SIDES[cause.side]} · **Ends a canary at once:** {ends} · **Hops:** "
        in text_of(page_of(reason)).splitlines()[2]
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_page__is_short_and_gives_a_command_to_begin_with(reason: Reason) -> None:
    assert 15 <= text_of(page_of(reason)).count("\n") <= 36
    assert list(commands(page_of(reason)))


def test_no_page__is_about_something_that_is_no_reason() -> None:
    pages = {one.stem for one in (ROOT / FOLDER).glob("*.md")} - {INDEX.stem}

    assert pages == {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", list(Reason))
def test_index__lists_the_reason_under_its_side_with_its_remedy(reason: Reason) -> None:
    by_side = dict(
        zip(
            (Side.TARGET, Side.EITHER, Side.PROBER),
            text_of(INDEX).split("\n## ")[1:],
            strict=True,
        )
    )

    row = next(
        line for line in by_side[CAUSES[reason].side].splitlines() if line.startswith(f"| [`{reason}`]")
    )
    assert f"({reason}.md)" in row
    assert CAUSES[reason].remedy in row
