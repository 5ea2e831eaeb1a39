"""`check`: validate the configuration and try every place, without sending a canary."""

from typing import TYPE_CHECKING

import typer

from runners.cli.interrupt import run_loop
from runners.cli.options import Options, command
from runners.cli.output import Output, Style, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.contracts import Check
    from runners.config.config import Config


@command
def check(options: Options) -> None:
    """Try every account, mailbox, ticketing system and the store; one line each, with the remedy. Sends nothing.

    Exit: 0 (warnings too), 2 one failed.

    Example: intake-prober check --json
    """
    from runners.answers import checks_answer
    from runners.checks import exit_of

    config = options.load()
    checks = run_loop(_try_all(options, config))
    code = exit_of(checks)
    if options.as_json:
        options.output.answer_json(checks_answer(checks, code))
    raise typer.Exit(code)


async def _try_all(options: Options, config: "Config") -> "Sequence[Check]":
    from runners.checks import own_sources, run_checks, store_source
    from runners.clock import SystemClock
    from runners.wiring import checkable

    output, clock = options.output, SystemClock()

    def found(one: "Check") -> None:
        if not options.as_json:
            output.answer(check_line(output, one))

    async with checkable(config, clock=clock) as targets:
        sources = (*own_sources(config), store_source(config, clock=clock), *targets)
        return await run_checks(sources, clock=clock, masker=config.masker, found=found)


def check_line(output: Output, one: "Check") -> str:
    """A check in one line."""
    style = {"ok": Style.GOOD, "warn": Style.WARN, "fail": Style.BAD}[one.state.value]
    took = f"  ({one.seconds:.2f} s)" if one.seconds is not None else ""
    remedy = f"  {plain(one.remedy)}" if one.remedy else ""
    return f"{output.paint(f'{one.state:<4}', style)}  {one.place}  {one.name}: {plain(one.finding)}{took}{remedy}"
