"""What unit tests of rules have in common: a path and a mailbox of the configuration, and the rules by their names."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from canary.instruments import metrics
from dashboards.estate import Estate, WatchedMailbox
from dashboards.rule import AlertRule, Severity
from dashboards.rule_case import Case, Firing, Given, Value, always
from dashboards.timing import Timing

TEAM, DOMAIN = "support", "acme.example"
CHANNEL = "email"
STOP = {"blame": "mailbox.arrival", "reason": "mailbox_full"}
ABOUT_PATH = {"channel": CHANNEL, "team": TEAM, "domain": DOMAIN}


@dataclass(frozen=True, slots=True)
class Scene:
    """The rules that are tested, and of what."""

    estate: Estate
    timing: Timing
    alerts: tuple[AlertRule, ...]

    @property
    def path(self) -> str:
        """A path that is configured; a rule for all paths takes any name."""
        return self.estate.names[0] if self.estate.names else "any-path"

    @property
    def mailbox(self) -> WatchedMailbox:
        """A mailbox that is configured."""
        return self.estate.mailboxes[0] if self.estate.mailboxes else WatchedMailbox("any-mailbox")

    def rules(self, name: str) -> list[AlertRule]:
        """The alerts of a name."""
        return [one for one in self.alerts if one.name == name]

    def rules_about(self, about: str, name: str, *, label: str = "path") -> list[AlertRule]:
        """The alerts of a name that may fire for this path or place."""
        return [one for one in self.rules(name) if _chooses(one.query.text, label, about)]

    def rule(self, name: str, severity: Severity | None = None) -> AlertRule:
        """The first of a name and severity."""
        return next(one for one in self.rules(name) if severity in {None, one.severity})

    def firing(
        self, name: str, labels: Mapping[str, str], *, value: float = 0.0, times: Sequence[float | None] = ()
    ) -> Firing:
        """An alert of the one rule that has this name."""
        return Firing(self.rule(name), labels, value, times)

    def broken(self, *, since: float | None = None, worked: float | None = None, team: str = TEAM) -> Firing:
        """The page about the path."""
        labels = {"path": self.path, **STOP, **ABOUT_PATH, "team": team}
        return self.firing("IntakePathBroken", labels, times=(since, worked))


def _chooses(query: str, label: str, value: str) -> bool:
    """Whether a query asks for this value of a label, or for any."""
    named = re.findall(rf'[{{,]{label}=~"([^"]*)"', query)
    return not named or any(value in one.replace("[.]", ".").split("|") for one in named)


def path_info(
    path: str, *, team: str = TEAM, instance: str = "a", values: Callable[[float], Value] | None = None
) -> Given:
    """What a path is, as one replica shows it."""
    labels = {"path": path, **ABOUT_PATH, "team": team, "ticketing": "desk", "instance": instance}
    return Given(metrics.PATH_INFO, labels, values or always(1))


def place_info(place: str, kind: str) -> Given:
    """What a place is."""
    return Given(
        metrics.PLACE_INFO, {"place": place, "kind": kind, "team": TEAM, "domain": DOMAIN}, always(1)
    )


Cases = Callable[[Scene], list[Case]]
"""Makes the tests of some rules."""
