"""`schema`: JSON Schemas of the configuration, of the answers and of what a webhook is sent."""

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
    ALERT = "alert"


@command
def schema(
    options: Options,
    subject: Annotated[Subject, typer.Argument(help="all, config, answers or alert.")] = Subject.ALL,
) -> None:
    """Print the JSON Schemas of the configuration, of the --json answers and of the body of a webhook.

    Example: intake-prober schema config > intake.schema.json
    """
    from runners.alerts.body import body_schema
    from runners.answer_schemas import answers_schema
    from runners.config.schema import configuration_schema

    answer: dict[str, object]
    match subject:
        case Subject.CONFIG:
            answer = configuration_schema()
        case Subject.ANSWERS:
            answer = answers_schema()
        case Subject.ALERT:
            answer = body_schema()
        case Subject.ALL:
            answer = {
                "configuration": configuration_schema(),
                "answers": answers_schema(),
                "alert": body_schema(),
            }
        case _:
            assert_never(subject)
    if options.as_json:
        options.output.answer_json(answer)
    else:
        options.output.answer(json.dumps(answer, indent=2, ensure_ascii=False))
