"""`sweep`: settle and clean what is outstanding; send nothing."""

from typing import Annotated

import typer

from runners.cli.options import Options, command


@command
def sweep(
    options: Options,
    until_horizon: Annotated[
        bool, typer.Option("--until-horizon", help="Watch breached canaries until they are late or lost.")
    ] = False,
) -> None:
    """Settle and clean what earlier runs left; send nothing. With an empty store, find and clean our leftovers.

    Exit: as run.

    Example: intake-prober sweep --json
    """
    from runners.cli.once import once
    from runners.oneshot import RunOptions

    config = options.load()
    once(options, config, RunOptions(launches=False, until_horizon=until_horizon))
