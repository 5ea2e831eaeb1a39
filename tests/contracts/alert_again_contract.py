"""What every store does with messages that are tried again, and with those of a clock that was set back."""

from dataclasses import replace

from canary.alert import AlertTransition
from runners.alert_contracts import AlertStep, RefusedEnd
from runners.contracts import Store
from tests.contracts.alert_contract import DESK, alert, claimed, standing
from tests.contracts.store_cases import StorePlace, after, figure
from tests.contracts.store_contract import run

_OPENED, _ENDED = alert(1), alert(2, transition=AlertTransition.RESOLVED)
_REFUSED = RefusedEnd(
    id=_ENDED.id,
    key=_ENDED.key,
    subject=DESK,
    sink="pager",
    severity=_ENDED.severity,
    written_at=after(5),
    is_heard=False,
    refused_at=after(11),
    error="401",
)


async def _refused(store: Store) -> None:
    """A page that the sink took, and its end, which it refused for good."""
    await store.store_alerts(AlertStep(DESK, None, 0, (_OPENED, _ENDED)), at=after(5))
    await store.alert_delivered(_OPENED.id, at=after(10))
    await store.alert_given_up(_ENDED.id, at=after(11), error="401")


class AlertAgainContract:
    """Ends that were refused, and times that have not come yet. A subclass gives the fixture ``place``."""

    def test_end_that_was_refused__is_tried_again_and_counted_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _refused(store)
            assert await store.refused_ends(after(5)) == [_REFUSED]
            assert await store.refused_ends(after(6)) == []

            await store.try_again([_ENDED.id], at=after(20))
            assert await store.refused_ends(after(5)) == [replace(_REFUSED, refused_at=None)]
            assert await claimed(store, 20) == [_ENDED]
            await store.alert_given_up(_ENDED.id, at=after(21), error="401")
            await store.try_again([_ENDED.id], at=after(30))
            assert await figure(store, "intake.prober.alerts.sent", sink="pager", outcome="dead") == 1

            assert await claimed(store, 60) == [_ENDED]
            await store.alert_delivered(_ENDED.id, at=after(61))
            assert await store.refused_ends(after(5)) == []

        run(place, scenario)

    def test_end_that_another_sink_took__is_said_to_be_heard(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _refused(store)
            chat = alert(2, sink="chat", transition=AlertTransition.RESOLVED)
            await store.store_alerts(AlertStep(DESK, None, 1, (chat,)), at=after(5))
            await store.alert_delivered(chat.id, at=after(12))

            assert await store.refused_ends(after(5)) == [replace(_REFUSED, is_heard=True)]

        run(place, scenario)

    def test_end_of_what_the_sink_never_took__is_not_to_be_tried_again(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, None, 0, (_OPENED, _ENDED)), at=after(5))
            for one in (_OPENED, _ENDED):
                await store.alert_given_up(one.id, at=after(11), error="401")

            assert await store.refused_ends(after(5)) == []

        run(place, scenario)

    def test_end_of_a_key_that_began_anew__ends_nothing_that_lasts(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _refused(store)
            await store.store_alerts(AlertStep(DESK, standing(), 1, (alert(3),)), at=after(12))
            await store.alert_delivered(alert(3).id, at=after(13))

            assert await store.refused_ends(after(5)) == []
            await store.try_again([_ENDED.id], at=after(20))
            assert await claimed(store, 20) == []

        run(place, scenario)

    def test_message_that_was_deferred__waits_no_longer_than_any_when_the_clock_is_set_back(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (_OPENED,)), at=after(10800))
            await store.alert_deferred(_OPENED.id, next_at=after(10805), error="503")
            assert await claimed(store, 0) == [_OPENED]

            await store.alert_deferred(_OPENED.id, next_at=after(360), error="503")
            assert await claimed(store, 0) == []
            assert await claimed(store, 360) == [_OPENED]

        run(place, scenario)

    def test_message_that_is_held_by_nobody_alive__is_free_when_the_clock_is_set_back(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (_OPENED,)), at=after(10800))
            assert await claimed(store, 10800, lease=130) == [_OPENED]

            assert await claimed(store, 0, lease=130) == [_OPENED]
            assert await claimed(store, 1) == []

        run(place, scenario)

    def test_pause_that_a_sink_asked_for__holds_beyond_the_longest_wait(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (_OPENED,)), at=after(5))
            await store.pause_sink("pager", at=after(6), until=after(3606))
            await store.alert_deferred(_OPENED.id, next_at=after(3606), error="503")

            assert await claimed(store, 60) == []
            assert await claimed(store, 3605) == []
            assert await claimed(store, 3606) == [_OPENED]

        run(place, scenario)
