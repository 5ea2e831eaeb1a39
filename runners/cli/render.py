"""`render`: ready-to-apply files made from the configuration."""

import typer

from runners.cli.render_deploy import add_deploy

render = typer.Typer(
    help=(
        "Write ready-to-apply files made from the configuration; nothing in them is secret.\n\n"
        "Example: intake-prober render deployment --image registry.example/intake-prober:0.1.0"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
add_deploy(render)
