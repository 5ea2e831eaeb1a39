"""`check`: validate the configuration and try every place, without sending a canary."""

from typing import TYPE_CHECKING

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style, plain

if TYPE_CHECKING:
    from probes.contracts import Check


@command
def check(options: Options) -> None:
    """Try every account, mailbox, ticketing system and the store; one line each, with the remedy. Sends nothing.

    Exit: 0 (warnings too), 2 one failed.

    Example: intake-prober check --json
    """
    import asyncio

    from runners.answers import checks_answer
    from runners.checks import exit_of, run_checks
    from runners.clock import SystemClock
    from runners.wiring import check_sources

    config = options.load()
    output = options.output

    def found(one: "Check") -> None:
        if not options.as_json:
            output.answer(check_line(output, one))

    clock = SystemClock()
    checks = asyncio.run(
        run_checks(check_sources(config, clock=clock), clock=clock, masker=config.masker, found=found)
    )
    code = exit_of(checks)
    if options.as_json:
        output.answer_json(checks_answer(checks, code))
    raise typer.Exit(code)


def check_line(output: Output, one: "Check") -> str:
    """A check in one line."""
    style = {"ok": Style.GOOD, "warn": Style.WARN, "fail": Style.BAD}[one.state.value]
    took = f"  ({one.seconds:.2f} s)" if one.seconds is not None else ""
    remedy = f"  {plain(one.remedy)}" if one.remedy else ""
    return f"{output.paint(f'{one.state:<4}', style)}  {one.place}  {one.name}: {plain(one.finding)}{took}{remedy}"
