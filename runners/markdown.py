"""Markdown out of texts that anybody may have written: nothing in them becomes a heading, a link or a cell's end."""

import re
from collections.abc import Iterable, Iterator, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~!$&])")
_AT_THE_BEGIN = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])(?=\s|$)")


def escaped(text: str) -> str:
    """The text on one line, each sign that means something to Markdown (or to HTML in it) as itself."""
    line = " ".join(text.split())
    line = _SPECIAL.sub(r"\\\1", line).replace("://", "\\://")  # an address of somebody's makes no link
    return _AT_THE_BEGIN.sub(lambda found: f"{found[1] or ''}\\{found[2] or found[3]}", line)


def code(text: str) -> str:
    """The text on one line as it is, in the type of code; also within a table's cell."""
    line = " ".join(text.split()).replace("|", "¦")
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table's lines; the cells are Markdown already (`escaped`, `code`)."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'---|' * len(headings)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
