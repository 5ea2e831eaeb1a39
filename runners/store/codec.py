"""Frozen dataclasses to JSON text and back, by their own type hints.

A field that has its default is left out, and one that is missing takes it: a new field with a default needs no
migration. What the text has beside the known fields is ignored.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Convert = Callable[[Any], Any]


class Unreadable(ValueError):
    """A stored text is not what the type says."""


def dumps(value: object) -> str:
    """The JSON text of a dataclass; ASCII only, so that every database takes it."""
    return json.dumps(_encode(value), separators=(",", ":"), allow_nan=False)


def loads(kind: type[T], text: str) -> T:
    """The dataclass that `dumps` wrote.

    Raises:
        Unreadable: the text is not one, or holds a word that this version does not know.
    """
    try:
        hints: Any = kind
        decoded: T = _decoder(hints)(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"{kind.__name__}: {error}") from error
    return decoded


def _encode(value: Any) -> Any:  # noqa: ANN401, PLR0911 -- JSON has no other type; one line a kind
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case Mapping():
            return {str(key): _encode(one) for key, one in value.items()}
        case frozenset():
            return sorted(_encode(one) for one in value)
        case tuple() | list():
            return [_encode(one) for one in value]
        case _:
            return {
                name: _encode(one)
                for name, default in _plan(_class_of(value))
                if (one := getattr(value, name)) is not default and one != default
            }


def _class_of(value: object) -> Any:  # noqa: ANN401 -- classes are hashable, which mypy does not see
    return type(value)


@cache
def _plan(kind: Any) -> tuple[tuple[str, object], ...]:  # noqa: ANN401 -- a class, seen through its fields
    """The fields of a dataclass, each with the default at which it is left out."""
    return tuple(
        (one.name, one.default_factory() if one.default_factory is not MISSING else one.default)
        for one in fields(kind)
    )


@cache
def _decoder(kind: Any) -> _Convert:  # noqa: ANN401, PLR0911 -- type hints have no type; one line a kind
    plain = getattr(kind, "__supertype__", None)
    if plain is not None:
        return _decoder(plain)
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _union(get_args(kind))
    if origin is tuple:
        return _many(tuple, get_args(kind)[0])
    if origin is frozenset:
        return _many(frozenset, get_args(kind)[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return lambda data: MappingProxyType(dict(data))
    if kind is datetime:
        return datetime.fromisoformat
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {member.value: member for member in kind}.__getitem__
    if is_dataclass(kind):
        return _dataclass(kind)
    if kind is float:
        return float
    return lambda data: data


def _union(kinds: Iterable[Any]) -> _Convert:
    some = [kind for kind in kinds if kind is not NoneType]
    if len(some) != 1:
        return lambda data: data
    convert = _decoder(some[0])
    return lambda data: None if data is None else convert(data)


def _many(build: Callable[[Iterable[Any]], Any], kind: Any) -> _Convert:  # noqa: ANN401 -- a type hint
    convert = _decoder(kind)
    return lambda data: build([convert(one) for one in data])


def _dataclass(kind: Any) -> _Convert:  # noqa: ANN401 -- a class, seen through its hints
    hints = get_type_hints(kind)
    converts = {one.name: _decoder(hints[one.name]) for one in fields(kind)}

    def build(data: dict[str, Any]) -> Any:  # noqa: ANN401 -- an instance of ``kind``
        return kind(**{name: converts[name](one) for name, one in data.items() if name in converts})

    return build
