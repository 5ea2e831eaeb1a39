"""Why a removal failed, in words that name the request, what it was answered, and what to do."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from probes.http_wire import Answer

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

OFTEN: Final = (
    "somebody else changes it all the time, or the version sent is stale: where a step before it changes the version,"
    " send {{ answer.… }} of that step, or use if_match"
)
"""Three times a change was refused because the ticket had changed."""


def answered(answer: Answer) -> str:
    """A request and how it was answered; of a refusal in JSON also what it says."""
    words = said_by(answer) if answer.status >= HTTPStatus.BAD_REQUEST else ""
    return f"{answer.what} answered {answer.status}" + (f" ({words})" if words else "")


def said_by(answer: Answer) -> str:
    """The short word of an error in JSON; empty where there is none."""
    try:
        found = _saying(json.loads(answer.content), 0)
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


def untagged(tags: object, wanted: str) -> str:
    """A ticket that is closed, and whose tags are not as wanted."""
    read = (
        tags if isinstance(tags, str) else ", ".join(map(str, tags)) if isinstance(tags, list | tuple) else ""
    )
    short = read if len(read) <= _LONGEST else f"{read[: _LONGEST - 1]}…"
    return f"it is closed and not tagged: tags read: '{short}', wanted '{wanted}'"


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
