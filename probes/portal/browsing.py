"""What the browser did in each hop, kept for the trace: every step, and the requests that failed or took longest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from canary.page import PageRequest, PageStep
from probes.contracts import Clock
from probes.hops import Browsed, Moment
from probes.portal.steps import Step
from probes.portal.traffic import Exchange, shown
from probes.portal.visiting import Arrangement
from probes.portal.words import Words

MOST_REQUESTS: Final = 30
"""Of one hop; a page of a hundred requests is told by what went wrong and what was slow."""
_MOST_CHARACTERS: Final = 200


@dataclass(slots=True)
class _Done:
    """A step, by the monotonic clock."""

    step: Step
    began: float
    ended: float | None = None
    is_done: bool = True


class Browsing:
    """Notes the steps of one journey, and tells of each hop what happened since it was entered."""

    def __init__(self, arrangement: Arrangement, clock: Clock) -> None:
        self._traffic = arrangement.traffic
        self._typed = arrangement.hand.typed
        self._mask = arrangement.collector.masker.mask
        self._clock = clock
        self._steps: list[_Done] = []

    def begin(self, step: Step) -> None:
        """The journey is at this step; the one before it is done."""
        self.end(is_done=True)
        self._steps.append(_Done(step, self._clock.monotonic()))

    def end(self, *, is_done: bool) -> None:
        """The step under way is over, if there is one."""
        if self._steps and self._steps[-1].ended is None:
            self._steps[-1].ended = self._clock.monotonic()
            self._steps[-1].is_done = is_done

    def forget(self) -> None:
        """The step under way was left out."""
        if self._steps and self._steps[-1].ended is None:
            self._steps.pop()

    def enter(self) -> Callable[[Moment], Browsed]:
        """A hop begins; what is returned tells of it at its end."""
        self.end(is_done=True)
        return partial(self._told, len(self._steps), len(self._traffic.exchanges))

    def _told(self, first_step: int, first_request: int, moment: Moment) -> Browsed:
        words = Words(self._typed)
        steps = tuple(
            PageStep(
                number=one.step.number,
                text=self._cleaned(words, one.step.told),
                began_at=moment(one.began),
                ended_at=moment(one.ended if one.ended is not None else self._clock.monotonic()),
                is_done=one.is_done,
            )
            for one in self._steps[first_step:]
        )
        asked = list(self._traffic.since(first_request))
        requests = tuple(
            PageRequest(
                number=one.number - first_request + 1,
                method=one.method,
                url=self._cleaned(words, shown(one.url)),
                kind=one.kind,
                began_at=moment(one.began),
                ended_at=moment(one.ended) if one.ended is not None else None,
                status=one.status,
                failure=one.failure,
                is_error=one.has_failed,
            )
            for one in chosen(asked, now=self._clock.monotonic())
        )
        return steps, requests

    def _cleaned(self, words: Words, text: str) -> str:
        return self._mask(words.cleaned(text))[:_MOST_CHARACTERS]


def chosen(asked: Sequence[Exchange], *, now: float, most: int = MOST_REQUESTS) -> list[Exchange]:
    """Those that are told, in their order: what failed, then pages, then what took longest.

    Args:
        asked: all of a hop.
        now: by which what is under way is measured.
        most: so many of them.
    """
    real = [one for one in asked if one.url.startswith("http")]
    first = sorted(
        real,
        key=lambda one: (
            not one.has_failed,
            not one.is_document,
            one.began - (one.ended if one.ended is not None else now),
        ),
    )
    return sorted(first[:most], key=lambda one: one.number)
