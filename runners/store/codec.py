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

_TEXT = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class Unreadable(ValueError):
    """A stored text is not what the type says."""


def dumps(value: object) -> str:
    """The JSON text of a dataclass; ASCII only, so that every database takes it."""
    return _TEXT((_encoder(_class_of(value)) or _same)(value))


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


def _class_of(value: object) -> Any:  # noqa: ANN401 -- classes are hashable, which mypy does not see
    return type(value)


@cache
def _encoder(kind: Any) -> _Convert | None:  # noqa: ANN401, PLR0911 -- type hints have no type; one line a kind
    """What makes a value of that type one that JSON has; None where it is one already, as words and numbers are."""
    plain = getattr(kind, "__supertype__", None)
    if plain is not None:
        return _encoder(plain)
    origin = get_origin(kind)
    if origin in {Union, UnionType}:
        return _optional_encoder([one for one in get_args(kind) if one is not NoneType])
    if origin is tuple:
        convert = _encoder(get_args(kind)[0]) or _same
        return lambda value: [convert(one) for one in value]
    if origin is frozenset:
        return sorted
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict
    if kind is datetime:
        return _timestamp
    if is_dataclass(kind):
        return _fields_encoder(kind)
    return None


def _optional_encoder(kinds: list[Any]) -> _Convert | None:
    convert = _encoder(kinds[0]) if len(kinds) == 1 else None
    if convert is None:
        return None
    wanted = convert
    return lambda value: None if value is None else wanted(value)


def _fields_encoder(kind: Any) -> _Convert:  # noqa: ANN401 -- a class, seen through its hints
    hints = get_type_hints(kind)
    plan = [
        (
            one.name,
            one.default_factory() if one.default_factory is not MISSING else one.default,
            _encoder(hints[one.name]) or _same,
        )
        for one in fields(kind)
    ]

    def encode(value: object) -> dict[str, Any]:
        return {
            name: convert(one)
            for name, default, convert in plan
            if (one := getattr(value, name)) is not default and one != default
        }

    return encode


def _same(value: Any) -> Any:  # noqa: ANN401 -- whatever it is
    return value


def _timestamp(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


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
