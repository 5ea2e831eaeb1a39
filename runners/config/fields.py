"""The scalar types of the document: durations, shares, rates, sizes, addresses and secrets, with their mistakes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from probes.masking import Masker
from runners.config.errors import did_you_mean

_UNITS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[wdhms]))+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])", re.ASCII)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%", re.ASCII)
_RATE = re.compile(r"(\d{1,6})/([mhd])", re.ASCII)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?([KMGT]i?B|kB|B)", re.ASCII)
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")
_URL = re.compile(r"https?://[^\s/?#@]+(?:[/?][^\s#]*)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_MARKER = re.compile(r"[a-z][a-z0-9]{3,30}")
_LONGEST_SECONDS = 3660 * 86400.0
_SIZES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip


def mistake(
    message: str, remedy: str, *, at: Sequence[str | int] = (), at_key: bool = False
) -> PydanticCustomError:
    """A mistake as pydantic carries it; ``at`` is where below the field it lies, ``at_key``: at that key itself."""
    return PydanticCustomError(
        "mistake", "{message}", {"message": message, "remedy": remedy, "at": list(at), "at_key": at_key}
    )


def shown(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    """A wrong value as a message may show it: short, and a mapping or list only by its kind."""
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case bool():
            return "true" if value else "false"
        case str():
            # Somebody's password may stand in the wrong place, such as a URL.
            text = Masker().mask(value)
            return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004 -- a line's worth
        case _:
            return str(value)


def duration_text(seconds: float) -> str:
    """A duration as people write it: ``1h30m``."""
    left = round(seconds, 3)
    text = ""
    for unit, length in _UNITS.items():
        if unit == "w":
            continue
        count = int(left // length) if unit != "ms" else round(left / length)
        left = round(left - count * length, 3)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def parse_duration(value: Any) -> float:  # noqa: ANN401 -- whatever YAML holds
    """Seconds of ``10m``, ``24h``, ``1h30m``, ``500ms``; positive."""
    remedy = "Write a number with its unit: 30s, 10m, 1h30m, 24h."
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise mistake(f"{shown(value)} is not a duration", remedy)
    parts = _DURATION_PART.findall(value)
    units = [unit for _, unit in parts]
    if sorted(set(units), key=list(_UNITS).index) != units:
        raise mistake(f"{shown(value)} is not a duration: its units must go from large to small", remedy)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise mistake(
            f"{shown(value)} is out of range", "A duration is longer than nothing and at most ten years."
        )
    return seconds


def parse_pause(value: Any) -> float:  # noqa: ANN401 -- whatever YAML holds
    """Seconds of a duration that may be none: ``0s``."""
    return 0.0 if value == "0s" else parse_duration(value)


def parse_share(value: Any) -> float:  # noqa: ANN401 -- whatever YAML holds
    """0 to 1 of ``99.5%``; above nothing."""
    match = _SHARE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < float(match[1]) <= 100:  # noqa: PLR2004 -- per cent
        raise mistake(f"{shown(value)} is not a share", "Write per cent above 0% and up to 100%: 99.5%.")
    return float(match[1]) / 100


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so much time."""

    count: int
    seconds: float

    @property
    def per_hour(self) -> float:
        """The same, an hour."""
        return self.count * 3600.0 / self.seconds


def parse_rate(value: Any) -> Rate:  # noqa: ANN401 -- whatever YAML holds
    """A rate of ``12/h``, ``2/m`` or ``100/d``."""
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise mistake(f"{shown(value)} is not a rate", "Write a whole number a minute, hour or day: 12/h.")
    return Rate(int(match[1]), _UNITS[match[2]])


def parse_size(value: Any) -> int:  # noqa: ANN401 -- whatever YAML holds
    """Bytes of ``2GiB``, ``500MB`` or ``1024B``."""
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if match is None or float(match[1]) == 0:
        raise mistake(f"{shown(value)} is not a size", "Write a number with its unit: 500MB, 2GiB.")
    return int(float(match[1]) * _SIZES[match[2]])


def is_name(text: str) -> bool:
    """Whether a path or a place may be called so."""
    return _NAME.fullmatch(text) is not None


def matching(pattern: re.Pattern[str], what: str, remedy: str) -> BeforeValidator:
    """Take a text that matches as a whole; of another it is said that it is not ``what``."""

    def check(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise mistake(f"{shown(value)} is not {what}", remedy)
        return value

    return BeforeValidator(check)


def _parse_url(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    remedy = "Write https://host/path, without user, password and fragment."
    if not isinstance(value, str) or not _URL.fullmatch(value) or not _is_place(value):
        raise mistake(f"{shown(value)} is not a URL", remedy)
    return value


def _is_place(url: str) -> bool:
    """Whether its host and port can be read."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def parse_text(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    """A text that says something."""
    if not isinstance(value, str) or not value.strip():
        raise mistake(
            f"{shown(value)} is not a text", "Write a text; quote it where YAML would read a number."
        )
    return value


def parse_line(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    """A text on one line."""
    text = parse_text(value)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):  # noqa: PLR2004 -- control characters
        raise mistake("the text has line breaks or control characters", "Write it on one line.")
    return text


class SecretKind(StrEnum):
    """Where a secret comes from."""

    ENV = "env"
    FILE = "file"
    EXEC = "exec"
    LITERAL = "literal"


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """Where a secret is to be had: its variable, file or command; or itself, if it is a literal.

    Attributes:
        is_open: a literal is allowed, since it is no secret (an OAuth client's id).
    """

    kind: SecretKind
    words: tuple[str, ...]
    is_open: bool = False

    def __repr__(self) -> str:
        """Without what a literal says."""
        return f"SecretRef({self.kind})"


_SOURCES = "Write {env: NAME}, {file: PATH} or {exec: [command, argument]}."


def parse_secret(value: Any) -> SecretRef:  # noqa: ANN401 -- whatever YAML holds
    """Where a secret is to be had."""
    if isinstance(value, str) and value:
        return SecretRef(SecretKind.LITERAL, (value,))
    if not isinstance(value, dict) or len(value) != 1:
        raise mistake("this is not a secret's source", _SOURCES)
    (kind, source), *_ = value.items()
    match kind:
        case "env":
            if not isinstance(source, str) or not _VARIABLE.fullmatch(source):
                raise mistake("this is not the name of an environment variable", _SOURCES, at=("env",))
            return SecretRef(SecretKind.ENV, (source,))
        case "file":
            return SecretRef(SecretKind.FILE, (parse_line(source),))
        case "exec":
            return SecretRef(SecretKind.EXEC, parse_command(source))
        case _:
            raise mistake(
                f"unknown key {kind}", did_you_mean(kind, ("env", "file", "exec")), at=(kind,), at_key=True
            )


def _parse_open(value: Any) -> SecretRef:  # noqa: ANN401 -- whatever YAML holds
    found = parse_secret(value)
    return SecretRef(found.kind, found.words, is_open=True)


def parse_command(value: Any) -> tuple[str, ...]:  # noqa: ANN401 -- whatever YAML holds
    """A command as a list of words; no shell reads it."""
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise mistake(
            "this is not a command", "Write a list of words: [vault, read, intake]; no shell reads it."
        )
    return tuple(value)


_OBJECT = {"type": "object", "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
SECRET_SCHEMA: Final[dict[str, Any]] = {
    "title": "secret",
    "anyOf": [
        {
            **_OBJECT,
            "properties": {
                "env": {"type": "string"},
                "file": {"type": "string"},
                "exec": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            },
        },
        {"type": "string", "description": "A literal: refused without --allow-literal-secrets."},
    ],
}


def text_schema(kind: str, pattern: str, *examples: str) -> WithJsonSchema:
    """The JSON Schema of a text of a kind of its own."""
    return WithJsonSchema(
        {"type": "string", "title": kind, "pattern": f"^(?:{pattern})$", "examples": list(examples)}
    )


Duration = Annotated[
    float, BeforeValidator(parse_duration), text_schema("duration", _DURATION.pattern, "30s", "10m", "1h30m")
]
Pause = Annotated[float, BeforeValidator(parse_pause), text_schema("duration", _DURATION.pattern, "0s", "2s")]
Share = Annotated[float, BeforeValidator(parse_share), text_schema("share", _SHARE.pattern, "99.5%")]
Size = Annotated[int, BeforeValidator(parse_size), text_schema("size", _SIZE.pattern, "2GiB")]
Rated = Annotated[Rate, BeforeValidator(parse_rate), text_schema("rate", _RATE.pattern, "12/h")]
Address = Annotated[
    str,
    matching(_ADDRESS, "an address", "Write it as name@example.org, without angle brackets."),
    text_schema("address", "[^\\s@]+@[^\\s@]+", "canary@probe.example"),
]
Host = Annotated[
    str, matching(_HOST, "a host", "Write a name or an IP address, without scheme and port."),
    text_schema("host", "[^\\s/]+", "smtp.probe.example"),
]  # fmt: skip
Url = Annotated[
    str,
    BeforeValidator(_parse_url),
    text_schema("URL", "https?://.+", "https://desk.acme.example"),
]
Name = Annotated[
    str,
    matching(
        _NAME, "a name", "Use letters, digits, dots, hyphens and underscores; begin with a letter or digit."
    ),
    text_schema("name", _NAME.pattern, "support-email"),
]
Marker = Annotated[
    str,
    matching(_MARKER, "a marker", "Use one word of 4 to 31 lower-case letters and digits: intakecanary."),
    text_schema("word", _MARKER.pattern, "intakecanary"),
]
Text = Annotated[str, BeforeValidator(parse_text), WithJsonSchema({"type": "string", "minLength": 1})]
Line = Annotated[str, BeforeValidator(parse_line), WithJsonSchema({"type": "string", "minLength": 1})]
Command = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_command),
    WithJsonSchema({"type": "array", "title": "command", "items": {"type": "string"}, "minItems": 1}),
]
SecretSetting = Annotated[SecretRef, BeforeValidator(parse_secret), WithJsonSchema(SECRET_SCHEMA)]
OpenSetting = Annotated[SecretRef, BeforeValidator(_parse_open), WithJsonSchema(SECRET_SCHEMA)]


def word(kind: type[StrEnum]) -> BeforeValidator:
    """Take a word of an enumeration; another word is told the nearest one."""

    def check(value: Any) -> StrEnum:  # noqa: ANN401 -- whatever YAML holds
        words = [one.value for one in kind]
        if not isinstance(value, str) or value not in words:
            raise mistake(f"{shown(value)} is not known here", did_you_mean(shown(value), words))
        return kind(value)

    return BeforeValidator(check)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 -- whatever YAML holds
    listed = value if isinstance(value, list) else [value]
    if not listed:
        raise mistake("the list is empty", "Name at least one.")
    return listed


LISTED = BeforeValidator(_listed)
"""Makes a list of a single entry, and refuses an empty one."""
