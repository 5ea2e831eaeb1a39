"""`ticketing try`: what is refused before anything is asked, and how it is told. Nothing is asked."""

from pathlib import Path

import pytest

from canary.ticket import TicketState
from probes.contracts import Budget, FieldRead, Glance, View
from runners.cli.output import Output
from runners.cli.ticketing_words import read_lines, result_lines, step_lines
from runners.ticketing_rights import Step, StepState
from runners.ticketing_trial import Understood
from tests.fakes.clock import START
from tests.unit.runners.cli.conftest import Run, Said
from tests.unit.runners.config.examples import FULL, changed


def tried(run: Run, folder: Path, *words: str, text: str = FULL) -> Said:
    (folder / "intake.yaml").write_text(text)
    return run("ticketing", "try", *words)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dsk", "there is no ticketing system dsk. Did you mean desk?"),
        ("zendesk-of-ours", "There are: desk."),
        ("\x1b[2J", "There are: desk."),
    ],
)
def test_wrong_name__exits_2_and_lists_the_names(run: Run, tmp_path: Path, name: str, expected: str) -> None:
    said = tried(run, tmp_path, name)

    assert said.status == 2
    assert expected in said.err
    assert "\x1b" not in said.err


def test_wrong_name__is_an_error_in_json_too(run: Run, tmp_path: Path) -> None:
    said = tried(run, tmp_path, "dsk", "--json")

    (error,) = said.answer("errors")["errors"]
    assert (said.status, error["message"]) == (2, "there is no ticketing system dsk")


def test_no_name__is_a_mistake_of_usage(run: Run, tmp_path: Path) -> None:
    assert tried(run, tmp_path).status == 2


@pytest.mark.parametrize(
    ("since", "expected"), [("tomorrow", "--since"), ("2999-01-01T00:00Z", "not in the past")]
)
def test_time_that_is_none_or_to_come__exits_2(run: Run, tmp_path: Path, since: str, expected: str) -> None:
    said = tried(run, tmp_path, "desk", "--since", since)

    assert said.status == 2
    assert expected in said.err


def test_transcript_that_exists__is_left_as_it_is_before_anything_is_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text("mine")

    said = tried(run, tmp_path, "desk", "--transcript", "t.json")

    assert (said.status, (tmp_path / "t.json").read_text()) == (2, "mine")
    assert "--force" in said.err


@pytest.mark.parametrize("file", ["nowhere/t.json", "."])
def test_transcript_that_can_not_be_written__is_told_before_anything_is_asked(
    run: Run, tmp_path: Path, file: str
) -> None:
    said = tried(run, tmp_path, "desk", "--transcript", file, "--force")

    assert said.status == 2
    assert "can't be written" in said.err


def test_create_with_cleanup_none__exits_2_and_opens_nothing(run: Run, tmp_path: Path) -> None:
    said = tried(
        run, tmp_path, "desk", "--create", text=changed("tag: synthetic,", "tag: synthetic, cleanup: none,")
    )

    assert said.status == 2
    assert "cleanup: close" in said.err
    assert "opening" not in said.err


def test_signing_key_that_can_not_be_had__exits_3(run: Run, tmp_path: Path) -> None:
    said = tried(run, tmp_path, "desk", text=changed("{env: INTAKE_SIGNING_KEY}", '{exec: ["false"]}'))

    assert said.status == 3
    assert "Traceback" not in said.err


def test_help__has_an_example_and_the_exit_codes(run: Run) -> None:
    said = run("ticketing", "try", "--help")

    assert said.status == 0
    assert "Example: intake-prober ticketing try desk" in said.out
    assert "Exit: 0" in said.out


class _Nowhere:
    """A stream that nobody reads."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None: ...


def output(*, paints: bool) -> Output:
    return Output(_Nowhere(), _Nowhere(), paints_answers=paints, paints_remarks=paints)  # type: ignore[arg-type]


def understood(*fields: FieldRead, fault: str = "", unreadable: bool = False, shown: int = 4) -> Understood:
    glance = Glance(
        "wide",
        TicketState.TICKET,
        View.EVENTUAL,
        60.0,
        shown=shown,
        fields=fields,
        is_whole=False,
        skew_seconds=0.25,
        fault=fault,
        is_unreadable=unreadable,
    )
    return Understood(
        START, (glance,), (), 2, (Budget("lists", 99, 100, START), Budget("day", None, None, None))
    )


LONG = "desk: ticket.requester: the answer has a mapping here, not a text. Its shape has changed: correct the pick."


def test_lines__say_what_was_read_and_what_was_not() -> None:
    found = understood(
        FieldRead("id", 4, 4), FieldRead("created_at", 4, 4), FieldRead("requester", 1, 4, LONG)
    )

    assert list(read_lines(found, output(paints=False))) == [
        "look wide: 4 tickets, 0 of ours, 4 of others; eventual, 60 s behind; there is",
        "      more",
        "      read in all: id, time",
        "      requester   1 of 4",
        "            desk: ticket.requester: the answer has a mapping here, not a text.",
        "            Its shape has changed: correct the pick.",
        "2 tickets bear a token that no key of ours has signed: another prober's, or",
        "forged.",
        "clock is +0.2 s from ours",
        "budget lists: 99 of 100 left until 2026-03-02 12:00:00Z",
        "budget day: ? of ? left",
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (understood(FieldRead("id", 4, 4)), "ok    desk: recent tickets are understood"),
        (understood(shown=0), "warn  desk answers, and shows no ticket"),
        (understood(FieldRead("created_at", 0, 4)), "fail  desk: in no ticket could be read: time."),
        (
            understood(FieldRead("created_at", 0, 4, "desk: ticket.created_at: in none of them.")),
            "fail  desk: in no ticket could be read: time. ticket.created_at: in none",
        ),
        (
            understood(FieldRead("subject", 0, 4, "desk: ticket.subject: none"), FieldRead("body", 4, 4)),
            "fail  desk: ticket.subject: none.",
        ),
        (
            understood(FieldRead("channel", 1, 4, LONG)),
            "fail  desk: ticket.requester: the answer has a mapping here",
        ),
        (understood(fault="desk: no rows."), "fail  desk: no rows."),
        (
            understood(fault="desk answered 401.", unreadable=True),
            "fail  desk can't be read. desk answered 401.",
        ),
    ],
)
def test_last_line__says_what_it_came_to(found: Understood, expected: str) -> None:
    first, *_ = result_lines(found, "desk", [], output(paints=False))

    assert first.startswith(expected)


def test_field_that_is_read_in_all_and_wrong__is_not_among_what_is_understood() -> None:
    found = understood(
        FieldRead("id", 4, 4), FieldRead("created_at", 4, 4, "desk: ticket.created_at: no zone.")
    )

    lines = list(read_lines(found, output(paints=False)))

    assert lines[2:5] == [
        "      read in all: id",
        "      time        4 of 4",
        "            desk: ticket.created_at: no zone.",
    ]
    assert found.is_misunderstood


def test_trial_that_closed_its_ticket__says_so() -> None:
    step = Step("close", StepState.OK, "tagged", "", 0.1, "7")

    (line,) = result_lines(understood(shown=0), "desk", [step], output(paints=False))

    assert line == "ok    desk: what was opened there was closed again"


def test_step_that_failed__has_the_last_word() -> None:
    step = Step("close", StepState.FAIL, "ticket 7 is still open: it may not", "Close it by hand.", 1.5, "7")

    assert list(result_lines(understood(FieldRead("id", 4, 4)), "desk", [step], output(paints=False))) == []
    assert list(step_lines(step, output(paints=False))) == [
        "fail  close    1.50 s  ticket 7 is still open: it may not. Close it by hand."
    ]


def test_lines__fit_80_columns_with_and_without_colour() -> None:
    found = understood(FieldRead("requester", 0, 4, LONG), fault=LONG * 3)
    assert found.is_misunderstood
    step = Step("close", StepState.BLIND, LONG, LONG, 1.5, "7")
    plainly, painted = output(paints=False), output(paints=True)
    lines = [
        *read_lines(found, plainly),
        *result_lines(found, "desk", [], plainly),
        *step_lines(step, plainly),
    ]

    in_colour = [
        *read_lines(found, painted),
        *result_lines(found, "desk", [], painted),
        *step_lines(step, painted),
    ]

    assert max(map(len, lines)) <= 80
    assert any("\x1b[31m" in one for one in in_colour)
    assert [without_paint(one) for one in in_colour] == lines


def without_paint(text: str) -> str:
    import re

    return re.sub(r"\x1b\[\d+m", "", text)


def test_words_of_a_system__steer_no_terminal() -> None:
    found = understood(fault="bad \x1b[2J words")

    assert not any("\x1b[2J" in one for one in read_lines(found, output(paints=False)))
