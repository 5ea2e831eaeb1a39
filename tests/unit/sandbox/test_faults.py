"""The switches: what they take, what they refuse, and that all are documented."""

import json
from dataclasses import fields

import pytest

from sandbox.faults import (
    HEALTHY,
    BounceForm,
    FaultBoard,
    Faults,
    MailboxFull,
    UnknownFault,
    from_json,
    parse,
)


def test_values__of_the_right_kind__are_taken() -> None:
    wanted = {
        "mailbox_full": "defer",
        "clock_skew_seconds": 5,
        "imap_bearer_tokens": ["a"],
        "delivery_bounce": "text",
    }

    faults = parse(wanted, HEALTHY)

    assert faults.mailbox_full is MailboxFull.DEFER
    assert faults.clock_skew_seconds == 5.0
    assert faults.imap_bearer_tokens == ("a",)
    assert faults.delivery_bounce is BounceForm.TEXT


def test_null__clears_an_optional_switch__and_is_refused_elsewhere() -> None:
    assert parse({"delivery_bounce": None}, parse({"delivery_bounce": "text"}, HEALTHY)) == HEALTHY
    with pytest.raises(UnknownFault):
        parse({"mailbox_full": None}, HEALTHY)


@pytest.mark.parametrize(
    "wanted",
    [
        {"smtp_refuse": 1},
        {"smtp_refuse": "true"},
        {"desk_duplicates": 1.5},
        {"desk_duplicates": True},
        {"clock_skew_seconds": True},
        {"clock_skew_seconds": "5"},
        {"mailbox_full": "explode"},
        {"imap_bearer_tokens": "a"},
        {"delivery_to": 7},
        {"no_such_switch": True},
    ],
)
def test_values__of_the_wrong_kind__are_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(UnknownFault, match=next(iter(wanted))):
        parse(wanted, HEALTHY)


def test_board__when_one_of_two_switches_is_wrong__changes_neither() -> None:
    board = FaultBoard()
    heard: list[Faults] = []
    board.on_change(heard.append)

    with pytest.raises(UnknownFault):
        board.set({"smtp_refuse": True, "nonsense": 1})

    assert board.now == HEALTHY
    assert heard == []


def test_board__keeps_other_switches__and_clears_all() -> None:
    board = FaultBoard()
    heard: list[Faults] = []
    board.on_change(heard.append)

    board.set({"smtp_refuse": True})
    board.set({"imap_silent": True})

    assert (board.now.smtp_refuse, board.now.imap_silent) == (True, True)
    board.clear()
    assert board.now == HEALTHY
    assert len(heard) == 3


def test_json__of_all_switches__reads_back_the_same() -> None:
    board = FaultBoard()
    board.set({"smtp_bearer_tokens": ["x"], "rewrite_sender": "srs", "truncate_body_bytes": 3})

    assert from_json(json.dumps(board.now.as_json())) == board.now


def test_in_force__never_shows_a_token() -> None:
    shown = parse({"imap_bearer_tokens": ["hush"]}, HEALTHY).in_force()

    assert shown == {"imap_bearer_tokens": "1 tokens"}


def test_every_switch__is_documented() -> None:
    text = Faults.__doc__ or ""

    assert [field.name for field in fields(Faults) if f"        {field.name}: " not in text] == []
