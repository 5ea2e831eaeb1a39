"""Find elements on a page, as steps write them."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from playwright.async_api import FrameLocator, Page
from playwright.async_api import Locator as PageLocator

from probes.portal.steps import (
    By,
    Click,
    Fill,
    Locator,
    Press,
    Select,
    Step,
    Submit,
    Text,
    Tick,
    Upload,
    Wait,
)

Within = Page | FrameLocator
_NAMED_GROUP: Final = re.compile(r"(?<!\\)((?:\\\\)*)\(\?P<\w+>")
_INLINE_FLAGS: Final = re.compile(r"^\(\?[aiLmsux]+\)")
_BEGIN: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\A")
_END: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\Z")
_NAMED_AGAIN: Final = re.compile(r"(?<!\\)((?:\\\\)*)\(\?P=(\w+)\)")


def in_browser(text: Text) -> Text:
    r"""The same text as the browser takes it.

    JavaScript knows no ``(?P<name>…)``, so named groups are numbered ones; no ``\A`` and ``\Z``; and no flags inside
    the expression, which are flags of it already.
    """
    if not isinstance(text, re.Pattern):
        return text
    plain = _NAMED_GROUP.sub(r"\1(", _INLINE_FLAGS.sub("", text.pattern))
    plain = _END.sub(r"\1$", _BEGIN.sub(r"\1^", plain))
    plain = _NAMED_AGAIN.sub(lambda again: f"{again[1]}\\{text.groupindex[again[2]]}", plain)
    return re.compile(plain, text.flags)


_BY: Final[Mapping[By, Callable[[Within, Locator], PageLocator]]] = MappingProxyType(
    {
        By.ROLE: lambda within, one: within.get_by_role(
            _role(one), name=in_browser(one.name) if one.name is not None else None, exact=one.is_exact
        ),
        By.LABEL: lambda within, one: within.get_by_label(in_browser(one.value), exact=one.is_exact),
        By.PLACEHOLDER: lambda within, one: within.get_by_placeholder(
            in_browser(one.value), exact=one.is_exact
        ),
        By.TEXT: lambda within, one: within.get_by_text(in_browser(one.value), exact=one.is_exact),
        By.TEST_ID: lambda within, one: within.get_by_test_id(in_browser(one.value)),
        By.ALT: lambda within, one: within.get_by_alt_text(in_browser(one.value), exact=one.is_exact),
        By.TITLE: lambda within, one: within.get_by_title(in_browser(one.value), exact=one.is_exact),
        By.CSS: lambda within, one: within.locator(_plain(one)),
    }
)


def find(within: Within, locator: Locator) -> PageLocator:
    """The element that the locator means, on a page or in a frame; nothing is waited for."""
    found = _BY[locator.by](within, locator)
    return found if locator.index is None else found.nth(locator.index)


def find_seen(within: Within, locator: Locator) -> PageLocator:
    """The first that is to be seen of the elements that the locator means: a page may hold hidden ones, too."""
    return find(within, locator).filter(visible=True).first


def awaited_first(steps: tuple[Step, ...]) -> Locator | None:
    """The element that the first step needs, if it needs one: the page is usable when it is to be seen."""
    for step in steps:
        action = step.action
        if step.is_optional:
            continue
        match action:
            case Click() | Fill() | Select() | Tick() | Upload() | Submit():
                return action.locator
            case Press() | Wait():
                return action.locator if isinstance(action, Press) else action.shown
            case _:
                return None
    return None


def matches(wanted: Text, text: str) -> bool:
    """Whether a text is as wanted: a part of it without case, or found by the regular expression."""
    return (
        wanted.search(text) is not None if isinstance(wanted, re.Pattern) else wanted.lower() in text.lower()
    )


def _plain(locator: Locator) -> str:
    return locator.value.pattern if isinstance(locator.value, re.Pattern) else locator.value


def _role(locator: Locator) -> Any:  # noqa: ANN401 -- Playwright types roles as literals; the configuration checks them
    return _plain(locator)
