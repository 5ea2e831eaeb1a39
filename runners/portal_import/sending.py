"""What sends the request, and what confirms it: the submit of a recording, and the looks behind it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from probes.portal.steps import (
    Action,
    By,
    Click,
    Confirm,
    Fill,
    Locator,
    Press,
    Select,
    Submit,
    Text,
    Tick,
    Upload,
    Wait,
)
from runners.portal_import.acts import Act
from runners.portal_import.fields import is_button, leaves, sends
from runners.portal_import.locators import escaped
from runners.portal_import.source import Guess, Note

_FILLING: Final = (Fill, Select, Tick, Upload)
_TICKET = re.compile(r"(?i)(?:#|\bticket|\brequest|\bcase|\bnumber|\bno\.?|\bid)\W*(\d+)")
_SHORTEST = 3


def sent(acts: Sequence[Act], words: set[str], notes: list[Note], guesses: list[Guess]) -> list[Act]:
    """The acts with the one that sends, and what confirms it; what can't stand behind it is noted and left out."""
    chosen = _sender(acts)
    submit = _submit_of(acts, chosen) if chosen is not None else None
    if chosen is None or submit is None:
        return [_loosened(one, words) for one in acts]
    guesses.append(Guess(acts[chosen].line, "it sends the request"))
    steps = [_loosened(one, words) for one in acts[:chosen]]
    steps.append(replace(acts[chosen], action=submit))
    after = list(acts[chosen + 1 :])
    while after and isinstance(after[0].action, Wait):
        act = _loosened(after.pop(0), words)
        action = _confirming(act.action)
        if isinstance(action, Confirm) and _says_nothing(action):
            notes.append(
                Note(
                    act.line,
                    "",
                    "every text matches what is expected here, so it confirms nothing",
                    "Write what only the confirmation has.",
                )
            )
        else:
            steps.append(replace(act, action=action))
    if after:
        notes.append(
            Note(
                after[0].line,
                "",
                "what comes after the request was sent is left out",
                "Behind submit: stand only wait:, frame: and confirm:.",
            )
        )
    return steps


def _sender(acts: Sequence[Act]) -> int | None:
    """Which of them sends the request."""
    filled = max((index for index, one in enumerate(acts) if isinstance(one.action, _FILLING)), default=-1)
    candidates = [index for index, one in enumerate(acts) if _may_send(one.action)]
    awaited = [one for one in candidates if one + 1 < len(acts) and isinstance(acts[one + 1].action, Wait)]
    named = [one for one in candidates if _is_named(acts[one].action, sends)]
    buttons = [one for one in candidates if _is_named(acts[one].action, is_button)]
    both = [one for one in named if one in awaited]
    for some in (both, named, awaited, buttons, candidates):
        late = [one for one in some if one > filled]
        if late:
            return late[-1]
    return both[-1] if both else None


def _may_send(action: Action) -> bool:
    match action:
        case Click(locator=locator):
            return not leaves(locator)
        case Press(key=key):
            return key in {"Enter", "Control+Enter", "Meta+Enter"}
        case _:
            return False


def _is_named(action: Action, test: Callable[[Locator], bool]) -> bool:
    return isinstance(action, Click) and test(action.locator)


def _submit_of(acts: Sequence[Act], index: int) -> Submit | None:
    match acts[index].action:
        case Click(locator=locator):
            return Submit(locator)
        case Press(key=key, locator=Locator() as locator):
            return Submit(locator, key)
        case Press(key=key):
            before = acts[index - 1].action if index else None
            return Submit(before.locator, key) if isinstance(before, Fill) else None
        case _:
            return None


def _confirming(action: Action) -> Action:
    match action:
        case Wait(url=url) if url is not None:
            return Confirm(url=_numbering(url))
        case Wait(shown=Locator(by=By.TEXT, value=text, is_exact=False, index=None | 0)):
            return Confirm(text=_numbering(text))
        case Wait(shown=Locator(by=By.ROLE, name=str() | re.Pattern() as name, index=None)) if (
            _numbering(name) != name
        ):
            return Confirm(text=_numbering(name))  # its number is only read from a text
        case Wait(shown=Locator() as locator):
            return Confirm(shown=locator)
        case _:
            return action


def _says_nothing(confirm: Confirm) -> bool:
    texts = [confirm.text, confirm.url]
    texts += [confirm.shown.value, confirm.shown.name] if confirm.shown is not None else []
    return any(isinstance(one, re.Pattern) and one.search("") is not None for one in texts)


def _numbering(text: Text) -> Text:
    """Text with any number where one stood; the ticket's, where it is called so, is the group ``ticket``."""
    if isinstance(text, re.Pattern):
        if text.pattern.count(r"\d+") == 1 and not text.groups:
            return re.compile(text.pattern.replace(r"\d+", r"(?P<ticket>\d+)"))
        return text
    if not re.search(r"\d", text):
        return text
    found = _TICKET.search(text)
    pieces = [text[: found.start(1)], text[found.end(1) :]] if found else [text]
    return re.compile(r"(?P<ticket>\d+)".join(re.sub(r"\d+", r"\\d+", escaped(one)) for one in pieces))


def _loosened(act: Act, words: set[str]) -> Act:
    """An act that looks for nothing that was typed: a canary types something else."""
    match act.action:
        case Wait(shown=Locator() as locator):
            return replace(act, action=Wait(shown=_loose_locator(locator, words)))
        case Wait(gone=Locator() as locator):
            return replace(act, action=Wait(gone=_loose_locator(locator, words)))
        case _:
            return act


def _loose_locator(locator: Locator, words: set[str]) -> Locator:
    if locator.by is By.CSS:
        return locator
    name = None if locator.name is None else _loose(locator.name, words)
    return replace(locator, value=_loose(locator.value, words), name=name)


def _loose(text: Text, words: set[str]) -> Text:
    if not isinstance(text, str):
        return text
    found = [one for one in words if len(one) >= _SHORTEST and one in text]
    if not found:
        return text
    pieces = re.split("|".join(map(re.escape, sorted(found, key=len, reverse=True))), text)
    return re.compile(".*".join(re.sub(r"\d+", r"\\d+", escaped(one)) for one in pieces))
