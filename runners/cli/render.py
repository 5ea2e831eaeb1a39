"""`render`: files that are ready to apply, made from the configuration. Each target is a module of its own."""

import typer

from runners.cli.render_alertmanager import render_alertmanager
from runners.cli.render_deploy import add_deploy
from runners.cli.render_grafana import render_grafana
from runners.cli.render_quarantine import render_quarantine
from runners.cli.render_rules import render_rules

render = typer.Typer(
    help=(
        "Write files that are ready to apply, made from the configuration; nothing in them is secret.\n\n"
        "Example: intake-prober render prometheus-rules --output intake.rules.yml"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)

render.command("prometheus-rules")(render_rules)
render.command("alertmanager")(render_alertmanager)
render.command("grafana")(render_grafana)
render.command("quarantine")(render_quarantine)
add_deploy(render)
