"""One unit test of rules: what is scraped over time, and which alerts there are then; as promtool's file has it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from canary.instruments import Instrument
from dashboards.estate import Estate
from dashboards.promql import PUSHED_AT, Recorded, duration
from dashboards.rule import AlertRule

STALE: Final = "stale"
"""The series ends here: its target showed it no more."""
Value = float | str | None
"""A sample; None: none is scraped."""
_STEPS: Final = (1, 5, 15, 60, 300, 900, 3600, 10800, 21600, 86400)
_MOST_STEPS: Final = 60


def step_for(seconds: float) -> float:
    """How far apart samples and evaluations are, so that some time takes no more than a few dozen of them."""
    return float(next((one for one in _STEPS if seconds / one <= _MOST_STEPS), _STEPS[-1]))


@dataclass(frozen=True, slots=True)
class Given:
    """What one target shows of one series; ``values`` by seconds from the beginning, up to the case's end."""

    instrument: Instrument | Recorded
    labels: Mapping[str, str]
    values: Callable[[float], Value]

    def shown(self, step: float, steps: int) -> dict[str, str]:
        """As the file has it."""
        one = self.instrument
        # A target's own labels, or those of a Pushgateway's group.
        if wrong := set(self.labels) - {*one.labels, *PUSHED_AT.labels}:
            raise ValueError(f"{one.name} has no label {', '.join(sorted(wrong))}")
        name = one.prometheus if isinstance(one, Instrument) else one.name
        labels = ",".join(f"{label}={json.dumps(value)}" for label, value in self.labels.items())
        samples = _encoded([self.values(number * step) for number in range(steps + 1)])
        return {"series": f"{name}{{{labels}}}", "values": samples}


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert that must be there.

    Attributes:
        rule: whose.
        labels: those that come from its query.
        value: what the query came to, where the words say it.
        times: what its templates ask for, in order, in seconds; None: not known.
    """

    rule: AlertRule
    labels: Mapping[str, str]
    value: float = 0.0
    times: Sequence[float | None] = ()

    def shown(self, estate: Estate) -> dict[str, Any]:
        """As the file has it."""
        labels = {**self.labels, **self.rule.static_labels(estate)}
        said = {
            name: _said(text, self.labels, self.value, self.times)
            for name, text in self.rule.annotations(estate).items()
        }
        return {"exp_labels": labels, "exp_annotations": said}


@dataclass(frozen=True, slots=True)
class Moment:
    """All alerts of one name at one time: these and no others."""

    at: float
    alert: str
    firing: Sequence[Firing] = ()

    def shown(self, estate: Estate) -> dict[str, Any]:
        """As the file has it."""
        return {
            "eval_time": duration(self.at) if self.at else "0s",
            "alertname": self.alert,
            "exp_alerts": [one.shown(estate) for one in self.firing],
        }


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Attributes:
        name: the behaviour, in a sentence.
        step: between two samples and between two evaluations, in seconds.
    """

    name: str
    step: float
    given: Sequence[Given]
    moments: Sequence[Moment]
    more: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def shown(self, estate: Estate) -> dict[str, Any]:
        """As the file has it."""
        steps = int(max(one.at for one in self.moments) // self.step) + 1
        return {
            "name": self.name,
            "interval": duration(self.step),
            "input_series": [one.shown(self.step, steps) for one in self.given],
            "alert_rule_test": [one.shown(estate) for one in self.moments],
            **self.more,
        }


def always(value: float) -> Callable[[float], Value]:
    """The same at all times."""
    return lambda _seconds: value


def switched(*changes: tuple[float, Value]) -> Callable[[float], Value]:
    """From each time on this value; before the first, nothing."""

    def value(seconds: float) -> Value:
        reached = [one for at, one in changes if at <= seconds]
        return reached[-1] if reached else None

    return value


def _encoded(values: Sequence[Value]) -> str:
    """As promtool writes samples: runs of equal differences as ``first+differencexmore``, ``_`` where there are none."""
    words: list[str] = []
    at = 0
    while at < len(values):
        first = values[at]
        end = at + 1
        if first is None:
            while end < len(values) and values[end] is None:
                end += 1
            words.append(f"_x{end - at}")
        elif isinstance(first, str):
            words.append(first)
            # Staleness is told once; then there is nothing.
            while end < len(values) and values[end] == first:
                end += 1
            if at + 1 < end < len(values):
                words.append(f"_x{end - at - 1}")
        else:
            end, word = _run(values, at, first)
            words.append(word)
        at = end
    return " ".join(words)


def _run(values: Sequence[Value], at: int, first: float) -> tuple[int, str]:
    following = values[at + 1] if at + 1 < len(values) else None
    if not isinstance(following, float | int):
        return at + 1, f"{first:.15g}"
    difference = following - first
    end = at + 1
    while end < len(values) and values[end] == first + (end - at) * difference:
        end += 1
    if end - at < 2:  # noqa: PLR2004 -- no run
        return at + 1, f"{first:.15g}"
    sign = "+" if difference >= 0 else "-"
    more = "" if difference == 0 else f"{sign}{abs(difference):.15g}"
    return end, f"{first:.15g}{more}x{end - at - 1}"


_ASKED: Final = re.compile(r"\{\{ with printf .*?\}\}.*?\{\{ end \}\}")
_CONDITION: Final = re.compile(r'\{\{ if eq \$labels\.path "(.*?)" \}\}(.*?)\{\{ "(.*?)" \}\}\{\{ end \}\}')
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_VALUE: Final = re.compile(r"\{\{ \$value(?: \| (\w+))? \}\}")


def _said(text: str, labels: Mapping[str, str], value: float, times: Sequence[float | None]) -> str:
    """What Prometheus makes of one of our templates."""
    coming: Iterator[float | None] = iter(times)
    text = _ASKED.sub(lambda _: _moment(next(coming)), text)
    text = _CONDITION.sub(lambda one: f"{one[2]}{one[3]}" if labels.get("path") == one[1] else "", text)
    text = _VALUE.sub(lambda one: humanized(value, one[1] or ""), text)
    return _LABEL.sub(lambda one: labels.get(one[1], ""), text)


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    days, left = divmod(int(seconds), 86400)
    clock = f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}"
    return f"1970-01-{days + 1:02} {clock} +0000 UTC"


def humanized(value: float, how: str) -> str:
    """A value as Prometheus' template functions write it (template.go of 2.42)."""
    match how:
        case "humanizePercentage":
            return f"{100 * value:.4g}%"
        case "humanizeDuration" if abs(value) >= 1:
            whole = int(value)
            days, hours, minutes, seconds = (
                whole // 86400,
                whole // 3600 % 24,
                whole // 60 % 60,
                whole % 60,
            )
            parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
            while len(parts) > 1 and not parts[0][0]:
                parts.pop(0)
            if len(parts) == 1:
                return f"{value:.4g}s"
            return " ".join(f"{number}{unit}" for number, unit in parts)
        case _:
            return f"{value:.15g}"
