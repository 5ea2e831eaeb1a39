"""The YAML document's picks and requests of a ticketing system that is known by configuration alone."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from runners.config.block import Block
from runners.config.fields import Line, mistake

METHODS: Final = ("get", "post", "put", "patch", "delete", "options")


def _or_text(schema: dict[str, Any]) -> None:
    """Let the JSON Schema allow a text beside the mapping."""
    others = [one for one in schema.pop("anyOf", [schema.copy()]) if one != {"type": "null"}]
    schema.pop("$ref", None)
    schema["anyOf"] = [{"type": "string"}, *others]


def _pick(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, str):
        return {"const" if "{{" in value else "pick": value}
    if not isinstance(value, dict):
        raise mistake("this is not a pick", "Write a JMESPath: subject; or a mapping: {header: ETag}.")
    return value


class JoinDocument(Block):
    """A value of a table that the answer has beside its rows."""

    table: Annotated[Line, Field(description="JMESPath of the table, from the top of the answer: users.")]
    key: Annotated[Line, Field(description="What a row of the table is called by: id.")] = "id"
    on: Annotated[Line, Field(description="What the ticket calls it by: requester_id.")]
    pick: Annotated[Line, Field(description="What is taken of the table's row: email.")]


class PickDocument(Block):
    """Where one value is in an answer, and how it is read: exactly one of `pick`, `header`, `status`, `const`, `join`."""

    pick: Annotated[Line | None, Field(description="JMESPath, from the row or the answer.")] = None
    header: Annotated[Line | None, Field(description="A header field of the answer.")] = None
    status: Annotated[bool, Field(description="The answer's status.")] = False
    const: Annotated[Any, Field(description="A value that is always the same; a text may be a template.")] = (
        None
    )
    join: Annotated[JoinDocument | None, Field(description="A value of a table beside the rows.")] = None
    regex: Annotated[
        Line | None,
        Field(description="Of the text only this: its group `(?P<v>…)`, else the first, else all of it."),
    ] = None
    read_as: Annotated[
        Any,
        Field(
            alias="as",
            description="text, html, adf, base64, int, bool, address, ms (milliseconds to seconds), a list of them, or `{time: rfc3339, epoch, epoch_ms, http or a strptime format, zone: Europe/Berlin}`.",
        ),
    ] = None
    among: Annotated[
        list[Any] | None, Field(description="Makes true or false of it: whether it is one of these.")
    ] = None
    not_among: Annotated[list[Any] | None, Field(description="Whether it is none of these.")] = None
    default: Annotated[Any, Field(description="In place of nothing; with it the field may be missing.")] = (
        None
    )


PickSetting = Annotated[PickDocument, BeforeValidator(_pick), Field(json_schema_extra=_or_text)]
"""A JMESPath alone, a template, or the whole mapping."""


class HttpRequestDocument(Block):
    """A request: one of `get`, `post`, `put`, `patch`, `delete`, `options` with its path, and what it bears."""

    get: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    post: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    put: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    patch: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    delete: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    options: Annotated[Line | None, Field(description="Path below `url`; a template.")] = None
    query: Annotated[dict[str, Any], Field(description="Parameters; each a template, or a list.")] = {}
    headers: Annotated[dict[str, Line], Field(description="Header fields; each a template.")] = {}
    body: Annotated[
        Any, Field(alias="json", description="The body as JSON, with templates for its texts.")
    ] = None
    form: Annotated[dict[str, Any] | None, Field(description="The body as a form; each a template.")] = None
    ok: Annotated[
        list[Any],
        Field(
            description="Statuses that are good here: 204; or `{status: 404, means: gone}`. Others are read by `failures`."
        ),
    ] = []
