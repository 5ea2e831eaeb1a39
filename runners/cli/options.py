"""The options that every command has, before or after its name, and what they come to."""

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from runners.cli.exits import Exit
from runners.cli.output import Output, open_output

if TYPE_CHECKING:
    from runners.config.config import Config
    from runners.config.errors import ConfigErrors

Parameters = ParamSpec("Parameters")

DEFAULT_CONFIG = Path("intake.yaml")


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for every command.

    Attributes:
        log_format: None: text on a terminal, else JSON.
    """

    config: Path = DEFAULT_CONFIG
    as_json: bool = False
    allow_literal_secrets: bool = False
    log_format: LogFormat | None = None
    no_color: bool = False

    @property
    def output(self) -> Output:
        """Where words go."""
        return open_output(no_color=self.no_color)

    def load_to_render(self) -> "Config":
        """The configuration without any secret, and without what only the renderer's own environment says.

        What is rendered is for another place: the standard variables of telemetry that are set here are not set there.

        Raises:
            typer.Exit: it can't be used; every mistake has been printed.
        """
        environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        return self.load(needs_secrets=False, environ=environ)

    def load(self, *, needs_secrets: bool = True, environ: Mapping[str, str] | None = None) -> "Config":
        """The configuration, with logging set up to mask its secrets; ``environ`` is the process's own if not given.

        Raises:
            typer.Exit: it can't be used; every mistake has been printed.
        """
        from runners.config.errors import ConfigErrors
        from runners.config.load import load
        from runners.telemetry.logs import set_up_logging

        try:
            config = load(
                self.config,
                allow_literal_secrets=self.allow_literal_secrets,
                needs_secrets=needs_secrets,
                environ=environ,
            )
        except ConfigErrors as errors:
            self.refuse(errors)
            raise typer.Exit(Exit.USAGE) from None
        as_json = None if self.log_format is None else self.log_format is LogFormat.JSON
        set_up_logging(config.masker, config.own_addresses, prober=config.prober.name, as_json=as_json)
        return config

    def refuse(self, errors: "ConfigErrors") -> None:
        """Print the mistakes of a configuration."""
        if self.as_json:
            from runners.answers import errors_answer

            self.output.answer_json(errors_answer(errors.errors))
            return
        for one in errors.errors:
            self.output.tell(str(one))

    def fail(self, message: str, remedy: str = "", *, status: Exit = Exit.USAGE) -> typer.Exit:
        """Print what is wrong, and return the end of the command: ``raise options.fail(…)``."""
        if self.as_json:
            from runners.answers import failure_answer

            self.output.answer_json(failure_answer(message, remedy, status))
        else:
            self.output.tell(f"intake-prober: {message}. {remedy}".rstrip())
        return typer.Exit(status)


ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; default intake.yaml, or INTAKE_PROBER_CONFIG.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")]
LiteralOption = Annotated[
    bool,
    typer.Option(
        "--allow-literal-secrets", help="Take secrets that stand in the configuration (the sandbox)."
    ),
]
FormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="How log lines look; default text on a terminal, else json."),
]
ColorOption = Annotated[bool, typer.Option("--no-color", help="Never paint; NO_COLOR does the same.")]

SHARED: dict[str, tuple[Any, Any]] = {
    "config": (ConfigOption, None),
    "as_json": (JsonOption, False),
    "allow_literal_secrets": (LiteralOption, False),
    "log_format": (FormatOption, None),
    "no_color": (ColorOption, False),
}


def merged(options: Options, values: dict[str, Any]) -> Options:
    """The options with what was given in addition."""
    given = {name: value for name, value in values.items() if value not in {None, False}}
    return replace(options, **given)


def command(function: Callable[Concatenate[Options, Parameters], None]) -> Callable[..., None]:
    """Give a command the shared options; its first argument gets what they come to."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in SHARED.items()
    ]
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    @functools.wraps(function)
    def wrapper(context: typer.Context, **values: Any) -> None:  # noqa: ANN401 -- what Typer parsed
        given = {name: values.pop(name) for name in SHARED}
        options = merged(context.obj if isinstance(context.obj, Options) else Options(), given)
        call: Callable[..., None] = function
        call(options, **values)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    signature = inspect.Signature([context, *parameters, *shared])
    wrapper.__signature__ = signature  # type: ignore[attr-defined]  # Typer reads the parameters from here
    wrapper.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return wrapper
