"""`python -m tests.soak.inside FILE [--trace] …`: the program with these words, and beside it what its memory is made of.

A thread writes a line every few seconds. Python's arenas, `malloc` and SQLite are asked by their own figures, which
exist on Linux with glibc alone; nobody outside of the process can ask them.
"""

import _sqlite3
import ctypes
import gc
import re
import runpy
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from tests.soak.memory_parts import Parts

LOOK_SECONDS = 10.0
TRACED_AFTER = 12
"""Looks: by then what is loaded late is loaded, and every path has had its first canaries."""
TRACED_EVERY = 6
MOST_TRACED = 25
_PAUSE = threading.Event()
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ +(/.*)?")
_ARENAS = re.compile(r"(\d+) arenas \* (\d+) bytes/arena")
_MEMORY_USED, _PAGECACHE_OVERFLOW = 0, 2
"""Of `sqlite3_status64`; without a buffer of its own for pages, all of them overflow to its `malloc`."""


class _Malloc(ctypes.Structure):
    """`struct mallinfo2` of malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


class Inside:
    """Asks this process."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.mallinfo2.restype = _Malloc
        self._libc.open_memstream.restype = ctypes.c_void_p
        self._libc.fclose.argtypes = [ctypes.c_void_p]
        self._libc.free.argtypes = [ctypes.c_void_p]
        self._say_arenas = ctypes.pythonapi._PyObject_DebugMallocStats  # what PYTHONMALLOCSTATS prints
        self._say_arenas.argtypes = [ctypes.c_void_p]
        self._sqlite = ctypes.CDLL(getattr(_sqlite3, "__file__", None))  # the library that Python itself uses

    def look(self) -> Parts:
        """What the memory is made of now."""
        malloc = self._libc.mallinfo2()
        sqlite = self._sqlite_bytes(_MEMORY_USED)
        rss, files = _resident()
        return Parts(
            at=time.time(),
            rss=rss,
            files=files,
            objects=self._arena_bytes(),
            sqlite=sqlite,
            pages=self._sqlite_bytes(_PAGECACHE_OVERFLOW),
            other=malloc.uordblks + malloc.hblkhd - sqlite,
            free=malloc.fordblks,
        )

    def _sqlite_bytes(self, what: int) -> int:
        now, most = ctypes.c_int64(), ctypes.c_int64()
        self._sqlite.sqlite3_status64(what, ctypes.byref(now), ctypes.byref(most), 0)
        return now.value

    def _arena_bytes(self) -> int:
        text, size = ctypes.c_void_p(), ctypes.c_size_t()
        stream = self._libc.open_memstream(ctypes.byref(text), ctypes.byref(size))
        self._say_arenas(stream)
        self._libc.fclose(stream)
        said = ctypes.string_at(text, size.value).decode()
        self._libc.free(text)
        found = _ARENAS.search(said.replace(",", ""))
        return int(found[1]) * int(found[2]) if found else 0


def _resident() -> tuple[int, int]:
    """All that is resident, and what of it is mapped from files."""
    rss = files = 0
    is_file = False
    with Path("/proc/self/smaps").open() as mappings:
        for line in mappings:
            if (mapping := _MAPPING.match(line)) is not None:
                is_file = mapping[1] is not None
            elif line.startswith("Rss:"):
                size = 1024 * int(line.split()[1])
                rss += size
                files += size if is_file else 0
    return rss, files


def watch(file: Path) -> None:
    """Write a line every few seconds, for ever."""
    inside = Inside()
    with file.open("a", buffering=1) as written:
        while not _PAUSE.wait(LOOK_SECONDS):
            written.write(inside.look().line())


def trace(file: Path) -> None:
    """Write anew, again and again, which lines of code hold how much more than at first."""
    _PAUSE.wait(TRACED_AFTER * LOOK_SECONDS)
    tracemalloc.start()
    _PAUSE.wait(TRACED_AFTER * LOOK_SECONDS)
    first = _snapshot()
    began = time.monotonic()
    while not _PAUSE.wait(TRACED_EVERY * LOOK_SECONDS):
        newest = _snapshot()
        grown = newest.compare_to(first, "lineno")
        total = sum(one.size_diff for one in grown)
        lines = [
            f"{total / 1024:+.0f} KiB in {time.monotonic() - began:.0f} s",
            *map(str, grown[:MOST_TRACED]),
        ]
        file.write_text("".join(f"{one}\n" for one in lines))


def _snapshot() -> tracemalloc.Snapshot:
    gc.collect()
    own = [
        tracemalloc.Filter(inclusive=False, filename_pattern=one) for one in (tracemalloc.__file__, __file__)
    ]
    return tracemalloc.take_snapshot().filter_traces(own)


def main() -> None:
    """Run the program as `python -m runners` does."""
    _, file, *words = sys.argv
    watched: list[tuple[Callable[[Path], None], Path]] = [(watch, Path(file))]
    if words[:1] == ["--trace"]:
        words = words[1:]
        watched.append((trace, Path(file).with_suffix(".traced")))
    for work, written in watched:
        threading.Thread(target=work, args=(written,), daemon=True).start()
    sys.argv = ["runners", *words]
    runpy.run_module("runners", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
