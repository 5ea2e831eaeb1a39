"""`trace`: one canary's waterfall."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command

if TYPE_CHECKING:
    from runners.asking import Trace
    from runners.contracts import Store


@command
def trace(
    options: Options,
    canary: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="The canary's id, its beginning or its last six letters, its token, or its trace id.",
        ),
    ],
) -> None:
    """Show one canary hop by hop: when, how long, by what evidence, and what is to blame.

    Exit: as `status`, by how the paths are now: 0, 1 when one is broken, 3 when one is blind, stale or unproved.

    Example: intake-prober trace ailhx6nqaa4tgmzt
    """
    from runners.asking import ask_trace, trace_answer
    from runners.cli.storing import ask_store
    from runners.cli.waterfall import waterfall
    from runners.clock import SystemClock

    config = options.load(needs_secrets=False)

    paths = {name: one.path for name, one in config.paths.items()}

    async def ask(store: "Store") -> "Trace":
        return await ask_trace(store, canary, paths, now=SystemClock().now())

    found = ask_store(options, config, ask)
    records = found.records
    if not records:
        raise options.fail(f"there is no canary {canary}", "See intake-prober canaries.")
    if len(records) > 1:
        ids = ", ".join(one.canary.id for one in records[:5])
        raise options.fail(
            f"{canary} is the beginning of {len(records)} canaries: {ids}", "Write more of it."
        )
    record = records[0]
    if options.as_json:
        options.output.answer_json(trace_answer(found))
    else:
        kept = config.prober.artifacts
        folder = kept.directory if kept is not None else None
        lines = waterfall(
            record,
            found.observations,
            options.output,
            runbook=found.runbook,
            artifacts=folder,
            is_kept=found.is_kept,
        )
        for line in lines:
            options.output.answer(line)
    raise typer.Exit(found.exit)
