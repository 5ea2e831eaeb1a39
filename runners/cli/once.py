"""Run once for `run` and `sweep`, and print what it came to."""

from typing import TYPE_CHECKING

import typer

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options

if TYPE_CHECKING:
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
    try:
        result = run_loop(_run(config, wanted, progress_for(output)))
    except (StoreError, SecretUnavailable) as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None
    if options.as_json:
        output.answer_json(run_answer(result.records, result.gauges, result.exit_code))
    else:
        _print(options, result)
    raise typer.Exit(result.exit_code)


async def _run(config: "Config", wanted: "RunOptions", progress: "Progress") -> "RunResult":
    from runners.clock import SystemClock
    from runners.oneshot import OneShot
    from runners.store import open_store
    from runners.wiring import wired

    clock = SystemClock()
    async with (
        open_store(config.prober.store_url, clock=clock, prober=config.prober.name) as store,
        wired(config, clock=clock, store=store, progress=progress) as prober,
    ):
        shot = OneShot(prober, store, clock=clock, progress=progress)
        result = await shot.run(wanted)
        if result.interrupted_by is None:
            await shot.push()
        return result


def _print(options: Options, result: "RunResult") -> None:
    from runners.cli.canaries import canary_line

    output = options.output
    for record in result.records:
        output.answer(canary_line(output, record))
    if result.problem is not None:
        output.tell(f"intake-prober: {result.problem}")
