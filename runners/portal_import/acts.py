"""What the recording does, one after the other: an action of ours for each call that one can say."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from probes.portal.steps import (
    Action,
    By,
    Click,
    Fill,
    Go,
    Locator,
    Press,
    Select,
    Template,
    Text,
    Tick,
    Upload,
    Wait,
)
from runners.portal_import.locators import CHAINED, Names, Place, escaped, place_of, text_of
from runners.portal_import.source import Link, Unknown, Untranslatable, Variable, value_of


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that the recording does.

    Attributes:
        line: where it stands in the recording.
        frames: in which frames, from the outermost.
        typed: what was typed; kept out of every repr, since it may be a password.
        variable: the environment variable that it was taken from.
        file: the name of a file that is attached.
    """

    line: int
    action: Action
    frames: tuple[Locator, ...] = ()
    timeout_seconds: float | None = None
    typed: str | None = field(default=None, repr=False)
    variable: str | None = None
    file: str | None = None


WAITS: Final = "Steps wait by themselves; to wait for something that is to be seen: wait: {text: …}."
_FAKE_PATH: Final = "c:\\fakepath\\"
"""Before the name of a chosen file, in every browser (HTML standard section 4.10.5.4); recorded as if it were typed."""
_LONGEST_MS: Final = 60_000
"""Longer than its hop's limit no step may take."""
BY_SCRIPT: Final = "Write `script: file.py:function` for it."
_LEGACY: Final = frozenset(
    {"click", "dblclick", "fill", "type", "press", "check", "uncheck", "set_checked", "select_option",
     "set_input_files", "hover", "tap", "focus"}
)  # fmt: skip
SILENT: Final = frozenset(
    {"close", "bring_to_front", "wait_for_load_state", "focus", "blur", "scroll_into_view_if_needed", "highlight",
     "set_viewport_size", "set_default_timeout", "set_default_navigation_timeout"}
)  # fmt: skip
"""What needs no step: the prober's own browser, and Playwright's waiting, do it."""


def acts_of(links: Sequence[Link], line: int, names: Names) -> Act | None:
    """The act of a chain of calls on the page; None: nothing needs to be done.

    Raises:
        Untranslatable: steps can't say it.
    """
    places, rest = _split(links)
    if not rest:
        return None  # a locator that is only named
    link = rest[0]
    if link.name in SILENT:
        return None
    if link.name == "keyboard" and len(rest) > 1:
        return _keyboard(rest[1], line, names)
    if not places and link.name in _LEGACY and link.args:
        places, link = (Link("locator", is_call=True, args=link.args[:1]),), replace(link, args=link.args[1:])
    act = _on_element(place_of(places, names), link, line, names) if places else _on_page(link, line, names)
    return replace(act, timeout_seconds=_timeout(link, names))


def _split(links: Sequence[Link]) -> tuple[Sequence[Link], Sequence[Link]]:
    count = next((index for index, link in enumerate(links) if link.name not in CHAINED), len(links))
    return links[:count], links[count:]


def _on_page(link: Link, line: int, names: Names) -> Act:
    match link.name:
        case "goto":
            return Act(line, Go(_address(_text(link, 0, names, "the address"))))
        case "wait_for_url":
            return Act(line, Wait(url=address(_value(link, 0, names))))
        case "wait_for_selector":
            return Act(
                line, Wait(shown=place_of([replace(link, name="locator", keywords={})], names).locator)
            )
        case "wait_for_timeout":
            raise Untranslatable("a fixed wait", WAITS)
        case "once" | "on":
            raise Untranslatable(
                "an answer to a dialog of the page",
                "Leave it out where the dialog is dismissed: that is done anyway. Where it must be accepted, write a script: step.",
            )
        case "pause" | "screenshot":
            raise Untranslatable(
                f"{link.name} is for whoever tries things out", "Use `portal try --headed --slow`."
            )
        case _:
            raise Untranslatable(f"{link.name} has no step", BY_SCRIPT)


def _on_element(place: Place, link: Link, line: int, names: Names) -> Act:
    if place.locator is None:
        raise Untranslatable("a frame itself is acted on", "Name the element in it.")
    made = _ON_ELEMENT.get(link.name)
    if made is None:
        raise Untranslatable(f"{link.name} has no step", BY_SCRIPT)
    return replace(made(place.locator, link, line, names), frames=place.frames)


def _click(locator: Locator, link: Link, line: int, names: Names) -> Act:
    unusual = sorted({"button", "modifiers", "click_count"} & set(link.keywords))
    if unusual and not (unusual == ["button"] and _keyword(link, "button", names) == "left"):
        raise Untranslatable(f"a click with another {' and '.join(unusual)}", BY_SCRIPT)
    return Act(line, Click(locator))


def _double(locator: Locator, link: Link, line: int, names: Names) -> Act:  # noqa: ARG001 -- as the others
    raise Untranslatable(
        "a double click has no step", f"Try click: {locator}, which is often enough; else a script: step."
    )


def _hover(locator: Locator, link: Link, line: int, names: Names) -> Act:  # noqa: ARG001 -- as the others
    raise Untranslatable(
        "hovering has no step",
        "Click what opens the menu, if it opens by a click too; else write a script: step.",
    )


def _fill(locator: Locator, link: Link, line: int, names: Names) -> Act:
    empty = Template("")
    if link.name == "clear":
        raise Untranslatable(
            "emptying a field has no step", "Leave it out: fill: replaces what stands there."
        )
    value = _value_or_none(link, 0, names)
    if isinstance(value, Variable):
        return Act(line, Fill(locator, empty), variable=value.name)
    if isinstance(value, str) and value.lower().startswith(_FAKE_PATH):
        name = value[len(_FAKE_PATH) :]
        return Act(
            line, Upload(locator), file=name if name.strip() and name.isprintable() else "attachment.txt"
        )
    if isinstance(value, str) and not value.strip():
        raise Untranslatable("nothing is typed", "Leave it out, or clear the field by a script: step.")
    return Act(line, Fill(locator, empty), typed=value if isinstance(value, str) else None)


def _press(locator: Locator, link: Link, line: int, names: Names) -> Act:
    return Act(line, Press(_text(link, 0, names, "the key"), locator))


def _check(locator: Locator, link: Link, line: int, names: Names) -> Act:  # noqa: ARG001 -- as the others
    return Act(line, Tick(locator))


def _uncheck(locator: Locator, link: Link, line: int, names: Names) -> Act:  # noqa: ARG001 -- as the others
    return Act(line, Tick(locator, is_on=False))


def _set_checked(locator: Locator, link: Link, line: int, names: Names) -> Act:
    value = _value(link, 0, names)
    if not isinstance(value, bool):
        raise Untranslatable("whether it is ticked is not in the file", "Write check: or uncheck:.")
    return Act(line, Tick(locator, is_on=value))


def _select(locator: Locator, link: Link, line: int, names: Names) -> Act:
    by = next((one for one in ("label", "value") if one in link.keywords), None)
    if "index" in link.keywords or "element" in link.keywords:
        raise Untranslatable("an option by its number", "Write its label: select: {…, option: …}.")
    node = link.keywords[by] if by is not None else (link.args[0] if link.args else None)
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    if len(items) != 1 or items[0] is None:
        raise Untranslatable(
            "several options, or none", "select: takes one option; a script: step takes more."
        )
    try:
        value = value_of(items[0], names)
    except Unknown:
        value = None
    if not isinstance(value, str):
        raise Untranslatable(
            "the option is not in the file as text", "Write its label: select: {…, option: …}."
        )
    if not value.strip() or not value.isprintable():
        raise Untranslatable("the option has no value", "Write its label: select: {…, option: …}.")
    # The recorder writes values, never labels.
    return Act(line, Select(locator, value, is_value=by != "label"))


def _upload(locator: Locator, link: Link, line: int, names: Names) -> Act:
    node = link.args[0] if link.args else link.keywords.get("files")
    items = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    if len(items) != 1 or items[0] is None:
        raise Untranslatable("several files, or none", "upload: takes the request's one attachment.")
    try:
        value = value_of(items[0], names)
    except Unknown:
        value = None
    is_good = isinstance(value, str) and PurePosixPath(value).name and value.isprintable() and value.strip()
    file = value if isinstance(value, str) and is_good else "attachment.txt"
    return Act(line, Upload(locator), file=file)


def _wait_for(locator: Locator, link: Link, line: int, names: Names) -> Act:
    state = _keyword(link, "state", names)
    gone = state in {"hidden", "detached"}
    return Act(line, Wait(gone=locator) if gone else Wait(shown=locator))


def _keyboard(link: Link, line: int, names: Names) -> Act:
    if link.name != "press":
        raise Untranslatable(
            f"keyboard.{link.name} has no step", "Fill the field: fill: {label: …, with: …}."
        )
    return Act(line, Press(_text(link, 0, names, "the key")))


def _address(text: str) -> str:
    if "{{" in text:
        raise Untranslatable("an address takes no words of the canary", "Write it as it is.")
    return text


_ON_ELEMENT: Final[Mapping[str, Callable[[Locator, Link, int, Names], Act]]] = MappingProxyType(
    {
        "click": _click,
        "tap": _click,
        "dblclick": _double,
        "hover": _hover,
        "fill": _fill,
        "type": _fill,
        "press_sequentially": _fill,
        "clear": _fill,
        "press": _press,
        "check": _check,
        "uncheck": _uncheck,
        "set_checked": _set_checked,
        "select_option": _select,
        "set_input_files": _upload,
        "wait_for": _wait_for,
    }
)

# -- assertions ------------------------------------------------------------------------------------------------------


def assertion_of(target: Sequence[Link], check: Link, line: int, names: Names) -> Act:
    """What ``expect(target).check(…)`` waits for; ``target`` empty: the page itself.

    Raises:
        Untranslatable: a wait or confirm can't say it.
    """
    if check.name == "to_have_url":
        return Act(line, Wait(url=address(_value(check, 0, names))))
    if not target:
        raise Untranslatable(
            f"{check.name} of the page has no step", "Wait for something that is to be seen: a heading."
        )
    place = place_of(target, names)
    if place.locator is None:
        raise Untranslatable("a frame itself is looked at", "Name the element in it.")
    match check.name:
        case "to_be_visible" | "to_be_attached" | "to_be_in_viewport":
            wait = Wait(shown=place.locator)
        case "to_be_hidden" | "not_to_be_visible" | "not_to_be_attached":
            wait = Wait(gone=place.locator)
        case "to_contain_text" | "to_have_text":
            wait = Wait(shown=_with_text(place.locator, text_of(_value(check, 0, names))))
        case _:
            raise Untranslatable(
                f"{check.name} has no step",
                "Wait for something that is to be seen, or leave it out: wait: {text: …}.",
            )
    return Act(line, wait, frames=place.frames)


def _with_text(locator: Locator, text: Text) -> Locator:
    """By role, it is the element of this name; else the first element with the text."""
    if locator.by is By.ROLE and locator.value in {"heading", "alert", "status"} and locator.name is None:
        return replace(locator, name=text)
    return Locator(By.TEXT, text, index=0)


_DIGITS = re.compile(r"\d+")


def address(value: object) -> Text:
    """The address to wait for: without scheme, host and query, which change; numbers stand for any number."""
    if isinstance(value, re.Pattern):
        return text_of(value)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Untranslatable(
            "the address is not in the file as text", "Write wait: {url: /…/}, a regular expression."
        )
    if "*" in value:
        return re.compile(re.sub(r"(?:\\\*)+", ".*", escaped(value)))
    path = re.sub(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", "", value).partition("?")[0].partition("#")[0]
    return re.compile(_DIGITS.sub(r"\\d+", escaped(path or "/")) + ("$" if path in {"", "/"} else ""))


# -- arguments -------------------------------------------------------------------------------------------------------


def _value_or_none(link: Link, index: int, names: Names) -> object:
    named: Mapping[str, ast.expr] = link.keywords
    node = (
        link.args[index]
        if index < len(link.args)
        else next(
            (
                named[one]
                for one in ("url", "value", "text", "key", "checked", "expected", "url_or_re")
                if one in named
            ),
            None,
        )
    )
    if node is None:
        return None
    try:
        return value_of(node, names)
    except Unknown:
        return None


def _value(link: Link, index: int, names: Names) -> object:
    value = _value_or_none(link, index, names)
    if value is None or isinstance(value, Variable):
        raise Untranslatable(
            "what stands here is only known when the file is run", "Write the step with the value itself."
        )
    return value


def _text(link: Link, index: int, names: Names, what: str) -> str:
    value = _value(link, index, names)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Untranslatable(f"{what} is not in the file as text", "Write the step with the value itself.")
    return value


def _keyword(link: Link, name: str, names: Names) -> object:
    node = link.keywords.get(name)
    try:
        return value_of(node, names) if node is not None else None
    except Unknown:
        return None


def _timeout(link: Link, names: Names) -> float | None:
    value = _keyword(link, "timeout", names)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value / 1000 if is_number and 0 < value <= _LONGEST_MS else None  # type: ignore[operator] # a number, as tested
