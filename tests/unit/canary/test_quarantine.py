from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.quarantine import Mark, Quarantine, Sight, quarantine_of, quarantine_words
from canary.signature import CanaryId
from canary.ticket import Ticket, TicketId, TicketRef, TicketState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MOST = 3


def sights(*marks: bool | None) -> list[Sight]:
    """One a minute; None: what was seen said nothing, and makes no sight."""
    return [
        Sight(CanaryId(f"a{number:03}"), NOON + timedelta(minutes=number), is_marked)
        for number, is_marked in enumerate(marks)
        if is_marked is not None
    ]


def ticket(**facts: object) -> Ticket:
    return Ticket(TicketRef("desk", TicketId("7")), **facts)  # type: ignore[arg-type]  # as the test names them


def test_mark_by_tag__of_a_ticket_whose_tags_were_not_shown__says_nothing() -> None:
    assert Mark(tag="synthetic").borne_by(ticket()) is None


def test_mark_by_group__of_a_ticket_whose_group_was_not_shown__says_nothing() -> None:
    assert Mark(group="Canaries").borne_by(ticket(shows_tags=True)) is None


def test_mark__of_what_is_held_aside__says_nothing() -> None:
    aside = ticket(state=TicketState.DIVERTED, shows_tags=True)

    assert Mark(tag="synthetic").borne_by(aside) is None


@pytest.mark.parametrize(
    ("mark", "facts", "is_borne"),
    [
        (Mark(tag="Synthetic"), {"shows_tags": True, "tags": frozenset({"synthetic", "x"})}, True),
        (Mark(tag="synthetic"), {"shows_tags": True, "tags": frozenset({"synthetics"})}, False),
        (Mark(tag="synthetic"), {"shows_tags": True}, False),
        (Mark(group="canaries"), {"group": "Canaries"}, True),
        (Mark(group="canaries"), {"group": "Support"}, False),
        (Mark("a", "g"), {"shows_tags": True, "tags": frozenset({"a"}), "group": "g"}, True),
        (Mark("a", "g"), {"shows_tags": True, "tags": frozenset({"a"}), "group": "other"}, False),
        (Mark("a", "g"), {"shows_tags": True, "tags": frozenset({"a"})}, None),
        (Mark("a", "g"), {"group": "other"}, False),
    ],
)
def test_mark__is_borne_where_all_that_was_asked_is_there(
    mark: Mark, facts: dict[str, object], is_borne: bool | None
) -> None:
    assert mark.borne_by(ticket(**facts)) is is_borne


def test_misses_in_a_row__stop_a_path_that_requires_the_mark_and_no_other() -> None:
    found = quarantine_of(sights(True, False, False, False))

    assert (found.stops(MOST), found.stops(4), found.stops(None)) == (True, False, False)
    assert found == Quarantine(3, NOON + timedelta(minutes=1), NOON)


@pytest.mark.parametrize(
    ("misses", "most", "words"),
    [
        (0, MOST, ""),
        (1, None, "its last ticket was first seen without the mark of the quarantine rule: agents and customers may meet them"),
        (2, MOST, "nothing more is launched at 3"),
        (3, MOST, "nothing is launched by schedule until a canary of `run PATH` bears it"),
    ],
)  # fmt: skip
def test_words__say_what_it_comes_to(misses: int, most: int | None, words: str) -> None:
    assert quarantine_words(Quarantine(misses, NOON if misses else None), most).endswith(words)


@given(st.lists(st.sampled_from([True, False, None])), st.randoms(use_true_random=False))
def test_law__misses_since_the_last_hit_stop_and_what_is_not_known_changes_nothing(
    marks: list[bool | None], shuffling: object
) -> None:
    seen = sights(*marks)
    shuffling.shuffle(seen)  # type: ignore[attr-defined]  # a `random.Random`

    found = quarantine_of(seen)

    said = [one for one in marks if one is not None]
    expected = 0
    while expected < len(said) and not said[-1 - expected]:
        expected += 1
    assert found.misses == expected
    assert found.stops(MOST) == (said[-MOST:] == [False] * MOST)
    assert (found.since is None) == (expected == 0)
    assert quarantine_of([*seen, *sights(*marks, True)[-1:]]).misses == 0
