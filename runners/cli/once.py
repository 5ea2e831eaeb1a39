"""Run once for `run` and `sweep`, and print what it came to."""

from typing import TYPE_CHECKING

import typer

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from probes.contracts import Clock
    from runners.config.config import Config
    from runners.contracts import Store
    from runners.oneshot import OneShot, RunOptions, RunResult
    from runners.progress import Progress


def once(options: Options, config: "Config", wanted: "RunOptions") -> None:
    """Run, print the answer, and end with its status.

    Raises:
        typer.Exit: always.
    """
    from probes.servers import SecretUnavailable
    from runners.answers import run_answer
    from runners.cli.live import progress_for
    from runners.cli.output import plain
    from runners.cli.run_words import interrupted_words
    from runners.cli.words import left_behind
    from runners.contracts import StoreError

    output = options.output
    answered: list[int] = []

    def answer(result: "RunResult") -> None:
        if options.as_json:
            output.answer_json(
                run_answer(
                    result.records,
                    result.gauges,
                    result.leftovers,
                    result.exit_code,
                    removed=result.removed,
                    waiting=result.waiting,
                )
            )
        else:
            _print(options, result, config, sweeps=not wanted.launches)
        if result.interrupted_by is not None:
            output.tell(f"intake-prober: {plain(interrupted_words(result))}.")
        if result.leftovers:
            output.tell(f"intake-prober: {left_behind(result.leftovers)}.")
        answered.append(result.exit_code)

    try:
        run_loop(_run(config, wanted, progress_for(output), answer))
    except (StoreError, SecretUnavailable) as error:
        said = config.masker.mask(str(error)).rstrip(".")
        if not answered:
            raise options.fail(said, status=Exit.BLIND) from None
        # The run is over and its answer printed: neither another answer nor another status may follow.
        output.tell(f"intake-prober: after the run: {said}.")
    except KeyboardInterrupt:
        if not answered:
            raise
    raise typer.Exit(answered[0])


async def _run(
    config: "Config", wanted: "RunOptions", progress: "Progress", answer: "Callable[[RunResult], None]"
) -> None:
    """Run, answer, and only then send traces: who waits for the answer does not wait for a receiver."""
    from contextlib import AsyncExitStack
    from functools import partial
    from uuid import uuid4

    from runners.alerts.building import build_heartbeats
    from runners.clock import SystemClock
    from runners.contracts import StoreError
    from runners.oneshot import OneShot
    from runners.pinging import pinged
    from runners.store import open_store
    from runners.wiring import wired

    clock = SystemClock()

    async with AsyncExitStack() as stack:

        async def work() -> "RunResult":
            store = await stack.enter_async_context(
                open_store(config.prober.store_url, clock=clock, prober=config.prober.name)
            )
            async with wired(config, clock=clock, store=store, progress=progress) as prober:
                shot = OneShot(prober, store, clock=clock, progress=progress)
                result = await shot.run(wanted)
            answer(result)
            if result.interrupted_by is None:
                afterwards.append(partial(_export, config, store, shot, clock))
            return result

        afterwards: list[Callable[[], Awaitable[None]]] = []
        # Their own, not the prober's: that the store can't be opened is told too.
        await pinged(work, build_heartbeats(config, clock=clock), clock=clock, run_id=str(uuid4()))
        if config.telemetry.otlp_problem:
            progress.note(f"nothing is sent by OTLP: {config.telemetry.otlp_problem}")
        for export in afterwards:
            try:
                await export()
            except StoreError as error:
                progress.note(config.masker.mask(str(error)))


async def _export(config: "Config", store: "Store", shot: "OneShot", clock: "Clock") -> None:
    """Send the traces and push the figures: bounded, and whatever goes wrong here is not the run's."""
    from runners.tracing import exporter_of

    exporter = exporter_of(config, store, clock=clock, failed=lambda: None, is_oneshot=True)
    if exporter is not None:
        await exporter.drain()
    await shot.push()


def _print(options: Options, result: "RunResult", config: "Config", *, sweeps: bool) -> None:
    from runners.cli.canaries import canary_line
    from runners.cli.output import plain
    from runners.cli.run_words import kept_lines, sweep_line
    from runners.config.document_places import Cleanup

    output = options.output
    for record in result.records:
        output.answer(canary_line(output, record))
    for line in kept_lines(result):
        output.answer(plain(line))
    if sweeps:
        deleting = {name for name, one in config.ticketing.items() if one.cleanup is Cleanup.DELETE}
        output.answer(plain(sweep_line(result, deleting)))
    if result.problem is not None:
        output.tell(f"intake-prober: {result.problem}")
