"""Texts of a journey: what is looked for (plain, or a regular expression), and what is typed (words of the canary, secrets)."""

import re
import warnings
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema

from runners.config.errors import did_you_mean
from runners.config.fields import (
    SECRET_SCHEMA,
    SecretRef,
    mistake,
    parse_line,
    parse_secret,
    parse_text,
    shown,
)

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TotpRef:
    """Where the base32 key of a one-time password is to be had."""

    key: SecretRef


def parse_phrase(value: Any) -> str | re.Pattern[str]:  # noqa: ANN401 -- whatever YAML holds
    """Text that is looked for; between slashes, a regular expression."""
    text = parse_line(value)
    if len(text) < 3 or not (text.startswith("/") and text.endswith("/")):  # noqa: PLR2004 -- /x/
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what later Pythons may read otherwise is no mistake in this one
            return re.compile(text[1:-1])
    except (re.error, OverflowError, RecursionError) as error:
        cause = str(error) if isinstance(error, re.error) else "it is too large"
        remedy = "A text between slashes is one, in Python's syntax; escape what is meant as it stands."
        raise mistake(f"{shown(text)} is not a regular expression: {cause}", remedy) from None


def check_words(text: str, *, at: tuple[str | int, ...] = ()) -> str:
    """Refuse a template with words that no canary has."""
    if "{{" not in text:
        return text
    from probes.message.request import WORDS

    for inner in _BRACES.findall(text):
        word = inner.strip()
        if word not in WORDS:
            remedy = did_you_mean(word, WORDS)
            raise mistake(f"a canary has no word {shown(word or None)}", remedy, at=at)
    if "{{" in _BRACES.sub("", text):
        raise mistake("a word is not closed", "Write it as {{ subject }}.", at=at)
    return text


def _parse_template(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    return check_words(parse_text(value))


def _parse_typed(value: Any) -> str | SecretRef | TotpRef:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, dict) and "totp" in value:
        others = [key for key in value if key != "totp"]
        if others:
            raise mistake(f"unknown key {others[0]}", "Keep totp alone.", at=(others[0],), at_key=True)
        return TotpRef(parse_secret(value["totp"]))
    if isinstance(value, dict) and len(value) == 1 and not set(value) <= {"env", "file", "exec"}:
        (key,) = value
        remedy = did_you_mean(key, ("env", "file", "exec", "totp"))
        raise mistake(f"unknown key {key}", remedy, at=(key,), at_key=True)
    return parse_secret(value) if isinstance(value, dict) else _parse_template(value)


def _parse_open_line(value: Any) -> str | SecretRef:  # noqa: ANN401 -- whatever YAML holds
    return parse_secret(value) if isinstance(value, dict) else parse_line(value)


def _parse_field(value: Any) -> str | SecretRef:  # noqa: ANN401 -- whatever YAML holds
    return parse_secret(value) if isinstance(value, dict) else _parse_template(value)


_SECRET_OBJECT: Final[dict[str, Any]] = SECRET_SCHEMA["anyOf"][0]


def _text_or_secret(title: str, *more: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema(
        {"title": title, "anyOf": [{"type": "string", "minLength": 1}, _SECRET_OBJECT, *more]}
    )


Phrase = Annotated[
    str | re.Pattern[str],
    BeforeValidator(parse_phrase),
    WithJsonSchema(
        {"type": "string", "title": "text or `/regex/`", "minLength": 1, "examples": ["/#(?P<ticket>\\d+)/"]}
    ),
]
"""Text that is looked for; between slashes, a regular expression."""
Template = Annotated[
    str,
    BeforeValidator(_parse_template),
    WithJsonSchema({"type": "string", "title": "template", "minLength": 1, "examples": ["{{ subject }}"]}),
]
"""Text with words of the canary."""
Typed = Annotated[
    str | SecretRef | TotpRef,
    BeforeValidator(_parse_typed),
    _text_or_secret(
        "template, secret or `{totp: secret}`",
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["totp"],
            "properties": {"totp": SECRET_SCHEMA},
        },
    ),
]
"""What is typed into a field of a page."""
FieldSetting = Annotated[
    str | SecretRef, BeforeValidator(_parse_field), _text_or_secret("template or secret")
]
"""The value of a form's field."""
HeaderSetting = Annotated[
    str | SecretRef, BeforeValidator(_parse_open_line), _text_or_secret("text or secret")
]
"""The value of a header field, or another text that need not be a secret."""
