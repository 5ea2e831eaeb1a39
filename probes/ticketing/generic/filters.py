"""What a template may do to a value: `{{ since | epoch_ms }}`. Nothing here computes, loops or reaches out."""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo


class Unusable(ValueError):
    """A value that a filter can't take."""


def iso(value: object) -> str:
    """RFC 3339 to the second, in UTC with ``Z``; in a zone of its own with its offset."""
    moment = _moment(value, "iso")
    text = moment.replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "Z" if moment.tzinfo is UTC else text


def epoch(value: object) -> int:
    """Whole seconds since 1970."""
    return int(_moment(value, "epoch").timestamp())


def epoch_ms(value: object) -> int:
    """Whole milliseconds since 1970."""
    return int(_moment(value, "epoch_ms").timestamp() * 1000)


def strftime(value: object, form: str) -> str:
    """By Python's format; in UTC unless `zone` came before.

    Of the hour that clocks repeat, the first is written as the hour before it, unless the format says the offset: a
    system that reads it as the second would leave out an hour of what is asked for.
    """
    moment = _moment(value, "strftime")
    if "%z" not in form and "%:z" not in form and moment.fold == 0:
        later = moment.replace(fold=1).utcoffset() or timedelta()
        moment = moment.replace(tzinfo=None) - max(timedelta(), (moment.utcoffset() or timedelta()) - later)
    return moment.strftime(form)


def zone(value: object, name: str) -> datetime:
    """The same moment by the clocks of a zone (IANA's name)."""
    return _moment(value, "zone").astimezone(ZoneInfo(name))


def later(value: object) -> datetime:
    """In the hour that clocks repeat, the same time by the clock an hour later: what is asked *until* leaves nothing out."""
    return _moment(value, "later").replace(fold=1)


def seconds_after(value: object, other: object) -> int:
    """How many whole seconds lie between, rounded up: a query may take a distance where it would misread a date."""
    span = _moment(value, "seconds_after") - _moment(other, "seconds_after")
    return math.ceil(span.total_seconds())


def plus(value: object, other: object) -> object:
    """A number plus a number; a list with one more, which is not added twice."""
    if isinstance(value, int) and isinstance(other, int):
        return value + other
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [*value] if other in value else [*value, other]
    raise Unusable("plus takes a whole number or a list")


def upto(value: object, count: int) -> list[int]:
    """The numbers after a number: as many as are wanted."""
    if not isinstance(value, int):
        raise Unusable("upto takes a whole number")
    return list(range(value + 1, value + 1 + count))


def join(value: object, between: str = ",") -> str:
    """The members of a list in one text."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Unusable("join takes a list")
    return between.join(as_text(one) for one in value)


def quoted(value: object, mark: str = "'", within: str | None = None) -> object:
    """A literal of a query language, of a list each member, in marks.

    Args:
        value: the text.
        mark: what stands before and after it.
        within: how the language writes a mark in the text, such as two of them; None: a backslash before it, and before
            each backslash.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [quoted(one, mark, within) for one in value]
    text = as_text(value)
    if within is None:
        text, within = text.replace("\\", "\\\\"), f"\\{mark}"
    return f"{mark}{text.replace(mark, within)}{mark}"


def number(value: object) -> int:
    """A whole number of a text."""
    try:
        return int(as_text(value))
    except ValueError:
        raise Unusable("int takes a whole number") from None


def encoded(value: object) -> str:
    """Base64 of the text in UTF-8 (RFC 4648 section 4)."""
    return base64.b64encode(as_text(value).encode()).decode()


def as_text(value: object) -> str:
    """A value within a text.

    Raises:
        Unusable: there is none, or it is a list or a mapping.
    """
    match value:
        case None:
            raise Unusable("there is no value")
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case datetime():
            return iso(value)
        case _:
            raise Unusable("a list or a mapping can't stand within a text: use join or json")


def _lower(value: object) -> str:
    return as_text(value).lower()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=iso)


def _url(value: object) -> str:
    return quote(as_text(value), safe="")


def _moment(value: object, name: str) -> datetime:
    if not isinstance(value, datetime):
        raise Unusable(f"{name} takes a time, such as since")
    return value


FILTERS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "iso": iso,
        "epoch": epoch,
        "epoch_ms": epoch_ms,
        "strftime": strftime,
        "zone": zone,
        "later": later,
        "seconds_after": seconds_after,
        "plus": plus,
        "upto": upto,
        "join": join,
        "quote": quoted,
        "int": number,
        "text": as_text,
        "lower": _lower,
        "json": _json,
        "url": _url,
        "b64": encoded,
    }
)
"""All filters, by the name that a template calls them by."""
