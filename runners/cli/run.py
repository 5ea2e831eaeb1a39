"""`run`: launch, watch, settle and clean once."""

from typing import Annotated

import typer

from runners.cli.options import Options, command


@command
def run(
    options: Options,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Only these paths; default all that are enabled."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only where a slot is due that nobody has claimed (cron).")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Don't wait for verdicts: the next run settles.")
    ] = False,
    until_horizon: Annotated[
        bool, typer.Option("--until-horizon", help="Watch breached canaries until they are late or lost.")
    ] = False,
) -> None:
    """Launch one canary a path, wait for the verdicts, clean up, and say what it came to.

    Exit: 0 all confirmed, 1 a breach, 2 configuration or usage, 3 inconclusive or nothing could be recorded.

    Example: intake-prober run support-email --json
    """
    from canary.path import PathName
    from runners.cli.once import once
    from runners.cli.selecting import paths_of
    from runners.oneshot import RunOptions

    if detach and until_horizon:
        raise options.fail("--detach and --until-horizon contradict each other", "Give one of them.")
    config = options.load()
    for name in paths or []:
        for path in paths_of(options, config, name):
            if not path.is_enabled:
                raise options.fail(
                    f"path {name} is disabled", f"Say enabled: true at paths.{name}, or leave it out."
                )
    wanted = RunOptions(
        paths=tuple(PathName(one) for one in dict.fromkeys(paths or [])),
        only_due=due,
        detach=detach,
        until_horizon=until_horizon,
    )
    once(options, config, wanted)
