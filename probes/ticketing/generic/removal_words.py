"""Why a removal failed, in words that name the request, what it was answered, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from probes.http_wire import Answer
from probes.ticketing.generic.failures import said_by, short

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

    def note(self, told: str | None, written: Written | None) -> None:
        """Take note of an answer: what is to be quoted of it, if anything, and the change that it took."""
        self.told = told if told is not None else self.told
        if written is not None:
            self.written.append(written)
            self.is_idle = False

    def often(self) -> str:
        """Why a change was refused again and again: what was asked last, and its answer."""
        return conflicting(self.told, self.written[-1] if self.written else None, is_idle=self.is_idle)


def answered(answer: Answer, mask: Callable[[str], str]) -> str:
    """A request and how it was answered; of a refusal in JSON also what it says, masked."""
    words = short(mask(said_by(answer))) if answer.status >= HTTPStatus.BAD_REQUEST else ""
    return f"{answer.what} answered {answer.status}" + (f" ({words})" if words else "")


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
    words = f"it is closed and not tagged: tags read: '{short(read)}', wanted '{wanted}'"
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
