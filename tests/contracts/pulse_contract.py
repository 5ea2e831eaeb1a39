"""What every store says of the pulse of paths."""

from canary.path import PathName
from canary.verdict import Verdict
from runners.contracts import Store
from runners.pulse import Pulse
from tests.contracts.store_cases import (
    FORM,
    MAIL,
    StorePlace,
    after,
    judged,
    make_canary,
    recorded,
    settlement,
)
from tests.contracts.store_contract import run

_FAILED = Verdict.BREACHED
NOW = after(3600)


async def _settled(store: Store, verdicts: list[Verdict], *, path: PathName = MAIL) -> None:
    """Canaries launched and settled one after another, a minute apart."""
    for number, verdict in enumerate(verdicts):
        canary = make_canary(number, path=path, launched_at=after(60 * number))
        await recorded(store, canary)
        _, version = await store.progress(path)
        await store.settle(settlement(judged(canary, verdict, at=60 * number + 30), version=version))


class PulseContract:
    """The figures behind a path's gauges."""

    def test_path_without_a_canary__has_an_empty_pulse(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, [Verdict.CONFIRMED], path=FORM)

            assert await store.pulses([MAIL], now=NOW) == {MAIL: Pulse()}
            assert await store.pulses([], now=NOW) == {}

        run(place, scenario)

    def test_pending_canaries__are_in_flight_since_the_launch_of_the_oldest(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await recorded(store, make_canary(2, launched_at=after(20)))
            await recorded(store, make_canary(1, launched_at=after(10)))
            await recorded(store, make_canary(3, path=FORM, launched_at=after(5)))

            assert await store.pulses([MAIL, FORM], now=NOW) == {
                MAIL: Pulse(in_flight=2, oldest_in_flight_at=after(10), last_launch_at=after(20)),
                FORM: Pulse(in_flight=1, oldest_in_flight_at=after(5), last_launch_at=after(5)),
            }

        run(place, scenario)

    def test_breaches_since_the_last_success__are_counted_and_inconclusive_ones_are_not(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            await _settled(
                store, [_FAILED, Verdict.CONFIRMED, _FAILED, Verdict.INCONCLUSIVE, Verdict.LOST, Verdict.LATE]
            )

            assert (await store.pulses([MAIL], now=NOW))[MAIL] == Pulse(
                consecutive_failures=3,
                last_launch_at=after(300),
                last_verdict_at=after(330),
                last_success_at=after(90),
            )

        run(place, scenario)

    def test_breaches_without_any_success__are_all_counted(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, [_FAILED, Verdict.INCONCLUSIVE, _FAILED])

            pulse = (await store.pulses([MAIL], now=NOW))[MAIL]
            assert (pulse.consecutive_failures, pulse.last_success_at) == (2, None)

        run(place, scenario)

    def test_confirmed_after_breaches__ends_their_run(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, [_FAILED, _FAILED, Verdict.CONFIRMED, Verdict.INCONCLUSIVE])

            assert (await store.pulses([MAIL], now=NOW))[MAIL].consecutive_failures == 0

        run(place, scenario)

    def test_settled_at_the_same_moment__counts_what_was_launched_later(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            verdicts = [_FAILED, Verdict.CONFIRMED, _FAILED]
            canaries = [make_canary(number, launched_at=after(number)) for number in range(3)]
            for version, (canary, verdict) in enumerate(zip(canaries, verdicts, strict=True)):
                await recorded(store, canary)
                await store.settle(settlement(judged(canary, verdict, at=60), version=min(version, 1)))

            assert (await store.pulses([MAIL], now=NOW))[MAIL].consecutive_failures == 1

        run(place, scenario)

    def test_what_lies_ahead__hides_nothing_of_what_came_by_now(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, [Verdict.CONFIRMED, _FAILED, _FAILED, *[Verdict.CONFIRMED] * 3])

            assert (await store.pulses([MAIL], now=after(150)))[MAIL] == Pulse(
                in_flight=0,
                consecutive_failures=2,
                last_launch_at=after(180),
                last_verdict_at=after(150),
                last_success_at=after(30),
            )

        run(place, scenario)

    def test_what_lies_ahead__is_told_where_there_is_nothing_else(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await _settled(store, [_FAILED, _FAILED, Verdict.CONFIRMED, _FAILED])

            pulses = [(await store.pulses([MAIL], now=after(at)))[MAIL] for at in (-600, 90)]

            assert [(one.consecutive_failures, one.last_verdict_at) for one in pulses] == [
                (1, after(210)),
                (2, after(90)),
            ]
            assert {one.last_success_at for one in pulses} == {after(150)}

        run(place, scenario)
