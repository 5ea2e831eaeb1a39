"""The command line's front: commands and their help. What a command needs is imported when it runs."""

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from probes.program import program_version
from runners.cli.exits import Exit
from runners.cli.options import (
    DEFAULT_CONFIG,
    ColorOption,
    ConfigOption,
    FormatOption,
    JsonOption,
    LiteralOption,
    Options,
    merged,
)

PROGRAM = "intake-prober"
# In Typer's own tree or in click's, by version: both call what a user can cause by this ancestor of BadParameter.
_MISTAKE: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)

COMMANDS = (
    "init",
    "check",
    "run",
    "serve",
    "sweep",
    "status",
    "canaries",
    "trace",
    "incidents",
    "audit",
    "silence",
    "portal",
    "ticketing",
    "render",
    "demo",
    "schema",
)
"""All commands, in the order of the help; each is the function, or the group, of its name in the module of its name."""


def build_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands: what is not asked for need not be built at every start."""
    app = typer.Typer(
        name=PROGRAM,
        help="Know within minutes when customers can't reach support, and which hop broke.",
        epilog="Exit: 0 all well, 1 a breach, 2 configuration or usage, 3 inconclusive. Example: intake-prober check",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_shared)
    for name in names:
        entry = getattr(import_module(f"runners.cli.{name}"), name)
        if isinstance(entry, typer.Typer):
            app.add_typer(entry, name=name)
        else:
            app.command(name)(entry)
    return app


def _version(value: bool) -> None:
    if value:
        typer.echo(f"{PROGRAM} {program_version()}")
        raise typer.Exit


def _shared(
    context: typer.Context,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    allow_literal_secrets: LiteralOption = False,
    log_format: FormatOption = None,
    no_color: ColorOption = False,
    version: Annotated[  # noqa: ARG001 -- its callback answers
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    named = os.environ.get("INTAKE_PROBER_CONFIG")
    options = Options(config=Path(named) if named else DEFAULT_CONFIG)
    given = {
        "config": config,
        "as_json": as_json,
        "allow_literal_secrets": allow_literal_secrets,
        "log_format": log_format,
        "no_color": no_color,
    }
    context.obj = merged(options, given)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    # Pydantic looks for plugins in the metadata of every installed package: 60 ms of each start, and we have none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        status_now = build_app(_wanted(words))(words, standalone_mode=False, prog_name=PROGRAM)
    except _MISTAKE as mistake:
        return _usage(mistake, as_json="--json" in words)
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the answer has gone. Nothing is left to say, also not at the interpreter's end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return status_now if isinstance(status_now, int) else Exit.OK


def _wanted(words: Sequence[str]) -> Sequence[str]:
    """The commands that a command line may mean: those among its words, or all where help or none is asked for."""
    before_help = list(takewhile(lambda word: word not in {"-h", "--help"}, words))
    return [name for name in COMMANDS if name in before_help] or COMMANDS


def _usage(mistake: Exception, *, as_json: bool) -> int:
    options = Options(as_json=as_json)
    if type(mistake).__name__ == "NoArgsIsHelpError":
        options.output.tell(str(mistake))
        return Exit.USAGE
    explain = getattr(mistake, "format_message", mistake.__str__)
    context = getattr(mistake, "ctx", None)
    name = getattr(context, "command_path", PROGRAM)
    said = str(explain())
    if said.endswith("?"):  # a question takes no full stop: "No such command 'serv'. Did you mean 'serve'?"
        head, _, question = said.rpartition(". ")
        return options.fail(head or said, f"{question} See {name} --help.").exit_code
    return options.fail(said.rstrip("."), f"See {name} --help.").exit_code
