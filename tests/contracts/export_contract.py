"""What every store must do with traces that are to be sent."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from canary.canary import Canary
from canary.incident import Progress
from canary.verdict import Verdict
from runners.contracts import BEGUN, Store, TriedRemoval
from runners.export_contracts import (
    AFTERMATH,
    KEPT_UNSENT,
    LONGEST_REMOVAL,
    MAIN,
    ExportState,
    PartKey,
    TracePart,
    cleanup_part,
)
from tests.contracts.store_cases import (
    MAIL,
    StorePlace,
    after,
    figure,
    incident_of,
    judged,
    make_canary,
    opened,
    recorded,
    removal,
    seen_at,
    settlement,
)
from tests.contracts.store_contract import run


async def settled(
    store: Store, number: int = 1, verdict: Verdict = Verdict.CONFIRMED, *, at: float = 61
) -> Canary:
    """A canary whose first verdict was stored so many seconds after noon."""
    canary = await recorded(store, make_canary(number))
    await store.append(seen_at(canary))
    _, version = await store.progress(MAIL)
    await store.settle(settlement(judged(canary, verdict), version=version, at=at))
    return canary


async def claimed(
    store: Store, seconds: float = 100, *, holder: str = "host-a", until: float = 160, limit: int = 8
) -> list[TracePart]:
    """What is handed out so many seconds after noon."""
    taken = await store.claim_traces(after(seconds), holder=holder, lease_until=after(until), limit=limit)
    return list(taken)


class ExportContract:
    """Parts of traces: written, claimed, frozen, sent, deferred, given up. A subclass gives the fixture ``place``."""

    def test_first_verdict__is_one_part_to_be_sent(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store)

            assert await claimed(store) == [TracePart(PartKey(canary.id, MAIN), 0)]
            assert (await store.exports()).pending == 1

        run(place, scenario)

    def test_breach_that_turns_out_late__is_another_part(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, verdict=Verdict.BREACHED)
            _, version = await store.progress(MAIL)
            late = settlement(judged(canary, Verdict.LATE), expected=Verdict.BREACHED, version=version, at=90)
            await store.settle(late)

            assert [one.key.part for one in await claimed(store)] == [AFTERMATH, MAIN]

        run(place, scenario)

    def test_each_try_to_clean__is_a_part_of_its_own(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store)
            await store.note_begun(removal(canary.id, what="", outcome=BEGUN, at=99))
            failed = removal(canary.id, outcome="failed", at=100)
            await store.note_removed(TriedRemoval(failed, after(200)))
            later = removal(canary.id, at=101 + LONGEST_REMOVAL.total_seconds())
            await store.note_removed(TriedRemoval(later, None))

            parts = [one.key.part for one in await claimed(store, 1000, until=1060)]
            rows = (await store.trace_rows([canary.id]))[canary.id]

            assert parts == [cleanup_part(2), cleanup_part(1), MAIN]
            assert [(one.outcome, one.begun_at, one.at) for one in rows.removals] == [
                ("failed", after(99), after(100)),
                ("done", None, later.at),
            ]

        run(place, scenario)

    def test_part_that_is_held__is_handed_out_again_only_when_its_lease_ran_out(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)

            assert len(await claimed(store, 100, until=160)) == 1
            assert await claimed(store, 159, holder="host-b", until=220) == []
            assert len(await claimed(store, 160, holder="host-b", until=220)) == 1

        run(place, scenario)

    def test_two_who_ask_at_once__never_get_the_same_part(self, place: StorePlace) -> None:
        async def main() -> list[PartKey]:
            async with place.open() as one, place.open() as other:
                for number in range(1, 7):
                    await settled(one, number)
                async with asyncio.TaskGroup() as group:
                    asking = [
                        group.create_task(claimed(store, holder=holder, limit=4))
                        for store, holder in ((one, "host-a"), (other, "host-b"))
                    ]
            return [part.key for task in asking for part in task.result()]

        keys = asyncio.run(main())

        assert len(keys) == len(set(keys)) >= 4

    def test_newest_part__comes_first(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            old, new = await settled(store, 1, at=61), await settled(store, 2, at=62)

            first = await claimed(store, limit=1)
            second = await claimed(store, limit=1)

            assert [one.key.canary_id for one in (*first, *second)] == [new.id, old.id]

        run(place, scenario)

    def test_part_that_was_sent__is_forgotten_and_never_written_again(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store)
            (part,) = await claimed(store)

            await store.trace_sent(part.key)
            await store.trace_sent(part.key)
            again = settlement(judged(canary, Verdict.CONFIRMED), expected=Verdict.CONFIRMED, version=1)
            await store.settle(again)

            assert await claimed(store, 1000) == []
            assert await store.exports() == ExportState()

        run(place, scenario)

    def test_deferred_part__waits_and_has_counted_its_tries(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            await store.trace_deferred(part.key, at=after(100), next_at=after(130), error="refused")

            assert await claimed(store, 129) == []
            assert await store.exports() == ExportState(1, after(130), 0, "refused")
            assert [one.attempts for one in await claimed(store, 130)] == [1]
            assert await figure(store, "intake.prober.export.errors", prober="fra-1", kind="traces") is None

        run(place, scenario)

    def test_part_that_nobody_was_there_to_take__waits_and_has_no_try_counted(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            await store.trace_deferred(
                part.key, at=after(100), next_at=after(130), error="refused", is_attempt=False
            )

            assert await store.exports() == ExportState(1, after(130), 0, "refused")
            assert [one.attempts for one in await claimed(store, 130)] == [0]

        run(place, scenario)

    def test_errors_of_a_process_that_ends_soon__are_counted_by_its_prober(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            await store.trace_deferred(
                part.key, at=after(100), next_at=after(130), error="refused", prober="fra-1"
            )
            await store.trace_given_up(part.key, at=after(131), error="no", prober="fra-1")
            await store.trace_given_up(part.key, at=after(132), error="no", prober="fra-1")

            assert await figure(store, "intake.prober.export.errors", prober="fra-1", kind="traces") == 2

        run(place, scenario)

    def test_part_that_is_given_up__is_dead_and_seen(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            await store.trace_given_up(part.key, at=after(100), error="400 bad request")
            await store.trace_deferred(part.key, at=after(101), next_at=after(102), error="late word")

            assert await claimed(store, 1000) == []
            assert await store.exports() == ExportState(0, None, 1, "400 bad request")

        run(place, scenario)

    def test_part_that_is_given_back__is_handed_out_at_once_and_not_by_a_stranger(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            await store.release_traces([part.key], holder="host-b")
            assert await claimed(store) == []
            await store.release_traces([part.key], holder="host-a")

            assert await claimed(store) == [part]

        run(place, scenario)

    def test_what_a_part_was_made_of__is_kept_as_it_was_first_made(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)

            assert await store.freeze_traces({part.key: '{"first": "ü"}'}) == {part.key: '{"first": "ü"}'}
            assert await store.freeze_traces({part.key: "{}"}) == {part.key: '{"first": "ü"}'}
            await store.trace_deferred(part.key, at=after(100), next_at=after(101), error="")

            assert [one.body for one in await claimed(store, 101)] == ['{"first": "ü"}']

        run(place, scenario)

    def test_part_that_was_sent_meanwhile__is_not_frozen(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store)
            (part,) = await claimed(store)
            await store.trace_sent(part.key)

            assert await store.freeze_traces({part.key: "{}"}) == {}

        run(place, scenario)

    def test_rows_of_a_trace__are_those_of_the_canary(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store)
            pending = await recorded(store, make_canary(9))

            rows = await store.trace_rows([canary.id, pending.id])

            assert set(rows) == {canary.id}
            assert rows[canary.id].canary == canary
            assert rows[canary.id].judgement == judged(canary, Verdict.CONFIRMED)
            assert rows[canary.id].observations == (seen_at(canary),)
            assert (rows[canary.id].incident, rows[canary.id].removals) == (None, ())

        run(place, scenario)

    def test_rows_of_a_breached_canary__name_the_incident_that_it_belongs_to(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first = await recorded(store, make_canary(1))
            incident = incident_of(first)
            await store.settle(
                settlement(
                    judged(first, Verdict.BREACHED),
                    progress=Progress(target=incident),
                    changes=(opened(first),),
                )
            )
            second = await settled(store, 2, Verdict.BREACHED)
            good = await settled(store, 3, Verdict.CONFIRMED)
            blind = await settled(store, 4, Verdict.INCONCLUSIVE)

            rows = await store.trace_rows([first.id, second.id, good.id, blind.id])

            assert rows[first.id].incident == rows[second.id].incident == incident
            assert rows[good.id].incident is rows[blind.id].incident is None

        run(place, scenario)

    def test_canary_launched_after_the_impact_ended__does_not_belong_to_the_incident(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            first = await recorded(store, make_canary(1))
            over = replace(incident_of(first), impact_until=after(30), resolved_at=after(90))
            change = replace(opened(first), incident=over)
            await store.settle(settlement(judged(first, Verdict.BREACHED), changes=(change,)))
            later = await recorded(store, make_canary(2, launched_at=after(30)))
            await store.settle(settlement(judged(later, Verdict.BREACHED, at=90), version=1, at=91))

            rows = await store.trace_rows([first.id, later.id])

            assert rows[first.id].incident == over
            assert rows[later.id].incident is None

        run(place, scenario)

    def test_part_that_nobody_takes__is_dropped_after_some_days(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store, 1)
            await settled(store, 2)
            dead, _ = await claimed(store)
            await store.trace_given_up(dead.key, at=after(100), error="400")
            last = after(100) + KEPT_UNSENT

            await store.forget(after(61) + KEPT_UNSENT)
            assert await store.exports() == ExportState(1, after(61), 1, "400")
            assert not await store.claim_traces(last, holder="a", lease_until=last, limit=8)
            await store.forget(last + timedelta(seconds=1))

            assert await store.exports() == ExportState()

        run(place, scenario)
