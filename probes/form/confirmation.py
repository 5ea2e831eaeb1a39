"""Whether the answer to a request is the confirmation that was expected, and which ticket it names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import jmespath
from jmespath.exceptions import JMESPathError

from probes.form.exchange import Answer
from probes.form.html import Page
from probes.form.origin import shown
from probes.form.settings import Confirmation, JsonExpected, Text

_TICKET: Final = "ticket"
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_TICKET_CHARACTERS: Final = 64
_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """What the answer came to.

    Attributes:
        missing: what was expected and is not there, for people; empty: it is confirmed.
        ticket: the ticket's number by the group of that name; empty: none is named.
    """

    missing: tuple[str, ...]
    ticket: str = ""


def is_html(answer: Answer) -> bool:
    """Whether it is a page: by its type, or by its look where it has none."""
    return answer.media_type in _HTML or (not answer.media_type and answer.content.lstrip()[:1] == b"<")


def page_of(answer: Answer) -> Page:
    """The answer as a page; what is no HTML has no text and no forms."""
    return Page(answer.content if is_html(answer) else b"", url=str(answer.url), charset=answer.charset)


def compare(expected: Confirmation, answer: Answer, page: Page) -> Finding:
    """Hold the answer against all that is expected of it."""
    missing: list[str] = []
    tickets: list[str] = []
    for what, found in _comparisons(expected, answer, page):
        if found is None:
            missing.append(what)
        elif found:
            tickets.append(found)
    return Finding(tuple(missing), tickets[0] if tickets else "")


def _comparisons(expected: Confirmation, answer: Answer, page: Page) -> Iterator[tuple[str, str | None]]:
    """What is expected, and None: it is not there; else the ticket that it names, or nothing."""
    yield f"the status is {answer.status}", "" if is_good(expected, answer.status) else None
    if expected.url is not None:
        # The query too: many a page says only there that it is the confirmation, and of which ticket.
        yield f"the address is {shown(answer.url)}", _search(expected.url, str(answer.url))
    if expected.text is not None:
        text = page.text if is_html(answer) else answer.text
        yield f"no text {_told(expected.text)}", _search(expected.text, text)
    for name, wanted in expected.headers.items():
        value = answer.headers.get(name)
        yield f"no header {name} with {_told(wanted)}", _search(wanted, value) if value is not None else None
    if expected.json:
        yield from _json_comparisons(expected, answer)


def is_good(expected: Confirmation, status: int) -> bool:
    """Whether the status is one that confirms."""
    if expected.statuses:
        return status in expected.statuses
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _json_comparisons(expected: Confirmation, answer: Answer) -> Iterator[tuple[str, str | None]]:
    try:
        tree = json.loads(answer.content)
    except (ValueError, RecursionError):
        yield f"the answer is not JSON but {answer.media_type or 'of no type'}", None
        return
    for expression, wanted in expected.json.items():
        try:
            value = jmespath.search(expression, tree)
        except JMESPathError:  # a function was given what it doesn't take
            value = None
        yield f"no {_told(wanted)} at {expression}", _same(wanted, value)


def _same(wanted: JsonExpected, value: object) -> str | None:
    match wanted:
        case re.Pattern():
            return _search(wanted, _plain(value)) if value is not None else None
        case bool() | None:
            return "" if value is wanted else None
        case int() | float():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return "" if is_number and value == wanted else None
        case str():
            return "" if value == wanted else None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _search(wanted: Text, text: str) -> str | None:
    """None: it is not there; else the ticket that it names, or nothing."""
    if isinstance(wanted, str):
        return "" if wanted.casefold() in text.casefold() else None
    found = wanted.search(text)
    if found is None:
        return None
    return (found.groupdict().get(_TICKET) or "")[:_TICKET_CHARACTERS]


def _told(wanted: JsonExpected) -> str:
    text = f"/{wanted.pattern}/" if isinstance(wanted, re.Pattern) else json.dumps(wanted, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
