"""Alertmanager's configuration for our rules: who is told, what goes into one message, what mutes what."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from canary.hop import Hop
from dashboards.burn import burns
from dashboards.estate import Estate
from dashboards.promql import Matcher, any_of, duration
from dashboards.timing import Timing, timing_of
from dashboards.written import written

FILE: Final = "alertmanager.yml"
SECRETS_FOLDER: Final = "/etc/alertmanager/secrets"
HEARTBEAT_MISSING: Final = "https://heartbeat.invalid/replace-with-your-dead-mans-switch"
"""A placeholder, in a domain that never exists (RFC 2606 section 2)."""
TICKETS, PAGER, HEARTBEAT = "intake-tickets", "intake-pager", "intake-heartbeat"

_BROKEN: Final = ("IntakePathBroken", "IntakeFinalAnswer")
_MAIL_HOPS: Final = tuple(
    one.value for one in Hop if one is Hop.DNS or one.value.startswith("smtp.") or one is Hop.MAILBOX_ARRIVAL
)
_FULL_MAILBOX_HOPS: Final = (Hop.SMTP_ACCEPT, Hop.MAILBOX_ARRIVAL, Hop.TICKET_CREATED)
_HEAD = f"""\
Made by `intake-prober render alertmanager` out of the configuration: change that, and render again.
Check it: amtool check-config FILE. Before you use it:
1. Put each secret into the file that is named here, below {SECRETS_FOLDER}, readable by Alertmanager alone; or
   replace the receivers by your own, under the same names.
2. Replace the URL of {HEARTBEAT} by that of your dead man's switch (from Alertmanager 0.26 on: url_file).
Where you have a configuration already: take over the routes below its root, inhibit_rules and receivers."""


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert of ``source`` fires, those of ``target`` that have ``equal`` labels are not told.

    A label that is missing on both sides counts as equal: source and target of an ``equal`` must both carry it.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()

    def shown(self) -> dict[str, Any]:
        """As the file has it."""
        found: dict[str, Any] = {
            "source_matchers": [str(one) for one in self.source],
            "target_matchers": [str(one) for one in self.target],
        }
        return {**found, "equal": list(self.equal)} if self.equal else found


def inhibitions(estate: Estate) -> tuple[Inhibition, ...]:
    """All of them. Blindness mutes nothing: what a gauge or another prober sees is true all the same."""
    return (
        Inhibition((_named("IntakeProberSilent"),), (any_of("category", ("target", "prober")),)),
        Inhibition(
            (_named("IntakePathBroken"),),
            (_named("IntakeFinalAnswer", "IntakeSloBurn", "IntakePathNotProbed"),),
            ("path",),
        ),
        Inhibition((_named("IntakeFinalAnswer"),), (_named("IntakeSloBurn"),), ("path",)),
        *_by_window(estate),
        Inhibition(
            (_named("IntakePathBroken"), Matcher("blame", "=", Hop.DNS), _has("domain")),
            (_named(*_BROKEN), Matcher("blame", "!=", Hop.DNS)),
            ("domain",),
        ),
        Inhibition(
            (_named("IntakeMailDnsUnexpected"), _has("domain")),
            (_named(*_BROKEN), any_of("blame", _MAIL_HOPS)),
            ("domain",),
        ),
        *_by_mailbox(estate),
        Inhibition(
            (_named("IntakeMailboxFull"),),
            (_named("IntakeMailboxFilling", "IntakeMailboxFullWithin24h"),),
            ("place", "resource"),
        ),
        Inhibition(
            (Matcher("alertname", "=~", "Intake.+"), Matcher("severity", "=", "page")),
            (Matcher("alertname", "=~", "Intake.+"), Matcher("severity", "=", "ticket")),
            ("alertname", "path", "place"),
        ),
    )


def alertmanager_configuration(estate: Estate) -> dict[str, Any]:
    """The configuration as the mapping that the file has."""
    timing = timing_of(estate)
    return {
        "route": _routes(estate, timing),
        "inhibit_rules": [one.shown() for one in inhibitions(estate)],
        "receivers": _receivers(estate),
    }


def alertmanager_text(estate: Estate) -> str:
    """The file."""
    return written(alertmanager_configuration(estate), head=_HEAD)


def _by_window(estate: Estate) -> Iterable[Inhibition]:
    """A path that burns fast burns slowly, too: one ticket. When an outage ends, all windows still have it in them."""
    windows = [duration(one) for one in sorted({one.long_seconds for one in burns(estate)})]
    for index, window in enumerate(windows[:-1], 1):
        yield Inhibition(
            (_named("IntakeSloBurn"), Matcher("window", "=", window)),
            (_named("IntakeSloBurn"), any_of("window", windows[index:])),
            ("path",),
        )


def _by_mailbox(estate: Estate) -> Iterable[Inhibition]:
    """A mailbox that is full explains what breaks on the paths through it, and on no other of the same domain."""
    for mailbox in estate.mailboxes:
        paths = [one.path.name for one in estate.paths if one.path.mailbox == mailbox.name]
        if paths:
            yield Inhibition(
                (_named("IntakeMailboxFull"), Matcher("place", "=", mailbox.name)),
                (_named(*_BROKEN), any_of("path", paths), any_of("blame", _FULL_MAILBOX_HOPS)),
            )


def _named(*names: str) -> Matcher:
    return Matcher("alertname", "=", names[0]) if len(names) == 1 else any_of("alertname", names)


def _has(label: str) -> Matcher:
    return Matcher(label, "=~", ".+")


def _routes(estate: Estate, timing: Timing) -> dict[str, Any]:
    """Pages are grouped by what is broken: when one alert of it ends and lets another through, that is the same page."""
    waits = {
        "group_wait": duration(timing.group_wait),
        "group_interval": duration(timing.group_interval),
    }
    return {
        "receiver": TICKETS,
        "group_by": ["alertname", "team"],
        **waits,
        "repeat_interval": "24h",
        "routes": [
            {
                "matchers": [str(Matcher("category", "=", "watchdog"))],
                "receiver": HEARTBEAT,
                # With none, the group is told of before the alert is in it, and the first word comes a minute late.
                "group_wait": "1s",
                "group_interval": "1m",
                # It is looked at every group_interval alone: with the same time it is often just too young, and told every
                # second minute (0.25).
                "repeat_interval": "30s",
            },
            {
                # A blind prober sees no path: that is one page, and not one for each of them.
                "matchers": [
                    str(Matcher("category", "=", "prober")),
                    str(Matcher("severity", "=", "page")),
                ],
                "receiver": PAGER,
                "group_by": ["alertname"],
                "repeat_interval": "4h",
                **_by_team(PAGER, estate.teams),
            },
            {
                "matchers": [str(Matcher("severity", "=", "page"))],
                "receiver": PAGER,
                "group_by": ["path", "place"],
                "repeat_interval": "4h",
                **_by_team(PAGER, estate.teams),
            },
            {
                "matchers": [str(Matcher("severity", "=", "ticket"))],
                "receiver": TICKETS,
                **_by_team(TICKETS, estate.teams),
            },
        ],
    }


def _by_team(receiver: str, teams: tuple[str, ...]) -> dict[str, Any]:
    routes = [
        {"matchers": [str(Matcher("team", "=", team))], "receiver": _of_team(receiver, team)}
        for team in teams
    ]
    return {"routes": routes} if routes else {}


def _receivers(estate: Estate) -> list[dict[str, Any]]:
    return [
        *(_tickets(name) for name in (TICKETS, *(_of_team(TICKETS, one) for one in estate.teams))),
        *(_pager(name) for name in (PAGER, *(_of_team(PAGER, one) for one in estate.teams))),
        {"name": HEARTBEAT, "webhook_configs": [{"url": HEARTBEAT_MISSING, "send_resolved": False}]},
    ]


def _pager(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "pagerduty_configs": [
            {
                "routing_key_file": _secret(name, "routing-key"),
                "severity": "critical",
                "class": "{{ .CommonLabels.reason }}",
                "component": "{{ .CommonLabels.blame }}",
                "group": "{{ .CommonLabels.path }}",
            }
        ],
    }


def _tickets(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "slack_configs": [
            {
                "api_url_file": _secret(name, "slack-url"),
                "channel": "#support-intake",
                "send_resolved": True,
                "title": "{{ .CommonLabels.alertname }} ({{ .Alerts.Firing | len }} firing)",
                "text": "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.runbook_url }}\n{{ end }}",
            }
        ],
    }


def _of_team(receiver: str, team: str) -> str:
    return f"{receiver}-{team}"


def _secret(receiver: str, kind: str) -> str:
    return f"{SECRETS_FOLDER}/{re.sub(r'[^A-Za-z0-9._-]+', '_', receiver)}.{kind}"
