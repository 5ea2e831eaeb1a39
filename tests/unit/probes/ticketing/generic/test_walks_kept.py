"""Which walks are kept, for how long, and that none hides from a later look what it could see."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.observation import Depth
from canary.walk import MOST, RENEWED, Position
from probes.contracts import Blind, TicketingSystem
from tests.fakes.paged_desk import paged
from tests.unit.probes.ticketing.generic.walk_bench import Bench, finished, shown

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("way", ["cursor", "offset"])
def test_quiet_after_a_busy_minute__no_walk_is_kept_and_strangers_are_heard(way: str) -> None:
    bench = Bench()
    met, missing = bench.canary(), bench.canary()
    bench.desk.add(met.subject_prefix)
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        assert len(await finished(system, [met, missing])) > 1
        del bench.desk.rows[1:]
        await bench.clock.sleep(RENEWED.total_seconds())
        for _ in range(5):
            await bench.clock.sleep(600)
            look = await system.find([met, missing], Depth.DEADLINE)
            assert (look.is_complete, look.walk, bench.kept()) == (True, None, [])
            assert look.strangers is not None
            assert look.strangers.since < bench.clock.now() - 10 * MINUTE

    bench.run(paged(way, pages=2), work)


def test_busy_desk__looks_that_read_what_came_since_hear_strangers_since_then() -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        await bench.clock.sleep(900)
        looks = await finished(system, [missing])
        assert {one.strangers for one in looks} == {None}
        await bench.clock.sleep(900)
        began_at = bench.clock.now()
        await bench.clock.sleep(30)
        bench.tickets(1)
        await bench.clock.sleep(30)
        assert (await system.find([missing], Depth.DEADLINE)).is_complete
        await bench.clock.sleep(60)

        look = await system.find([missing], Depth.DEADLINE)

        assert look.strangers is not None
        assert began_at - 2 * MINUTE < look.strangers.since < began_at + 2 * MINUTE
        assert [len(one) for one in look.strangers.created.values()] == [1]
        assert look.strangers.since > look.since

    bench.run(paged("cursor", pages=2), work)


def test_desk_that_stays_busy__is_read_whole_again_after_a_time() -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        await bench.clock.sleep(600)
        first = len(await finished(system, [missing]))
        await bench.clock.sleep(900)
        assert len(await finished(system, [missing])) == 1
        await bench.clock.sleep(901)

        assert len(await finished(system, [missing])) == first

    bench.run(paged("cursor", pages=2), work)


def test_many_clean_ups_on_a_busy_desk__keep_no_more_walks_than_are_of_use() -> None:
    bench = Bench()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        for _ in range(MOST + 10):
            await system.find([bench.canary()], Depth.DEADLINE)
            await bench.clock.sleep(1)
        assert len(bench.kept()) == MOST
        newest = max(one.moved_at for one in bench.kept())
        await system.find([], Depth.DEADLINE)  # that of the sweep stays the longest
        for _ in range(MOST):
            await bench.clock.sleep(1)
            await system.find([bench.canary()], Depth.DEADLINE)

        assert min(one.moved_at for one in bench.kept()) == newest + timedelta(seconds=1)
        assert len(bench.kept()) == MOST

    bench.run(paged("cursor", pages=2), work)


def test_sweep_that_has_come_to_its_end__keeps_no_walk() -> None:
    bench = Bench()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        await system.find([bench.canary()], Depth.DEADLINE)
        assert len(await finished(system, [])) > 1
        assert [len(one.asked) for one in bench.kept()] == [1]
        del bench.desk.rows[1:]

        await system.find([], Depth.DEADLINE)  # whole, so that nobody needs any walk

        assert bench.kept() == []

    bench.run(paged("cursor", pages=2), work)


def test_walk_that_has_met_all_it_asked_for__is_not_kept() -> None:
    bench = Bench()
    ours = bench.canary()
    bench.desk.add(ours.subject_prefix)
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        looks = await finished(system, [ours])
        assert any(shown(one, ours) for one in looks)
        assert bench.kept() == []

    bench.run(paged("cursor", pages=2), work)


@pytest.mark.parametrize("way", ["cursor", "link"])
@pytest.mark.parametrize("refusal", [200, 400, 404, 410, 422])
def test_cursor_that_has_ended__the_same_look_begins_anew(way: str, refusal: int) -> None:
    bench = Bench()
    ours, missing = bench.canary(), bench.canary()
    bench.desk.add(ours.subject_prefix)
    bench.tickets(8)
    bench.desk.refusal = refusal

    async def work(system: TicketingSystem) -> None:
        assert not (await system.find([ours, missing], Depth.DEADLINE)).is_complete
        bench.desk.expire()
        await bench.clock.sleep(1)
        bench.desk.asked.clear()
        began_at = bench.clock.now()
        looks = await finished(system, [ours, missing])
        assert any(shown(one, ours) for one in looks)
        assert ["cursor" in one for one in bench.desk.asked[:2]] == [True, False]
        assert looks[-1].walk is not None
        assert looks[-1].walk.began_at == began_at

    bench.run(paged(way, pages=2), work)


def test_cursor_that_ends_with_what_else_means_no_rows__is_no_end_of_the_list() -> None:
    bench = Bench()
    ours = bench.canary()
    bench.desk.add(ours.subject_prefix)
    bench.tickets(8)
    bench.desk.refusal = 404

    async def work(system: TicketingSystem) -> None:
        await system.find([ours], Depth.DEADLINE)
        bench.desk.expire()
        assert any(shown(one, ours) for one in await finished(system, [ours]))

    bench.run(paged("cursor", pages=2, empty_on="404"), work)


def test_cursor_that_ends_between_two_sweeps__blinds_neither() -> None:
    bench = Bench()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        for _ in range(3):
            await system.find([], Depth.DEADLINE)
            bench.desk.expire()
            await bench.clock.sleep(5 * 3600)
        assert len(bench.kept()) == 1
        assert len(await finished(system, [])) > 1

    bench.run(paged("cursor", pages=2), work)


@pytest.mark.parametrize("status", [401, 403, 429, 503, 500])
def test_system_that_refuses_us_or_fails_for_a_while__leaves_the_walk_where_it_is(status: int) -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)
    bench.desk.refusal = status

    async def work(system: TicketingSystem) -> None:
        await system.find([missing], Depth.DEADLINE)
        kept = bench.kept()
        bench.desk.expire()
        await bench.clock.sleep(60)
        with pytest.raises(Blind):
            await system.find([missing], Depth.DEADLINE)
        assert bench.kept() == kept

    bench.run(paged("cursor", pages=2), work)


def test_cursor_that_is_answered_as_a_failure_of_the_system__is_given_up_after_a_time() -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)
    bench.desk.refusal = 500

    async def work(system: TicketingSystem) -> None:
        await system.find([missing], Depth.DEADLINE)
        bench.desk.expire()
        await bench.clock.sleep(600)
        assert (await system.find([missing], Depth.DEADLINE)).walk is not None

    bench.run(paged("cursor", pages=2), work)


def test_tickets_that_are_deleted_between_two_looks__hide_none_that_has_moved_to_a_page_that_was_read() -> (
    None
):
    bench = Bench()
    ours = bench.canary()
    bench.desk.add(ours.subject_prefix)
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        looks = [await system.find([ours], Depth.DEADLINE)]
        del bench.desk.rows[1:]
        looks += await finished(system, [ours])
        assert any(shown(one, ours) for one in looks)

    bench.run(paged("offset", pages=3), work)


CHANGES = {
    "paging": (paged("cursor", pages=2), paged("offset", pages=2)),
    "list": (paged("cursor", pages=2), paged("cursor", pages=2, path="/others")),
    "system": (paged("cursor", pages=2), paged("cursor", pages=2).replace("paged.acme", "other.acme")),
    "text": (paged("cursor", pages=2), paged("cursor", pages=2).replace("subject: title", "body: title")),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_configuration_that_was_changed_while_a_walk_was_under_way__begins_anew(change: str) -> None:
    before, after = CHANGES[change]
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)
    began: list[datetime] = []

    async def first(system: TicketingSystem) -> None:
        await system.find([missing], Depth.DEADLINE)

    async def then(system: TicketingSystem) -> None:
        await bench.clock.sleep(1)
        bench.desk.asked.clear()
        began.append(bench.clock.now())
        walk = (await finished(system, [missing]))[-1].walk
        assert bench.desk.asked[0] in ({}, {"offset": "0"})
        assert walk is not None
        assert walk.began_at == began[0]

    bench.run(before, first)
    bench.run(after, then)


def test_configuration_that_was_changed_after_a_walk__is_not_taken_to_have_read_what_came_before() -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)

    async def first(system: TicketingSystem) -> None:
        await bench.clock.sleep(600)
        await finished(system, [missing])
        await bench.clock.sleep(60)

    async def then(system: TicketingSystem) -> None:
        assert len(await finished(system, [missing])) > 1

    for before, after in CHANGES.values():
        bench.run(before, first)
        bench.run(after, then)


@pytest.mark.parametrize("page", ["", "[]", "{}", '{"words": 1}', "null", '{"words": {"number": 1}}'])
def test_page_that_another_version_has_kept__begins_anew(page: str) -> None:
    bench = Bench()
    missing = bench.canary()
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        await system.find([missing], Depth.DEADLINE)
        (walk,) = bench.kept()
        await bench.store.keep_walk(replace(walk, position=Position(None, page)))
        bench.desk.asked.clear()

        look = await system.find([missing], Depth.DEADLINE)

        assert bench.desk.asked[0] == {}
        assert look.walk is not None
        assert look.walk.is_under_way

    bench.run(paged("cursor", pages=2), work)


async def looks_to_the_end(bench: Bench, system: TicketingSystem, *, clean_ups: bool) -> int:
    """How many looks a pass for nine takes, while the tickets of some of them are removed, or not."""
    cleaned, last = [bench.canary() for _ in range(8)], bench.canary()
    bench.desk.mine = {one.subject_prefix for one in cleaned}
    for one in cleaned:
        bench.desk.add(one.subject_prefix)
    bench.tickets(12)
    for count in range(1, 100):
        await bench.clock.sleep(1)
        look = await system.find([*cleaned, last], Depth.DEADLINE)
        if look.is_complete and look.walk is not None and last.id in look.walk.covers:
            bench.desk.rows.clear()
            await bench.clock.sleep(RENEWED.total_seconds())
            return count
        if clean_ups and count % 4 == 0:
            await system.find([cleaned.pop()], Depth.DEADLINE)  # as its removal does
    raise AssertionError("it never comes to an end")


def test_clean_ups_of_single_canaries__do_not_hold_up_the_pass_of_the_others() -> None:
    bench = Bench()

    async def work(system: TicketingSystem) -> None:
        alone = await looks_to_the_end(bench, system, clean_ups=False)
        assert alone > 8
        assert await looks_to_the_end(bench, system, clean_ups=True) == alone

    bench.run(paged("cursor", pages=2), work)


def test_look_for_some_after_a_pass_for_all__leaves_the_others_what_they_know() -> None:
    bench = Bench()
    ours = [bench.canary() for _ in range(3)]
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        await bench.clock.sleep(600)
        await finished(system, ours)
        await bench.clock.sleep(60)
        await system.find(ours[:1], Depth.DEADLINE)
        await bench.clock.sleep(60)

        (look,) = await finished(system, ours)

        assert look.walk is not None
        assert look.walk.covers == {one.id for one in ours}

    bench.run(paged("cursor", pages=2), work)


def test_canaries_that_each_have_a_walk_of_their_own__are_asked_for_together_again() -> None:
    bench = Bench()
    ours = [bench.canary() for _ in range(5)]
    bench.tickets(8)

    async def work(system: TicketingSystem) -> None:
        for one in ours:
            await system.find([one], Depth.DEADLINE)
            await bench.clock.sleep(1)

        looks = await finished(system, ours)

        assert looks[-1].walk is not None
        assert looks[-1].walk.covers == {one.id for one in ours}

    bench.run(paged("cursor", pages=2), work)
