"""Draw what browser and prober held, canary by canary, as a picture (SVG) that fetches nothing."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tests.soak.portal import Held

WIDTH, HEIGHT = 860, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 48, 48
BROWSER, PROBER, GRID, INK = "#0b6e99", "#c2571a", "#d9dee3", "#24292f"
_STEPS = (10, 25, 50, 100, 200, 250, 500, 1000)


def draw(held: Held, picture: Path, *, title: str) -> None:
    """Write the picture."""
    most = max(held.browser) / 2**20
    step = next(one for one in _STEPS if most / one <= 6)
    top = step * (int(most / step) + 1)
    number = len(held.browser)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
            ' font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="14" font-weight="600" fill="{INK}">{escape(title)}</text>',
    ]
    for value in range(0, top + 1, step):
        y = _y(value, top)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{value}</text>')
    across = next(one for one in _STEPS if number / one <= 10)
    for value in range(0, number + 1, across):
        x = _x(value, number)
        lines.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="{INK}">{value}</text>'
        )
    for renewal in held.renewals:
        x = _x(renewal, number)
        lines.append(
            f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{INK}" stroke-dasharray="3 3" opacity="0.4"/>'
        )
    for sizes, colour in ((held.browser, BROWSER), (held.prober, PROBER)):
        lines.append(
            f'<path d="{_path(sizes, number, top)}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
    for position, (name, colour) in enumerate(
        (("browser and driver", BROWSER), ("prober", PROBER), ("dashed: browser renewed", INK))
    ):
        x = LEFT + 210 * position
        lines.append(f'<rect x="{x}" y="32" width="14" height="3" fill="{colour}"/>')
        lines.append(f'<text x="{x + 20}" y="38" fill="{INK}">{name}</text>')
    lines.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="{INK}">canaries</text>'
    )
    lines.append(
        f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" fill="{INK}" transform="rotate(-90 16 {HEIGHT / 2})">MiB'
        " (PSS)</text>"
    )
    picture.write_text("\n".join([*lines, "</svg>", ""]))


def _x(value: float, number: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * value / max(1, number)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _path(sizes: Sequence[int], number: int, top: float) -> str:
    # a sample at a renewal finds no browser: the line begins anew after it
    words, pen = [], "M"
    for index, size in enumerate(sizes):
        if size == 0:
            pen = "M"
            continue
        words.append(f"{pen}{_x(index + 1, number):.1f} {_y(size / 2**20, top):.1f}")
        pen = "L"
    return " ".join(words)
