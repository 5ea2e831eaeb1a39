"""`trace`: one canary's waterfall."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary.observation import Observation
    from runners.contracts import PathFacts, Record, Store
    from runners.states import PathView


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

    Example: intake-prober trace ailhx6nqaa4tgmzt
    """
    from runners.cli.storing import ask_store, exit_of, view_paths
    from runners.cli.waterfall import waterfall

    config = options.load(needs_secrets=False)

    async def ask(
        store: "Store",
    ) -> "tuple[Sequence[Record], Sequence[Observation], list[tuple[PathView, PathFacts]]]":
        found = await store.find(canary.strip().lower())
        if len(found) != 1:
            return found, (), []
        configured = config.paths.get(found[0].canary.path)
        views = await view_paths(store, [configured.path], []) if configured is not None else []
        return found, await store.observations(found[0].canary.id), views

    records, observations, views = ask_store(options, config, ask)
    if not records:
        raise options.fail(f"there is no canary {canary}", "See intake-prober canaries.")
    if len(records) > 1:
        ids = ", ".join(one.canary.id for one in records[:5])
        raise options.fail(
            f"{canary} is the beginning of {len(records)} canaries: {ids}", "Write more of it."
        )
    record = records[0]
    configured = config.paths.get(record.canary.path)
    runbook = configured.path.runbook if configured is not None else None
    code = exit_of([view for view, _ in views])
    if options.as_json:
        from runners.answer_shapes import TraceAnswer
        from runners.answers import canary_answer, observation_answer

        answer: TraceAnswer = {
            "canary": canary_answer(record),
            "observations": [observation_answer(one) for one in observations],
            "dropped": record.is_thinned,
            "runbook": runbook,
            "exit": int(code),
        }
        options.output.answer_json(answer)
    else:
        kept = config.prober.artifacts
        folder = kept.directory if kept is not None else None
        for line in waterfall(record, observations, options.output, runbook=runbook, artifacts=folder):
            options.output.answer(line)
    raise typer.Exit(code)
