"""How much memory, CPU and disk a prober is given: measured in docs/benchmarks.md and docs/guides/portal.md, with room."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from canary.hop import Channel
from runners.config.config import Config

MIB: Final = 1024 * 1024
_STORE_BYTES: Final = 1024 * MIB
"""A year of twenty paths, a canary every ten minutes each, takes less (docs/benchmarks.md: a million canaries)."""


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked for, and what is the most.

    Attributes:
        shared_memory_mib: of /dev/shm, which the browser draws in; 0 without one. It counts as memory.
        temporary_mib: of /tmp, where the browser keeps its folder.
    """

    cpu_millis: int
    memory_mib: int
    most_memory_mib: int
    shared_memory_mib: int
    temporary_mib: int


MAIL: Final = Size(cpu_millis=100, memory_mib=192, most_memory_mib=384, shared_memory_mib=0, temporary_mib=64)
"""The daemon with 200 paths took 133 MiB and a quarter of a core."""
BROWSER: Final = Size(
    cpu_millis=1000, memory_mib=1024, most_memory_mib=2048, shared_memory_mib=512, temporary_mib=1024
)
"""Driver and browser took 604 MiB beside the prober's 90; heavy portals take several hundred more."""


def needs_browser(config: Config) -> bool:
    """Whether a path goes through a portal."""
    return any(one.path.channel is Channel.PORTAL for one in config.paths.values())


def size_of(config: Config) -> Size:
    """What this configuration needs."""
    return BROWSER if needs_browser(config) else MAIL


def disk_gib(config: Config) -> int:
    """Of the volume with a SQLite store, and the evidence of portals beside it."""
    artifacts = config.prober.artifacts
    kept = artifacts.most_bytes if artifacts is not None else 0
    return ceil((_STORE_BYTES + kept) / (1024 * MIB))
