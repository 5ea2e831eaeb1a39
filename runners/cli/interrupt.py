"""Ctrl-C while the program is being loaded: held back until somebody can act on it, for it would get lost.

Python makes an exception of it wherever the main thread is, and while modules load that is often in a library that
takes any exception of a look-up for "not there".
"""

import gc
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")

_CTRL_C = frozenset({signal.SIGINT})


def hold_interrupts() -> None:
    """Let Ctrl-C wait until `release_interrupts`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _CTRL_C)


def release_interrupts() -> None:
    """Let it through; one that waits is delivered at once.

    Raises:
        KeyboardInterrupt: one did, and no event loop is there to take it.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _CTRL_C)


def run_loop(work: Coroutine[Any, Any, Answer]) -> Answer:
    """`asyncio.run`, with interrupts let through once the loop can cancel its work for one, and garbage collected.

    Raises:
        KeyboardInterrupt: interrupted; the work was cancelled and has ended.
    """
    import asyncio

    async def released() -> Answer:
        release_interrupts()
        return await work

    if not gc.isenabled():
        gc.freeze()  # what was loaded stays: no collection need look at it
        gc.enable()
    try:
        return asyncio.run(released())
    finally:
        work.close()
