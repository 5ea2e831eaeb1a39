"""A snapshot as Prometheus' plain text (format 0.0.4), for files and for the Pushgateway.

The library makes the same text, at four times the cost and after an import of its own; that both are the same to the byte
is held by a test. What is scraped is the library's (`exposition`): it has the other formats, and exemplars.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate

from canary.instruments import Kind
from runners.telemetry.families import Buckets, Family, Point, Snapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN_DIGITS = 6
"""With more before the point, Go writes an exponent."""


def plain_text(snapshot: Snapshot) -> bytes:
    """All series, family by family, in UTF-8. Pure."""
    return "".join(line for family in snapshot.families for line in _lines(family)).encode()


def _lines(family: Family) -> Iterator[str]:
    one = family.instrument
    name, meaning = one.prometheus, one.meaning.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {name} {meaning}\n# TYPE {name} {one.kind.value}\n"
    # In the order of their names, as the library has them.
    order = sorted(range(len(one.labels)), key=one.labels.__getitem__)
    if one.kind is Kind.HISTOGRAM:
        yield from _histogram(family, order)
        return
    for point in family.points:
        if not isinstance(point.value, Buckets):
            labels = ",".join(_labels(family, point, order))
            shown = f"{{{labels}}}" if labels else ""
            yield f"{name}{shown} {number(point.value)}\n"


def _histogram(family: Family, order: Sequence[int]) -> Iterator[str]:
    name, labels = family.instrument.prometheus, family.instrument.labels
    bounds = [f'le="{number(one)}"' for one in (*family.instrument.bounds, math.inf)]
    before = sum(one < "le" for one in labels)
    counted = cache(number)  # within one family: most of its buckets hold the same few numbers
    for point in family.points:
        if isinstance(point.value, Buckets):
            texts = _labels(family, point, order)
            head = f"{name}_bucket{{{''.join(f'{one},' for one in texts[:before])}"
            tail = f"{''.join(f',{one}' for one in texts[before:])}}} "
            for bound, count in zip(bounds, accumulate(point.value.counts), strict=True):
                yield f"{head}{bound}{tail}{counted(count)}\n"
            all_of_them = ",".join(texts)
            shown = f"{{{all_of_them}}}" if texts else ""
            yield f"{name}_count{shown} {counted(sum(point.value.counts))}\n{name}_sum{shown} {number(point.value.total)}\n"


def _labels(family: Family, point: Point, order: Sequence[int]) -> list[str]:
    names = family.instrument.labels
    return [f'{names[index]}="{_escaped(point.labels[index])}"' for index in order]


def _escaped(text: str) -> str:
    if text.isalnum():
        return text
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """A number as Go writes it: always a float, or ``le="1"`` and ``le="1.0"`` would be two series."""
    text = repr(float(value))
    whole = text.find(".")
    if whole > _PLAIN_DIGITS and value > 0:
        mantissa = f"{text[0]}.{text[1:whole]}{text[whole + 1 :]}".rstrip("0.")
        return f"{mantissa}e+{whole - 1:02d}"
    return _SPECIAL.get(text, text)


_SPECIAL = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}
