"""Playwright's locators, as a recording chains them, and ours."""

import ast
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from probes.portal.steps import By, Locator, Text
from runners.portal_import.source import Link, Unknown, Untranslatable, Variable, value_of

Names = Mapping[str, ast.expr]

_BY: Final = {
    "get_by_role": By.ROLE,
    "get_by_label": By.LABEL,
    "get_by_placeholder": By.PLACEHOLDER,
    "get_by_text": By.TEXT,
    "get_by_test_id": By.TEST_ID,
    "get_by_alt_text": By.ALT,
    "get_by_title": By.TITLE,
}
CHAINED: Final = frozenset(
    {
        *_BY,
        "locator",
        "frame_locator",
        "content_frame",
        "first",
        "last",
        "nth",
        "filter",
        "and_",
        "or_",
        "visible",
    }
)
"""What may stand in a chain before the action."""
_ENGINES: Final = {"text": By.TEXT, "data-testid": By.TEST_ID, "css": By.CSS}
_INVISIBLE: Final = frozenset({"Co", "Cn", "Cs", "Cc", "Cf"})
_META = re.compile(r"([.^$*+?{}\[\]\\|()])")
_ROLE_OPTIONS: Final = frozenset({"name", "exact"})
NAME_IT: Final = "Name the element by its role and name, its label, or by css."


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens: an element, in frames within frames; without a locator: the innermost frame itself."""

    frames: tuple[Locator, ...] = ()
    locator: Locator | None = None


def escaped(text: str) -> str:
    """A regular expression that matches this text (`re.escape` also escapes what needs it in no dialect)."""
    return _META.sub(r"\\\1", text)


def text_of(value: object) -> Text:
    """Text to look for, as our steps mean it.

    Raises:
        Untranslatable: it is none.
    """
    match value:
        case re.Pattern() if value.flags & re.IGNORECASE:
            if _META.search(value.pattern) is None and _plain(value.pattern):
                return _plain(value.pattern)
            raise Untranslatable(
                "a regular expression here has no flags",
                "Write both cases into it, or a plain text, which has no case.",
            )
        case re.Pattern() if value.pattern.isprintable() and value.pattern.strip():
            return re.compile(value.pattern)
        case str() if value.startswith("/") and value.endswith("/") and len(value) > 1:
            return re.compile(escaped(value))  # between slashes it would be read as a regular expression
        case str() if _plain(value):
            return _plain(value)
        case _:
            raise Untranslatable("what is looked for is not in the file as text", NAME_IT)


def _plain(text: str) -> str:
    """As a page's text is compared: white space as one blank; icon fonts' letters (Unicode's private areas) away."""
    visible = "".join(one for one in text if one.isspace() or unicodedata.category(one) not in _INVISIBLE)
    return " ".join(visible.split())


def place_of(links: Sequence[Link], names: Names) -> Place:
    """The place that a chain of locators means.

    Raises:
        Untranslatable: our steps can't name it.
    """
    place = Place()
    for link in links:
        place = _next(place, link, names)
    return place


def _next(place: Place, link: Link, names: Names) -> Place:
    match link.name:
        case "frame_locator" if place.locator is None:
            return Place((*place.frames, _css(_text_argument(link, names))))
        case "content_frame":
            if place.locator is None:
                raise Untranslatable(
                    "a frame without its element", "Name the frame's element: frame: {css: …}."
                )
            return Place((*place.frames, place.locator))
        case "first" | "last" | "nth":
            return replace(place, locator=_counted(place, link, names))
        case "visible":
            return place
        case "locator" if place.locator is not None:
            return replace(place, locator=_within(place.locator, link, names))
        case "filter" | "and_" | "or_":
            raise Untranslatable(
                f"a locator that is narrowed by {link.name.rstrip('_')} has no word here",
                "Name the element itself; or by css, where 'li:has-text(\"…\")' narrows by a text.",
            )
        case _ if place.locator is not None:
            raise Untranslatable(
                "an element within another can't be named by two locators",
                "Name the inner one alone, with nth: if there are several; or both in one css.",
            )
        case _:
            return replace(place, locator=_found(link, names))


def _counted(place: Place, link: Link, names: Names) -> Locator:
    if place.locator is None:
        raise Untranslatable(
            "a frame is counted here", "Name the frame's element, with nth: if there are several."
        )
    if place.locator.index is not None:
        raise Untranslatable("a locator is counted twice", NAME_IT)
    index = {"first": 0, "last": -1}.get(link.name)
    if index is None:
        number = _argument(link, names)
        if not isinstance(number, int) or isinstance(number, bool):
            raise Untranslatable(
                "which of several is not in the file as a number", "Write nth: with a number."
            )
        index = number
    return replace(place.locator, index=index)


def _found(link: Link, names: Names) -> Locator:
    if link.name == "locator":
        if link.keywords:
            raise Untranslatable(
                "a locator that is narrowed by its content has no word here",
                "Name the element itself; or by css, where 'li:has-text(\"…\")' narrows by a text.",
            )
        return _css(_text_argument(link, names))
    by = _BY.get(link.name)
    if by is None:
        raise Untranslatable(f"{link.name} is no locator that is known here", NAME_IT)
    raw = _argument(link, names)
    value = _role(raw) if by is By.ROLE else text_of(raw)
    is_exact = _keyword(link, "exact", names) is True and value == raw
    if by is not By.ROLE:
        return Locator(by, value, is_exact=is_exact)
    further = [name for name in link.keywords if name not in _ROLE_OPTIONS]
    if further:
        raise Untranslatable(f"a role's {' and '.join(further)} can't be asked for", NAME_IT)
    name = _keyword(link, "name", names)
    if name is None:
        return Locator(by, value)
    text = text_of(name)
    return Locator(by, value, name=text, is_exact=is_exact and text == name)


def _role(raw: object) -> str:
    from runners.config.document_steps import ROLES

    if not isinstance(raw, str) or raw not in ROLES:
        raise Untranslatable("this is no ARIA role that is known here", NAME_IT)
    return raw


def _css(selector: str) -> Locator:
    engine, equals, rest = selector.strip().partition("=")
    if equals and engine in _ENGINES:
        by = _ENGINES[engine]
        quoted = re.fullmatch(r"""(["'])(.*)\1""", rest)
        return Locator(
            by, text_of(quoted[2] if quoted else rest), is_exact=quoted is not None and by is By.TEXT
        )
    if equals and engine == "id":
        return Locator(By.CSS, f'[id="{_plain(rest)}"]')
    if (
        selector.strip().startswith(("//", "..", "xpath=", "(/"))
        or selector.startswith("internal:")
        or ">>" in selector
    ):
        raise Untranslatable("this selector is not CSS", NAME_IT)
    text = " ".join(selector.split())
    if not text.isprintable():
        raise Untranslatable("this selector has letters that can't be written", NAME_IT)
    if not text or text.startswith("/"):
        raise Untranslatable("this selector is not CSS", NAME_IT)
    return Locator(By.CSS, text)


def _within(outer: Locator, link: Link, names: Names) -> Locator:
    if link.keywords or not link.args:
        raise Untranslatable("a locator that is narrowed by its content has no word here", NAME_IT)
    inner = _css(_text_argument(link, names))
    plain = all(
        one.by is By.CSS and one.index is None and isinstance(one.value, str) and "," not in one.value
        for one in (outer, inner)
    )
    if not plain:
        raise Untranslatable(
            "an element within another can't be named by two locators",
            "Name the inner one alone, with nth: if there are several; or both in one css.",
        )
    return Locator(By.CSS, f"{outer.value} {inner.value}")


def _text_argument(link: Link, names: Names) -> str:
    value = _argument(link, names)
    if not isinstance(value, str):
        raise Untranslatable("the selector is not in the file as text", NAME_IT)
    return value


def _argument(link: Link, names: Names) -> object:
    try:
        value = value_of(link.args[0], names) if link.args else None
    except Unknown:
        value = None
    return None if isinstance(value, Variable) else value


def _keyword(link: Link, name: str, names: Names) -> object:
    node = link.keywords.get(name)
    if node is None:
        return None
    try:
        return value_of(node, names)
    except Unknown:
        raise Untranslatable(f"the {name} is not in the file as text", NAME_IT) from None
