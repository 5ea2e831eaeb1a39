"""Answers that nobody thought of: what evaluating them raises is blindness of the one system, and no end of the prober."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from probes.contracts import Blind

ODD: Final = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
"""What code raises that meets a value of another kind, size or depth than it was written for."""


@contextmanager
def odd_is_blind(system: str) -> Iterator[None]:
    """Around whatever evaluates answers.

    Raises:
        Blind: an answer is odd, or our code is wrong; says where, and nothing of the answer, which may be a customer's.
    """
    try:
        yield
    except ODD as error:
        raise Blind(
            f"{system}: an answer can't be evaluated: {type(error).__name__} in {_where(error)}. No answer should do"
            f" that: report it, with what intake-prober ticketing try {system} --transcript FILE writes."
        ) from None


def _where(error: BaseException) -> str:
    """The last line of our own code that it came through."""
    frames = [
        f"{name}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if (name := frame.f_globals.get("__name__")) != __name__
    ]
    ours = [one for one in frames if one.startswith(("probes.", "canary."))]
    return (ours or frames or ["an unknown place"])[-1]
