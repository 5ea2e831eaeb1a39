"""What every store must do: incidents, cleaning, gauges, counters, races, cancellation."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from canary.blame import HopResult
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.incident import Change, Progress, Transition
from canary.observation import Evidence, Outcome
from canary.path import PathName
from canary.slot import Slot
from canary.ticket import TicketId, TicketRef
from canary.verdict import Verdict
from runners.contracts import BEGUN, Settlement, SettlementConflict, Store, StoreError, TriedRemoval
from tests.contracts.store_cases import (
    FORM,
    MAIL,
    NOON,
    StorePlace,
    after,
    figure,
    incident_of,
    judged,
    looked,
    make_canary,
    opened,
    recorded,
    removal,
    seen_at,
    settlement,
)
from tests.contracts.store_contract import run

TICKET = TicketRef("desk", TicketId("17"), "https://desk.example/17")


class IncidentContract:
    """Incidents that no verdict changed, and the list of them."""

    def test_retired_incident__is_stored_with_what_happened_to_it(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = make_canary()
            incident = incident_of(canary)
            await store.store_progress(
                MAIL, Progress(target=incident), version=0, changes=[opened(canary)], at=after(660)
            )
            ended = replace(incident, resolved_at=after(900), is_retired=True)
            await store.store_progress(
                MAIL, Progress(), version=1, changes=[Change(ended, Transition.RETIRED)], at=after(900)
            )

            assert list(await store.incidents(path=None, since=None, limit=9)) == [ended]
            assert list(await store.transitions(incident.id)) == [
                (after(660), Transition.OPENED),
                (after(900), Transition.RETIRED),
            ]
            with pytest.raises(SettlementConflict):
                await store.store_progress(MAIL, Progress(), version=1, changes=[], at=after(901))

        run(place, scenario)

    def test_path_names__are_those_of_kept_canaries_and_of_open_incidents(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert list(await store.path_names()) == []
            for number, path in enumerate(("b-path", "a-path", "b-path")):
                await recorded(store, replace(make_canary(number), path=PathName(path)))
            incident = replace(incident_of(make_canary(9)), path=PathName("c-path"))
            await store.store_progress(
                incident.path, Progress(target=incident), version=0,
                changes=[Change(incident, Transition.OPENED)], at=after(660),
            )  # fmt: skip

            assert list(await store.path_names()) == ["a-path", "b-path", "c-path"]

        run(place, scenario)

    def test_open_incident__is_listed_as_the_fold_last_saw_it(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first = await recorded(store, make_canary(1))
            grown = incident_of(first, failures=7)
            await store.store_progress(
                MAIL, Progress(target=incident_of(first)), version=0, changes=[opened(first)], at=after(660)
            )
            await store.settle(
                settlement(judged(first, Verdict.BREACHED), progress=Progress(target=grown), version=1)
            )

            assert [one.failures for one in await store.incidents(path=MAIL, since=None, limit=1)] == [7]

        run(place, scenario)

    def test_incidents__open_ones_always_and_ended_ones_by_time_and_limit(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            changes = []
            for number in range(4):
                one = incident_of(make_canary(number, launched_at=after(number)))
                one = replace(one, opened_at=after(100 * number))
                ended = replace(one, resolved_at=after(100 * number + 50))
                changes.append(
                    Change(one, Transition.OPENED) if number == 0 else Change(ended, Transition.RESOLVED)
                )
            await store.store_progress(MAIL, Progress(), version=0, changes=changes, at=after(500))

            async def opened_at(since: float | None, limit: int) -> list[float]:
                found = await store.incidents(
                    path=MAIL, since=None if since is None else after(since), limit=limit
                )
                return [(one.opened_at - NOON).total_seconds() for one in found]

            assert await opened_at(None, 9) == [300, 200, 100, 0]
            assert await opened_at(None, 2) == [300, 0]
            assert await opened_at(240, 9) == [300, 200, 0]
            assert await opened_at(9999, 0) == [0]
            assert list(await store.incidents(path=FORM, since=None, limit=9)) == []

        run(place, scenario)


class CleaningContract:
    """What is left over, and the audit."""

    def test_removal_that_is_begun__is_a_line_of_the_audit_and_nothing_else(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            begun = removal(canary.id, what="", outcome=BEGUN)
            await store.note_begun(begun, removal(make_canary(2).id, what="", outcome=BEGUN))
            await store.note_begun(begun)

            assert len(await store.audit(since=None, limit=9)) == 2
            assert list(await store.leftovers()) == []
            assert await store.disposals_since("desk", NOON) == 0
            labels = {"path": MAIL, "kind": "ticket", "outcome": BEGUN}
            assert await figure(store, "intake.cleanup.attempts", **labels) is None

        run(place, scenario)

    def test_removal_that_failed__is_left_over_until_it_is_done(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.note_removed(
                TriedRemoval(removal(canary.id, outcome="failed", at=50), next_at=after(80))
            )

            (left,) = await store.leftovers()
            assert (left.canary_id, left.path, left.place, left.what) == (canary.id, MAIL, "desk", "17")
            assert (left.attempts, left.next_at, left.since) == (1, after(80), after(50))

            await store.note_removed(TriedRemoval(removal(canary.id), next_at=None))

            assert list(await store.leftovers()) == []
            labels = {"path": MAIL, "kind": "ticket", "outcome": "done"}
            assert await figure(store, "intake.cleanup.attempts", **labels) == 1

        run(place, scenario)

    def test_failed_removal__is_tried_again_later_and_counted_each_time(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.note_removed(
                TriedRemoval(removal(canary.id, outcome="failed", at=100), next_at=after(130))
            )
            again = replace(removal(canary.id, outcome="failed", at=130), detail="503")
            await store.note_removed(TriedRemoval(again, next_at=after(190)))
            await store.note_removed(TriedRemoval(again, next_at=after(190)))

            (left,) = await store.leftovers()
            assert (left.attempts, left.next_at, left.since) == (2, after(190), after(100))
            assert left.detail == "503"
            assert [one.at for one in await store.audit(since=None, limit=9)] == [after(130), after(100)]
            labels = {"path": MAIL, "kind": "ticket", "outcome": "failed"}
            assert await figure(store, "intake.cleanup.attempts", **labels) == 2

        run(place, scenario)

    def test_removals_that_are_told_together__are_each_kept_and_counted(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, two = await recorded(store, make_canary()), await recorded(store, make_canary(2))
            await store.note_removed(
                TriedRemoval(removal(two.id, outcome="failed", at=50), next_at=after(80)),
                TriedRemoval(removal(one.id, at=50), next_at=None),
                TriedRemoval(removal(one.id, what="18", at=50), next_at=None),
            )
            await store.note_removed()

            assert [left.canary_id for left in await store.leftovers()] == [two.id]
            assert await store.disposals_since("desk", NOON) == 2
            labels = {"path": MAIL, "kind": "ticket", "outcome": "done"}
            assert await figure(store, "intake.cleanup.attempts", **labels) == 2
            await store.finish_clean(one.id, two.id, at=after(60))
            assert list(await store.leftovers()) == []

        run(place, scenario)

    def test_thing_that_was_only_known_to_be_there__is_gone_with_what_was_found(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            vague = removal(canary.id, what="", outcome="failed", at=100)
            await store.note_removed(TriedRemoval(vague, next_at=after(130)))
            await store.note_removed(TriedRemoval(removal(canary.id, at=130), next_at=None))

            assert list(await store.leftovers()) == []

        run(place, scenario)

    def test_finished_canary__has_no_leftovers_and_a_late_ticket_makes_it_outstanding_again(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.LOST)))
            await store.note_removed(
                TriedRemoval(removal(canary.id, outcome="failed", at=50), next_at=after(80))
            )
            await store.finish_clean(canary.id, at=after(60))
            await store.finish_clean(canary.id, at=after(61))
            assert list(await store.leftovers()) == []
            assert list(await store.outstanding(after(62))) == []

            stray = removal(canary.id, what="18", outcome="failed", at=90000)
            await store.note_removed(TriedRemoval(stray, next_at=after(93600)))

            assert [one.what for one in await store.leftovers()] == ["18"]
            assert [one.canary.id for one in await store.outstanding(after(90000))] == [canary.id]

        run(place, scenario)

    def test_removal_of_an_unknown_canary__is_audited_all_the_same(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            entry = removal(make_canary().id)
            await store.note_removed(TriedRemoval(entry, next_at=after(130)))

            assert list(await store.audit(since=None, limit=9)) == [entry]
            assert list(await store.leftovers()) == []

        run(place, scenario)

    def test_disposals__are_counted_a_place_since_a_time_and_only_those_that_changed_something(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            outcomes = ["done", "accepted", "failed", "absent", "done"]
            for number, outcome in enumerate(outcomes):
                entry = removal(canary.id, what=str(number), outcome=outcome, at=100 + number)
                await store.note_removed(TriedRemoval(entry, next_at=None))

            assert await store.disposals_since("desk", after(100)) == 3
            assert await store.disposals_since("desk", after(101)) == 2
            assert await store.disposals_since("elsewhere", NOON) == 0
            assert len(await store.audit(since=after(103), limit=9)) == 2
            assert [one.what for one in await store.audit(since=None, limit=1)] == ["4"]

        run(place, scenario)


class GaugeContract:
    """Readings and controls."""

    def test_readings__are_kept_once_in_order_and_the_newest_is_known(self, place: StorePlace) -> None:
        def reading(seconds: float, value: float | None, *, of: str = "support") -> Gauge:
            state = GaugeState.UNKNOWN if value is None else GaugeState.OK
            name, resource = GaugeName.MAILBOX_CAPACITY, Resource.STORAGE
            return Gauge(of, name, value, "By", 4096.0, after(seconds), state, resource, "by QUOTA")

        async def scenario(store: Store) -> None:
            backlog = Gauge(
                "support",
                GaugeName.MAILBOX_BACKLOG,
                3.0,
                "{message}",
                None,
                after(5),
                oldest_at=after(-60),
            )
            await store.add_gauges([])
            await store.add_gauges([reading(20, None), reading(10, 1024.5), backlog])
            await store.add_gauges([reading(10, 9.0), reading(15, 7.0, of="other")])

            found = await store.gauges(
                place="support", name=GaugeName.MAILBOX_CAPACITY, resource=Resource.STORAGE, since=after(10)
            )
            assert list(found) == [reading(10, 1024.5), reading(20, None)]
            assert list(await store.latest_gauges()) == [
                reading(15, 7.0, of="other"),
                backlog,
                reading(20, None),
            ]

        run(place, scenario)

    def test_reading_of_the_future__is_passed_over_where_there_is_another(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            ahead, now, before = (
                Gauge("support", GaugeName.MAILBOX_BACKLOG, float(at), "s", None, after(at))
                for at in (7200, 20, 10)
            )
            await store.add_gauges([ahead])
            assert list(await store.latest_gauges(now=after(20))) == [ahead]

            await store.add_gauges([before, now])
            assert list(await store.latest_gauges(now=after(20))) == [now]
            assert list(await store.latest_gauges(now=after(7200))) == [ahead]

        run(place, scenario)

    def test_control__is_remembered_by_when_it_last_worked(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert await store.control_worked_at("dns:example.org") is None
            await store.note_control("dns:example.org", at=after(1), worked=False)
            assert await store.control_worked_at("dns:example.org") is None
            await store.note_control("dns:example.org", at=after(5), worked=True)
            await store.note_control("dns:example.org", at=after(9), worked=False)
            await store.note_control("dns:example.org", at=after(3), worked=True)

            assert await store.control_worked_at("dns:example.org") == after(5)
            assert await store.control_worked_at("smtp:mx.example.net") is None

        run(place, scenario)

    def test_excuse__is_remembered_by_the_latest_of_any_control(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            for number, control in enumerate(("dns:example.org", "smtp:mx.example.net"), 1):
                await store.note_control(control, at=after(number), worked=False)
            assert await store.excused_at() is None
            await store.note_excuse("dns:example.org", at=after(5))
            await store.note_excuse("smtp:mx.example.net", at=after(4))
            await store.note_control("dns:example.org", at=after(9), worked=True)

            assert await store.excused_at() == after(5)

        run(place, scenario)


class HousekeepingContract:
    """Series from the start, and what is forgotten."""

    def test_seeded_series__are_there_at_zero_and_keep_what_was_counted(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            labels = [{"path": MAIL, "channel": "email"}, {"path": FORM, "channel": "form"}]
            await recorded(store, make_canary())
            await store.seed({"intake.canary.launched": labels}, at=NOON)
            await store.seed({"intake.canary.launched": labels}, at=NOON)
            await store.seed({"intake.incident.detection.delay": [{"path": MAIL}]}, at=NOON)

            assert await figure(store, "intake.canary.launched", path=MAIL, channel="email") == 1
            assert await figure(store, "intake.canary.launched", path=FORM, channel="form") == 0
            assert await figure(store, "intake.incident.detection.delay", path=MAIL) == 0

        run(place, scenario)

    def test_series_that_the_catalogue_does_not_have__is_refused(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            with pytest.raises(ValueError, match="no metric"):
                await store.seed({"intake.canary.typo": [{"path": MAIL}]}, at=NOON)
            with pytest.raises(ValueError, match="labels"):
                await store.seed({"intake.canary.launched": [{"path": MAIL}]}, at=NOON)
            assert list(await store.samples()) == []

        run(place, scenario)

    def test_hops_that_were_watched_for__are_measured_once_at_the_first_verdict(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            hops = (
                HopResult(Hop.SMTP_ACCEPT, Outcome.OK, seconds=9.0),  # was measured when it was appended
                HopResult(Hop.MAILBOX_ARRIVAL, Outcome.OK, Evidence.INFERRED),
                HopResult(Hop.TICKET_CREATED, Outcome.OK, seconds=42.0),
                HopResult(Hop.TICKET_CONTENT, Outcome.UNKNOWN, seconds=1.0),
            )
            breached = replace(judged(canary, Verdict.BREACHED), hops=hops)
            await store.settle(settlement(breached))
            late = replace(judged(canary, Verdict.LATE), hops=hops)
            await store.settle(settlement(late, expected=Verdict.BREACHED, version=1))

            found = [one for one in await store.samples() if one.name == "intake.hop.duration"]
            assert [(one.labels["hop"], one.labels["outcome"], one.value) for one in found] == [
                ("ticket.created", "ok", 42.0)
            ]

        run(place, scenario)

    def test_measured_values__fall_into_their_buckets(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            for number, seconds in enumerate((0.01, 0.011, 7200.0, 7200.5, -3.0), start=1):
                await store.append(replace(seen_at(canary, attempt=number), seconds=seconds))

            (duration,) = [one for one in await store.samples() if one.name == "intake.hop.duration"]
            assert duration.counts == (2, 1, *(0,) * 15, 1, 1)
            assert duration.value == pytest.approx(14400.521)

        run(place, scenario)

    def test_clean_canaries_of_91_days__are_forgotten_and_no_counter_falls(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            old = [await recorded(store, make_canary(n, launched_at=after(n))) for n in range(4)]
            young = await recorded(store, make_canary(9, launched_at=NOON + timedelta(days=5)))
            for number, canary in enumerate([*old[:3], young]):
                await store.append(seen_at(canary))
                judgement = judged(canary, Verdict.CONFIRMED)
                await store.settle(settlement(judgement, version=min(number, 1)))
            for canary in [*old[:2], old[3], young]:
                await store.finish_clean(canary.id, at=after(70))
            await store.note_removed(TriedRemoval(removal(old[0].id), next_at=None))
            await store.claim(Slot(MAIL, NOON), holder="host-a", at=NOON)
            before = await store.samples()

            assert await store.forget(NOON + timedelta(days=91)) == 2
            assert await store.forget(NOON + timedelta(days=91)) == 0

            assert set(await store.known([one.id for one in [*old, young]])) == {
                old[2].id,
                old[3].id,
                young.id,
            }
            assert list(await store.observations(old[0].id)) == []
            assert len(await store.audit(since=None, limit=9)) == 1
            assert list(await store.samples()) == list(before)

        run(place, scenario)

    def test_observation_of_a_canary_that_was_forgotten__is_refused(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.append(seen_at(canary))
            await store.settle(settlement(judged(canary, Verdict.CONFIRMED)))
            await store.finish_clean(canary.id, at=after(70))
            await store.forget(NOON + timedelta(days=91))
            before = await store.samples()

            with pytest.raises(StoreError):
                await store.append(seen_at(canary, attempt=2))

            assert list(await store.observations(canary.id)) == []
            assert list(await store.samples()) == list(before)

        run(place, scenario)


class RaceContract:
    """Two processes at once, and a process that is interrupted."""

    def test_many_claimers_of_one_slot__one_of_them_has_it(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as one, place.open() as other, asyncio.TaskGroup() as group:
                claims = [
                    group.create_task(store.claim(Slot(MAIL, after(slot)), holder=str(number), at=NOON))
                    for slot in range(5)
                    for number, store in enumerate((one, other, one, other))
                ]
            assert sum(claim.result() for claim in claims) == 5

        asyncio.run(main())

    def test_two_settlers_of_one_canary__one_settles_and_the_other_is_told(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as one, place.open() as other:
                for number in range(5):
                    canary = await recorded(one, make_canary(number))
                    version = (await one.progress(MAIL))[1]
                    work = settlement(judged(canary, Verdict.CONFIRMED), progress=Progress(), version=version)
                    async with asyncio.TaskGroup() as group:
                        tries = [group.create_task(_settles(store, work)) for store in (one, other)]
                    assert sorted(done.result() for done in tries) == [False, True]
                verdicts = {"path": MAIL, "channel": "email", "verdict": "confirmed"}
                assert await figure(one, "intake.canary.verdicts", **verdicts) == 5

        asyncio.run(main())

    def test_two_settlers_of_one_path__no_canary_is_missing_in_the_fold(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as one, place.open() as other:
                canaries = [await recorded(one, make_canary(number)) for number in range(6)]

                async def settle_all(store: Store, mine: list[int]) -> None:
                    for number in mine:
                        while True:
                            version = (await store.progress(MAIL))[1]
                            work = settlement(
                                judged(canaries[number], Verdict.CONFIRMED),
                                progress=Progress(),
                                version=version,
                            )
                            if await _settles(store, work):
                                break

                async with asyncio.TaskGroup() as group:
                    group.create_task(settle_all(one, [0, 1, 2]))
                    group.create_task(settle_all(other, [3, 4, 5]))
                assert (await one.progress(MAIL))[1] == 6

        asyncio.run(main())

    def test_everybody_counts_at_once__nothing_is_lost(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as one, place.open() as other:
                canaries = [await recorded(one, make_canary(number)) for number in range(4)]
                async with asyncio.TaskGroup() as group:
                    for canary in canaries:
                        for attempt in range(1, 6):
                            store = one if attempt % 2 else other
                            group.create_task(store.append(seen_at(canary, attempt=attempt)))
                hop = {"path": MAIL, "hop": "dns", "outcome": "ok"}
                assert await figure(one, "intake.hop.observations", **hop, evidence="observed") == 20
                assert await figure(other, "intake.hop.duration", **hop) == 20

        asyncio.run(main())

    @pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34])
    def test_cancelled_in_the_middle_of_a_verb__it_has_happened_whole_or_not_at_all(
        self, place: StorePlace, steps: int
    ) -> None:
        async def main() -> None:
            async with place.open() as store:
                canary = make_canary()
                claim = Slot(MAIL, NOON)
                judgement = settlement(judged(canary, Verdict.CONFIRMED))
                for verb in (
                    lambda: store.record(canary, holder="host-a", lease_until=after(30)),
                    lambda: store.append(seen_at(canary)),
                    lambda: store.append(looked(canary, 5)),
                    lambda: store.launch_ended(canary.id),
                    lambda: store.claim(claim, holder="host-a", at=NOON),
                    lambda: store.note_begun(removal(canary.id, outcome=BEGUN)),
                    lambda: _settles(store, judgement),
                    lambda: store.note_removed(TriedRemoval(removal(canary.id), next_at=None)),
                    lambda: store.finish_clean(canary.id, at=after(70)),
                ):
                    await _cancelled(verb(), steps)
                    await verb()

                assert [one.is_look_in_vain for one in await store.observations(canary.id)] == [False, True]
                assert await store.claim(claim, holder="host-a", at=NOON)
                assert not await store.claim(claim, holder="host-b", at=NOON)
                (record,) = await store.find(canary.id)
                assert (record.verdict, record.launch_ended, record.is_clean) == (
                    Verdict.CONFIRMED,
                    True,
                    True,
                )
                assert list(await store.leftovers()) == []
                assert len(await store.audit(since=None, limit=9)) == 2
                assert {one.name: one.value for one in await store.samples()} == {
                    "intake.canary.launched": 1,
                    "intake.canary.verdicts": 1,
                    "intake.cleanup.attempts": 1,
                    "intake.hop.observations": 1,
                    "intake.hop.duration": 0.5,
                    "intake.slo.eligible": 1,
                    "intake.slo.good": 1,
                }

        asyncio.run(main())


async def _settles(store: Store, work: Settlement) -> bool:
    try:
        await store.settle(work)
    except SettlementConflict:
        return False
    return True


async def _cancelled(work: Coroutine[Any, Any, object], steps: int) -> None:
    """Start a verb and cancel it after so many turns of the loop."""
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    for _ in range(steps):
        turned: asyncio.Future[None] = loop.create_future()
        loop.call_soon(turned.set_result, None)
        await turned
    task.cancel()
    await asyncio.wait([task])
