"""What the memory of a running prober is made of, and how each part grows."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_MIB = 2**20
_AT_ONCE = 5
"""So many samples make one figure: a page that is drawn just then is no growth."""


@dataclass(frozen=True, slots=True)
class Parts:
    """One look at a process; sizes are in bytes.

    Attributes:
        at: seconds since the epoch.
        rss: what is resident, as the kernel says.
        files: of it, what is mapped from files: the interpreter, libraries, the store's shared memory.
        objects: Python's own arenas, for whatever takes up to 512 bytes; whole, as they are asked of the kernel.
        sqlite: what SQLite holds; `pages` of it are its page caches.
        other: what else was had by `malloc` and is in use: longer texts, tables of dicts, the C libraries' own.
        free: what `malloc` keeps for the next who asks.
    """

    at: float
    rss: int
    files: int
    objects: int
    sqlite: int
    pages: int
    other: int
    free: int

    @property
    def rest(self) -> int:
        """What is in none of the others: stacks, and less than nothing where not all that is counted is resident."""
        return self.rss - self.files - self.objects - self.sqlite - self.other - self.free

    def line(self) -> str:
        """For the file that the process writes."""
        return json.dumps(asdict(self)) + "\n"


COLUMNS = ("rss", "files", "objects", "sqlite", "pages", "other", "free", "rest")
_GROWING = ("rss", "objects", "sqlite", "other", "free")


def read_parts(file: Path) -> list[Parts]:
    """The looks of a process, the first one first; a line that was cut off at its end is left out."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [Parts(**json.loads(one)) for one in lines if one.endswith("\n")]


def table(parts: Sequence[Parts], *, rows: int = 9) -> list[str]:
    """Some of the looks in MiB, evenly over the time."""
    if len(parts) < 2:
        return ["too few to say"]
    lines = ["".join(f"{name:>9}" for name in ("minute", *COLUMNS))]
    for number in range(rows):
        one = parts[round(number * (len(parts) - 1) / (rows - 1))]
        sizes = "".join(f"{getattr(one, name) / _MIB:9.1f}" for name in COLUMNS)
        lines.append(f"{(one.at - parts[0].at) / 60:9.1f}{sizes}")
    return lines


def second_half(parts: Sequence[Parts]) -> dict[str, float]:
    """By how many bytes each part grew from half-way to the end."""
    if len(parts) < 4 * _AT_ONCE:
        return {}
    middle, last = parts[len(parts) // 2 :][:_AT_ONCE], parts[-_AT_ONCE:]
    return {name: _middle(last, name) - _middle(middle, name) for name in _GROWING}


def growth_words(parts: Sequence[Parts], launched_at: Sequence[float]) -> str:
    """What a thousand canaries more came to in the second half, by part; ``launched_at`` in seconds since the epoch."""
    grown = second_half(parts)
    canaries = sum(parts[len(parts) // 2].at <= at <= parts[-1].at for at in launched_at) if grown else 0
    if not canaries:
        return "too few to say"
    each = ", ".join(f"{name} {size * 1000 / canaries / 1024:+.0f} KiB" for name, size in grown.items())
    return f"{each} (of {canaries} canaries)"


def _middle(parts: Sequence[Parts], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in parts))
