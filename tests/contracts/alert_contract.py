"""What every store does with alerts, silences and days."""

from dataclasses import replace
from datetime import timedelta

import pytest

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Severity, Subject
from canary.incident import Progress
from canary.review import Standing, Told
from canary.silence import Silence, SilenceId
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep, Opening, OutboxState
from runners.contracts import SettlementConflict, Store
from tests.contracts.store_cases import (
    BLAMED,
    MAIL,
    StorePlace,
    after,
    figure,
    incident_of,
    judged,
    make_canary,
    opened,
    recorded,
    settlement,
)
from tests.contracts.store_contract import run

DESK = Subject("incident/ticketing/desk")


def concern(**more: object) -> Concern:
    """A ticketing system that takes nothing."""
    made = Concern(
        subject=DESK,
        kind=AlertKind.INCIDENT,
        severity=Severity.PAGE,
        since=after(0),
        paths=(MAIL,),
        stop=BLAMED,
        failures=2,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def alert(
    number: int,
    *,
    sink: str = "pager",
    key: str = "intake/fra-1/one",
    transition: AlertTransition = AlertTransition.OPENED,
    severity: Severity = Severity.PAGE,
) -> Alert:
    """The message of that number to a sink."""
    return Alert(
        id=f"{sink}-{key}-{number}"[-36:],
        key=key,
        seq=number,
        sink=sink,
        transition=transition,
        severity=severity,
        at=after(number),
        concern=concern(),
        prober="fra-1",
        working=(MAIL,),
    )


def standing(**more: object) -> Standing:
    """What was told of it."""
    told = (Told("pager", "intake/fra-1/one", Severity.PAGE, 1),)
    made = Standing(concern(), "one", after(5), told=told, told_at=after(5))
    return replace(made, **more)  # type: ignore[arg-type]


async def claimed(store: Store, seconds: float, *sinks: str, lease: float = 30) -> list[Alert]:
    """What is taken so many seconds after noon."""
    taken = await store.claim_alerts(
        after(seconds),
        sinks=sinks or ("pager", "chat"),
        holder="host-a",
        lease_until=after(seconds + lease),
        limit=10,
    )
    return [one.alert for one in taken]


class AlertContract:
    """Standings, the outbox, silences and days. A subclass gives the fixture ``place``."""

    def test_what_was_told__is_kept_by_its_subject_with_its_version(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0), at=after(5))
            await store.store_alerts(AlertStep(DESK, standing(reminders=1), 1), at=after(6))

            assert await store.standings() == {DESK: (standing(reminders=1), 2)}

        run(place, scenario)

    def test_subject_that_is_over__keeps_its_version_so_that_no_old_review_fits(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0), at=after(5))
            await store.store_alerts(AlertStep(DESK, None, 1), at=after(6))

            with pytest.raises(SettlementConflict):
                await store.store_alerts(AlertStep(DESK, standing(), 0), at=after(7))
            assert await store.standings() == {DESK: (None, 2)}

        run(place, scenario)

    def test_review_of_an_old_version__writes_no_message_either(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            other = Subject("gauge/support/mailbox.capacity/storage")
            await store.store_alerts(AlertStep(DESK, standing(), 0), at=after(5))

            with pytest.raises(SettlementConflict):
                await store.store_alerts(
                    AlertStep(other, standing(), 0, (alert(1, key="other"),)),
                    AlertStep(DESK, standing(), 0, (alert(1),)),
                    at=after(6),
                )

            assert await claimed(store, 10) == []
            assert other not in await store.standings()

        run(place, scenario)

    def test_alert_of_a_settlement__is_written_with_it_or_not_at_all(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, two = await recorded(store, make_canary(1)), await recorded(store, make_canary(2))
            step = AlertStep(DESK, standing(), 0, (alert(1),))
            told = replace(settlement(judged(one, Verdict.BREACHED), changes=(opened(one),)), alerts=(step,))
            await store.settle(told)

            with pytest.raises(SettlementConflict):
                await store.settle(
                    replace(settlement(judged(two, Verdict.BREACHED), version=1), alerts=(step,))
                )

            assert await claimed(store, 90) == [alert(1)]
            (record,) = await store.find(two.id)
            assert record.verdict is Verdict.PENDING

        run(place, scenario)

    def test_incidents_of_one_concern__get_its_group_and_keep_the_one_they_have(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            one, two = await recorded(store, make_canary(1)), await recorded(store, make_canary(2))
            first, second = incident_of(one), incident_of(two)
            await store.store_progress(
                MAIL, Progress(target=first), version=0, changes=(opened(one),), at=after(5)
            )
            await store.store_progress(MAIL, Progress(), version=1, changes=(opened(two),), at=after(6))

            for version, episode in enumerate(("one", "two")):
                both = standing(concern=concern(incidents=(first.id, second.id)), episode=episode)
                await store.store_alerts(AlertStep(DESK, both, version), at=after(7))

            assert await store.groups([first.id, second.id, second.id]) == {
                first.id: "one",
                second.id: "one",
            }

        run(place, scenario)

    def test_messages_of_one_key__are_handed_out_one_by_one_in_order(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            ending = alert(2, transition=AlertTransition.RESOLVED)
            await store.store_alerts(AlertStep(DESK, None, 0, (ending, alert(1))), at=after(5))

            assert await claimed(store, 10) == [alert(1)]
            assert await claimed(store, 11) == []
            await store.alert_delivered(alert(1).id, at=after(12))
            assert await claimed(store, 13) == [ending]

        run(place, scenario)

    def test_key_that_begins_anew__goes_on_behind_what_it_has_and_loses_no_end(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            again, ended = replace(alert(1), at=after(99)), alert(2, transition=AlertTransition.RESOLVED)
            await store.store_alerts(
                AlertStep(DESK, standing(), 0, (alert(1), alert(2, transition=AlertTransition.CHANGED))),
                at=after(5),
            )
            await store.store_alerts(AlertStep(DESK, standing(), 1, (again,)), at=after(6))
            await store.store_alerts(AlertStep(DESK, None, 2, (ended,)), at=after(7))

            heard = []
            while taken := await claimed(store, 10):
                await store.alert_delivered(taken[0].id, at=after(10))
                heard += taken
            assert [(one.seq, one.transition) for one in heard] == [
                (1, AlertTransition.OPENED),
                (2, AlertTransition.CHANGED),
                (3, AlertTransition.OPENED),
                (4, AlertTransition.RESOLVED),
            ]
            assert len({one.id for one in heard}) == len(heard)

        run(place, scenario)

    def test_message_that_is_written_twice__is_one(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            for version in (0, 1):
                await store.store_alerts(AlertStep(DESK, standing(), version, (alert(1),)), at=after(5))

            assert await claimed(store, 10) == [alert(1)]
            await store.alert_delivered(alert(1).id, at=after(11))
            assert await claimed(store, 12) == []

        run(place, scenario)

    def test_reminder_that_still_waits__is_dropped_for_what_is_newer_than_it(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            opened, ended = alert(1), alert(3, transition=AlertTransition.RESOLVED)
            others = [
                alert(2, transition=AlertTransition.REMINDER, key="other"),
                alert(2, transition=AlertTransition.REMINDER, sink="chat"),
            ]
            reminder = alert(2, transition=AlertTransition.REMINDER)
            await store.store_alerts(AlertStep(DESK, standing(), 0, (opened, reminder, *others)), at=after(5))
            await store.store_alerts(AlertStep(DESK, None, 1, (ended,)), at=after(9))

            assert {one.id for one in await claimed(store, 10)} == {opened.id, *(one.id for one in others)}
            await store.alert_delivered(opened.id, at=after(11))
            assert [one.id for one in await claimed(store, 12)] == [ended.id]

        run(place, scenario)

    def test_reminder_that_is_on_its_way__stays_until_it_is_delivered_and_then_the_end_follows(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            reminder, ended = (
                alert(2, transition=AlertTransition.REMINDER),
                alert(3, transition=AlertTransition.RESOLVED),
            )
            await store.store_alerts(AlertStep(DESK, standing(), 0, (reminder,)), at=after(5))
            assert [one.id for one in await claimed(store, 6)] == [reminder.id]
            await store.store_alerts(AlertStep(DESK, None, 1, (ended,)), at=after(9))

            assert await claimed(store, 10) == []
            await store.alert_delivered(reminder.id, at=after(11))
            assert [one.id for one in await claimed(store, 12)] == [ended.id]

        run(place, scenario)

    def test_message_whose_holder_is_gone__is_handed_out_again_when_its_lease_has_run_out(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1),)), at=after(5))

            assert await claimed(store, 10, lease=30) == [alert(1)]
            assert await claimed(store, 39) == []
            assert await claimed(store, 41) == [alert(1)]

        run(place, scenario)

    def test_message_that_another_took_when_its_lease_had_run_out__is_no_more_its_first_holders(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            async def renewed(holder: str, seconds: float) -> bool:
                return await store.renew_alert(alert(1).id, holder=holder, lease_until=after(seconds))

            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1),)), at=after(5))
            assert not await renewed("host-a", 40)
            await claimed(store, 10, lease=30)
            assert await renewed("host-a", 60)
            assert await claimed(store, 45) == []
            (taken,) = await store.claim_alerts(
                after(61), sinks=["pager"], holder="host-b", lease_until=after(91), limit=1
            )
            assert taken.alert == alert(1)

            assert not await renewed("host-a", 120)
            await store.alert_deferred(alert(1).id, next_at=after(62), error="503", holder="host-a")
            await store.alert_given_up(alert(1).id, at=after(63), error="400", holder="host-a")
            assert await claimed(store, 64) == []
            assert (await store.outbox())["pager"] == OutboxState(pending=1, oldest_at=after(5))
            await store.alert_deferred(alert(1).id, next_at=after(65), error="503", holder="host-b")
            assert await claimed(store, 66) == [alert(1)]
            await store.alert_delivered(alert(1).id, at=after(67))
            assert not await renewed("host-a", 120)

        run(place, scenario)

    def test_message_that_was_never_tried__is_not_held_back_by_a_clock_that_is_set_back(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1),)), at=after(10800))

            assert await claimed(store, 5) == [alert(1)]
            await store.alert_deferred(alert(1).id, next_at=after(60), error="503")
            assert await claimed(store, 50) == []

        run(place, scenario)

    def test_sink_that_is_down__holds_up_no_other_and_its_messages_wait(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            chat = alert(1, sink="chat")
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), chat)), at=after(5))
            await claimed(store, 10)
            await store.alert_deferred(alert(1).id, next_at=after(60), error="503")
            await store.alert_delivered(chat.id, at=after(11))

            assert await claimed(store, 50) == []
            assert await store.outbox(dead_since=after(0)) == {
                "pager": OutboxState(pending=1, oldest_at=after(5), last_error="503")
            }
            assert await claimed(store, 61) == [alert(1)]
            (again,) = await store.claim_alerts(
                after(100), sinks=["pager"], holder="b", lease_until=after(130), limit=1
            )
            assert (again.attempts, again.written_at) == (1, after(5))

        run(place, scenario)

    def test_messages_of_sinks_that_are_no_more__are_given_up_once_they_are_old(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            chat = alert(1, sink="chat")
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), chat)), at=after(5))

            assert await store.give_up_alerts(but=["chat"], before=after(5), at=after(9), error="gone") == 0
            assert await store.give_up_alerts(but=["chat"], before=after(6), at=after(9), error="gone") == 1
            assert await store.give_up_alerts(but=["chat"], before=after(6), at=after(9), error="gone") == 0

            assert await store.outbox(dead_since=after(0)) == {
                "pager": OutboxState(dead=1, last_error="gone", refused_at=after(5)),
                "chat": OutboxState(pending=1, oldest_at=after(5)),
            }
            assert await store.give_up_alerts(but=[], before=after(6), at=after(9), error="gone") == 1

        run(place, scenario)

    def test_message_that_did_not_reach_everybody__is_over_and_told_of_for_a_while(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            chat = alert(1, sink="chat")
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), chat)), at=after(5))
            await store.alert_delivered(alert(1).id, at=after(11), refused="b@acme.example: 550 nobody")
            await store.alert_delivered(chat.id, at=after(11))

            assert await claimed(store, 50) == []
            assert await store.outbox(dead_since=after(0)) == {
                "pager": OutboxState(partial=1, last_error="b@acme.example: 550 nobody", refused_at=after(5))
            }
            assert await store.outbox(dead_since=after(6)) == {}

        run(place, scenario)

    def test_sink_that_asked_for_a_pause__gets_nothing_before_its_end_whoever_asks(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            chat = alert(1, sink="chat")
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), chat)), at=after(5))
            await store.pause_sink("pager", at=after(600), until=after(900))
            await store.pause_sink("pager", at=after(600), until=after(660))
            await store.store_alerts(AlertStep(DESK, None, 1, (alert(1, key="two"),)), at=after(601))

            assert await claimed(store, 650) == [chat]
            assert len(await claimed(store, 660, "pager", lease=1)) == 2
            # A clock that was set back: nobody waits for a time that comes once more.
            await store.pause_sink("pager", at=after(7200), until=after(7260))
            assert len(await claimed(store, 700, "pager")) == 2

        run(place, scenario)

    def test_sink_that_takes_again__may_have_at_once_what_waits_for_it(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            others = [alert(1, key=key) for key in ("a", "b")]
            chat = alert(1, sink="chat")
            await store.store_alerts(AlertStep(DESK, standing(), 0, (*others, chat)), at=after(5))
            for one in (others[1], chat):
                await store.alert_deferred(one.id, next_at=after(300), error="503")
            assert await claimed(store, 10) == [others[0]]

            await store.alert_delivered(others[0].id, at=after(11), wakes_others=True)

            assert await claimed(store, 12) == [others[1]]

        run(place, scenario)

    def test_sink_that_took_something_after_what_it_refused__is_said_to_take_others(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1, key="a"),)), at=after(5))
            await store.alert_given_up(alert(1, key="a").id, at=after(6), error="550 nobody")
            assert not (await store.outbox())["pager"].takes_others

            await store.store_alerts(AlertStep(DESK, standing(), 1, (alert(1, key="b"),)), at=after(7))
            await store.alert_delivered(alert(1, key="b").id, at=after(8))

            assert (await store.outbox())["pager"] == OutboxState(
                dead=1, takes_others=True, last_error="550 nobody", refused_at=after(5)
            )

        run(place, scenario)

    def test_sink_that_is_not_asked_for__keeps_its_messages(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1),)), at=after(5))

            assert await claimed(store, 10, "chat") == []
            assert await claimed(store, 10, "pager") == [alert(1)]

        run(place, scenario)

    def test_message_that_is_given_up__is_dead_counted_once_and_lets_the_next_one_pass(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            ending = alert(2, transition=AlertTransition.RESOLVED)
            await store.store_alerts(AlertStep(DESK, None, 0, (alert(1), ending)), at=after(5))
            await claimed(store, 10)

            for _ in range(2):
                await store.alert_given_up(alert(1).id, at=after(11), error="400 invalid key")
                await store.alert_delivered(alert(1).id, at=after(12))

            assert (await store.outbox(dead_since=after(0)))["pager"] == OutboxState(
                pending=1, oldest_at=after(5), dead=1, last_error="400 invalid key", refused_at=after(5)
            )
            assert (await store.outbox(dead_since=after(6)))["pager"].dead == 0
            assert (await store.outbox())["pager"].dead == 1
            assert await claimed(store, 20) == [ending]
            sent = await figure(store, "intake.prober.alerts.sent", sink="pager", outcome="dead")
            assert sent == 1
            assert await figure(store, "intake.prober.alerts.sent", sink="pager", outcome="delivered") is None

        run(place, scenario)

    def test_page_that_was_given_up__is_tried_again_and_dead_until_it_is_taken(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            others = (
                alert(2, transition=AlertTransition.REMINDER),
                alert(1, key="note", severity=Severity.TICKET),
            )
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), *others)), at=after(5))
            for number in (1, 2):
                await store.alert_given_up(alert(number).id, at=after(11), error="400 invalid key")
            keys = [alert(1).key, "note", "unknown"]
            first = Opening(alert(1).id, alert(1).key, "pager", after(5), False, after(11), "400 invalid key")
            assert await store.page_openings(keys) == [first]

            for minute in (5, 10):
                await store.try_again([first.id], at=after(60 * minute))
                assert (await store.outbox())["pager"].dead == 2
                assert alert(1) in await claimed(store, 60 * minute)
                await store.alert_given_up(first.id, at=after(60 * minute + 1), error="400 invalid key")
            assert await store.page_openings(keys) == [replace(first, given_up_at=after(601))]
            assert await figure(store, "intake.prober.alerts.sent", sink="pager", outcome="dead") == 2

            await store.try_again([first.id], at=after(900))
            assert alert(1) in await claimed(store, 900)
            await store.alert_delivered(first.id, at=after(901))
            assert [(one.is_taken, one.error) for one in await store.page_openings(keys)] == [(True, None)]

        run(place, scenario)

    def test_page_that_is_tried_again__comes_before_its_end_and_is_not_tried_once_that_is_written(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            ended = alert(2, transition=AlertTransition.RESOLVED)
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1),)), at=after(5))
            await store.alert_given_up(alert(1).id, at=after(11), error="400 invalid key")
            await store.try_again([alert(1).id], at=after(12))
            await store.store_alerts(AlertStep(DESK, None, 1, (ended,)), at=after(13))

            assert await claimed(store, 14) == [alert(1)]
            assert await claimed(store, 15) == []
            await store.alert_given_up(alert(1).id, at=after(16), error="400 invalid key")
            await store.try_again([alert(1).id], at=after(17))
            assert await store.page_openings([alert(1).key]) == []
            assert await claimed(store, 18) == [ended]

        run(place, scenario)

    def test_page_of_which_a_sink_took_a_later_message__is_taken(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            reminder = alert(2, transition=AlertTransition.REMINDER)
            await store.store_alerts(AlertStep(DESK, standing(), 0, (alert(1), reminder)), at=after(5))
            await store.alert_given_up(alert(1).id, at=after(11), error="400 too long")
            await store.alert_delivered(reminder.id, at=after(12))

            assert [one.is_taken for one in await store.page_openings([alert(1).key])] == [True]

        run(place, scenario)

    def test_pages__are_counted_by_concern_not_by_sink(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            messages = (
                alert(1),
                alert(1, sink="chat"),
                alert(2, transition=AlertTransition.REMINDER),
                alert(1, key="two"),
                alert(1, key="three", severity=Severity.TICKET),
            )
            await store.store_alerts(AlertStep(DESK, standing(), 0, messages), at=after(5))

            assert await store.pages_since(after(0), until=after(5)) == 2
            assert await store.pages_since(after(6), until=after(9)) == 0
            assert await store.pages_since(after(0), until=after(4)) == 0

        run(place, scenario)

    def test_silence__is_kept_until_it_ends_or_is_ended(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            short = Silence(SilenceId("a"), MAIL, after(0), after(60), "mailbox is moved", "pat", after(0))
            long = replace(short, id=SilenceId("b"), begins_at=after(100), ends_at=after(600))
            for one in (long, short, short):
                await store.add_silence(one)

            assert await store.silences(after(10)) == [short, long]
            assert await store.silences(after(60)) == [long]
            assert await store.end_silence(long.id, at=after(200)) is True
            assert await store.end_silence(long.id, at=after(201)) is False
            assert await store.silences(after(199)) == [replace(long, ends_at=after(200))]
            assert await store.silences(after(200)) == []

        run(place, scenario)

    def test_days__count_first_verdicts_what_became_of_breaches_and_the_seconds(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            good, bad = await recorded(store, make_canary(1)), await recorded(store, make_canary(2))
            tomorrow = await recorded(store, make_canary(3, launched_at=after(86400)))
            await store.settle(settlement(judged(good, Verdict.CONFIRMED, seconds=12.5)))
            await store.settle(settlement(judged(bad, Verdict.BREACHED), version=1))
            await store.settle(
                settlement(judged(bad, Verdict.LATE, seconds=700.0), expected=Verdict.BREACHED, version=1)
            )
            await store.settle(settlement(judged(tomorrow, Verdict.INCONCLUSIVE), version=1))

            first, second = await store.days(MAIL, since=after(0))

            assert first.day == after(0).replace(hour=0)
            assert first.verdicts == {Verdict.CONFIRMED: 1, Verdict.BREACHED: 1, Verdict.LATE: 1}
            assert [index for index, count in enumerate(first.counts) if count] == [3, 9]
            assert (second.day - first.day, second.verdicts) == (
                timedelta(days=1),
                {Verdict.INCONCLUSIVE: 1},
            )
            assert await store.days(MAIL, since=after(2 * 86400)) == []

        run(place, scenario)

    def test_points__are_a_paths_canaries_newest_first_with_their_seconds(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1))
            two = await recorded(store, make_canary(2, launched_at=after(60)))
            await store.settle(settlement(judged(one, Verdict.CONFIRMED, seconds=12.5)))

            points = await store.points(MAIL, since=after(0), limit=5)

            assert [(point.canary_id, point.launched_at) for point in points] == [
                (two.id, after(60)),
                (one.id, after(0)),
            ]
            assert [(point.verdict, point.seconds) for point in points] == [
                (Verdict.PENDING, None),
                (Verdict.CONFIRMED, 12.5),
            ]
            assert await store.points(MAIL, since=after(30), limit=1) == [points[0]]

        run(place, scenario)
