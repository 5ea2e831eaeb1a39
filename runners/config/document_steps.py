"""The YAML document's steps of a journey through a portal, and the locators by which they find elements."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from runners.config.block import Block
from runners.config.errors import did_you_mean
from runners.config.fields import Duration, Line, mistake, shown
from runners.config.phrases import Phrase, Typed

ROLES: Final = frozenset(
    [
        "alert",
        "alertdialog",
        "application",
        "article",
        "banner",
        "blockquote",
        "button",
        "caption",
        "cell",
        "checkbox",
        "code",
        "columnheader",
        "combobox",
        "complementary",
        "contentinfo",
        "definition",
        "deletion",
        "dialog",
        "directory",
        "document",
        "emphasis",
        "feed",
        "figure",
        "form",
        "generic",
        "grid",
        "gridcell",
        "group",
        "heading",
        "img",
        "insertion",
        "link",
        "list",
        "listbox",
        "listitem",
        "log",
        "main",
        "marquee",
        "math",
        "menu",
        "menubar",
        "menuitem",
        "menuitemcheckbox",
        "menuitemradio",
        "meter",
        "navigation",
        "none",
        "note",
        "option",
        "paragraph",
        "presentation",
        "progressbar",
        "radio",
        "radiogroup",
        "region",
        "row",
        "rowgroup",
        "rowheader",
        "scrollbar",
        "search",
        "searchbox",
        "separator",
        "slider",
        "spinbutton",
        "status",
        "strong",
        "subscript",
        "superscript",
        "switch",
        "tab",
        "table",
        "tablist",
        "tabpanel",
        "term",
        "textbox",
        "time",
        "timer",
        "toolbar",
        "tooltip",
        "tree",
        "treegrid",
        "treeitem",
    ]
)
"""The roles that the browser's driver knows (WAI-ARIA 1.2); a test compares."""
MAIN: Final = "main"


def _role(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, str) and value not in ROLES:
        remedy = did_you_mean(value, ROLES)
        known = "It is an ARIA role: button, link, textbox, combobox, …"
        raise mistake(f"{shown(value)} is not a role", remedy if remedy.startswith("Did") else known)
    return value


def _empty(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if value is None:
        raise mistake("the action says of nothing what to do", "Write what it is about, or remove the step.")
    return value


def _frame(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    return None if value == MAIN else _empty(value)


def _press(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    return {"key": value} if isinstance(value, str) else _empty(value)


def _or(kind: dict[str, Any]) -> Any:  # noqa: ANN401 -- what pydantic takes
    """Let the JSON Schema allow another kind of value beside the mapping."""

    def allow(schema: dict[str, Any]) -> None:
        schema["anyOf"] = [kind, *(one for one in schema.get("anyOf", []) if one != {"type": "null"})]

    return allow


class LocatorDocument(Block):
    """How an element is found: exactly one of `role`, `label`, `placeholder`, `text`, `test_id`, `alt`, `title`, `css`."""

    role: Annotated[
        Line | None, BeforeValidator(_role), Field(description="Its ARIA role: button, link, …")
    ] = None
    name: Annotated[Phrase | None, Field(description="Its accessible name; beside `role` only.")] = None
    label: Annotated[Phrase | None, Field(description="The label of a field.")] = None
    placeholder: Annotated[Phrase | None, Field(description="The text in an empty field.")] = None
    text: Annotated[Phrase | None, Field(description="Text that it shows.")] = None
    test_id: Annotated[Phrase | None, Field(description="Its attribute data-testid.")] = None
    alt: Annotated[Phrase | None, Field(description="The text in place of an image.")] = None
    title: Annotated[Phrase | None, Field(description="Its attribute title.")] = None
    css: Annotated[Line | None, Field(description="A CSS selector.")] = None
    exact: Annotated[bool, Field(description="The whole text, with case; else a part of it, without.")] = (
        False
    )
    nth: Annotated[
        int | None,
        Field(ge=-1, le=1000, description="Which of several, from 0; -1: the last. Default: there is one."),
    ] = None


class FillDocument(LocatorDocument):
    """Type a value into a field."""

    typed: Annotated[Typed, Field(alias="with", description="What is typed.")]


class SelectDocument(LocatorDocument):
    """Choose an option of a list."""

    option: Annotated[Line | None, Field(description="The option, as it is shown.")] = None
    value: Annotated[Line | None, Field(description="Or its value, as the page's source has it.")] = None


class PressDocument(LocatorDocument):
    """Press a key, in an element or in the page."""

    key: Annotated[Line, Field(description="Enter, Tab, Control+A, …")]


class SubmitDocument(LocatorDocument):
    """Send the request."""

    key: Annotated[Line | None, Field(description="Press this key in the element; default: click it.")] = None


class WaitDocument(LocatorDocument):
    """Wait until an element is to be seen, or is gone, or the address matches."""

    gone: Annotated[LocatorDocument | None, Field(description="Until this is no longer to be seen.")] = None
    url: Annotated[Phrase | None, Field(description="Until the address has this in it.")] = None


class ConfirmDocument(LocatorDocument):
    """What must be to be seen after the submit, or where the page must be."""

    url: Annotated[Phrase | None, Field(description="The address has this in it.")] = None


class StepDocument(Block):
    """One step: exactly one action, and perhaps `timeout` and `optional` beside it."""

    go: Annotated[
        Line | None,
        BeforeValidator(_empty),
        Field(description="Open an address; a relative one from `url` on."),
    ] = None
    click: Annotated[LocatorDocument | None, BeforeValidator(_empty), Field(description="Click, once.")] = (
        None
    )
    fill: Annotated[
        FillDocument | None,
        BeforeValidator(_empty),
        Field(description="Type into a field: a locator, and `with`."),
    ] = None
    select: Annotated[
        SelectDocument | None,
        BeforeValidator(_empty),
        Field(description="Choose of a list: a locator, and `option` or `value`."),
    ] = None
    check: Annotated[
        LocatorDocument | None, BeforeValidator(_empty), Field(description="Tick a box or a radio button.")
    ] = None
    uncheck: Annotated[
        LocatorDocument | None, BeforeValidator(_empty), Field(description="Take the tick away.")
    ] = None
    upload: Annotated[
        LocatorDocument | None, BeforeValidator(_empty), Field(description="Attach `request.attachment`.")
    ] = None
    press: Annotated[
        PressDocument | None,
        BeforeValidator(_press),
        Field(
            description="Press a key: its name; or `key` and a locator.",
            json_schema_extra=_or({"type": "string"}),
        ),
    ] = None
    wait: Annotated[
        WaitDocument | None,
        BeforeValidator(_empty),
        Field(description="Wait: a locator, `{gone: locator}` or `{url: …}`."),
    ] = None
    frame: Annotated[
        LocatorDocument | None,
        BeforeValidator(_frame),
        Field(
            description="The next steps happen in this frame; `main`: in the page again.",
            json_schema_extra=_or({"type": "string", "const": MAIN}),
        ),
    ] = None
    script: Annotated[
        Line | None,
        BeforeValidator(_empty),
        Field(
            description="FILE.py:FUNCTION, an async function of (page, canary).",
            examples=["steps.py:choose_product"],
        ),
    ] = None
    submit: Annotated[
        SubmitDocument | None,
        BeforeValidator(_empty),
        Field(description="Send the request: a locator, and perhaps `key`. Exactly one step."),
    ] = None
    confirm: Annotated[
        ConfirmDocument | None,
        BeforeValidator(_empty),
        Field(description="What must be seen after the submit: `{text: …}`, `{url: …}` or a locator."),
    ] = None
    timeout: Annotated[
        Duration | None, Field(description="How long this step may take; default `limits.step`.")
    ] = None
    optional: Annotated[bool, Field(description="Leave the step out where its element isn't there.")] = False


ACTIONS: Final = tuple(name for name in StepDocument.model_fields if name not in {"timeout", "optional"})
