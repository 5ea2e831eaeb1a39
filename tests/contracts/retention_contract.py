"""What every store forgets, and what it never does."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.alert import AlertKind, Concern, Severity, Subject
from canary.blame import HopResult
from canary.canary import Canary
from canary.hop import Hop
from canary.incident import Change, Progress, Transition
from canary.observation import Outcome
from canary.review import Standing
from canary.silence import Silence, SilenceId
from canary.slot import Slot
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep
from runners.contracts import Record, SettlementConflict, Store, TriedRemoval
from runners.retention import KEPT, LEAST_RECORDS, Retention
from tests.contracts.alert_contract import alert, claimed
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
    removal,
    seen_at,
    settlement,
)
from tests.contracts.store_contract import run

KEEP = Retention(observations=timedelta(days=30), canaries=timedelta(days=90))
DAY_31 = NOON + timedelta(days=31)
DAY_91 = NOON + timedelta(days=91)
DAY_401 = NOON + timedelta(days=401)
HOPS = (HopResult(Hop.DNS, Outcome.OK, seconds=0.5),)


async def settled(
    store: Store, number: int, verdict: Verdict = Verdict.CONFIRMED, *, is_clean: bool = True
) -> Canary:
    """A canary with one observation and a judgement that names its hops."""
    canary = await recorded(store, make_canary(number))
    await store.append(seen_at(canary))
    _, version = await store.progress(MAIL)
    fresh = replace(judged(canary, verdict, seconds=42.0), hops=HOPS)
    await store.settle(settlement(fresh, version=version))
    await store.launch_ended(canary.id)
    if is_clean:
        await store.finish_clean(canary.id, at=after(70))
    return canary


async def record_of(store: Store, canary: Canary) -> Record:
    (record,) = await store.find(canary.id)
    return record


async def incident_from(store: Store, canary: Canary, *, ends_at: datetime | None, version: int = 0) -> None:
    """An incident that began with the canary; over at a time, or still open."""
    fresh = Progress(target=incident_of(canary))
    await store.store_progress(canary.path, fresh, version=version, changes=[opened(canary)], at=after(660))
    if ends_at is not None:
        over = replace(incident_of(canary), resolved_at=ends_at)
        change = Change(over, Transition.RESOLVED)
        await store.store_progress(canary.path, Progress(), version=version + 1, changes=[change], at=ends_at)


class RetentionContract:
    """Observations, canaries, alerts, silences, incidents and the audit by their ages. A subclass gives the fixture ``place``."""

    def test_canary_that_is_unclean_breached_or_pending__keeps_what_was_seen(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            unclean = await settled(store, 1, is_clean=False)
            breached = await settled(store, 2, Verdict.BREACHED)
            pending = await recorded(store, make_canary(3))
            await store.append(seen_at(pending))

            await store.forget(DAY_31, keep=KEEP)

            for one in (unclean, breached, pending):
                assert len(await store.observations(one.id)) == 1
                assert not (await record_of(store, one)).is_thinned
            judgement = (await record_of(store, breached)).judgement
            assert judgement is not None
            assert judgement.hops == HOPS

        run(place, scenario)

    def test_clean_canary_of_31_days__loses_observations_and_hops_and_keeps_its_verdict(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1, Verdict.LATE)
            before = (await record_of(store, canary)).judgement
            assert before is not None

            assert await store.forget(DAY_31, keep=KEEP) == 0

            record = await record_of(store, canary)
            assert record.is_thinned
            assert record.judgement == replace(before, hops=())
            assert list(await store.observations(canary.id)) == []
            assert list(await store.known([canary.id])) == [canary.id]

        run(place, scenario)

    def test_canary_of_29_days__keeps_everything(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)

            await store.forget(NOON + timedelta(days=29), keep=KEEP)

            assert len(await store.observations(canary.id)) == 1
            assert not (await record_of(store, canary)).is_thinned

        run(place, scenario)

    def test_more_canaries_than_one_transaction_takes__are_all_thinned(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            some = [make_canary(number) for number in range(1, 451)]
            await store.record(*some, holder="host-a", lease_until=after(30))
            await store.append(*(seen_at(one) for one in some))
            await store.settle(*(settlement(judged(one, Verdict.CONFIRMED), version=0) for one in some[:1]))
            await store.settle(*(settlement(judged(one, Verdict.CONFIRMED), version=1) for one in some[1:]))
            await store.finish_clean(*(one.id for one in some), at=after(70))

            await store.forget(DAY_31, keep=KEEP)

            seen = await store.observations_of([one.id for one in some])
            assert [one for one, observations in seen.items() if observations] == []

        run(place, scenario)

    def test_ticket_that_comes_after_its_canary_was_thinned__is_still_kept(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)
            await store.forget(DAY_31, keep=KEEP)

            assert list(await store.append(seen_at(canary, Hop.TICKET_CREATED))) == [True]
            await store.note_removed(TriedRemoval(removal(canary.id, outcome="failed"), next_at=DAY_31))
            await store.forget(DAY_31, keep=KEEP)

            assert [one.hop for one in await store.observations(canary.id)] == [Hop.TICKET_CREATED]
            assert [one.canary.id for one in await store.outstanding(DAY_31)] == [canary.id]

        run(place, scenario)

    def test_canaries_are_kept_longer_where_that_is_wished(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)
            keep = Retention(observations=timedelta(days=200), canaries=timedelta(days=400))

            assert await store.forget(DAY_91, keep=keep) == 0

            assert len(await store.observations(canary.id)) == 1

        run(place, scenario)

    def test_canary_that_goes__leaves_its_day(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await settled(store, 1)
            before = list(await store.days(MAIL, since=NOON))

            assert await store.forget(DAY_91, keep=KEEP) == 1

            assert list(await store.days(MAIL, since=NOON)) == before != []
            assert list(await store.points(MAIL, since=NOON, limit=9)) == []

        run(place, scenario)

    def test_old_slots__go_with_the_canaries(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(Slot(MAIL, NOON), holder="host-a", at=NOON)
            await store.claim(Slot(MAIL, DAY_91), holder="host-a", at=DAY_91)

            await store.forget(DAY_91, keep=KEEP)

            assert await store.claim(Slot(MAIL, NOON), holder="host-b", at=DAY_91)
            assert not await store.claim(Slot(MAIL, DAY_91), holder="host-b", at=DAY_91)

        run(place, scenario)

    def test_old_alerts_that_are_done_with__go_and_those_that_wait_stay(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            subject = Subject("incident/ticketing/desk")
            told = Concern(subject, AlertKind.INCIDENT, Severity.PAGE, NOON)
            messages = tuple(alert(number, key=f"intake/{number}") for number in (1, 2, 3))
            step = AlertStep(subject, Standing(told, "one", NOON), 0, messages)
            await store.store_alerts(step, at=NOON)
            await store.alert_delivered(messages[0].id, at=after(1))
            await store.alert_given_up(messages[1].id, at=after(1), error="404")

            await store.forget(DAY_31, keep=KEEP)
            assert (await store.outbox(dead_since=NOON))["pager"].dead == 1
            await store.forget(DAY_91, keep=KEEP)

            state = (await store.outbox(dead_since=NOON))["pager"]
            assert (state.pending, state.dead) == (1, 0)
            assert [one.id for one in await claimed(store, 91 * 86400.0)] == [messages[2].id]

        run(place, scenario)

    def test_silences_that_ended_long_ago__go(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            for name, hours in (("old", 2), ("new", 24 * 200)):
                ends_at = NOON + timedelta(hours=hours)
                await store.add_silence(Silence(SilenceId(name), MAIL, NOON, ends_at, "move", "eva", NOON))

            await store.forget(DAY_91, keep=KEEP)

            assert [one.id for one in await store.silences(NOON)] == ["new"]

        run(place, scenario)

    def test_incidents__go_a_year_after_their_end_with_what_happened_and_open_ones_never(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            over, still_open = make_canary(1), make_canary(2, path=FORM)
            await incident_from(store, over, ends_at=after(900))
            await incident_from(store, still_open, ends_at=None)

            await store.forget(DAY_401 - timedelta(days=2), keep=KEPT)
            assert await store.incident(incident_of(over).id) is not None
            await store.forget(DAY_401, keep=KEPT)

            assert await store.incident(incident_of(over).id) is None
            assert list(await store.transitions(incident_of(over).id)) == []
            assert [one.path for one in await store.open_incidents()] == [FORM]
            assert len(await store.transitions(incident_of(still_open).id)) == 1

        run(place, scenario)

    def test_incident_of_which_something_is_still_to_be_told__stays(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = make_canary(1)
            await incident_from(store, canary, ends_at=after(900))
            waiting = alert(1, key=f"intake/fra-1/{incident_of(canary).id}")
            told = Concern(Subject("incident/x"), AlertKind.INCIDENT, Severity.PAGE, NOON)
            step = AlertStep(told.subject, Standing(told, "one", NOON), 0, (waiting,))
            await store.store_alerts(step, at=NOON)

            await store.forget(DAY_401, keep=KEPT)
            assert await store.incident(incident_of(canary).id) is not None
            await store.alert_delivered(waiting.id, at=DAY_401)
            await store.forget(DAY_401, keep=KEPT)

            assert await store.incident(incident_of(canary).id) is None

        run(place, scenario)

    def test_incident_that_goes__leaves_counters_and_days_as_they_are(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1, Verdict.LATE)
            await incident_from(store, canary, ends_at=after(900), version=(await store.progress(MAIL))[1])
            samples, days = await store.samples(), list(await store.days(MAIL, since=NOON))

            await store.forget(DAY_401, keep=KEPT)

            assert list(await store.samples()) == list(samples)
            assert list(await store.days(MAIL, since=NOON)) == days != []

        run(place, scenario)

    def test_standings__go_when_they_have_been_over_for_a_year_and_begin_anew(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            over, lasting = Subject("gauge/over"), Subject("gauge/lasting")
            for subject in (over, lasting):
                told = Concern(subject, AlertKind.GAUGE, Severity.PAGE, NOON)
                await store.store_alerts(AlertStep(subject, Standing(told, "one", NOON), 0), at=NOON)
            await store.store_alerts(AlertStep(over, None, 1), at=after(60))

            await store.forget(DAY_401, keep=KEPT)

            assert list(await store.standings()) == [lasting]
            with pytest.raises(SettlementConflict):
                await store.store_alerts(AlertStep(over, None, 2), at=DAY_401)
            await store.store_alerts(AlertStep(over, None, 0), at=DAY_401)

        run(place, scenario)

    def test_audit__goes_by_its_own_age_and_keeps_its_last_days(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)
            for day in (0, 200, 300):
                line = removal(canary.id, at=100 + 86400.0 * day)
                await store.note_removed(TriedRemoval(line, next_at=None))

            async def days() -> list[int]:
                return [(one.at - NOON).days for one in await store.audit(since=None, limit=9)]

            await store.forget(DAY_401, keep=KEPT)
            assert await days() == [300, 200]
            await store.forget(DAY_401, keep=replace(KEPT, audit=timedelta(days=90)))
            assert await days() == [300]
            await store.forget(DAY_401 + timedelta(days=1000), keep=KEPT)
            assert await days() == [300]

        run(place, scenario)

    def test_audit_line_of_a_clock_that_is_years_ahead__lets_nothing_young_go(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)
            for day in (0, 311, 312, 400, 1500):
                line = removal(canary.id, at=100 + 86400.0 * day)
                await store.note_removed(TriedRemoval(line, next_at=None))

            await store.forget(DAY_401, keep=replace(KEPT, audit=LEAST_RECORDS))
            found = await store.audit(since=None, limit=9)

            assert [(one.at - NOON).days for one in found] == [1500, 400, 312, 311]

        run(place, scenario)

    def test_forgetting_twice__is_forgetting_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await settled(store, 1)
            await store.forget(DAY_31, keep=KEEP)
            before = await record_of(store, canary)

            await store.forget(DAY_31, keep=KEEP)

            assert await record_of(store, canary) == before

        run(place, scenario)
