"""`silence`: made, listed and ended; wrong words are refused with the right ones."""

from pathlib import Path

import pytest

from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import FULL


@pytest.fixture(autouse=True)
def configured(tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(FULL)


def test_silence__is_kept_listed_shown_by_status_and_ended(run: Run) -> None:
    made = run(
        "silence", "support-email", "--for", "2h", "--why", "the mailbox is moved", "--who", "pat", "--json"
    )
    (one,) = made.answer("silence")["silences"]
    listed = run("silence")
    shown = run("status", "--json").answer("status")["paths"][0]
    said = run("status")
    ended = run("silence", "--end", one["id"][:8])

    assert (made.status, one["about"], one["why"], one["who"]) == (
        0,
        "support-email",
        "the mailbox is moved",
        "pat",
    )
    assert "(silenced until 20" in said.out
    assert "support-email" in listed.out
    assert "pat: the mailbox is moved" in listed.out
    assert shown["silenced"] is True
    assert "is silenced no more" in ended.out
    assert run("silence").err == "Nothing is silenced.\n"


def test_silence_of_a_ticketing_system__covers_the_paths_through_it(run: Run) -> None:
    made = run("silence", "desk", "--for", "45m", "--why", "upgrade", "--json").answer("silence")

    assert [one["about"] for one in made["silences"]] == ["desk", "support-email"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("support-mail", "--for", "2h", "--why", "x"),
            "there is no path or place support-mail. Did you mean support-email?",
        ),
        (("support-email", "--why", "x"), "--for is missing"),
        (("support-email", "--for", "2h"), "--why is missing"),
        (("support-email", "--for", "2h", "--why", " "), "--why is missing"),
        (("support-email", "--for", "soon", "--why", "x"), "--for soon is not a span. Write 45m, 2h or 1d"),
        (("support-email", "--for", "60d", "--why", "x"), "--for 60d is not a span"),
        (("support-email", "--for", "2h", "--why", "x", "--from", "noon"), "--from noon is not a time"),
        (("--for", "2h"), "no path is named"),
    ],
)
def test_silence_that_is_none__is_refused_with_the_remedy(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    done = run("silence", *words)

    assert done.status == 2
    assert said in done.err


def test_end_of_a_silence_that_is_not_there__is_refused(run: Run) -> None:
    run("silence", "support-email", "--for", "2h", "--why", "x")

    done = run("silence", "--end", "nope")

    assert done.status == 2
    assert "there is no silence whose id begins with nope" in done.err
