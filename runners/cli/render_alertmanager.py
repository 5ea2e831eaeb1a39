"""`render alertmanager`: routes, grouping, inhibition and receivers for our rules."""

from runners.cli.options import Options, command
from runners.cli.rendering import ForceOption, OutputOption, deliver, target_of


@command
def render_alertmanager(options: Options, *, output: OutputOption = None, force: ForceOption = False) -> None:
    """Write Alertmanager's configuration for the rules: who is told, by team; what mutes what.

    Secrets are named by their files and never written. Receivers are placeholders where the configuration says nothing;
    the head of the file says what to replace.

    Exit: 0, 2 configuration or usage, a file that is there already.

    Example: intake-prober render alertmanager --output alertmanager.yml
    """
    from dashboards.alertmanager import FILE, alertmanager_text
    from runners.estate import estate_of

    config = options.load_to_render()
    target = target_of(output, FILE) if output is not None else None
    deliver(options, config, {target: alertmanager_text(estate_of(config))}, force=force)
