"""What a picked value becomes: text out of HTML or a document tree, numbers, and moments in any vendor's spelling."""

import base64
import binascii
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from probes.contracts import Blind
from probes.message.extract import flatten
from probes.skew import is_of_this_age
from probes.ticketing.generic.shapes import shape_of, time_remedy

_ADF_BLOCKS: Final = frozenset(
    {"paragraph", "heading", "hardBreak", "blockquote", "codeBlock", "listItem", "rule", "tableRow", "panel"}
)
_MOST_DEPTH: Final = 60
_MONTH: Final = 86400.0 * 31
_ZERO_DATE: Final = "0000-00-00"
_EPOCH_MS: Final = 100_000_000_000
"""A number beyond this (the year 5138 in seconds) counts milliseconds."""


class As(StrEnum):
    """How a picked value is read.

    ``adf``: Atlassian's document format, or any tree of ``{type, text, content}``. ``ms``: a length of time in
    milliseconds, in seconds.
    """

    TEXT = "text"
    HTML = "html"
    ADF = "adf"
    BASE64 = "base64"
    INT = "int"
    BOOL = "bool"
    ADDRESS = "address"
    MS = "ms"


class TimeForm(StrEnum):
    """Usual spellings of a moment; another one is a format of `strptime`."""

    RFC3339 = "rfc3339"
    EPOCH = "epoch"
    EPOCH_MS = "epoch_ms"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a system writes a moment.

    Attributes:
        form: one of `TimeForm`, or a format of `strptime`.
        zone: of a moment that names none; None: such a moment can't be read.
    """

    form: str = TimeForm.RFC3339
    zone: ZoneInfo | None = None


def converted(value: object, steps: Sequence[As], key: str) -> object:
    """The value read step by step; None stays None.

    Raises:
        Blind: it is of another kind.
    """
    for step in steps:
        if value is None:
            return None
        value = _READ[step](value, key)
    return value


def _seconds(value: object, key: str) -> int:
    """Rounded up: to come back too early is what was refused."""
    return -(-(whole_of(value, key) or 0) // 1000)


def _address(text: str) -> str | None:
    """The address of ``name@host`` or ``Name <name@host>`` (RFC 5322 section 3.4), lower case."""
    plain = text.strip()
    if "<" not in plain and " " not in plain and "(" not in plain and "," not in plain:
        return plain.lower() or None  # what most systems have: parsing costs more than all the rest of a row
    return parseaddr(plain)[1].strip().lower() or None


def text_of(value: object, key: str) -> str | None:
    """A text; a number as it is written, the members of a list on lines of their own."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case float():
            return str(int(value)) if value.is_integer() else str(value)
        case list():
            return "\n".join(filter(None, (text_of(one, key) for one in value)))
        case _:
            raise _wrong(key, "a text", value)


def whole_of(value: object, key: str) -> int | None:
    """A whole number, also one that is written as a text (``42``, ``42;w=60``: the first that is there)."""
    if value is None or isinstance(value, int):
        return int(value) if value is not None else None
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    digits = ""
    for character in str(value).strip() if isinstance(value, str) else "":
        if not (character.isascii() and character.isdigit()):
            break
        digits += character
    if not digits or len(digits) > 30:  # noqa: PLR2004 -- no number that a system tells is longer
        raise _wrong(key, "a whole number", value)
    return int(digits)


def truth_of(value: object, key: str) -> bool | None:
    """True or false, also as a word or a number."""
    match value:
        case None:
            return None
        case bool():
            return value
        case 0 | 1:
            return bool(value)
        case str() if value.strip().lower() in {"true", "yes", "1", "on"}:
            return True
        case str() if value.strip().lower() in {"false", "no", "0", "off", ""}:
            return False
        case _:
            raise _wrong(key, "true or false", value)


def moment_of(value: object, time: TimeFormat, key: str) -> datetime | None:
    """A moment, in UTC; None where there is none, also where a date beyond all use stands for none.

    Many systems write no date as the first or the last one that their type holds: ``0001-01-01`` (.NET), 1970,
    ``9999-12-31``, MySQL's ``0000-00-00``.

    Raises:
        Blind: it is written otherwise, or names no zone and the configuration doesn't either.
    """
    if value is None or value == "" or (isinstance(value, str) and value.strip().startswith(_ZERO_DATE)):
        return None
    try:
        found = _parsed(value, time.form)
    except (ValueError, OverflowError, OSError, TypeError):
        raise _wrong(key, f"a time of the form {time.form}", value) from None
    if not is_of_this_age(found):
        return None
    if found.tzinfo is None:
        if time.zone is None:
            raise Blind(
                f"{key}: the time names no zone. Write as: {{time: …, zone: …}} with the zone of the system or of our user."
            )
        found = found.replace(tzinfo=time.zone)
    # of the hour that clocks repeat, the later one: a ticket that is taken for older than it is would be missed
    return max(found.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _parsed(value: object, form: str) -> datetime:
    match form:
        case TimeForm.EPOCH | TimeForm.EPOCH_MS:
            number = float(str(value))
            return datetime.fromtimestamp(number / 1000 if form == TimeForm.EPOCH_MS else number, UTC)
        case TimeForm.HTTP:
            return parsedate_to_datetime(str(value))
        case TimeForm.RFC3339:
            return datetime.fromisoformat(str(value).strip().replace(" UTC", "+00:00"))
        case _:
            return datetime.strptime(str(value).strip(), form)  # noqa: DTZ007 -- its zone is added by the caller


def resets_at(value: object, now: datetime, key: str) -> datetime | None:
    """When a window of requests begins anew: a moment, a stamp in seconds or milliseconds, or seconds from now."""
    if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
        return moment_of(value, TimeFormat(zone=ZoneInfo("UTC")), key)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    if number >= _EPOCH_MS:
        number /= 1000
    if number >= 1_000_000_000:  # noqa: PLR2004 -- a stamp, not a span
        return datetime.fromtimestamp(min(number, 4e9), UTC)
    return datetime.fromtimestamp(now.timestamp() + max(-_MONTH, min(number, _MONTH)), UTC)


def _document(node: object, depth: int) -> str:
    if depth > _MOST_DEPTH:
        return ""
    if isinstance(node, list):
        return "".join(_document(one, depth + 1) for one in node)
    if isinstance(node, str):
        return node
    if not isinstance(node, Mapping):
        return ""
    text = node.get("text")
    inner = (text if isinstance(text, str) else "") + _document(node.get("content"), depth + 1)
    return f"{inner}\n" if node.get("type") in _ADF_BLOCKS else inner


def _decoded(text: str, key: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        raise _wrong(key, "base64", text) from None


def _wrong(key: str, wanted: str, value: object) -> Blind:
    remedy = time_remedy(value) if wanted.startswith("a time of") else ""
    return Blind(
        f"{key}: the answer has {shape_of(value)} here, not {wanted}."
        f" {remedy or 'Correct the pick or its `as`; where it was right before, the system has changed.'}"
    )


_READ: Final[Mapping[As, Callable[[object, str], object]]] = MappingProxyType(
    {
        As.TEXT: text_of,
        As.HTML: lambda value, key: flatten(text_of(value, key) or "").strip(),
        As.ADF: lambda value, _: _document(value, 0).strip(),
        As.BASE64: lambda value, key: _decoded(text_of(value, key) or "", key),
        As.INT: whole_of,
        As.BOOL: truth_of,
        As.ADDRESS: lambda value, key: _address(text_of(value, key) or ""),
        As.MS: _seconds,
    }
)
