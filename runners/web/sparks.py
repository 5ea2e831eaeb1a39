"""The small pictures of the first page: one is drawn again only after its path's canaries have changed."""

from collections.abc import Callable
from dataclasses import dataclass

from canary.path import PathName
from runners.history import Point
from runners.web import pictures


@dataclass(frozen=True, slots=True)
class _Drawn:
    points: tuple[Point, ...]
    deadline_seconds: float
    picture: str


class Sparks:
    """The newest picture of each path.

    Most paths have no new canary when a page is read anew, and to draw is most of its cost. What came before is not
    kept: it is never asked for again, and a picture with its points is 13 KB. Safe for several threads, which at the
    worst draw the same twice.
    """

    def __init__(self, draw: Callable[..., str] = pictures.sparkline) -> None:
        self._draw = draw
        self._drawn: dict[PathName, _Drawn] = {}

    def of(self, name: PathName, points: tuple[Point, ...], *, deadline_seconds: float) -> str:
        """The picture (SVG) of a path's newest canaries."""
        kept = self._drawn.get(name)
        if kept is None or kept.deadline_seconds != deadline_seconds or kept.points != points:
            picture = self._draw(f"spark-{name}", points, deadline_seconds=deadline_seconds, name=name)
            self._drawn[name] = kept = _Drawn(points, deadline_seconds, picture)
        return kept.picture
