"""The allocator: a large buffer has a mapping of its own, also after a larger one was freed."""

import platform
import subprocess
import sys

import pytest

MIB = 2**20
ASKED = """
import ctypes
from runners.allocation import keep_large_buffers_apart

class Malloc(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"
    )]

ask = ctypes.CDLL(None).mallinfo2
ask.restype = Malloc
{first}
larger = bytearray(8 * 2**20)
del larger
before = ask().hblkhd
large = bytearray(2**20)
print(ask().hblkhd - before)
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library maps as it likes"
)


def mapped_bytes(first: str) -> int:
    """By how much the mappings of their own grow with a buffer of 1 MiB, in a process that freed a larger one."""
    ended = subprocess.run(  # noqa: S603 -- our own words
        [sys.executable, "-c", ASKED.format(first=first)],
        capture_output=True,
        check=True,
        timeout=60,
        text=True,
    )
    return int(ended.stdout)


def test_large_buffer__is_mapped_by_itself_after_a_larger_one_was_freed() -> None:
    assert mapped_bytes("assert keep_large_buffers_apart()") >= MIB


def test_large_buffer__is_part_of_an_arena_where_nobody_told_the_allocator() -> None:
    assert mapped_bytes("") == 0
