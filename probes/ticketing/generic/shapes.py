"""How a value is written, said without saying it: a ticket's fields may hold strangers' words."""

import math
import re
from typing import Final

_LONGEST: Final = 40
_MONTHS: Final = 12
_EPOCH_DIGITS: Final = 10
_EPOCH_MS_DIGITS: Final = 13
_RFC3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)", re.IGNORECASE
)
_HTTP: Final = re.compile(r"[A-Z][a-z]{2}, \d\d? [A-Z][a-z]{2} \d{4} ")
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d")
_DATE_BY_MARKS: Final = re.compile(r"\d\d([./])(\d\d)[./]\d{4} \d\d:\d\d(:\d\d)?")


def shape_of(value: object) -> str:  # noqa: PLR0911 -- a kind a line
    """How it is written: letters are ``a``, digits ``0``."""
    match value:
        case bool():
            return "true or false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case float() if not math.isfinite(value):
            return "a number without bound"
        case int() | float():
            return f"a number of {len(str(abs(int(value))))} digits"
        case _:
            return _text_shape(str(value).strip())


def time_remedy(value: object) -> str:
    """What to write where a moment is written so; empty where it is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    form = _form_of(str(int(value)) if isinstance(value, float) else str(value).strip())
    if "%" in form:
        return f'Write as: {{time: "{form}", zone: …}}, with the zone of the system or of our user.'
    return f"Write as: {{time: {form}}}." if form else ""


def _text_shape(text: str) -> str:
    if text.isdigit():
        return f"a text of {len(text)} digits"
    shape = "".join("0" if one.isdigit() else "a" if one.isalpha() else one for one in text[:_LONGEST])
    return f"a text such as {shape}" if shape and len(text) <= _LONGEST else "a longer text"


def _form_of(text: str) -> str:
    if text.isdigit():
        return {_EPOCH_DIGITS: "epoch", _EPOCH_MS_DIGITS: "epoch_ms"}.get(len(text), "")
    if _RFC3339.fullmatch(text):
        return "rfc3339"
    if _HTTP.match(text):
        return "http"
    if (local := _LOCAL.fullmatch(text)) is not None:
        return f"%Y-%m-%d{local[1]}%H:%M:%S"
    if (other := _DATE_BY_MARKS.fullmatch(text)) is not None:
        mark, seconds = other[1], ":%S" if other[3] else ""
        first, second = ("%m", "%d") if int(other[2]) > _MONTHS else ("%d", "%m")
        return f"{first}{mark}{second}{mark}%Y %H:%M{seconds}"
    return ""
