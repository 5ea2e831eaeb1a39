"""`check`: validate the configuration and try every place, without sending a canary."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.interrupt import run_loop
from runners.cli.options import Options, command
from runners.cli.output import Output, Style, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from probes.contracts import Check, Clock
    from runners.checks import CheckSource
    from runners.config.config import Config


@command
def check(
    options: Options,
    send: Annotated[
        bool, typer.Option("--send", help="Send a test message to each alert sink, and its end.")
    ] = False,
) -> None:
    """Try every account, mailbox, ticketing system and the store; one line each, with the remedy.

    Ourselves first, then the places in the order of the configuration, where figures go, and the sinks.

    Sends nothing; with --send a test message to each alert sink. Never a canary.

    Exit: 0 (warnings too), 2 one failed.

    Example: intake-prober check --json
    """
    from runners.answers import checks_answer
    from runners.checks import exit_of

    config = options.load()
    checks = run_loop(_try_all(options, config, send=send))
    code = exit_of(checks)
    if options.as_json:
        options.output.answer_json(checks_answer(checks, code))
    raise typer.Exit(code)


async def _try_all(options: Options, config: "Config", *, send: bool) -> "Sequence[Check]":
    from runners.check_places import placer
    from runners.checks import own_sources, run_checks, store_source
    from runners.clock import SystemClock
    from runners.push_checks import push_sources
    from runners.telemetry.otlp_check import otlp_sources
    from runners.wiring import checkable

    output, clock = options.output, SystemClock()

    def found(one: "Check") -> None:
        if not options.as_json:
            output.answer(check_line(output, one))

    async with checkable(config, clock=clock) as targets:
        own = (*own_sources(config), store_source(config, clock=clock))
        out = (*otlp_sources(config, clock=clock), *push_sources(config, clock=clock))
        sources = (*own, *targets, *out)
        if send:
            sources = (*sources, *await _sinks(config, clock))
        return await run_checks(
            sources,
            clock=clock,
            masker=config.masker,
            found=found,
            placed=placer(config.file, config.keys),
            in_order=True,
        )


async def _sinks(config: "Config", clock: "Clock") -> "Sequence[CheckSource]":
    import uuid

    from probes.servers import SecretUnavailable
    from runners.alert_checks import sink_sources
    from runners.progress import Silent
    from runners.site import open_site

    try:
        site = await open_site(config, clock=clock, tell=Silent())
    except SecretUnavailable:
        return ()  # the check of the signing keys says it
    return sink_sources(config, clock=clock, tokens=site.tokens, new_id=lambda: str(uuid.uuid4()))


def check_line(output: Output, one: "Check") -> str:
    """A check in one line."""
    style = {"ok": Style.GOOD, "warn": Style.WARN, "fail": Style.BAD}[one.state.value]
    took = f"  ({one.seconds:.2f} s)" if one.seconds is not None else ""
    remedy = f"  {plain(one.remedy)}" if one.remedy else ""
    return f"{output.paint(f'{one.state:<4}', style)}  {one.place}  {one.name}: {plain(one.finding)}{took}{remedy}"
