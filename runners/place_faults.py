"""Faults of ours at one place: each is logged once and told of, and ends neither the watch nor the clean-up of others.

Of what was raised its type and our own lines are said. Its text is masked; where odd values raise it, it may be an
answer's, a customer's subject say, and is left out.
"""

import logging
import traceback
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from probes.masking import Masker
from probes.ticketing.generic.oddness import ODD

_OURS: Final = ("canary.", "probes.", "runners.")
_FRAMES: Final = 6
_MOST: Final = 100
"""So many different ones are remembered of a place; then all are told anew."""
LOOKS_APART_SECONDS: Final = 4500.0
"""A look's fault is a problem for so long: looks are made while a canary is out, of an hourly path within this time, of one by hand never again."""

_log = logging.getLogger(__name__)


class Doing(StrEnum):
    """What a fault ended."""

    LOOK = "look"
    NEWS = "news"
    CLEANING = "clean-up"
    STRAYS = "search for strays"


_WHILE_OUT: Final = frozenset({Doing.LOOK, Doing.NEWS})
"""Done only while a canary is out; the others are tried again by themselves."""


class PlaceFaults:
    """What went wrong at which place. Whoever catches every exception there has it noted here."""

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {}
        self._ended: dict[tuple[str, Doing], tuple[str, float]] = {}

    def problems(self, at: float) -> Sequence[str]:
        """What is not done anywhere right now, a sentence each, by the monotonic clock; until it succeeds once.

        A look's is none any more when no look was made for `LOOKS_APART_SECONDS`.
        """
        return [
            f"{place}: its {doing} ended in {fault}"
            for (place, doing), (fault, noted) in sorted(self._ended.items())
            if doing not in _WHILE_OUT or at - noted <= LOOKS_APART_SECONDS
        ]

    def note(self, place: str, doing: Doing, error: Exception, masker: Masker, *, at: float) -> str:
        """Log a fault, once, ``at`` a time of the monotonic clock; what is said of it where an answer is missing."""
        frames = [
            f"{name}:{line}"
            for frame, line in traceback.walk_tb(error.__traceback__)
            if (name := str(frame.f_globals.get("__name__"))).startswith(_OURS)
        ]
        kind, where = type(error).__name__, " > ".join(frames[-_FRAMES:]) or "an unknown place"
        told = self._told.setdefault(place, set())
        if f"{kind} {where}" not in told:
            if len(told) >= _MOST:
                told.clear()
            told.add(f"{kind} {where}")
            text = "" if isinstance(error, ODD) else f": {error}"
            detail = masker.detail(f"{doing}: {kind} in {where}{text}")
            _log.error("look_failed", extra={"place": place, "detail": detail})
        fault = f"a fault of the prober: {kind}"
        self._ended[place, doing] = fault, at
        return f"{fault}; its log says more"

    def well(self, place: str, doing: Doing) -> None:
        """Note that it was done at a place, so that it is no problem any more."""
        self._ended.pop((place, doing), None)
