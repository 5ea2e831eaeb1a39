"""A rule of Prometheus as a typed value, and a group of them as the mapping that its file has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from dashboards.estate import Estate
from dashboards.promql import Query, Recorded, duration


class Severity(StrEnum):
    """Who must look, and when."""

    PAGE = "page"
    TICKET = "ticket"
    NONE = "none"


class Category(StrEnum):
    """Whose trouble it is."""

    TARGET = "target"
    PROBER = "prober"
    SILENCE = "silence"
    WATCHDOG = "watchdog"


class About(StrEnum):
    """What an alert is about: which dashboard it links to."""

    PATH = "path"
    PLACE = "place"
    PROBER = "prober"


_DASHBOARDS = {
    About.PATH: "intake-path?var-path={{ $labels.path }}",
    About.PLACE: "intake-places?var-place={{ $labels.place }}",
    About.PROBER: "intake-prober",
}


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A series that other rules are made of."""

    record: Recorded
    query: Query

    def shown(self) -> dict[str, Any]:
        """As the file has it."""
        return {"record": self.record.name, "expr": self.query.text}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """An alert.

    Attributes:
        query: with the labels that the alert will have.
        summary, description: Go templates over ``$labels`` and ``$value``.
        labels: static ones beside severity and category.
        for_seconds: how long it must hold.
        keep_seconds: how long it goes on afterwards.
        runbook: the page, where it is not the alert's own; None: without a page.
    """

    name: str
    query: Query
    severity: Severity
    category: Category
    about: About
    summary: str
    description: str
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    for_seconds: float = 0.0
    keep_seconds: float = 0.0
    runbook: str = ""

    def static_labels(self, estate: Estate) -> dict[str, str]:
        """The labels that don't come from the query; what is wrong with the prober goes to the prober's own team."""
        ours = {"team": estate.team} if self._is_ours and estate.team else {}
        return {"severity": self.severity.value, "category": self.category.value, **self.labels, **ours}

    def label_names(self, estate: Estate) -> frozenset[str]:
        """All labels that its alerts may have, beside their name."""
        return self.query.labels | set(self.static_labels(estate))

    def annotations(self, estate: Estate) -> dict[str, str]:
        """What it says, and where one reads on."""
        # A template sees the labels of the query alone, not the static ones.
        anchor = "#{{ $labels.blame }}" if "blame" in self.query.labels else ""
        page = f"alerts/{self.runbook or self.name}.md{anchor}"
        return {
            "summary": self.summary,
            "description": self.description,
            "runbook_url": f"{estate.runbooks_url.rstrip('/')}/{page}",
            "dashboard": f"{estate.dashboards_url.rstrip('/')}/d/{estate.uid_prefix}{_DASHBOARDS[self.about]}",
        }

    def shown(self, estate: Estate) -> dict[str, Any]:
        """As the file has it."""
        found: dict[str, Any] = {"alert": self.name, "expr": self.query.text}
        if self.for_seconds:
            found["for"] = duration(self.for_seconds)
        if self.keep_seconds:
            found["keep_firing_for"] = duration(self.keep_seconds)
        return {**found, "labels": self.static_labels(estate), "annotations": self.annotations(estate)}

    @property
    def _is_ours(self) -> bool:
        return self.category in {Category.PROBER, Category.SILENCE}


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other."""

    name: str
    rules: Sequence[RecordingRule | AlertRule]

    def shown(self, estate: Estate, *, every_seconds: float) -> dict[str, Any]:
        """As the file has it."""
        rules = [one.shown() if isinstance(one, RecordingRule) else one.shown(estate) for one in self.rules]
        return {"name": self.name, "interval": duration(every_seconds), "rules": rules}
