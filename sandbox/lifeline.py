"""Lifeline: ends a process whose parent is gone."""

import os
import threading
from collections.abc import Callable

_LOOK_SECONDS = 0.25


def watch_parent(end: Callable[[], object]) -> None:
    """Call `end` once, from a thread of its own, soon after the parent process has ended.

    Asking for the parent's id is the sure way: a death signal (PR_SET_PDEATHSIG) fires when the *thread* that
    started us ends, and the end of standard input says nothing where it was inherited or is /dev/null.
    """
    parent = os.getppid()
    forever = threading.Event()

    def look() -> None:
        while os.getppid() == parent:
            forever.wait(_LOOK_SECONDS)
        end()

    threading.Thread(target=look, name="lifeline", daemon=True).start()
