"""The dashboards as they are kept, and every query in them as Grafana would send it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dashboards.provisioning import FOLDER
from dashboards.uids import UIDS

WINDOWS = {"$__rate_interval": "5m", "$__interval": "5m", "$__range": "1h", "$lookback": "2m"}
BUILT_IN = {"__rate_interval", "__interval", "__range"}


@dataclass(frozen=True)
class Asked:
    """One query to Prometheus: on which dashboard, of which panel or annotation, and how its series are called."""

    uid: str
    title: str
    expression: str
    legend: str
    letter: str = ""
    has_dots: bool = False

    def __str__(self) -> str:
        return f"{self.uid}: {self.title} {self.letter}"

    def sent(self, **values: str) -> str:
        """With values in the variables' places."""
        text = self.expression
        for name, value in {**WINDOWS, **{f"${name}": value for name, value in values.items()}}.items():
            text = text.replace(name, value)
        return text


def kept(uid: str) -> dict[str, Any]:
    """A dashboard's JSON."""
    tree: dict[str, Any] = json.loads((FOLDER / f"{uid}.json").read_text())
    return tree


def panels(uid: str) -> list[dict[str, Any]]:
    """Its panels, without headings."""
    return [one for one in kept(uid)["panels"] if one["type"] != "row"]


def of_panels() -> Iterator[Asked]:
    """What panels ask Prometheus."""
    for uid in UIDS:
        for panel in panels(uid):
            for target in panel["targets"]:
                if "expr" in target:
                    letter = f"{panel['id']}{target['refId']}"
                    yield Asked(
                        uid,
                        panel["title"],
                        target["expr"],
                        target.get("legendFormat", ""),
                        letter,
                        has_dots=target.get("exemplar", False),
                    )


def of_annotations() -> Iterator[Asked]:
    """What annotations ask."""
    for uid in UIDS:
        for one in kept(uid)["annotations"]["list"]:
            yield Asked(uid, one["name"], one["expr"], one["titleFormat"] + one["textFormat"])


def of_tempo() -> Iterator[tuple[str, str, str]]:
    """What panels ask Tempo: dashboard, panel, query."""
    for uid in UIDS:
        for panel in panels(uid):
            for target in panel["targets"]:
                if "expr" not in target:
                    yield uid, panel["title"], target["query"]


def variables(uid: str) -> dict[str, dict[str, Any]]:
    """Its variables by their names."""
    return {one["name"]: one for one in kept(uid)["templating"]["list"]}


def named(text: str) -> set[str]:
    """The variables that a text names, formats and Grafana's own link variables left out."""
    return {
        name
        for name in re.findall(r"\$\{?(\w+)", text)
        if name not in {*BUILT_IN, "__value", "__field", "__url_time_range"}
    }


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 -- whatever JSON holds
    """All texts in it."""
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


PANELS, ANNOTATIONS = list(of_panels()), list(of_annotations())
