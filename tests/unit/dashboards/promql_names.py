"""What a PromQL expression asks for: each series with the labels that its conditions and groupings name."""

from collections.abc import Iterator
from typing import Any

import promql_parser

from canary.instruments import METRICS, Kind

_HISTOGRAM = ("_bucket", "_sum", "_count")
CATALOGUE = {
    **{one.prometheus: frozenset(one.labels) for one in METRICS},
    **{
        f"{one.prometheus}{end}": frozenset(one.labels) | ({"le"} if end == "_bucket" else set())
        for one in METRICS
        if one.kind is Kind.HISTOGRAM
        for end in _HISTOGRAM
    },
}
"""Every series of the catalogue and its labels, by Prometheus' names."""


def nodes(expression: str) -> Iterator[Any]:
    """All parts of an expression."""
    waiting = [promql_parser.parse(expression)]
    while waiting:
        one = waiting.pop()
        yield one
        for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
            part = getattr(one, name, None)
            if part is not None:
                waiting.append(part)
        waiting += list(getattr(one, "args", None) or [])


def selected(expression: str) -> list[tuple[str, set[str]]]:
    """Each series that is asked for, with the labels of its conditions."""
    return [
        (one.name, {matcher.name for matcher in one.matchers.matchers})
        for one in nodes(expression)
        if type(one).__name__ == "VectorSelector"
    ]


def grouped(expression: str) -> set[str]:
    """All labels of by, on and group_left."""
    found: set[str] = set()
    for one in nodes(expression):
        modifier = getattr(one, "modifier", None)
        if modifier is None:
            continue
        found |= set(getattr(modifier, "labels", None) or [])
        matching = getattr(modifier, "matching", None)
        found |= set(getattr(matching, "labels", None) or [])
        found |= set(getattr(modifier, "group_labels", None) or [])
    return found
