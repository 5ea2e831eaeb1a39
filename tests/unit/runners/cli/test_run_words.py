"""What `run` and `sweep` say in words: what was closed, what is kept, what is out, and who goes on with it."""

from dataclasses import replace

from canary.ticket import TicketId, TicketRef
from canary.verdict import Verdict
from runners.answers import run_answer
from runners.cli.run_words import interrupted_words, kept_lines, sweep_line
from runners.cli.words import clock
from runners.contracts import AuditEntry, Leftover, Record, RemovalKind
from runners.oneshot import RunResult
from tests.contracts.store_cases import judged, make_canary
from tests.fakes.clock import START

PENDING = Record(make_canary(1), None, launch_ended=True, is_clean=False)
DAMAGED = Record(
    make_canary(2),
    replace(judged(make_canary(2), Verdict.BREACHED), ticket=TicketRef("burrow", TicketId("108"))),
    launch_ended=True,
    is_clean=False,
)


def result(*waiting: Record, settled: int = 0, **more: object) -> RunResult:
    records = tuple(
        Record(one, judged(one, Verdict.CONFIRMED), launch_ended=True, is_clean=True)
        for one in (make_canary(10 + number) for number in range(settled))
    )
    return RunResult(records, (), (), waiting=waiting, **more)  # type: ignore[arg-type]  # the test's own shorthand


def entry(what: str, outcome: str = "done", kind: RemovalKind = RemovalKind.TICKET) -> AuditEntry:
    return AuditEntry(START, "fra-1", make_canary(1).id, kind, "burrow", what, "remove", outcome, "")


def leftover() -> Leftover:
    canary = make_canary(3)
    return Leftover(
        canary.id,
        canary.path,
        RemovalKind.TICKET,
        "burrow",
        "9",
        attempts=1,
        next_at=START,
        since=START,
        detail="403",
    )


def test_sweep_that_found_nothing_to_do__says_so() -> None:
    assert sweep_line(result(), ()) == "Nothing was left to settle or to remove."


def test_sweep__names_what_it_settled_closed_and_left() -> None:
    swept = result(PENDING, DAMAGED, settled=2, removed=(entry("000108"),), leftovers=(leftover(),))

    assert sweep_line(swept, ()) == (
        "2 canaries settled; 1 ticket closed: 000108 in burrow; 1 ticket is kept;"
        f" 1 canary still waits until {clock(PENDING.canary.deadline_at)}; 1 leftover waits to be removed"
    )


def test_sweep__tells_deleted_from_closed_and_from_what_was_gone() -> None:
    removed = (
        *(entry(str(number)) for number in range(5)),
        entry("7", outcome="absent"),
        entry("INBOX/4", kind=RemovalKind.MAIL),
        entry("", outcome="absent"),
    )

    assert sweep_line(result(removed=removed), {"burrow"}) == (
        "5 tickets deleted: 0 in burrow, 1 in burrow, 2 in burrow and 2 more; 1 mail deleted: INBOX/4 in burrow;"
        " 1 ticket was gone already: 7 in burrow"
    )


def test_damaged_ticket__is_named_with_the_time_until_which_it_is_kept() -> None:
    (line,) = kept_lines(result(PENDING, DAMAGED))

    assert line.startswith(f"kept until {clock(DAMAGED.canary.horizon_at)}: ticket 108 in burrow, canary ")
    answer = run_answer((), (), (), 1, waiting=[PENDING, DAMAGED])
    assert [one["what"] for one in answer["kept"]] == ["108"]
    assert [(one["canary"], one["verdict"]) for one in answer["waiting"]] == [
        (PENDING.canary.id, "pending"),
        (DAMAGED.canary.id, "breached"),
    ]


def test_interrupted__while_a_canary_is_out__names_it_and_who_judges_and_closes_it() -> None:
    said = interrupted_words(result(PENDING, interrupted_by=2))

    assert f"1 canary is out without a verdict ({PENDING.canary.path} {PENDING.canary.id[-6:]})" in said
    assert "its ticket may still come" in said
    assert "the next run, or `intake-prober sweep` half a minute from now, judges what is out" in said


def test_interrupted__when_nothing_is_out__says_that_nothing_is_left() -> None:
    assert interrupted_words(result(interrupted_by=15)) == (
        "interrupted: no canary is out, and nothing is left to be removed"
    )


def test_interrupted__with_many_out__names_the_first_and_says_how_many_more() -> None:
    many = [replace(PENDING, canary=make_canary(number)) for number in range(20, 25)]

    said = interrupted_words(result(*many, DAMAGED, leftovers=(leftover(),), interrupted_by=2))

    assert "5 canaries are out without a verdict (" in said
    assert " and 2 more): their tickets may still come" in said
    assert "1 canary of which more may come is still watched" in said
    assert "1 leftover waits to be removed" in said
