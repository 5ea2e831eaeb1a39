"""Patience: waiting as long as a switch says so, and no longer."""

import threading
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.05
_never = threading.Event()


def wait(seconds: Callable[[], float]) -> None:
    """Wait that long since now; a switch that is changed in the meantime counts at once."""
    began = time.monotonic()
    while (left := began + seconds() - time.monotonic()) > 0:
        _never.wait(min(left, _LOOK_SECONDS))
