"""`render grafana`: the dashboards with this installation's uids and links, and what makes Grafana read them."""

from pathlib import Path
from typing import Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.rendering import ForceOption, PrefixOption, deliver, make_folders


@command
def render_grafana(
    options: Options,
    *,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="The folder that they go to; made if need be."),
    ],
    folder: Annotated[
        str, typer.Option("--folder", metavar="NAME", help="The folder in which Grafana shows them.")
    ] = "Support intake",
    uid_prefix: PrefixOption = "",
    force: ForceOption = False,
) -> None:
    """Write the dashboards of Grafana, the provider that reads them, and a sample of data sources.

    Of the configuration they take web.url and alerts.runbooks for links, and whether figures are pushed by
    OTLP; paths and places are found by Grafana itself, so they need not be rendered again for a new one.

    Exit: 0, 2 configuration or usage, a file that is there already.

    Example: intake-prober render grafana --output grafana --folder 'Support intake'
    """
    from dashboards.promql import duration
    from dashboards.provisioning import Setting, provisioned
    from dashboards.timing import timing_of
    from runners.estate import estate_of

    config = options.load_to_render()
    estate = estate_of(config)
    runbooks = config.alerts.runbooks
    try:
        setting = Setting(
            folder=folder,
            uid_prefix=uid_prefix,
            page_url=config.web.url,
            runbooks_url=runbooks,
            **({"lookback": duration(timing_of(estate).remembered)} if estate.is_pushed else {}),
        )
    except ValueError as error:
        raise options.fail(
            f"--uid-prefix {uid_prefix!r} is none: {error}", "Write a shorter or plainer one."
        ) from None
    for key, url in (("web.url", config.web.url), ("alerts.runbooks", runbooks)):
        if url is None:
            options.output.tell(f"{key} is not set: the dashboards have no links there.")
    files: dict[Path | None, str] = {output / name: text for name, text in provisioned(setting).items()}
    make_folders(options, [one.parent for one in files if one is not None])
    deliver(options, config, files, force=force)
