"""PromQL out of the catalogue: a query is made from instruments, so it can't ask for a metric or a label that isn't there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from canary.instruments import Instrument, Kind

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A series that one of our recording rules makes.

    Attributes:
        name: level, metric and operation, between colons.
        labels: all that it has.
    """

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; ``operator`` is ``=``, ``!=``, ``=~`` or ``!~``."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        """As PromQL and Alertmanager write it."""
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.label}{self.operator}"{escaped}"'


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and the labels that its result may have."""

    text: str
    labels: frozenset[str]

    def __str__(self) -> str:
        """The expression alone, to be put into another."""
        return self.text


Series = Instrument | Recorded


Window = float | str
"""Seconds, or a variable of Grafana's that holds a duration: ``$__range``."""


def duration(seconds: Window) -> str:
    """A duration in the largest unit that holds it whole: ``90m``, ``3d``; a variable of Grafana's as it is.

    Raises:
        ValueError: it is shorter than a second.
    """
    if isinstance(seconds, str):
        return seconds
    whole = ceil(seconds)
    if whole < 1:
        raise ValueError("PromQL has no window shorter than a second worth asking for")
    size, unit = next(one for one in _UNITS if whole % one[0] == 0)
    return f"{whole // size}{unit}"


def any_of(label: str, names: Iterable[str]) -> Matcher:
    """The label has one of these values: names of paths and places, which have no special characters but a full stop."""
    return Matcher(label, "=~", "|".join(one.replace(".", "[.]") for one in names))


def none_of(label: str, names: Iterable[str]) -> Matcher:
    """The label has none of these values."""
    return Matcher(label, "!~", any_of(label, names).value)


def series(one: Series, *matchers: Matcher) -> Query:
    """The newest sample of a series; of one that was pushed, nothing after five minutes: see `last`."""
    return Query(_selected(one, matchers), frozenset(one.labels))


def last(one: Series, seconds: Window, *matchers: Matcher, before: Window = 0.0) -> Query:
    """Its last sample of some time, be the series there no more; ``before``: as it was so many seconds ago."""
    return _over_time("last_over_time", one, seconds, matchers, before=before)


PUSHED_AT: Final = Recorded("push_time_seconds", ("job", "instance", "prober"))
"""When a group of a Pushgateway was pushed last: the gateway's own series, with the labels that all series of the group have."""
_PUSHED_SECONDS: Final = 7200.0
"""A group that was pushed last so long ago has no prober any more. Longer than it takes until silence pages itself."""


def pushed(query: Query, seconds: Window) -> Query:
    """Without what a group of a Pushgateway says that nobody pushes any more, as after a prober was renamed: it stays for ever.

    What is scraped of a prober itself is in no such group.
    """
    ended = f"time() - {last(PUSHED_AT, seconds)} > {_PUSHED_SECONDS:.0f}"
    return Query(f"{query} unless on ({', '.join(PUSHED_AT.labels)}) {ended}", query.labels)


def current(
    labels: Sequence[str], one: Series, seconds: Window, *matchers: Matcher, least: bool = False
) -> Query:
    """The greatest (or least) of what is shown now; where nobody shows that now, of what was shown last.

    The last alone would keep what a pod said before it was replaced beside what its successor says.
    """
    pick = min_by if least else max_by
    now = pick(labels, pushed(series(one, *matchers), seconds))
    before = pick(labels, pushed(last(one, seconds, *matchers), seconds))
    return Query(f"({now} or on ({', '.join(labels)}) {before})", now.labels)


def increase(one: Series, seconds: Window, *matchers: Matcher) -> Query:
    """How much a counter grew in some time. Of replicas that show one store's figure, take the maximum of this."""
    return _over_time("increase", one, seconds, matchers)


def over_time(
    function: str, one: Series, seconds: Window, *more: float, matchers: Sequence[Matcher] = ()
) -> Query:
    """Another function of a window, with its further arguments: ``deriv``, ``predict_linear``, ``absent_over_time``."""
    found = _over_time(function, one, seconds, matchers)
    return Query(f"{found.text[:-1]}{''.join(f', {_number(value)}' for value in more)})", found.labels)


def max_by(labels: Sequence[str], query: Query) -> Query:
    """The greatest of each group."""
    return _by("max", labels, query)


def min_by(labels: Sequence[str], query: Query) -> Query:
    """The least of each group."""
    return _by("min", labels, query)


def sum_by(labels: Sequence[str], query: Query) -> Query:
    """The sum of each group: only of what each process counts for itself."""
    return _by("sum", labels, query)


def quantile(
    share: float, histogram: Instrument, window: Window, *matchers: Matcher, by: Sequence[str] = ()
) -> Query:
    """What that share of the measured ends below, by the buckets; nothing where nothing was measured.

    Replicas that show one store's figure count once.

    Raises:
        ValueError: it is no histogram, or has no such label.
    """
    if histogram.kind is not Kind.HISTOGRAM:
        raise ValueError(f"{histogram.name} is no histogram")
    grown = increase(buckets(histogram), window, *matchers)
    # What was not measured is no number, and no number is at least 0.
    return Query(f"histogram_quantile({share:g}, {max_by((*by, 'le'), grown)}) >= 0", frozenset(by))


def buckets(histogram: Instrument) -> Recorded:
    """The buckets of a histogram, as Prometheus has them."""
    return Recorded(f"{histogram.prometheus}_bucket", (*histogram.labels, "le"))


def renamed(query: Query, old: str, new: str) -> Query:
    """With one label under another name beside its own."""
    if old not in query.labels:
        raise ValueError(f"{query.text} has no label {old}")
    return Query(f'label_replace({query.text}, "{new}", "$1", "{old}", "(.*)")', query.labels | {new})


def either(queries: Sequence[Query]) -> Query:
    """What any of them finds, of series that no two of them share: one rule of one name, for what has limits of its own.

    Two rules of one name and the same labels would be an error of `promtool check rules`.
    """
    if len(queries) == 1:
        return queries[0]
    return Query("\n  or ".join(f"({one})" for one in queries), queries[0].labels)


def _selected(one: Series, matchers: Iterable[Matcher]) -> str:
    conditions = list(matchers)
    if wrong := [condition.label for condition in conditions if condition.label not in one.labels]:
        raise ValueError(f"{_name(one)} has the labels {one.labels}, not {wrong}")
    inside = ",".join(map(str, conditions))
    return f"{_name(one)}{{{inside}}}" if inside else _name(one)


def _over_time(
    function: str, one: Series, seconds: Window, matchers: Iterable[Matcher], *, before: Window = 0.0
) -> Query:
    back = f" offset {duration(before)}" if before else ""
    text = f"{function}({_selected(one, matchers)}[{duration(seconds)}]{back})"
    return Query(text, frozenset(one.labels))


def _by(function: str, labels: Sequence[str], query: Query) -> Query:
    if wrong := set(labels) - query.labels:
        raise ValueError(f"{query.text} has no label {', '.join(sorted(wrong))}")
    return Query(f"{function} by ({', '.join(labels)}) ({query.text})", frozenset(labels))


def _name(one: Series) -> str:
    return one.prometheus if isinstance(one, Instrument) else one.name


def _number(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(int(value))  # noqa: PLR2004 -- %g would write an exponent
