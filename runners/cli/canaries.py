"""`canaries`: the history of canaries."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style
from runners.cli.selecting import LimitOption, PathOption, SinceOption

if TYPE_CHECKING:
    from canary.verdict import Verdict
    from runners.asking import Listed
    from runners.cli.exits import Exit
    from runners.contracts import Record, Store


@command
def canaries(
    options: Options,
    *,
    path: PathOption = None,
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", help="pending, confirmed, breached, late, lost or inconclusive."),
    ] = None,
    since: SinceOption = None,
    limit: LimitOption = 20,
    before: Annotated[
        str | None,
        typer.Option("--before", metavar="ID", help="Go on after this canary; --json names it as next."),
    ] = None,
) -> None:
    """List canaries, newest first, each with its verdict, blame and time.

    Exit: as `status`, by how the paths are now: 0, 1 when one is broken, 3 when one is blind, stale or unproved.

    Example: intake-prober canaries --path support-email --verdict breached --since 7d
    """
    from runners.asking import ask_canaries, canaries_answer
    from runners.cli.selecting import before_of, paths_of, since_when, verdict_of
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock
    from runners.contracts import CanaryQuery

    config = options.load(needs_secrets=False)
    paths = paths_of(options, config, path)
    now = SystemClock().now()
    query = CanaryQuery(
        path=paths[0].name if path is not None else None,
        verdict=verdict_of(options, verdict),
        since=since_when(options, since, now),
        limit=limit,
        before=before_of(options, before),
    )

    async def ask(store: "Store") -> "tuple[Listed, Exit]":
        return await ask_canaries(store, query, paths, now=now)

    listed, code = ask_store(options, config, ask)
    if options.as_json:
        options.output.answer_json(canaries_answer(listed, code))
    else:
        for record in listed.records:
            options.output.answer(canary_line(options.output, record))
        if not listed.records:
            options.output.tell("No canaries.")
    raise typer.Exit(code)


def canary_line(output: Output, record: "Record") -> str:
    """A canary in one line."""
    from canary.quantity import duration
    from runners.cli.words import clock

    judgement = record.judgement
    words = [
        clock(record.canary.launched_at),
        record.canary.id,
        record.canary.path,
        output.paint(f"{record.verdict:<12}", verdict_style(record.verdict)),
        duration(judgement.seconds if judgement is not None else None),
    ]
    if judgement is not None and judgement.stop is not None:
        words.append(f"{judgement.stop.hop}: {judgement.stop.reason}")
    if judgement is not None:
        words += [f"{hop} slow" for hop in judgement.slow]
        words += [f"{one.hop} {one.reason}" for one in judgement.flaws]
    return "  ".join(words)


def verdict_style(verdict: "Verdict") -> Style:
    """How a verdict is painted."""
    if verdict.is_breach:
        return Style.BAD
    return {"confirmed": Style.GOOD, "pending": Style.FAINT}.get(verdict.value, Style.WARN)
