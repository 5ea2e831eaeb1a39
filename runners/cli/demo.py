"""`demo`: a whole intake on loopback, probed, broken, found and freed."""

import typer

from runners.cli.options import Options, command


@command
def demo(options: Options) -> None:
    """Start a real intake on loopback, probe it, break it, and show that it is found.

    Example: intake-prober demo
    """
    try:
        from runners.demo.story import main
    except ModuleNotFoundError as error:
        raise options.fail(
            f"the demo needs {error.name}, which is not installed", "Install intake-prober[sandbox]."
        ) from None
    raise typer.Exit(main())
