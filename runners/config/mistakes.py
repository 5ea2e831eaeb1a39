"""Turn what pydantic found into mistakes with file, line, column, key and remedy."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from runners.config.errors import ConfigError, did_you_mean
from runners.config.reading import Loc, Tree

_KINDS = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}


def explain(
    tree: Tree, loc: Loc, model: type[BaseModel], error: ValidationError, *, elsewhere: Mapping[str, str]
) -> Iterator[ConfigError]:
    """The mistakes of one mapping of the document, which stands at ``loc``.

    ``elsewhere`` has a remedy for each key that only mappings of another kind have.
    """
    for detail in error.errors(include_url=False):
        key = str(detail["loc"][-1]) if len(detail["loc"]) == 1 else ""
        if is_unknown_key(detail) and key in elsewhere:
            yield tree.error((*loc, key), f"unknown key {key}", elsewhere[key], at_key=True)
        else:
            yield _explain_one(tree, loc, model, detail)


def unknown_key(tree: Tree, loc: Loc, known: list[str]) -> ConfigError:
    """A key that nothing reads."""
    key = str(loc[-1])
    return tree.error(loc, f"unknown key {key}", did_you_mean(key, known), at_key=True)


def is_unknown_key(detail: ErrorDetails) -> bool:
    """Whether a finding is only that a key is unknown."""
    return detail["type"] == "extra_forbidden"


def _explain_one(tree: Tree, base: Loc, model: type[BaseModel], detail: ErrorDetails) -> ConfigError:
    loc: Loc = (*base, *detail["loc"])
    context: Mapping[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "mistake":
            at = (*loc, *context["at"])
            return tree.error(
                at, str(context["message"]), str(context["remedy"]), at_key=bool(context["at_key"])
            )
        case "extra_forbidden":
            return unknown_key(tree, loc, known_keys(model, detail["loc"]))
        case "missing":
            return tree.error(
                loc, f"the key {loc[-1]} is missing", "Add it; `intake-prober init` shows how.", at_key=True
            )
        case kind if kind in _KINDS:
            return tree.error(loc, f"{_KINDS[kind]} belongs here, not {_kind_of(detail['input'])}")
        case "greater_than_equal" | "less_than_equal":
            bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
            return tree.error(loc, f"it must be {bound}")
        case _:
            return tree.error(loc, "this value is not allowed here", "See docs/configuration.md for what is.")


def known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys of the mapping that holds the last part of ``loc``, counted from ``model``."""
    current: list[Any] = [model]
    for part in loc[:-1]:
        current = [one for annotation in current for one in _below(annotation, part)]
    models = [one for one in current if isinstance(one, type) and issubclass(one, BaseModel)]
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _below(annotation: Any, part: str | int) -> Iterator[Any]:  # noqa: ANN401 -- any type annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if part == (field.alias or name):
                yield from _flat(field.annotation)
        return
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) in {dict, list} and arguments:
        yield from _flat(arguments[-1])


def _flat(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 -- any type annotation
    """The types that a union or an annotated type consists of."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _flat(typing.get_args(annotation)[0])
    elif origin in {typing.Union, types.UnionType}:
        for one in typing.get_args(annotation):
            yield from _flat(one)
    else:
        yield annotation


def _kind_of(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case _:
            return "a mapping"
