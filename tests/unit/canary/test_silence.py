"""Silences hold alerts back while they last."""

from datetime import UTC, datetime, timedelta

from canary.silence import Silence, SilenceId, are_silenced

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def silence(about: str, *, begins: float = 0, ends: float = 60) -> Silence:
    return Silence(
        SilenceId(about),
        about,
        NOON + timedelta(seconds=begins),
        NOON + timedelta(seconds=ends),
        "the mailbox is moved",
        "pat",
        NOON,
    )


def test_silence__holds_from_its_begin_until_before_its_end() -> None:
    one = silence("support-mail")

    assert one.is_in_force(NOON)
    assert one.is_in_force(NOON + timedelta(seconds=59))
    assert not one.is_in_force(NOON + timedelta(seconds=60))
    assert not one.is_in_force(NOON - timedelta(seconds=1))


def test_several_names__are_silenced_only_where_each_is() -> None:
    both = [silence("support-mail"), silence("contact-form")]

    assert are_silenced(["support-mail", "contact-form"], both, NOON)
    assert not are_silenced(["support-mail", "portal"], both, NOON)
    assert not are_silenced(["support-mail"], both, NOON + timedelta(seconds=60))


def test_what_has_no_name__is_never_silenced() -> None:
    assert not are_silenced([], [silence("support-mail")], NOON)
