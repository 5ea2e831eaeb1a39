"""Make what confirms a form's request of its document, and note what would confirm anything."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError, ParseError

from probes.form.settings import Confirmation, JsonExpected
from runners.config.build_web import confirming
from runners.config.document_form import FormPathDocument, FormType
from runners.config.document_web import FIELD_NAME
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_PROCESSED = MappingProxyType({"Is-Processed": re.compile(r"^\s*true\s*$")})
"""Salesforce answers 200 to whatever it is sent; this field is ``true``, and names the exception where there was one."""


def build_confirmation(document: FormPathDocument, around: Surroundings, loc: Loc) -> Confirmation:
    """What must hold of the last answer."""
    given = document.confirm
    if not given.model_fields_set and document.type is FormType.WEB_TO_CASE:
        return Confirmation(headers=_PROCESSED)
    for name in given.header:
        if not FIELD_NAME.fullmatch(name):
            at = (*loc, "header", name)
            around.note(
                at, f"{name} is not the name of a header field", "Write it like Location.", at_key=True
            )
    return Confirmation(
        statuses=frozenset(given.status),
        text=confirming(given.text, around, (*loc, "text")) if given.text is not None else None,
        url=confirming(given.url, around, (*loc, "url")) if given.url is not None else None,
        json=_json(given.tree, around, (*loc, "json")),
        headers=MappingProxyType(
            {name: confirming(value, around, (*loc, "header", name)) for name, value in given.header.items()}
        ),
    )


def _json(given: Mapping[str, JsonExpected], around: Surroundings, loc: Loc) -> Mapping[str, JsonExpected]:
    for path, expected in given.items():
        at = (*loc, path)
        if isinstance(expected, re.Pattern):
            confirming(expected, around, at)
        try:
            jmespath.compile(path).search({})
        except JMESPathTypeError:
            continue  # an empty answer has not the values that a function wants
        except JMESPathError as error:
            around.note(at, f"this is not JMESPath: {_told(error)}", "See jmespath.org.", at_key=True)
        except RecursionError:
            around.note(at, "this JMESPath is nested too deeply", "Write a shorter one.", at_key=True)
    return MappingProxyType(dict(given))


def _told(error: JMESPathError) -> str:
    """What is wrong, on one line."""
    if isinstance(error, ParseError):
        return f"it goes wrong at character {error.lex_position + 1}"
    return (str(error).splitlines() or [""])[0].rstrip(".: ")
