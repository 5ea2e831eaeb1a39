"""The C library's allocator, told to give large buffers back: a daemon runs for a year on what it took in its first hour."""

import ctypes
from typing import Final

LARGE_BYTES: Final = 128 * 1024
"""What takes as much has a mapping of its own, and leaves nothing behind: glibc's own figure at its start."""
_M_MMAP_THRESHOLD: Final = -3
"""malloc.h of glibc."""


def keep_large_buffers_apart() -> bool:
    """Have each large buffer mapped by itself for as long as this process lives; False where that can't be told.

    glibc raises its figure to the size of any large buffer that was freed, up to 32 MiB (mallopt(3), on
    ``M_MMAP_THRESHOLD``). From then on a page of 2 MB, or the 256 KB that each TLS connection reads into, is cut
    out of an arena, between what lives for long, and the hole stays resident. Another C library has nothing to be told.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
