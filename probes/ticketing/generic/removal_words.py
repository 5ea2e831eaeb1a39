"""Why a removal failed, in words that name the request, what it was answered, and what to do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from probes.http_wire import Answer
from probes.ticketing.generic.failures import only_words

_LONGEST: Final = 120
_DEEPEST: Final = 4
_SAYING: Final = (
    "message",
    "detail",
    "error_description",
    "description",
    "error",
    "title",
    "errors",
    "reason",
)
"""Where systems say what is wrong (RFC 9457 says ``detail`` and ``title``)."""

_COMPARE: Final = (
    "Compare that step with the system's documentation: it may lack a field, or our user a right"
)

OFTEN: Final = (
    "somebody else changes it all the time, or the version sent is stale: where a step before it changes the version,"
    " send {{ answer.… }} of that step, or use if_match"
)
"""Three times a change was refused because the ticket had changed."""


@dataclass(frozen=True, slots=True)
class Written:
    """A change of a ticket that was answered: the step's key, and the status."""

    key: str
    status: int
    is_tagging: bool = False


@dataclass(slots=True)
class Said:
    """What the steps of one removal were answered: removals side by side have one each.

    Attributes:
        told: the last request that counts, and its answer.
        written: the changes that were answered.
        is_idle: the last of them is known to have changed nothing.
    """

    told: str = ""
    written: list[Written] = field(default_factory=list)
    is_idle: bool = False

    def note(self, answer: Answer, written: Written | None, *, counts: bool) -> None:
        """Take note of an answer; ``written``: the change that it took; ``counts``: it is the one to be quoted."""
        self.told = answered(answer) if counts else self.told
        if written is not None:
            self.written.append(written)
            self.is_idle = False

    def often(self) -> str:
        """Why a change was refused again and again: what was asked last, and its answer."""
        return conflicting(self.told, self.written[-1] if self.written else None, is_idle=self.is_idle)


def answered(answer: Answer) -> str:
    """A request and how it was answered; of a refusal in JSON also what it says."""
    words = said_by(answer) if answer.status >= HTTPStatus.BAD_REQUEST else ""
    return f"{answer.what} answered {answer.status}" + (f" ({words})" if words else "")


def said_by(answer: Answer) -> str:
    """The short word of an error in JSON; empty where there is none."""
    try:
        body = json.loads(answer.content)
        found = _saying(body, 0) or only_words(body)
    except (ValueError, RecursionError):
        return ""
    words = " ".join("".join(one if one.isprintable() else " " for one in found).split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def unmade(request: str) -> str:
    """A change that was taken and did not come."""
    return (
        f"it took the change and did not make it: {request or 'the request was taken'}. The key may lack the right to"
        " change tickets, the state's name may be another, or a workflow forbids it"
    )


def untagged(tags: object, wanted: str, sent: Written | None = None) -> str:
    """A ticket that is closed, and whose tags are not as wanted; ``sent``: the change that should have tagged it."""
    read = (
        tags if isinstance(tags, str) else ", ".join(map(str, tags)) if isinstance(tags, list | tuple) else ""
    )
    short = read if len(read) <= _LONGEST else f"{read[: _LONGEST - 1]}…"
    words = f"it is closed and not tagged: tags read: '{short}', wanted '{wanted}'"
    return f"{words}: {sent.key} was answered {sent.status} and did not do it. {_COMPARE}" if sent else words


def conflicting(told: str, before: Written | None, *, is_idle: bool) -> str:
    """A change that was refused each time because the ticket is not as it should be.

    Args:
        told: what was asked, and its answer.
        before: the change that was made before it; None: it is the first.
        is_idle: whether that one is known to have changed nothing.
    """
    if before is None:
        return f"{OFTEN}: {told}"
    if is_idle:
        return f"{before.key} was answered {before.status} and changed nothing; then {told}. {_COMPARE}"
    return (
        f"{told}: {before.key}, the step before it, was answered {before.status} and may not have done it, or the version"
        " sent is stale: use if_match"
    )


def _saying(value: object, depth: int) -> str:
    if depth > _DEEPEST:
        return ""
    match value:
        case str():
            return value
        case list():
            return next((words for one in value if (words := _saying(one, depth + 1))), "")
        case Mapping():
            named = (value[name] for name in _SAYING if name in value)
            return next((words for one in named if (words := _saying(one, depth + 1))), "")
        case _:
            return ""
