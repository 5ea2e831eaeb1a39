"""`schema`: JSON Schemas of the configuration and of the answers."""

import json
from enum import StrEnum
from typing import Annotated, assert_never

import typer

from runners.cli.options import Options, command


class Subject(StrEnum):
    """Whose schema."""

    ALL = "all"
    CONFIG = "config"
    ANSWERS = "answers"


@command
def schema(
    options: Options,
    subject: Annotated[Subject, typer.Argument(help="all, config or answers.")] = Subject.ALL,
) -> None:
    """Print the JSON Schemas of the configuration and of the --json answers.

    Example: intake-prober schema config > intake.schema.json
    """
    from runners.answer_shapes import answers_schema
    from runners.config.schema import configuration_schema

    answer: dict[str, object]
    match subject:
        case Subject.CONFIG:
            answer = configuration_schema()
        case Subject.ANSWERS:
            answer = answers_schema()
        case Subject.ALL:
            answer = {"configuration": configuration_schema(), "answers": answers_schema()}
        case _:
            assert_never(subject)
    if options.as_json:
        options.output.answer_json(answer)
    else:
        options.output.answer(json.dumps(answer, indent=2, ensure_ascii=False))
