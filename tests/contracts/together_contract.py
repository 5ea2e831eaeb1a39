"""What every store does with many things at once: all or none of them, each counted as if it had come alone."""

from dataclasses import replace

import pytest

from canary.canary import Token
from canary.incident import Progress
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import SettlementConflict, Store, StoreError
from tests.contracts.store_cases import (
    FORM,
    MAIL,
    StorePlace,
    after,
    figure,
    incident_of,
    judged,
    make_canary,
    opened,
    recorded,
    seen_at,
    settlement,
)
from tests.contracts.store_contract import run


class TogetherContract:
    """Batches of launches and settlements."""

    def test_canaries_recorded_together__are_each_counted_and_leased(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, two = make_canary(1), make_canary(2, path=FORM)
            await recorded(store, one)

            await store.record(one, two, holder="host-b", lease_until=after(40))

            for canary in (one, two):
                labels = {"path": canary.path, "channel": canary.channel}
                assert await figure(store, "intake.canary.launched", **labels) == 1
            assert await store.abandoned(after(35)) == [one]
            assert await store.abandoned(after(45)) == [one, two]

        run(place, scenario)

    def test_token_of_another_among_them__and_none_is_recorded(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, two = make_canary(1), make_canary(2)
            thief = replace(make_canary(3), token=Token(one.token))
            await recorded(store, one)

            with pytest.raises(StoreError, match="another canary has the id"):
                await store.record(two, thief, holder="host-a", lease_until=after(30))

            assert set(await store.known([one.id, two.id, thief.id])) == {one.id}
            assert await figure(store, "intake.canary.launched", path=MAIL, channel="email") == 1

        run(place, scenario)

    def test_launches_that_end_together__are_no_longer_abandoned(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canaries = [await recorded(store, make_canary(number)) for number in range(3)]

            await store.launch_ended(*(one.id for one in canaries[:2]))

            assert await store.abandoned(after(31)) == [canaries[2]]
            ended = [(await store.find(one.id))[0].launch_ended for one in canaries]
            assert ended == [True, True, False]

        run(place, scenario)

    def test_facts_of_one_kind_in_one_bucket__add_up_to_one_series(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canaries = [await recorded(store, make_canary(number)) for number in range(3)]

            await store.append(*(replace(seen_at(one), seconds=0.25 + n) for n, one in enumerate(canaries)))
            await store.append(replace(seen_at(canaries[0]), attempt=2, seconds=0.2))

            (series,) = [one for one in await store.samples() if one.name == "intake.hop.duration"]
            assert sum(series.counts) == 4
            assert series.value == pytest.approx(3.95)
            assert (series.least, series.greatest) == (0.2, 2.25)

        run(place, scenario)

    def test_unknown_canary_among_the_facts__and_none_is_kept(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())

            with pytest.raises(StoreError, match="no canary nobody"):
                await store.append(seen_at(canary), replace(seen_at(canary), canary_id=CanaryId("nobody")))

            assert list(await store.observations(canary.id)) == []

        run(place, scenario)

    def test_settlements_of_several_paths__are_each_stored_and_counted(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            mail, form = (
                await recorded(store, make_canary(1)),
                await recorded(store, make_canary(2, path=FORM)),
            )
            incident = incident_of(form)

            await store.settle(
                settlement(judged(mail, Verdict.CONFIRMED), progress=Progress(confirmed_at=after(60))),
                settlement(
                    judged(form, Verdict.BREACHED),
                    progress=Progress(target=incident),
                    changes=(opened(form),),
                ),
            )

            verdicts = [(await store.find(one.id))[0].verdict for one in (mail, form)]
            assert verdicts == [Verdict.CONFIRMED, Verdict.BREACHED]
            remembered = await store.progress_of([MAIL, FORM])
            assert remembered == {
                MAIL: (Progress(confirmed_at=after(60)), 1),
                FORM: (Progress(target=incident), 1),
            }
            assert list(await store.incidents(path=None, since=None, limit=5)) == [incident]
            assert await figure(store, "intake.slo.eligible", path=MAIL) == 1
            assert await figure(store, "intake.slo.eligible", path=FORM) == 1

        run(place, scenario)

    def test_settlements_of_one_path__follow_one_another(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first, second, third = [await recorded(store, make_canary(number)) for number in range(3)]

            await store.settle(
                settlement(judged(first, Verdict.CONFIRMED), progress=Progress(confirmed_at=after(60))),
                settlement(judged(second, Verdict.INCONCLUSIVE), version=1),
                settlement(
                    judged(third, Verdict.CONFIRMED), progress=Progress(confirmed_at=after(62)), version=1
                ),
            )

            assert await store.progress(MAIL) == (Progress(confirmed_at=after(62)), 2)
            assert await figure(store, "intake.slo.good", path=MAIL) == 2

        run(place, scenario)

    @pytest.mark.parametrize("conflict", ["verdict", "progress"])
    def test_conflict_of_one__and_none_is_settled(self, place: StorePlace, conflict: str) -> None:
        async def scenario(store: Store) -> None:
            mail, form = (
                await recorded(store, make_canary(1)),
                await recorded(store, make_canary(2, path=FORM)),
            )
            good = settlement(judged(mail, Verdict.CONFIRMED), progress=Progress(confirmed_at=after(60)))
            bad = settlement(
                judged(form, Verdict.LATE if conflict == "verdict" else Verdict.CONFIRMED),
                expected=Verdict.BREACHED if conflict == "verdict" else Verdict.PENDING,
                version=0 if conflict == "verdict" else 7,
            )
            before = list(await store.samples())

            with pytest.raises(SettlementConflict):
                await store.settle(good, bad)

            assert {(await store.find(one.id))[0].verdict for one in (mail, form)} == {Verdict.PENDING}
            assert await store.progress_of([MAIL, FORM]) == {MAIL: (Progress(), 0), FORM: (Progress(), 0)}
            assert list(await store.samples()) == before

        run(place, scenario)
