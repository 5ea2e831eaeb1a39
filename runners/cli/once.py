"""Run once for `run` and `sweep`, and print what it came to."""

from typing import TYPE_CHECKING

import typer

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from runners.config.config import Config
    from runners.oneshot import RunOptions, RunResult
    from runners.progress import Progress


def once(options: Options, config: "Config", wanted: "RunOptions") -> None:
    """Run, print the answer, and end with its status.

    Raises:
        typer.Exit: always.
    """
    from probes.servers import SecretUnavailable
    from runners.answers import run_answer
    from runners.cli.live import progress_for
    from runners.contracts import StoreError

    output = options.output
    answered: list[int] = []

    def answer(result: "RunResult") -> None:
        if options.as_json:
            output.answer_json(run_answer(result.records, result.gauges, result.exit_code))
        else:
            _print(options, result)
        answered.append(result.exit_code)

    try:
        run_loop(_run(config, wanted, progress_for(output), answer))
    except (StoreError, SecretUnavailable) as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None
    except KeyboardInterrupt:
        if not answered:
            raise
    raise typer.Exit(answered[0])


async def _run(
    config: "Config", wanted: "RunOptions", progress: "Progress", answer: "Callable[[RunResult], None]"
) -> None:
    """Run, answer, and only then send traces: who waits for the answer does not wait for a receiver."""
    from runners.clock import SystemClock
    from runners.oneshot import OneShot
    from runners.store import open_store
    from runners.tracing import exporter_of
    from runners.wiring import wired

    clock = SystemClock()
    async with open_store(config.prober.store_url, clock=clock, prober=config.prober.name) as store:
        async with wired(config, clock=clock, store=store, progress=progress) as prober:
            shot = OneShot(prober, store, clock=clock, progress=progress)
            result = await shot.run(wanted)
        answer(result)
        if config.telemetry.otlp_problem:
            progress.note(f"no traces are sent: {config.telemetry.otlp_problem}")
        exporter = exporter_of(config, store, clock=clock, failed=lambda: None, is_oneshot=True)
        if result.interrupted_by is not None:
            return
        if exporter is not None:
            await exporter.drain()
        await shot.push()


def _print(options: Options, result: "RunResult") -> None:
    from runners.cli.canaries import canary_line

    output = options.output
    for record in result.records:
        output.answer(canary_line(output, record))
    if result.problem is not None:
        output.tell(f"intake-prober: {result.problem}")
