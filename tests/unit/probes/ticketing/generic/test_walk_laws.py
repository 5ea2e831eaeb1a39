"""The law of walks: whatever happens between looks, no ticket that is there is called missing; and little is kept."""

from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import CanaryId
from canary.walk import MOST, RENEWED
from probes.contracts import Blind, Look, TicketingSystem
from probes.ticketing.look_span import span_of, was_read
from tests.fakes.paged_desk import PAGES, paged
from tests.unit.probes.ticketing.generic.walk_bench import Bench, shown

REFUSALS = (200, 400, 404, 410, 422)
EVENTS = (
    "all",
    "all",
    "some",
    "one",
    "sweep",
    "wait",
    "long",
    "restart",
    "launch",
    "arrive",
    "odd",
    "odd ours",
    "mend",
    "busy",
    "quiet",
    "end",
)
EVENT = st.tuples(st.sampled_from(EVENTS), st.integers(0, 9))


class Story:
    """What may happen to a desk, and what each look says of it."""

    def __init__(self, way: str, *, pages: int, events: list[tuple[str, int]]) -> None:
        self.bench = Bench()
        self.text = paged(way, pages=pages)
        self.may_be_whole = (way, pages) != ("offset", 1)  # its end takes a second page
        self.most_calls = 2 * (max(3, pages) + 1)
        self.ours = [self.bench.canary() for _ in range(4)]
        self.there: dict[CanaryId, datetime] = {}
        self.shown_at: dict[CanaryId, datetime] = {}
        self._left = events

    def play(self) -> None:
        while self._left:
            self.bench.run(self.text, self._until_restart)
        if self.may_be_whole:
            self.bench.run(self.text, self._on_a_quiet_list)

    async def _until_restart(self, system: TicketingSystem) -> None:
        while self._left:
            event, number = self._left.pop(0)
            await self.bench.clock.sleep(1)
            match event:
                case "restart":
                    return
                case "all":
                    await self._look(system, self.ours)
                case "some":
                    await self._look(system, self.ours[number % len(self.ours) :])
                case "one":
                    await self._look(system, [self.ours[number % len(self.ours)]])
                case "sweep":
                    await self._look(system, [])
                case _:
                    await self._outside(event, number)

    async def _outside(self, event: str, number: int) -> None:
        bench = self.bench
        absent = [one for one in self.ours if one.id not in self.there]
        match event:
            case "wait":
                await bench.clock.sleep(20 * number)
            case "long":
                await bench.clock.sleep(300 * number)
            case "launch":
                self.ours.append(bench.canary())
            case "arrive" | "odd ours" if absent:
                one = absent[number % len(absent)]
                self.there[one.id] = bench.clock.now()
                add = bench.desk.add if event == "arrive" else bench.desk.add_odd
                add(one.subject_prefix)
            case "odd" | "mend":
                (bench.desk.add_odd if event == "odd" else bench.desk.mend)()
            case "busy":
                bench.tickets(2 * number)
            case "quiet":
                bench.desk.rows = [one for one in bench.desk.rows if one[0] != "order"]
            case "end":
                bench.desk.refusal = REFUSALS[number % len(REFUSALS)]
                bench.desk.expire()
            case _:
                pass  # all have arrived

    async def _look(self, system: TicketingSystem, asked: list[Canary]) -> Look | None:
        began_at = self.bench.clock.now()
        self.bench.desk.asked.clear()
        try:
            look = await system.find(asked, Depth.DEADLINE)
        except Blind:
            assert any(title.startswith("odd ") for title, _ in self.bench.desk.rows)
            return None
        self.shown_at |= {one.id: began_at for one in self.ours if shown(look, one)}
        assert len(self.bench.desk.asked) <= self.most_calls
        assert len(self.bench.kept()) <= MOST
        since = look.walk.began_at if look.walk is not None else began_at
        for one in asked:
            if was_read(look, one) and self.there.get(one.id, since) < since:
                assert self.shown_at.get(one.id, began_at) >= since or shown(look, one), "it was there"
                assert one.id in self.shown_at, "it was there, and never shown"
            span = span_of(look, one, Depth.DEADLINE, began_at=began_at, ended_at=self.bench.clock.now())
            if span.may_tell(one) and span.look.is_complete and one.id not in self.shown_at:
                assert self.there.get(one.id, span.blank_since) >= span.blank_since, (
                    "it was there, and is accused"
                )
        return look

    async def _on_a_quiet_list(self, system: TicketingSystem) -> None:
        self.bench.desk.mend()
        self.bench.desk.rows = [one for one in self.bench.desk.rows if one[0] != "order"]
        self.bench.desk.size = 100
        for asked in (self.ours, list[Canary]()):
            await self.bench.clock.sleep(RENEWED.total_seconds())
            look = await self._look(system, asked)
            for _ in range(3):
                if look is None or look.walk is None:
                    break
                await self.bench.clock.sleep(RENEWED.total_seconds())
                look = await self._look(system, asked)
            assert look is not None
            assert look.is_complete
            assert look.walk is None
            assert look.strangers is not None
        assert self.bench.kept() == []
        assert self.shown_at.keys() == self.there.keys()


@settings(max_examples=25, deadline=None)
@given(
    way=st.sampled_from(sorted(PAGES)),
    pages=st.integers(1, 4),
    events=st.lists(EVENT, min_size=8, max_size=40),
)
def test_whatever_happens__none_is_called_missing_that_is_there_and_a_quiet_list_keeps_no_walk(
    way: str, pages: int, events: list[tuple[str, int]]
) -> None:
    story = Story(way, pages=pages, events=events)

    story.play()

    assert not story.may_be_whole or story.bench.kept() == []
