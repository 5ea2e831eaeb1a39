"""What every store must do: canaries, observations, slots and verdicts. The rest is in `store_contract_more`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from canary.canary import Token
from canary.incident import Progress
from canary.observation import Depth, Outcome
from canary.path import bisect_name
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import CanaryQuery, SettlementConflict, Store, StoreError
from tests.contracts.store_cases import (
    BLAMED,
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
    seen_at,
    settlement,
)


def run(place: StorePlace, scenario: Callable[[Store], Awaitable[None]]) -> None:
    """Play a scenario with one open store."""

    async def main() -> None:
        async with place.open() as store:
            await scenario(store)

    asyncio.run(main())


class CanaryContract:
    """Recording, launching, finding. A subclass gives the fixture ``place``."""

    def test_recorded_canary__is_outstanding_pending_and_counted_as_launched(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())

            (record,) = await store.outstanding(NOON)

            assert record.canary == canary
            assert (record.verdict, record.launch_ended, record.is_clean) == (Verdict.PENDING, False, False)
            assert await figure(store, "intake.canary.launched", path=MAIL, channel="email") == 1

        run(place, scenario)

    def test_launches__are_counted_a_sender_and_its_paths_since_a_time(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1))
            await recorded(store, make_canary(2, launched_at=after(100)))
            await recorded(store, make_canary(3, path=FORM, launched_at=after(100)))

            assert await store.launched_since(NOON, sender=one.sender, paths=[MAIL]) == 2
            assert await store.launched_since(after(50), sender=one.sender, paths=[MAIL, FORM]) == 2
            assert await store.launched_since(NOON, sender="nobody@probe.example", paths=[MAIL]) == 0
            assert await store.launched_since(NOON, sender=one.sender, paths=[]) == 0

        run(place, scenario)

    def test_recorded_twice__is_one_canary_counted_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await recorded(store, canary)

            assert len(await store.outstanding(NOON)) == 1
            assert await figure(store, "intake.canary.launched", path=MAIL, channel="email") == 1

        run(place, scenario)

    def test_another_canary_of_the_same_id_or_token__is_refused(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())

            with pytest.raises(StoreError, match="another canary"):
                await recorded(store, replace(canary, token=Token("k" + "b" * 36)))
            with pytest.raises(StoreError, match="another canary"):
                await recorded(store, replace(make_canary(2), token=canary.token))

            assert [one.canary for one in await store.outstanding(NOON)] == [canary]

        run(place, scenario)

    def test_what_is_stored__comes_back_as_it_was_after_opening_again(self, place: StorePlace) -> None:
        canary = replace(make_canary(), slot_at=NOON, by_hand=True, sender="ü€@probe.example")
        seen = replace(
            seen_at(canary),
            detail="a\x00b \ud800 ü",
            facts={"server.address": "mx", "server.port": 25, "x": 1.5, "y": True},
            remote_at=after(1.000001),
        )

        async def write(store: Store) -> None:
            await recorded(store, canary)
            await store.append(seen)

        async def read(store: Store) -> None:
            assert (await store.outstanding(NOON))[0].canary == canary
            assert list(await store.observations(canary.id)) == [seen]

        run(place, write)
        run(place, read)

    def test_launch_without_end__is_abandoned_only_when_its_lease_ran_out(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            lost = await recorded(store, make_canary(1), lease=30)
            kept = await recorded(store, make_canary(2), lease=30)
            ended = await recorded(store, make_canary(3), lease=30)
            await store.launch_ended(ended.id)
            await store.launch_ended(ended.id)
            await store.renew([kept.id, ended.id], holder="host-a", lease_until=after(60))
            await store.renew([lost.id], holder="host-b", lease_until=after(60))

            assert list(await store.abandoned(after(29))) == []
            assert list(await store.abandoned(after(30))) == [lost]
            assert list(await store.abandoned(after(60))) == [lost, kept]
            assert (await store.find(ended.id))[0].launch_ended

        run(place, scenario)

    def test_find__knows_the_beginning_of_an_id_the_token_and_the_trace(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first = await recorded(store, make_canary(1))
            second = await recorded(store, make_canary(2, launched_at=after(10)))

            assert [one.canary for one in await store.find(first.id[:9])] == [first]
            assert [one.canary for one in await store.find(second.token.upper())] == [second]
            assert [one.canary for one in await store.find(first.trace_id)] == [first]
            assert [one.canary for one in await store.find(first.id[:5])] == [second, first]
            assert [one.canary for one in await store.find(first.id[-6:])] == [first]
            assert [one.canary for one in await store.find(second.id[-15:])] == [second]
            assert list(await store.find(first.id[-5:])) == []
            assert list(await store.find(f"7{first.id[-6:]}")) == []
            assert list(await store.find(f"a{first.id}")) == []
            for stranger in ("", "%", "_", "zzzz", "' or 1=1", first.token + "x"):
                assert list(await store.find(stranger)) == []

        run(place, scenario)

    def test_find_by_a_letter_that_many_begin_with__is_the_newest_hundred(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            every = [make_canary(n, launched_at=after(n)) for n in range(1100)]
            for few in (130, 1100):
                await store.record(*every[:few], holder="test", lease_until=after(30))
                letter = every[0].id[:1]

                found = [one.canary.id for one in await store.find(letter)]

                assert found == [one.id for one in every[few - 100 : few]][::-1]

        run(place, scenario)

    def test_history__is_filtered_newest_first_and_limited(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            mails = [await recorded(store, make_canary(n, launched_at=after(n))) for n in range(4)]
            form = await recorded(store, make_canary(9, path=FORM))
            await store.settle(settlement(judged(mails[1], Verdict.CONFIRMED)))

            async def asked(query: CanaryQuery) -> list[str]:
                return [one.canary.id for one in await store.canaries(query)]

            assert await asked(CanaryQuery(path=MAIL, limit=2)) == [mails[3].id, mails[2].id]
            assert await asked(CanaryQuery(path=FORM)) == [form.id]
            assert await asked(CanaryQuery(verdict=Verdict.CONFIRMED)) == [mails[1].id]
            assert await asked(CanaryQuery(path=MAIL, since=after(2))) == [mails[3].id, mails[2].id]

        run(place, scenario)

    def test_known__gives_only_those_that_are_there_however_many_are_asked(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            strangers = [make_canary(n).id for n in range(2, 1500)]

            assert dict(await store.known([*strangers, canary.id])) == {canary.id: canary}
            assert dict(await store.known([])) == {}

        run(place, scenario)


class ObservationContract:
    """Each fact once; looks in vain in one row."""

    def test_observation_of_an_unknown_canary__is_refused(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            with pytest.raises(StoreError, match="no canary"):
                await store.append(seen_at(make_canary()))
            assert list(await store.observations(CanaryId("nobody"))) == []

        run(place, scenario)

    def test_same_fact_twice__is_kept_and_counted_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())

            assert await store.append(seen_at(canary, outcome=Outcome.FAILED)) == [True]
            assert await store.append(seen_at(canary, outcome=Outcome.FAILED)) == [False]
            assert await store.append(seen_at(canary, outcome=Outcome.FAILED, attempt=2, seconds=0.75)) == [
                True
            ]

            assert [one.attempt for one in await store.observations(canary.id)] == [2, 1]
            hop = {"path": MAIL, "hop": "dns", "outcome": "failed"}
            assert await figure(store, "intake.hop.observations", **hop, evidence="observed") == 2
            assert await figure(store, "intake.hop.duration", **hop) == 2

        run(place, scenario)

    def test_several_facts_at_once__are_kept_and_counted_each(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first = await recorded(store, make_canary(0))
            second = await recorded(store, make_canary(1))
            facts = [seen_at(first), seen_at(second), seen_at(first), looked(second, 10)]

            assert await store.append(*facts) == [True, True, False, True]

            assert len(await store.observations(first.id)) == 1
            assert len(await store.observations(second.id)) == 2
            hop = {"path": MAIL, "hop": "dns", "outcome": "ok"}
            assert await figure(store, "intake.hop.observations", **hop, evidence="observed") == 2
            assert await figure(store, "intake.hop.duration", **hop) == 2

        run(place, scenario)

    def test_facts_of_several_canaries__are_read_together_each_by_the_time_it_ended(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            one, two, three = [await recorded(store, make_canary(number)) for number in range(3)]
            await store.append(looked(two, 10), seen_at(one), seen_at(two))

            seen = await store.observations_of([one.id, two.id, three.id, CanaryId("nobody")])

            assert seen == {
                one.id: [seen_at(one)],
                two.id: [seen_at(two), looked(two, 10)],
                three.id: [],
                CanaryId("nobody"): [],
            }

        run(place, scenario)

    def test_several_facts_of_which_one_cannot_be_kept__leave_nothing(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary(0))

            with pytest.raises(StoreError):
                await store.append(seen_at(canary), seen_at(make_canary(1)))

            assert await store.observations(canary.id) == []

        run(place, scenario)

    def test_unmeasured_hop__counts_but_has_no_duration(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.append(replace(seen_at(canary), seconds=None))

            hop = {"path": MAIL, "hop": "dns", "outcome": "ok"}
            assert await figure(store, "intake.hop.observations", **hop, evidence="observed") == 1
            assert await figure(store, "intake.hop.duration", **hop) is None

        run(place, scenario)

    def test_looks_in_vain_before_the_deadline__renew_one_row_and_count_nothing(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())

            assert await store.append(looked(canary, 10, detail="first")) == [True]
            assert await store.append(looked(canary, 50, detail="last")) == [False]
            assert await store.append(looked(canary, 30, detail="told late")) == [False]

            (seen,) = await store.observations(canary.id)
            assert (seen.began_at, seen.ended_at, seen.detail) == (after(10), after(51), "last")
            assert [one.name for one in await store.samples()] == ["intake.canary.launched"]

        run(place, scenario)

    def test_first_complete_look_after_the_deadline__stands_for_good(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            deadline_look = looked(canary, 601, depth=Depth.DEADLINE)
            await store.append(looked(canary, 10))
            await store.append(deadline_look)
            await store.append(looked(canary, 700, depth=Depth.DEADLINE))

            assert list(await store.observations(canary.id)) == [looked(canary, 10), deadline_look]

        run(place, scenario)

    def test_blind_looks_after_the_deadline__span_from_the_first_to_the_last(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            for seconds in (601, 615, 640):
                await store.append(looked(canary, seconds, depth=Depth.DEADLINE, is_blind=True))
            await store.append(looked(canary, 650, depth=Depth.DEADLINE, is_complete=False))

            blind, partial = await store.observations(canary.id)
            assert (blind.began_at, blind.ended_at) == (after(601), after(641))
            assert blind.reason is Reason.TICKET_API_UNREADABLE
            assert (partial.began_at, partial.ended_at) == (after(650), after(651))

        run(place, scenario)


class SettlingContract:
    """Verdicts move forward once; everything that follows from one is stored with it."""

    def test_bisect_canary__counts_as_a_verdict_and_in_no_slo(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            hidden = bisect_name(MAIL)
            canary = await recorded(store, replace(make_canary(), path=hidden))

            await store.settle(settlement(judged(canary, Verdict.CONFIRMED)))

            verdicts = await figure(
                store,
                "intake.canary.verdicts",
                path=hidden,
                channel=canary.channel,
                verdict="confirmed",
            )
            assert verdicts == 1
            assert await figure(store, "intake.slo.eligible", path=hidden) is None
            assert await figure(store, "intake.slo.good", path=hidden) is None

        run(place, scenario)

    def test_confirmed__is_stored_counted_and_good_for_the_slo(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            judgement = judged(canary, Verdict.CONFIRMED, seconds=42.0)
            await store.settle(settlement(judgement))

            (record,) = await store.find(canary.id)
            assert record.judgement == judgement
            labels = {"path": MAIL, "channel": "email", "verdict": "confirmed"}
            assert await figure(store, "intake.canary.verdicts", **labels) == 1
            assert await figure(store, "intake.canary.duration", **labels) == 1
            assert await figure(store, "intake.slo.good", path=MAIL) == 1
            assert await figure(store, "intake.slo.eligible", path=MAIL) == 1

        run(place, scenario)

    def test_breached_then_late__counts_both_but_once_in_the_slo(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.BREACHED)))
            late = judged(canary, Verdict.LATE, seconds=900.0)
            await store.settle(settlement(late, expected=Verdict.BREACHED, version=1))

            await self._counted(store, breached=1, late=1, lost=None)

        run(place, scenario)

    def test_late_at_once__counts_as_breached_and_late(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.LATE, seconds=900.0)))

            await self._counted(store, breached=1, late=1, lost=None)

        run(place, scenario)

    async def _counted(self, store: Store, **verdicts: int | None) -> None:
        for verdict, number in verdicts.items():
            labels = {"path": MAIL, "channel": "email", "verdict": verdict}
            assert await figure(store, "intake.canary.verdicts", **labels) == number
        failure = {"path": MAIL, "hop": "ticket.created", "reason": "not_seen"}
        assert await figure(store, "intake.canary.failures", **failure) == 1
        assert await figure(store, "intake.slo.eligible", path=MAIL) == 1
        assert await figure(store, "intake.slo.good", path=MAIL) is None

    def test_inconclusive__is_in_neither_figure_of_the_slo(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.INCONCLUSIVE)))

            assert await figure(store, "intake.slo.eligible", path=MAIL) is None
            assert await figure(store, "intake.slo.good", path=MAIL) is None

        run(place, scenario)

    def test_judged_again_without_a_new_verdict__is_stored_and_counts_nothing(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.BREACHED)))
            before = await store.samples()
            sharper = replace(
                judged(canary, Verdict.BREACHED), stop=replace(BLAMED, reason=Reason.BACKLOG_GROWING)
            )
            await store.settle(settlement(sharper, expected=Verdict.BREACHED, version=99))

            assert (await store.find(canary.id))[0].judgement == sharper
            assert list(await store.samples()) == list(before)

        run(place, scenario)

    def test_verdict_that_is_no_longer_the_one_read__is_a_conflict(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.CONFIRMED)))
            before = await store.samples()

            with pytest.raises(SettlementConflict):
                await store.settle(settlement(judged(canary, Verdict.BREACHED), version=1))
            with pytest.raises(SettlementConflict):
                await store.settle(settlement(judged(make_canary(7), Verdict.BREACHED), version=1))

            assert (await store.find(canary.id))[0].verdict is Verdict.CONFIRMED
            assert list(await store.samples()) == list(before)

        run(place, scenario)

    def test_judgement_of_the_same_verdict_that_is_no_longer_the_one_read__is_a_conflict(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            first = judged(canary, Verdict.BREACHED)
            sharper = replace(first, stop=replace(BLAMED, reason=Reason.BACKLOG_GROWING))
            again = replace(settlement(sharper, expected=Verdict.BREACHED, version=1), replaces=first)
            await store.settle(settlement(first))
            await store.settle(again)

            with pytest.raises(SettlementConflict):
                await store.settle(replace(again, judgement=first))

            assert (await store.find(canary.id))[0].judgement == sharper

        run(place, scenario)

    @pytest.mark.parametrize("stored", [Verdict.CONFIRMED, Verdict.INCONCLUSIVE, Verdict.LATE, Verdict.LOST])
    def test_final_verdict__never_moves(self, place: StorePlace, stored: Verdict) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, stored)))

            for other in set(Verdict) - {stored}:
                with pytest.raises(SettlementConflict):
                    await store.settle(settlement(judged(canary, other), expected=stored, version=1))

        run(place, scenario)

    def test_progress_that_is_no_longer_the_one_read__is_a_conflict_and_nothing_is_stored(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            first, second = await recorded(store, make_canary(1)), await recorded(store, make_canary(2))
            progress = Progress(confirmed_at=NOON)
            await store.settle(settlement(judged(first, Verdict.CONFIRMED), progress=progress))
            before = await store.samples()

            with pytest.raises(SettlementConflict):
                await store.settle(settlement(judged(second, Verdict.CONFIRMED), progress=progress))

            assert await store.progress(MAIL) == (progress, 1)
            assert await store.progress(FORM) == (Progress(), 0)
            assert (await store.find(second.id))[0].verdict is Verdict.PENDING
            assert list(await store.samples()) == list(before)

        run(place, scenario)

    def test_incident__opens_with_the_verdict_and_is_counted_with_its_delay(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            incident = incident_of(canary)
            await store.settle(
                settlement(
                    judged(canary, Verdict.BREACHED),
                    progress=Progress(target=incident),
                    changes=(opened(canary),),
                    at=661,
                )
            )

            assert list(await store.incidents(path=MAIL, since=None, limit=5)) == [incident]
            assert await figure(store, "intake.incidents", path=MAIL, blame="ticket.created") == 1
            assert await figure(store, "intake.incident.detection.delay", path=MAIL) == 1
            (delay,) = [one for one in await store.samples() if one.name == "intake.incident.detection.delay"]
            assert delay.value == 661

        run(place, scenario)

    def test_path_facts__say_when_it_was_last_heard_of(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            nothing = await store.path_facts(MAIL)
            assert (nothing.last_launch_at, nothing.last_verdict_at, nothing.verdicts) == (None, None, ())
            for number in range(12):
                canary = await recorded(store, make_canary(number, launched_at=after(number)))
                verdict = Verdict.CONFIRMED if number < 5 else Verdict.INCONCLUSIVE
                await store.settle(
                    settlement(judged(canary, verdict, at=100 + number), version=min(number, 1))
                )

            facts = await store.path_facts(MAIL)

            assert facts.last_launch_at == after(11)
            assert facts.last_verdict_at == after(111)
            assert facts.last_success_at == after(104)
            assert [at for at, _ in facts.verdicts] == [after(100 + n) for n in range(11, 1, -1)]
            assert facts.verdicts[-1][1] is Verdict.CONFIRMED

        run(place, scenario)

    def test_breached_canary__stays_outstanding_until_its_horizon_even_when_clean(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            await store.settle(settlement(judged(canary, Verdict.BREACHED)))
            await store.finish_clean(canary.id, at=after(700))

            assert [one.canary.id for one in await store.outstanding(after(86399))] == [canary.id]
            assert list(await store.outstanding(after(86400))) == []
            assert (await store.find(canary.id))[0].is_clean

        run(place, scenario)
