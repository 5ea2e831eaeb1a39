"""`render alertmanager`: routes, grouping, inhibition and receivers for our rules."""

from runners.cli.options import Options, command
from runners.cli.render_files import ForceOption, OutputOption, answer, put, target_of


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

    text = alertmanager_text(estate_of(options.load_to_render()))
    files = {target_of(output, FILE): text} if output is not None else {}
    put(options, files, force=force)
    answer(options, {} if output is not None else {FILE: text}, files)
