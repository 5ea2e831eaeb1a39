"""Looks that are made anyway tell when strangers' tickets came, and nothing else of them."""

from datetime import timedelta

import pytest

from canary.observation import Depth
from canary.traffic import Watched, Way
from probes.contracts import Blind
from probes.ticketing import listening
from probes.ticketing.listening import SETTLING_SECONDS, Listening
from probes.ticketing.watcher import TicketWatcher
from tests.contracts.ticketing_contract import STRANGER
from tests.unit.probes.ticketing.scene import Scene

SETTLING = timedelta(seconds=SETTLING_SECONDS)


class Heard:
    """A watcher over a desk that is listened to."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.desk = self.scene.desk
        self.desk.shows_strangers = True
        self.system = Listening(self.desk, self.scene.clock)

    def look(self, depth: Depth = Depth.DEADLINE) -> None:
        canary = self.scene.canary()
        self.scene.run(self.system.find([canary], depth))

    def customer(self, *, channel: str | None = None) -> None:
        self.desk.open_ticket("I can't log in", "please help", STRANGER, channel=channel)

    def passes(self, **time: float) -> None:
        self.scene.clock.advance(timedelta(**time).total_seconds())

    def only(self) -> Watched:
        (found,) = self.system.heard()
        return found


def test_wide_look__tells_when_customers_tickets_came_by_their_way() -> None:
    heard = Heard()
    came_at = heard.scene.clock.now()
    heard.customer(channel="email")
    heard.customer()
    heard.passes(minutes=1)

    heard.look()

    assert heard.only().created == {Way.EMAIL: (came_at,), Way.OTHER: (came_at,)}
    assert heard.only().until == came_at + timedelta(minutes=1) - SETTLING


def test_canaries__of_whomever__are_no_customers() -> None:
    heard = Heard()
    canary = heard.scene.canary()
    heard.scene.ticket(canary)
    heard.desk.open_ticket("Fwd: something", f"bears {heard.scene.canary().token}", STRANGER)

    heard.look()

    assert heard.only().created == {}


def test_narrow_look__shows_nothing_of_them() -> None:
    heard = Heard()
    heard.customer()

    heard.look(Depth.POLL)

    assert heard.system.heard() == ()


def test_system_whose_looks_show_only_ours__is_never_heard() -> None:
    heard = Heard()
    heard.desk.shows_strangers = False

    heard.look()

    assert heard.system.heard() == ()


def test_clock_that_is_not_known__can_not_be_compared_with_ours() -> None:
    heard = Heard()
    heard.desk.skew_seconds = None

    heard.look()

    assert heard.system.heard() == ()


def test_clock_that_is_ahead__and_a_view_that_lags__move_the_end() -> None:
    heard = Heard()
    heard.desk.skew_seconds, heard.desk.lag_seconds = 50.0, 30.0
    now = heard.scene.clock.now()

    heard.look()
    assert heard.system.heard() == ()  # a clock that is far off must be seen twice
    heard.look()

    assert heard.only().until == now + timedelta(seconds=20) - SETTLING
    assert heard.only().skew_seconds == 50.0


def test_wrong_date_of_one_answer__is_not_heeded_and_leaves_no_gap() -> None:
    heard = Heard()
    heard.look()
    heard.desk.skew_seconds = 7200.0
    heard.passes(minutes=1)
    heard.look()
    heard.desk.skew_seconds = 0.0
    heard.passes(minutes=1)
    heard.customer()
    heard.passes(minutes=1)
    heard.look()

    assert heard.only().until == heard.scene.clock.now() - SETTLING
    assert len(heard.only().created[Way.OTHER]) == 1


def test_clock_that_stays_far_ahead__never_counts_much_of_the_future_as_watched() -> None:
    heard = Heard()
    heard.desk.skew_seconds = 7200.0
    heard.look()
    heard.look()

    assert heard.only().until <= heard.scene.clock.now() + timedelta(seconds=60)


def test_blind_look__is_heard_by_whoever_asked_and_tells_nothing() -> None:
    heard = Heard()
    heard.desk.raises = Blind("desk: down", status=500)

    with pytest.raises(Blind):
        heard.look()

    assert heard.system.heard() == ()


def test_looks_that_follow_each_other__are_one_stretch_with_each_ticket_once() -> None:
    heard = Heard()
    heard.look()
    for _ in range(3):
        heard.passes(minutes=2)
        heard.customer()
        heard.look()

    assert len(heard.only().created[Way.OTHER]) == 3


def test_looks_with_a_gap__are_two_stretches() -> None:
    heard = Heard()
    heard.look()
    heard.passes(hours=2)
    heard.look()

    assert len(heard.system.heard()) == 2


def test_more_than_fits__lets_the_past_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_TICKETS", 2)
    heard = Heard()
    for _ in range(4):
        heard.customer()
        heard.passes(minutes=1)
        heard.look()

    assert len(heard.system.heard()) > 1


def test_what_was_kept__is_forgotten_and_what_came_meanwhile_is_not() -> None:
    heard = Heard()
    heard.look()
    kept = heard.system.heard()
    heard.passes(minutes=1)
    heard.look()

    heard.system.forget(kept)
    assert len(heard.system.heard()) == 1
    heard.system.forget(heard.system.heard())
    assert heard.system.heard() == ()


def test_watcher_over_it__looks_cleans_and_checks_as_over_the_system_itself() -> None:
    heard = Heard()
    scene = heard.scene
    scene.watcher = TicketWatcher(
        heard.system, scene.watcher._settings, clock=scene.clock, masker=scene.watcher._masker
    )
    canary = scene.canary()
    number = scene.ticket(canary)

    scene.look(canary)
    scene.run(scene.watcher.remove([canary], at_most=5))

    assert scene.watcher.place == heard.system.name == "desk"
    assert heard.desk.disposals == [number]
    assert len(scene.run(scene.watcher.check())) == 3
    assert heard.system.budget() == ()


def test_stretch_that_would_end_before_it_begins__is_none() -> None:
    heard = Heard()
    heard.desk.lag_seconds = 3600.0

    heard.look()

    assert heard.system.heard() == ()
