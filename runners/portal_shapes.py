"""The shapes of what `portal import` and `portal try` answer with `--json`."""

from typing import Any

from typing_extensions import TypedDict


class ImportNoteAnswer(TypedDict):
    """Something of a recording that a person must look at; line 0: it stands nowhere."""

    line: int
    code: str
    why: str
    remedy: str


class ImportAnswer(TypedDict):
    """`portal import`: a path as the configuration holds it; null where it must be completed."""

    name: str
    path: dict[str, Any]
    guesses: list[str]
    notes: list[ImportNoteAnswer]
    exit: int


class StepAnswer(TypedDict):
    """One step that was done."""

    hop: str
    step: str
    seconds: float


class TryAnswer(TypedDict):
    """`portal try`: the steps that could be done, and why the next one could not."""

    path: str
    steps: list[StepAnswer]
    reason: str | None
    detail: str | None
    screenshot: str | None
    facts: dict[str, str | int | float | bool]
    exit: int
