"""The small pictures: drawn after a change alone, and one a path, however many canaries there have been."""

import gc
import weakref
from datetime import UTC, datetime, timedelta

from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.history import Point
from runners.web.sparks import Sparks

AT = datetime(2018, 8, 8, 19, 32, tzinfo=UTC)
PATH, OTHER = PathName("support-email"), PathName("contact-form")


class Picture(str):  # noqa: SLOT000 -- with slots it can't be watched
    """A picture that can be watched for being forgotten."""


class Drawing:
    """Counts what was drawn."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def __call__(
        self, element: str, points: tuple[Point, ...], *, deadline_seconds: float, name: PathName
    ) -> str:
        self.drawn.append(name)
        return Picture(f"<svg {element} {len(points)} {deadline_seconds:g}>")


def points(number: int, *, first: int = 0, verdict: Verdict = Verdict.CONFIRMED) -> tuple[Point, ...]:
    return tuple(
        Point(CanaryId(f"c{one:04}"), PATH, AT + timedelta(minutes=one), verdict, 3.0)
        for one in range(first, first + number)
    )


def test_same_canaries__are_drawn_once() -> None:
    drawing = Drawing()
    sparks = Sparks(drawing)

    first = sparks.of(PATH, points(3), deadline_seconds=30.0)
    again = sparks.of(PATH, points(3), deadline_seconds=30.0)

    assert first == again == "<svg spark-support-email 3 30>"
    assert drawing.drawn == [PATH]


def test_new_canary_verdict_or_deadline__is_drawn() -> None:
    drawing = Drawing()
    sparks = Sparks(drawing)
    sparks.of(PATH, points(3), deadline_seconds=30.0)

    sparks.of(PATH, points(4), deadline_seconds=30.0)
    sparks.of(PATH, points(4, verdict=Verdict.LATE), deadline_seconds=30.0)
    sparks.of(PATH, points(4, verdict=Verdict.LATE), deadline_seconds=60.0)

    assert drawing.drawn == [PATH] * 4


def test_picture_of_a_path__is_not_that_of_another() -> None:
    drawing = Drawing()
    sparks = Sparks(drawing)

    assert sparks.of(PATH, points(3), deadline_seconds=30.0) != sparks.of(
        OTHER, points(3), deadline_seconds=30.0
    )
    sparks.of(PATH, points(3), deadline_seconds=30.0)
    assert drawing.drawn == [PATH, OTHER]


def test_what_was_drawn_before__is_not_kept() -> None:
    sparks = Sparks(Drawing())

    seen = [weakref.ref(sparks.of(PATH, points(5, first=one), deadline_seconds=30.0)) for one in range(50)]
    gc.collect()

    assert [one() is not None for one in seen] == [False] * 49 + [True]
