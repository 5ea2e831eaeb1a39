"""`render quarantine`: the rule to set up inside a ticketing system, made from the configuration."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.rendering import ForceOption, deliver, make_folders

if TYPE_CHECKING:
    from runners.config.config import Config

_GUIDE = "QUARANTINE.md"


@command
def render_quarantine(
    options: Options,
    target: Annotated[
        str,
        typer.Argument(
            metavar="NAME|VENDOR",
            help="A ticketing system of the configuration; or zendesk, salesforce, freshdesk, zammad, servicenow, glpi, redmine, roundup, rt, helpdesk.",
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE.md|DIR",
            help="One page, or a folder with the page and a file for each body; default standard output.",
        ),
    ] = None,
    force: ForceOption = False,
) -> None:
    """Write the rule that keeps canaries' tickets from agents, customers, service levels, surveys, reports and bots.

    It has the steps for people and, where the vendor's API or tools take them, the bodies, with the senders, marker, tag
    and group of the configuration. What no public source says is marked as not verified.

    Exit: 0, 2 configuration or usage, no such system, a file that is there already.

    Example: intake-prober render quarantine desk --output quarantine
    """
    from runners.quarantine.facts import PRODUCTS, UnknownTarget, facts_of
    from runners.quarantine.guide import guide_text
    from runners.quarantine.vendors import rendered_for

    has_none = target in PRODUCTS and not options.config.exists()
    config: Config | None = None if has_none else options.load_to_render()
    try:
        facts = facts_of(config, target)
    except UnknownTarget as error:
        raise options.fail(str(error), error.remedy) from None
    if facts.name is None:
        options.output.tell(
            f"No ticketing system of type {facts.vendor} is configured: addresses and names are placeholders."
        )
    rendered = rendered_for(facts)
    if output is not None and (output.is_dir() or not output.suffix):
        texts: dict[Path | None, str] = {output / _GUIDE: guide_text(facts, rendered, with_files=False)}
        texts |= {output / name: text for name, text in rendered.files.items()}
        make_folders(options, [one.parent for one in texts if one is not None])
    else:
        texts = {output: guide_text(facts, rendered, with_files=True)}
    deliver(options, config, texts, force=force)
