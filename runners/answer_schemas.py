"""All `--json` answers, and the JSON Schema of them."""

from collections.abc import Mapping
from typing import Any, Literal

from runners.answer_shapes import ANSWERS as SHORT_ANSWERS
from runners.story_shapes import EscalationAnswer, HandoverAnswer, WholeIncidentAnswer
from runners.trial_shapes import TicketingTryAnswer

ANSWERS: Mapping[str, type] = {
    **SHORT_ANSWERS,
    "incidents ID": WholeIncidentAnswer,
    "incidents ID --escalation": EscalationAnswer,
    "status --since": HandoverAnswer,
    "ticketing try": TicketingTryAnswer,
}
"""The answer of each command, by what it is asked; ``errors`` is what any of them prints instead."""


def answers_schema() -> dict[str, object]:
    """The JSON Schemas of all answers (draft 2020-12), by command, with shared definitions."""
    from pydantic import TypeAdapter

    adapters: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        (name, "serialization", TypeAdapter(shape)) for name, shape in ANSWERS.items()
    ]
    by_key, definitions = TypeAdapter.json_schemas(adapters)
    commands = {str(name): schema for (name, _), schema in by_key.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Answers of intake-prober --json",
        "properties": commands,
        **definitions,
    }
