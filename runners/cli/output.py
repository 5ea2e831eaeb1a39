"""Where words go: answers to standard output, everything else to standard error; colour on a terminal only."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO


class Style(StrEnum):
    """What a word is painted as."""

    GOOD = "32"
    BAD = "31"
    WARN = "33"
    FAINT = "2"
    STRONG = "1"


@dataclass(frozen=True, slots=True)
class Output:
    """The two streams, and whether each may be painted."""

    answers: TextIO
    remarks: TextIO
    paints_answers: bool
    paints_remarks: bool

    def answer(self, text: str) -> None:
        """Print a line of the answer; to nobody, once whoever read it has gone."""
        _print(text, self.answers)

    def answer_json(self, answer: Mapping[str, object]) -> None:
        """Print an answer as one JSON object on one line."""
        _print(json.dumps(answer, ensure_ascii=False, allow_nan=False), self.answers)

    def tell(self, text: str) -> None:
        """Print a remark, to standard error."""
        _print(text, self.remarks)

    def paint(self, text: str, style: Style) -> str:
        """A word of the answer, painted if that is seen."""
        return painted(text, style) if self.paints_answers else text

    def paint_remark(self, text: str, style: Style) -> str:
        """A word of a remark, painted if that is seen."""
        return painted(text, style) if self.paints_remarks else text


def _print(text: str, stream: TextIO) -> None:
    """Print a line. A reader that has gone (``| head``) ends no command: what it does matters, and its exit status."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def painted(text: str, style: Style) -> str:
    """The text between the terminal's codes (ECMA-48 section 8.3.117)."""
    return f"\x1b[{style}m{text}\x1b[0m"


def open_output(*, no_color: bool, environ: Mapping[str, str] | None = None) -> Output:
    """The process's own streams. ``NO_COLOR``, if set to anything, or TERM=dumb, forbids colour."""
    environ = os.environ if environ is None else environ
    forbidden = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return Output(
        answers=sys.stdout,
        remarks=sys.stderr,
        paints_answers=not forbidden and sys.stdout.isatty(),
        paints_remarks=not forbidden and sys.stderr.isatty(),
    )


def plain(text: str) -> str:
    """A text of a remote, without what would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "�" for one in text)
