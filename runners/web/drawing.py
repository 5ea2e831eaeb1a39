"""Pieces of SVG as text: numbers that are always finite, words that are always well-formed, shapes that mean a state."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape, quoteattr

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold (XML 1.0 section 2.2)."""
_LARGEST: Final = 1e6

_SHAPES: Final = {
    "ok": '<circle cx="8" cy="8" r="7"/><path class="ink" d="M4.5 8.5l2.5 2.5 4.5-5.5"/>',
    "broken": '<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path class="ink" d="M5 5l6 6M11 5l-6 6"/>',
    "degraded": '<path d="M8 1l7.5 14H.5z"/><path class="ink" d="M8 6v4M8 12v1"/>',
    "blind": '<path d="M.5 8C2.4 4.6 5 3 8 3s5.6 1.6 7.5 5c-1.9 3.4-4.5 5-7.5 5S2.4 11.4.5 8z"/>'
    '<path class="ink" d="M3.5 13.5l9-11"/>',
    "stale": '<rect x="1" y="1" width="14" height="14" rx="2"/><path class="ink" d="M8 4v4l3 2"/>',
    "unknown": '<circle class="hollow" cx="8" cy="8" r="6.5"/>',
}
_LIKE: Final = {
    "confirmed": "ok",
    "breached": "broken",
    "lost": "broken",
    "late": "degraded",
    "inconclusive": "blind",
    "pending": "unknown",
    "failed": "broken",
    "skipped": "unknown",
    "page": "broken",
    "warn": "degraded",
    "open": "broken",
    "resolved": "ok",
    "retired": "stale",
}
TONES: Final = {
    "ok": "ok",
    "broken": "bad",
    "degraded": "warn",
    "blind": "blind",
    "stale": "warn",
    "unknown": "faint",
}


@lru_cache(maxsize=8192)  # the pictures of one page have most of their coordinates in common
def number(value: float) -> str:
    """A coordinate: finite, within bounds, two digits."""
    if not math.isfinite(value):
        value = 0.0
    return f"{max(-_LARGEST, min(_LARGEST, value)):.2f}".rstrip("0").rstrip(".")


def words(text: str) -> str:
    """Text between tags."""
    return escape(_NOT_XML.sub("�", text))


def attribute(text: str) -> str:
    """An attribute's value with its quotes."""
    return quoteattr(_NOT_XML.sub("�", text))


def shape_of(word: str) -> str:
    """Which shape stands for a state, a verdict or an outcome."""
    known = _LIKE.get(word, word)
    return known if known in _SHAPES else "unknown"


def tone_of(word: str) -> str:
    """Which colour does; never alone."""
    return TONES[shape_of(word)]


def mark(word: str) -> str:
    """The shape of a state, verdict or outcome, for beside its word."""
    return (
        f'<svg class="mark {tone_of(word)}" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"'
        f' focusable="false">{_SHAPES[shape_of(word)]}</svg>'
    )


def picture(
    key: str, size: tuple[float, float], said: tuple[str, str], parts: Sequence[str], kind: str
) -> str:
    """A whole picture with its name and its description for whoever does not see it.

    Args:
        key: unique on the page; of letters, digits, dots and hyphens.
        size: width and height of the drawing; the page scales it.
        said: its title, which is what it is of; and what it says.
        parts: the elements.
        kind: the class by which the page lays it out.
    """
    safe = re.sub(r"[^A-Za-z0-9.-]", "-", key)
    return (
        f'<svg class="picture {kind}" viewBox="0 0 {number(size[0])} {number(size[1])}" role="img"'
        f' preserveAspectRatio="none" aria-labelledby="{safe}-t {safe}-d" focusable="false">'
        f'<title id="{safe}-t">{words(said[0])}</title><desc id="{safe}-d">{words(said[1])}</desc>'
        f"{''.join(parts)}</svg>"
    )


def rect(x: float, y: float, width: float, height: float, kind: str, *, tip: str = "") -> str:
    """A rectangle, with what is said of it when it is pointed at."""
    inner = f"<title>{words(tip)}</title>" if tip else ""
    return (
        f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(max(0.0, width))}"'
        f' height="{number(max(0.0, height))}">{inner}</rect>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<path class="{kind}" d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}"/>'


def path(points: Sequence[tuple[float, float]], kind: str) -> str:
    """A line through points; nothing where there is none."""
    if not points:
        return ""
    steps = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    return f'<path class="{kind}" d="M{steps}"/>'
