"""A scheduled path that never had a verdict: new for three slots, and told of after that."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from canary.alert import AlertKind, AlertTransition
from canary.path import Path
from canary.slot import MissedCause, MissedSlot, Slot
from runners.asking import Status, ask_status
from runners.cli.exits import Exit
from runners.states import PathState
from tests.contracts.store_cases import make_canary
from tests.unit.runners.test_alerting import Scene, mail_path

MAIL = mail_path()


def status(s: Scene, path: Path = MAIL) -> Status:
    return asyncio.run(ask_status(s.store, [path], now=s.clock.now()))


def miss_a_slot(s: Scene) -> None:
    slot = Slot(MAIL.name, s.clock.now())
    asyncio.run(s.store.note_missed([MissedSlot(slot, MissedCause.CAP)], at=s.clock.now()))


def test_path_whose_every_slot_was_missed__is_stale_and_told_of_once() -> None:
    s = Scene(paths=(MAIL,))
    heard = []
    for _ in range(6):
        miss_a_slot(s)
        s.clock.advance(600)
        s.review()
        heard += s.heard()

    (told,) = heard
    assert (told.transition, told.concern.kind) == (AlertTransition.OPENED, AlertKind.NOT_PROBED)
    (only,) = status(s).paths
    assert only.view.state is PathState.STALE
    assert only.view.why == "no canary was launched yet, and it was due since 2026-03-02 12:00 UTC"
    assert status(s).exit is Exit.BLIND


def test_path_that_was_due_a_moment_ago__is_not_known_and_nobody_is_told() -> None:
    s = Scene(paths=(MAIL,))
    miss_a_slot(s)
    s.clock.advance(1800)

    s.review()

    assert s.heard() == []
    assert status(s).paths[0].view.state is PathState.UNKNOWN


def test_canary_that_gets_no_verdict__is_no_excuse_for_its_path() -> None:
    s = Scene(paths=(MAIL,))
    canary = replace(make_canary(launched_at=s.clock.now()), path=MAIL.name)
    asyncio.run(s.store.record(canary, holder="a", lease_until=s.clock.now()))
    s.clock.advance(timedelta(days=5).total_seconds())

    s.review()

    assert [one.concern.kind for one in s.heard()] == [AlertKind.NOT_PROBED]
    assert status(s).paths[0].view.why.startswith("no canary has a verdict yet, and it was due since")


def test_path_by_hand_alone__may_wait_for_its_first_verdict_for_ever() -> None:
    s = Scene(paths=(MAIL,))
    miss_a_slot(s)
    s.clock.advance(timedelta(days=5).total_seconds())

    assert status(s, replace(MAIL, interval_seconds=None)).paths[0].view.state is PathState.UNKNOWN
