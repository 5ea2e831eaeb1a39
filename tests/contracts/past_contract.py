"""What every store knows of several paths at once."""

from dataclasses import replace
from datetime import datetime, timedelta

from canary.incident import Change, Progress, Transition
from canary.path import PathName
from canary.slot import MissedCause, MissedSlot, Slot
from canary.verdict import Verdict
from runners.contracts import CanaryQuery, PathFacts, Store
from tests.contracts.store_cases import (
    FORM,
    MAIL,
    NOON,
    StorePlace,
    after,
    incident_of,
    judged,
    make_canary,
    opened,
    recorded,
    settlement,
)
from tests.contracts.store_contract import run

NOWHERE = PathName("nowhere")
NOW = after(3600)


async def _settled(store: Store, number: int, verdict: Verdict, *, path: PathName = MAIL) -> str:
    """A canary that was launched and settled so many minutes after noon; returns its id."""
    canary = await recorded(store, make_canary(number, path=path, launched_at=after(60 * number)))
    if verdict is not Verdict.PENDING:
        judgement = judged(canary, verdict, at=60 * number + 30, seconds=30.0)
        await store.settle(settlement(judgement, version=(await store.progress(path))[1]))
    return canary.id


class PastContract:
    """Glances, figures of several paths, one incident. A subclass gives the fixture ``place``."""

    def test_open_incidents__are_all_that_last_newest_first(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, two, three = [await recorded(store, make_canary(number)) for number in (1, 2, 3)]
            ended = replace(incident_of(one), resolved_at=after(700))
            newer = replace(incident_of(three), opened_at=after(900))
            changes = [
                Change(ended, Transition.RESOLVED),
                Change(incident_of(two), Transition.OPENED),
                Change(newer, Transition.OPENED),
            ]
            await store.store_progress(MAIL, Progress(), version=0, changes=changes, at=after(901))

            assert list(await store.open_incidents()) == [newer, incident_of(two)]

        run(place, scenario)

    def test_glance_of_a_path_without_a_verdict__has_the_first_slot_that_came(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(Slot(MAIL, after(600)), holder="a", at=after(600))
            await store.note_missed([MissedSlot(Slot(MAIL, after(0)), MissedCause.CAP)], at=after(600))
            await store.note_missed([MissedSlot(Slot(FORM, after(0)), MissedCause.CAP)], at=after(0))
            await _settled(store, 1, Verdict.CONFIRMED, path=FORM)

            found = await store.glances({MAIL: 2, FORM: 2, NOWHERE: 2}, now=NOW)

            assert {path: one.first_slot_at for path, one in found.items()} == {
                MAIL: after(0),
                FORM: None,
                NOWHERE: None,
            }

        run(place, scenario)

    def test_glance__has_the_path_s_facts_and_its_newest_canaries_that_count(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            ids = [
                await _settled(store, number, verdict)
                for number, verdict in enumerate(
                    (
                        Verdict.CONFIRMED,
                        Verdict.BREACHED,
                        Verdict.INCONCLUSIVE,
                        Verdict.CONFIRMED,
                        Verdict.INCONCLUSIVE,
                        Verdict.CONFIRMED,
                        Verdict.PENDING,
                    )
                )
            ]
            await _settled(store, 9, Verdict.BREACHED, path=FORM)

            found = await store.glances({MAIL: 2, FORM: 3, NOWHERE: 3}, now=NOW)

            assert set(found) == {MAIL, FORM, NOWHERE}
            assert [one.canary_id for one in found[MAIL].recent] == [ids[5], ids[4], ids[3]]
            assert [one.verdict for one in found[FORM].recent] == [Verdict.BREACHED]
            assert found[MAIL].facts == await store.path_facts(MAIL)
            assert found[FORM].facts == await store.path_facts(FORM)
            assert found[NOWHERE].facts == PathFacts(None, None, None, ())
            assert found[NOWHERE].recent == ()

        run(place, scenario)

    def test_glance__knows_the_last_success_also_where_it_is_long_ago(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, 0, Verdict.CONFIRMED)
            for number in range(1, 13):
                await _settled(store, number, Verdict.BREACHED)

            glance = (await store.glances({MAIL: 3}, now=NOW))[MAIL]

            assert glance.facts.last_success_at == after(30)
            assert glance.facts == await store.path_facts(MAIL)

        run(place, scenario)

    def test_what_lies_ahead__hides_nothing_of_what_came_by_now(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            ids = [await _settled(store, number, Verdict.BREACHED) for number in range(3)]
            for number in range(100, 145):
                await _settled(store, number, Verdict.CONFIRMED)
            await _settled(store, 200, Verdict.CONFIRMED, path=FORM)

            found = await store.glances({MAIL: 3, FORM: 3}, now=after(180), points=2)

            facts = found[MAIL].facts
            assert [verdict for _, verdict in facts.verdicts] == [Verdict.BREACHED] * 3
            assert (facts.last_launch_at, facts.last_verdict_at) == (after(120), after(150))
            assert facts.last_success_at == after(144 * 60 + 30)
            assert [one.canary_id for one in found[MAIL].recent] == ids[::-1]
            assert [one.canary_id for one in found[MAIL].points] == ids[:0:-1]
            assert found[FORM].facts == await store.path_facts(FORM)
            assert len(found[FORM].recent) == len(found[FORM].points) == 1

        run(place, scenario)

    def test_figures_of_several_paths__are_those_of_each(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            for number in range(3):
                await _settled(store, number, Verdict.CONFIRMED)
            await _settled(store, 5, Verdict.BREACHED, path=FORM)
            slots = [
                MissedSlot(Slot(MAIL, after(-600 * one)), MissedCause.NOT_RUNNING) for one in (0, 1, 900)
            ]
            await store.note_missed(slots, at=after(9))
            since = NOON - timedelta(days=1)

            found = await store.pasts([MAIL, FORM, NOWHERE], since=since)

            assert found[MAIL].missed == 2
            until = await store.points(MAIL, since=since, limit=9, until=after(60))
            assert [one.launched_at for one in until] == [after(60), after(0)]
            seen = await store.glances({MAIL: 1, NOWHERE: 1}, now=NOW, points=2)
            assert list(seen[MAIL].points) == list(await store.points(MAIL, since=since, limit=2))
            assert seen[NOWHERE].points == ()
            assert found[MAIL].verdicts == {Verdict.CONFIRMED: 3}
            assert (found[FORM].verdicts, found[FORM].missed) == ({Verdict.BREACHED: 1}, 0)
            assert (found[NOWHERE].verdicts, found[NOWHERE].missed) == ({}, 0)
            (today,) = await store.days(MAIL, since=since)
            assert (today.verdicts, sum(today.counts)) == ({Verdict.CONFIRMED: 3}, 3)
            later = await store.pasts([MAIL], since=NOON + timedelta(days=1))
            assert (later[MAIL].verdicts, later[MAIL].missed) == ({}, 0)

        run(place, scenario)

    def test_history__goes_on_after_the_last_canary_that_was_shown(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            for number in range(5):
                await recorded(store, make_canary(number, launched_at=after(number // 2)))
            first = await store.canaries(CanaryQuery(path=MAIL, limit=2))
            last = first[-1].canary

            rest = await store.canaries(CanaryQuery(path=MAIL, before=(last.launched_at, last.id)))

            every = await store.canaries(CanaryQuery(path=MAIL))
            assert [one.canary.id for one in (*first, *rest)] == [one.canary.id for one in every]

        run(place, scenario)

    def test_incident__is_found_by_its_id_as_it_now_stands(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, make_canary())
            incident = replace(incident_of(canary), failures=4)
            await store.store_progress(
                MAIL, Progress(target=incident), version=0, changes=[opened(canary)], at=after(660)
            )
            await store.store_progress(MAIL, Progress(target=incident), version=1, changes=[], at=after(700))

            found = await store.incident(incident.id)

            assert found is not None
            assert found.id == incident.id
            assert await store.incident("incident-nobody") is None

        run(place, scenario)

    def test_ends__are_the_first_and_the_last_of_those_verdicts_and_each_once(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            ids = [
                await _settled(store, number, verdict)
                for number, verdict in enumerate([Verdict.BREACHED] * 5 + [Verdict.CONFIRMED])
            ]
            await _settled(store, 9, Verdict.BREACHED, path=FORM)

            async def ends(each: int, *, before: datetime | None = None) -> list[str]:
                wanted = {Verdict.BREACHED, Verdict.LATE}
                found = await store.ends(MAIL, verdicts=wanted, since=after(60), before=before, each=each)
                return [one.canary_id for one in found]

            assert await ends(1) == [ids[1], ids[4]]
            assert await ends(3) == ids[1:5]
            assert await ends(1, before=after(240)) == [ids[1], ids[3]]
            assert await ends(1, before=after(60)) == []

        run(place, scenario)
