"""The steps of a journey through a portal, as the configuration writes them; no browser is known here."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

from probes.servers import SecretSource

Pattern = re.Pattern[str]
Text = str | Pattern
"""What is looked for: plain text (a part of it, without case), or a regular expression (written ``/…/``)."""


class By(StrEnum):
    """How an element is found; the values are the configuration's keys."""

    ROLE = "role"
    LABEL = "label"
    PLACEHOLDER = "placeholder"
    TEXT = "text"
    TEST_ID = "test_id"
    ALT = "alt"
    TITLE = "title"
    CSS = "css"


@dataclass(frozen=True, slots=True)
class Locator:
    """One element of the page.

    Attributes:
        by, value: how and by what it is found. By role: the ARIA role; by CSS: the selector.
        name: the accessible name; with a role only.
        is_exact: the whole text, with case; else a part of it.
        index: which of several, from 0 (-1: the last); None: there must be one only.
    """

    by: By
    value: Text
    name: Text | None = None
    is_exact: bool = False
    index: int | None = None

    def __str__(self) -> str:
        """As the configuration writes it."""
        parts = [f"{self.by}: {shown(self.value)}"]
        parts += [f"name: {shown(self.name)}"] if self.name is not None else []
        parts += ["exact: true"] if self.is_exact else []
        parts += [f"nth: {self.index}"] if self.index is not None else []
        return "{" + ", ".join(parts) + "}"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with words of the canary between double braces."""

    text: str


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret that is typed: masked in all evidence."""

    source: SecretSource


@dataclass(frozen=True, slots=True)
class OneTimePassword:
    """A time-based one-time password (RFC 6238) of a base32 key: SHA-1, six digits, 30 seconds."""

    key: SecretSource


Value = Template | Hidden | OneTimePassword


@dataclass(frozen=True, slots=True)
class Go:
    """Open an address; a relative one is taken from the path's `url`."""

    url: str


@dataclass(frozen=True, slots=True)
class Click:
    """Click, once."""

    locator: Locator


@dataclass(frozen=True, slots=True)
class Fill:
    """Type a value into a field, whose old one goes."""

    locator: Locator
    value: Value


@dataclass(frozen=True, slots=True)
class Select:
    """Choose an option of a list, by its label (or by its value)."""

    locator: Locator
    option: str
    is_value: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """Tick a box or a radio button, or take the tick away."""

    locator: Locator
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Upload:
    """Attach the canary's attachment."""

    locator: Locator


@dataclass(frozen=True, slots=True)
class Press:
    """Press a key (Playwright's names: Enter, Tab, Control+A), in an element or in the page."""

    key: str
    locator: Locator | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait until an element is to be seen, or is gone, or the address matches. Exactly one of them."""

    shown: Locator | None = None
    gone: Locator | None = None
    url: Text | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The steps after this one happen inside this frame; None: in the page again."""

    locator: Locator | None


@dataclass(frozen=True, slots=True)
class Script:
    """An async function of (page, canary) for what steps can't say: ``file.py:function``."""

    file: Path
    function: str


@dataclass(frozen=True, slots=True)
class Submit:
    """Send the request: click the element, or press a key in it. Happens once in a canary's life."""

    locator: Locator
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """What the page must show, or where it must be, after the submit. Exactly one of them.

    A group named ``ticket`` in a regular expression is the ticket's number as the page tells it.
    """

    text: Text | None = None
    url: Text | None = None
    shown: Locator | None = None


Action = Go | Click | Fill | Select | Tick | Upload | Press | Wait | Frame | Script | Submit | Confirm


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        number: from 1, as in the configuration.
        timeout_seconds: of this step; None: the path's.
        is_optional: left out if its element is not there once the page has loaded (a tour, a banner).
    """

    number: int
    action: Action
    timeout_seconds: float | None = None
    is_optional: bool = False

    @property
    def told(self) -> str:
        """``fill {label: Subject}``; a value that is typed is not shown."""
        return _told(self.action)

    def __str__(self) -> str:
        """``step 3 (fill {label: Subject})``."""
        return f"step {self.number} ({self.told})"


_WORDS: Final = {
    Go: "go",
    Click: "click",
    Fill: "fill",
    Select: "select",
    Tick: "check",
    Upload: "upload",
    Press: "press",
    Wait: "wait",
    Frame: "frame",
    Script: "script",
    Submit: "submit",
    Confirm: "confirm",
}


def shown(text: Text) -> str:
    """Text as the configuration writes it; a regular expression between slashes."""
    return f"/{text.pattern}/" if isinstance(text, re.Pattern) else text


def _told(action: Action) -> str:
    word = _WORDS[type(action)]
    match action:
        case Go():
            rest = action.url.partition("?")[0]
        case Press():
            rest = action.key if action.locator is None else f"{action.key} in {action.locator}"
        case Tick():
            word, rest = word if action.is_on else "uncheck", str(action.locator)
        case Select():
            rest = f"{action.option} in {action.locator}"
        case Script():
            rest = f"{action.file.name}:{action.function}"
        case Frame():
            rest = str(action.locator or "main")
        case Wait() | Confirm():
            rest = _awaited(action)
        case Click() | Fill() | Upload() | Submit():
            rest = str(action.locator)
        case _:
            assert_never(action)
    return f"{word} {rest}"


def _awaited(action: Wait | Confirm) -> str:
    if action.url is not None:
        return f"{{url: {shown(action.url)}}}"
    if isinstance(action, Confirm) and action.text is not None:
        return f"{{text: {shown(action.text)}}}"
    if isinstance(action, Wait) and action.gone is not None:
        return f"{{gone: {action.gone}}}"
    return str(action.shown)
