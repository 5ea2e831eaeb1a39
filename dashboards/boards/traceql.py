"""Queries to Tempo, made of the catalogue's attributes, as queries to Prometheus are made of its metrics."""

from collections.abc import Iterable
from typing import Final

from canary.instruments import ATTRIBUTES

_NAMES: Final = frozenset(one.name for one in ATTRIBUTES)
_OURS: Final = 'resource.service.name = "intake-prober"'


def attribute(name: str) -> str:
    """An attribute of a span, as TraceQL names it.

    Raises:
        ValueError: the catalogue has none of that name.
    """
    if name not in _NAMES:
        raise ValueError(f"no attribute is called {name!r}")
    return f"span.{name}"


def spans(*conditions: str, shown: Iterable[str]) -> str:
    """Our spans that meet all conditions, with some of their attributes as columns."""
    inside = " && ".join([_OURS, *conditions])
    return f"{{ {inside} }} | select({', '.join(map(attribute, shown))})"


ROOT: Final = 'name =~ "canary .*"'
"""A canary's own span; what becomes of it later is called otherwise."""
RESULT: Final = ("intake.verdict", "intake.blame", "intake.reason", "intake.seconds", "intake.ticket.id")
PATH_CANARIES: Final = spans(
    ROOT, f'{attribute("intake.path")} = "$path"', shown=("intake.canary.id", *RESULT)
)
