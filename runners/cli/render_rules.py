"""`render prometheus-rules`: recorded series and alerts for what is configured, with unit tests for promtool."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.rendering import ForceOption, OutputOption, PrefixOption, deliver, make_folders, target_of

if TYPE_CHECKING:
    from runners.config.config import Config


@command
def render_rules(
    options: Options,
    *,
    output: OutputOption = None,
    with_tests: Annotated[
        Path | None,
        typer.Option(
            "--with-tests", metavar="DIR", help="Also write the rules and unit tests for them to a folder."
        ),
    ] = None,
    uid_prefix: PrefixOption = "",
    force: ForceOption = False,
) -> None:
    """Write the recording and alerting rules of Prometheus for the configured paths and places.

    Windows follow the paths' intervals: render again when paths change. Unit tests say of each rule when it fires and
    when it is silent: promtool test rules DIR/*.test.yml.

    Exit: 0, 2 configuration or usage, a file that is there already.

    Example: intake-prober render prometheus-rules --output intake.rules.yml --with-tests rule-tests
    """
    from dashboards.rule_tests import rule_tests
    from dashboards.rules import FILE, prometheus_rules
    from runners.estate import estate_of

    config = options.load_to_render()
    _warn(options, config)
    try:
        estate = replace(estate_of(config), uid_prefix=uid_prefix)
    except ValueError as error:
        raise options.fail(
            f"--uid-prefix {uid_prefix!r} is none: {error}", "Write a shorter or plainer one."
        ) from None
    text = prometheus_rules(estate)
    texts: dict[Path | None, str] = {target_of(output, FILE) if output is not None else None: text}
    if with_tests is not None:
        make_folders(options, [with_tests])
        texts |= {with_tests / name: one for name, one in {FILE: text, **rule_tests(estate)}.items()}
    deliver(options, config, texts, force=force)


def _warn(options: Options, config: "Config") -> None:
    """Say what would make these rules useless, or double."""
    from runners.config.document_alerts import AlertsVia

    alerts = config.alerts
    if alerts.via is AlertsVia.DIRECT:
        options.output.tell(
            "alerts.via is direct: with these rules everybody would be paged twice. Write alerts: {via: prometheus}."
        )
    for key, url in (
        ("alerts.runbooks", alerts.runbooks),
        ("alerts.prometheus.dashboards", alerts.prometheus.dashboards_url),
    ):
        if url is None:
            options.output.tell(f"{key} is not set: its links lead nowhere.")
