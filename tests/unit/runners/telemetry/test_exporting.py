"""The outbox of traces is drained: nothing lost, nothing changed, and a receiver that fails holds up nothing."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from canary.canary import Canary
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import StoreError
from runners.export_contracts import MAIN, ExportState, PartKey, TraceRows
from runners.store import codec
from runners.telemetry import exporting
from runners.telemetry.exporting import DRAIN_AT_ONCE, LONGEST_PAUSE_SECONDS, MOST_ATTEMPTS, Exporter
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.span_rows import TraceBatch
from runners.telemetry.spans import spans_of
from tests.contracts.store_cases import MAIL, judged, make_canary, recorded, seen_at, settlement
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore


@dataclass
class FakeSender:
    """Takes parts, or says what it was told to, first to last; the last word stays.

    Attributes:
        bad: what it says of any request with that canary in it.
    """

    clock: FakeClock
    answers: list[Exception | None] = field(default_factory=list)
    took: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    seconds: float = 0.0
    limit_seconds: float = 11.0
    closed: int = 0
    on_send: Callable[[], Coroutine[object, object, None]] | None = None
    bad: dict[CanaryId, Exception] = field(default_factory=dict)

    async def send(self, *batches: TraceBatch) -> None:
        self.at.append(self.clock.monotonic())
        self.took.extend(map(codec.dumps, batches))
        if self.on_send is not None:
            await self.on_send()
        await self.clock.sleep(self.seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else (self.answers or [None])[0]
        found = [error for one in batches for bad, error in self.bad.items() if bad == one.canary_id]
        if answer is not None or found:
            raise answer or found[0]

    def close(self) -> None:
        self.closed += 1


class Scene:
    """One exporter, or several, on one store."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.sender = FakeSender(self.clock)
        self.failures: list[int] = []

    def exporter(
        self, holder: str = "host-a", *, sender: FakeSender | None = None, counted_for: str | None = None
    ) -> Exporter:
        return Exporter(
            store=self.store,
            sender=sender or self.sender,
            clock=self.clock,
            holder=holder,
            chance=lambda: 0.5,
            redact=lambda text: text.replace("planted", "***"),
            resource={"service.name": "intake-prober"},
            version="1",
            failed=lambda: self.failures.append(1),
            counted_for=counted_for,
        )

    async def settle(self, number: int = 1) -> Canary:
        canary = await recorded(self.store, make_canary(number))
        await self.store.append(seen_at(canary))
        _, version = await self.store.progress(MAIL)
        fresh = settlement(judged(canary, Verdict.CONFIRMED), version=version)
        await self.store.settle(replace(fresh, at=self.clock.now()))
        return canary

    async def run_for(self, seconds: float, *some: Exporter) -> None:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one.run()) for one in some or (self.exporter(),)]
            await self.clock.sleep(seconds)
            for one in running:
                one.cancel()

    def play(self, scenario: Coroutine[object, object, None]) -> None:
        run_jumping(self.clock, scenario)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_is_settled__is_sent_once_and_forgotten(scene: Scene) -> None:
    async def scenario() -> None:
        canary = await scene.settle()
        await scene.run_for(60)

        (text,) = scene.sender.took
        batch = codec.loads(TraceBatch, text)
        assert batch.canary_id == canary.id
        assert (dict(batch.resource), batch.version) == ({"service.name": "intake-prober"}, "1")
        assert await scene.store.exports() == ExportState()

    scene.play(scenario())
    assert scene.sender.closed == 1


def test_first_look__is_not_at_the_start_but_a_while_later(scene: Scene) -> None:
    async def scenario() -> None:
        await scene.settle()
        await scene.run_for(exporting.LOOK_SECONDS - 0.1)

        assert scene.sender.took == []

    scene.play(scenario())


def test_receiver_that_is_away__is_asked_less_and_less_often_and_by_one_part_only(scene: Scene) -> None:
    scene.sender.answers = [NotSent("refused")]

    async def scenario() -> None:
        for number in range(1, 6):
            await scene.settle(number)
        await scene.run_for(3600)

        pauses = [
            later - earlier for earlier, later in zip(scene.sender.at, scene.sender.at[1:], strict=False)
        ]
        assert pauses[:6] == pytest.approx([5, 10, 20, 40, 80, 160])
        assert max(pauses) == LONGEST_PAUSE_SECONDS
        assert len(scene.failures) == len(scene.sender.at)
        assert (await scene.store.exports()).pending == 5

    scene.play(scenario())


def test_retry_after__is_waited_for(scene: Scene) -> None:
    scene.sender.answers = [NotSent("503", status=503, retry_after_seconds=77), None]

    async def scenario() -> None:
        await scene.settle()
        await scene.run_for(120)

        first, second = scene.sender.at
        assert second - first == pytest.approx(77, abs=5)
        assert scene.sender.took[0] == scene.sender.took[1]

    scene.play(scenario())


def test_receiver_that_is_back__gets_all_that_waited(scene: Scene) -> None:
    scene.sender.answers = [NotSent("refused"), NotSent("refused"), None]

    async def scenario() -> None:
        for number in range(1, 12):
            await scene.settle(number)
        await scene.run_for(60)

        assert len(set(scene.sender.took)) == 11
        assert await scene.store.exports() == ExportState()

    scene.play(scenario())


def test_what_is_refused_for_good__is_given_up_and_the_next_one_sent(scene: Scene) -> None:
    async def scenario() -> None:
        bad = await scene.settle(1)
        scene.sender.bad[bad.id] = NotSent("400 planted", permanent=True, status=400)
        await scene.settle(2)
        await scene.run_for(6)

        # Together, and then each by itself.
        assert len(scene.sender.took) == 4
        assert await scene.store.exports() == ExportState(dead=1, last_error="400 ***")

    scene.play(scenario())
    assert len(scene.failures) == 1


def test_gateway_that_has_no_receiver_behind_it__is_asked_once_and_not_by_each_part(scene: Scene) -> None:
    scene.sender.answers = [NotSent("502", status=502)]

    async def scenario() -> None:
        for number in range(1, 4):
            await scene.settle(number)
        await scene.exporter().drain()

        assert len(scene.sender.at) == 1
        assert (await scene.store.exports()).pending == 3

    scene.play(scenario())


def test_several_parts__go_in_one_request(scene: Scene) -> None:
    async def scenario() -> None:
        for number in range(1, 4):
            await scene.settle(number)
        await scene.exporter().drain()

        assert (len(scene.sender.at), len(set(scene.sender.took))) == (1, 3)
        assert await scene.store.exports() == ExportState()

    scene.play(scenario())


def test_outage__however_long__kills_no_part(scene: Scene) -> None:
    scene.sender.answers = [NotSent("500", status=500)]

    async def scenario() -> None:
        await scene.settle()
        exporter = scene.exporter()
        for _ in range(MOST_ATTEMPTS + 1):
            await exporter.drain()
            scene.clock.advance(LONGEST_PAUSE_SECONDS)
        scene.sender.answers = [None]
        await exporter.drain()

        assert await scene.store.exports() == ExportState()

    scene.play(scenario())


def test_part_that_is_refused_again_and_again_while_others_are_taken__is_given_up_in_the_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ATTEMPTS", 5)

    async def scenario() -> None:
        bad = await scene.settle(0)
        scene.sender.bad[bad.id] = NotSent("500", status=500)
        exporter = scene.exporter()
        for number in range(1, 6):
            scene.clock.advance(LONGEST_PAUSE_SECONDS)
            await scene.settle(number)  # the newer one is taken first
            assert (await scene.store.exports()).dead == 0
            await exporter.drain()

        state = await scene.store.exports()
        assert (state.pending, state.dead) == (0, 1)

    scene.play(scenario())


@pytest.mark.parametrize("is_first", [True, False], ids=["alone of its kind", "after one of this run"])
def test_part_that_is_always_refused__blocks_no_older_one_of_a_run_that_ends(
    scene: Scene, is_first: bool
) -> None:
    async def scenario() -> None:
        for number in range(1, 4):
            await scene.settle(number)
            scene.clock.advance(1)
        bad = await scene.settle(4)  # the newest, so that it is taken first
        scene.sender.bad[bad.id] = NotSent("500", status=500)
        if not is_first:
            scene.clock.advance(1)
            await scene.settle(5)
        await scene.exporter().drain()

        assert (await scene.store.exports()).pending == 1
        scene.clock.advance(LONGEST_PAUSE_SECONDS)
        later = scene.clock.now() + timedelta(hours=1)
        (left,) = await scene.store.claim_traces(later, holder="x", lease_until=later, limit=9)
        assert (left.key.canary_id, left.attempts) == (bad.id, 1)

    scene.play(scenario())


def test_receiver_that_refuses_two_parts_and_takes_none__is_left_alone(scene: Scene) -> None:
    scene.sender.answers = [NotSent("500", status=500)]

    async def scenario() -> None:
        for number in range(1, 5):
            await scene.settle(number)
        await scene.exporter().drain()

        assert len(scene.sender.at) == 3  # together, and two by themselves

    scene.play(scenario())


@pytest.mark.parametrize("status", [None, 502, 503])
def test_bundle_that_nobody_was_there_to_take__is_no_attempt_of_any_part(
    scene: Scene, status: int | None
) -> None:
    async def scenario() -> None:
        exporter = scene.exporter()
        await scene.settle(1)
        await exporter.drain()  # another was taken just before
        scene.sender.answers = [NotSent("gone", status=status)]
        for number in range(2, 5):
            await scene.settle(number)
        await exporter.drain()

        later = scene.clock.now() + timedelta(hours=1)
        left = await scene.store.claim_traces(later, holder="x", lease_until=later, limit=9)
        assert [one.attempts for one in left] == [0, 0, 0]

    scene.play(scenario())


def test_spans_that_were_rejected_of_a_bundle__cost_that_part_alone_and_the_others_come_twice(
    scene: Scene,
) -> None:
    async def scenario() -> None:
        bad = await scene.settle(1)
        scene.sender.bad[bad.id] = NotSent("1 spans were rejected: too old", permanent=True, status=200)
        good = await scene.settle(2)
        await scene.exporter().drain()

        took = [codec.loads(TraceBatch, one).canary_id for one in scene.sender.took]
        assert sorted(took) == sorted([bad.id, bad.id, good.id, good.id])
        assert len(set(scene.sender.took)) == 2  # the same both times
        assert await scene.store.exports() == ExportState(dead=1, last_error="1 spans were rejected: too old")

    scene.play(scenario())


def test_part_of_which_nothing_is_left__is_given_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_: object) -> dict[CanaryId, TraceRows]:
        return {}

    monkeypatch.setattr(scene.store, "trace_rows", nothing)

    async def scenario() -> None:
        await scene.settle()
        await scene.run_for(6)

        assert await scene.store.exports() == ExportState(
            dead=1, last_error="nothing is stored of it any more"
        )

    scene.play(scenario())


def test_rows_that_can_not_be_made_a_trace__hold_up_no_other_trace(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = spans_of

    def broken(rows: TraceRows, part: str) -> TraceBatch | None:
        if rows.canary.id == make_canary(2).id:
            raise ValueError("planted")
        return real(rows, part)

    monkeypatch.setattr(exporting, "spans_of", broken)

    async def scenario() -> None:
        await scene.settle(1)
        await scene.settle(2)
        await scene.run_for(6)

        assert [codec.loads(TraceBatch, one).canary_id for one in scene.sender.took] == [make_canary(1).id]
        assert await scene.store.exports() == ExportState(
            dead=1, last_error="a fault of the prober: ValueError"
        )

    scene.play(scenario())


def test_fault_of_the_sender__gives_up_that_part_alone(scene: Scene) -> None:
    async def scenario() -> None:
        bad = await scene.settle(1)
        scene.sender.bad[bad.id] = RuntimeError("planted")
        await scene.settle(2)
        await scene.run_for(6)

        assert len(scene.sender.took) == 4
        assert (await scene.store.exports()).dead == 1

    scene.play(scenario())


def test_two_replicas__do_not_send_the_same_part_both(scene: Scene) -> None:
    scene.sender.seconds = 1.0

    async def scenario() -> None:
        for number in range(1, 20):
            await scene.settle(number)
        other = FakeSender(scene.clock, seconds=1.0)
        await scene.run_for(60, scene.exporter("host-a"), scene.exporter("host-b", sender=other))

        sent = [*scene.sender.took, *other.took]
        assert len(sent) == len(set(sent)) == 19
        assert scene.sender.took
        assert other.took

    scene.play(scenario())


def test_process_that_died_after_sending__has_its_part_sent_again_the_same_by_another(scene: Scene) -> None:
    async def scenario() -> None:
        canary = await scene.settle()

        async def dies() -> None:
            scene.sender.on_send = None
            raise asyncio.CancelledError

        scene.sender.on_send = dies
        with pytest.raises(asyncio.CancelledError):
            await scene.exporter("host-a").drain()
        # Seen only afterwards, with a later program: what was sent stays as it was.
        await scene.store.append(replace(seen_at(canary, seconds=2.0), detail="learnt later"))
        scene.clock.advance(3600)
        await replace(scene.exporter("host-b"), version="2").drain()

        first, second = scene.sender.took
        assert first == second

    scene.play(scenario())


def test_store_that_fails__stops_the_sending_for_a_while_and_no_more(scene: Scene) -> None:
    real, calls = scene.store.claim_traces, []

    async def failing(*some: object, **named: object) -> object:
        calls.append(1)
        if len(calls) <= 3:
            raise StoreError("store: gone")
        return await real(*some, **named)  # type: ignore[arg-type]

    scene.store.claim_traces = failing  # type: ignore[method-assign, assignment]

    async def scenario() -> None:
        await scene.settle()
        await scene.run_for(60)

        assert len(scene.sender.took) == 1

    scene.play(scenario())


def test_drain__ends_with_the_first_failure_and_counts_it_in_the_store(scene: Scene) -> None:
    scene.sender.answers = [NotSent("refused")]

    async def scenario() -> None:
        await scene.settle(1)
        await scene.settle(2)
        await scene.exporter(counted_for="fra-1").drain()

        assert len(scene.sender.at) == 1
        (errors,) = [one for one in await scene.store.samples() if one.name == "intake.prober.export.errors"]
        assert (errors.value, dict(errors.labels)) == (1.0, {"prober": "fra-1", "kind": "traces"})

    scene.play(scenario())


def test_drain__ends_in_its_time_and_leaves_the_rest_to_the_next_run(scene: Scene) -> None:
    scene.sender.seconds = 4.0

    async def scenario() -> None:
        for number in range(1, DRAIN_AT_ONCE + 3):
            await scene.settle(number)
        began = scene.clock.monotonic()
        await scene.exporter().drain(6.0)
        assert scene.clock.monotonic() - began == pytest.approx(6.0, abs=0.1)
        assert (await scene.store.exports()).pending == 2
        scene.clock.advance(600)
        await scene.exporter("host-b").drain(60.0)

        assert (await scene.store.exports()).pending == 0

    scene.play(scenario())


def test_drain_of_a_store_that_fails__raises_nothing(scene: Scene) -> None:
    async def failing(*_: object, **__: object) -> object:
        raise StoreError("store: gone")

    scene.store.claim_traces = failing  # type: ignore[method-assign, assignment]

    scene.play(scene.exporter().drain())
    assert scene.sender.closed == 1


def test_outage__is_one_line_of_the_log_and_its_end_another(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.sender.answers = [*[NotSent("refused planted")] * 5, None]

    async def scenario() -> None:
        await scene.settle()
        with caplog.at_level(logging.INFO, logger="runners.telemetry.exporting"):
            await scene.run_for(600)

    scene.play(scenario())

    assert [one.getMessage() for one in caplog.records] == ["export_failed", "export_resumed"]
    assert caplog.records[0].detail == "refused ***"  # type: ignore[attr-defined]


def test_slow_receiver__never_outlasts_the_lease_of_what_was_claimed(scene: Scene) -> None:
    scene.sender.seconds = 10.9

    async def scenario() -> None:
        for number in range(1, 9):
            await scene.settle(number)
        other = FakeSender(scene.clock)
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(scene.exporter("host-a").run())
            await scene.clock.sleep(7)
            quick = group.create_task(scene.exporter("host-b", sender=other).run())
            await scene.clock.sleep(timedelta(minutes=10).total_seconds())
            slow.cancel()
            quick.cancel()

        sent = [*scene.sender.took, *other.took]
        assert len(sent) == len(set(sent)) == 8

    scene.play(scenario())


def test_part_that_somebody_froze_first__is_sent_as_theirs(scene: Scene) -> None:
    async def scenario() -> None:
        canary = await scene.settle()
        key = PartKey(canary.id, MAIN)
        theirs = codec.dumps(TraceBatch(canary.id, canary.trace_id, (), version="theirs"))
        await scene.store.freeze_traces({key: theirs})
        await scene.exporter().drain()

        assert scene.sender.took == [theirs]

    scene.play(scenario())
