"""The alerts' part of the configuration, typed: sinks, routes, reminders."""

from dataclasses import dataclass, field
from typing import TypeAlias

from canary.path import IncidentPolicy
from canary.review import Reminding
from probes.servers import SecretSource
from runners.alerts.routing import Route, Router
from runners.config.document_alerts import AlertsVia


@dataclass(frozen=True, slots=True)
class PagerDutyConfig:
    """A service of PagerDuty."""

    name: str
    routing_key: SecretSource
    url: str


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """A channel of Slack; ``url`` reads its incoming webhook's URL."""

    name: str
    url: SecretSource


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Any receiver; each of ``secrets`` signs."""

    name: str
    url: SecretSource
    secrets: tuple[SecretSource, ...]
    allow_private: bool
    ca_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EmailSinkConfig:
    """Mails to some addresses; ``account`` names the account whose submission server sends them."""

    name: str
    account: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """The members of an Alertmanager cluster."""

    name: str
    urls: tuple[str, ...]
    ca_files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeartbeatConfig:
    """Where the prober's own signs of life go; ``url`` reads the ping URL."""

    name: str
    url: SecretSource


SinkConfig: TypeAlias = (
    PagerDutyConfig | SlackConfig | WebhookConfig | EmailSinkConfig | AlertmanagerConfig | HeartbeatConfig
)
"""By kind."""


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """What rendered rules say and link to.

    Attributes:
        team: who answers for the prober itself; empty: nobody is named.
        dashboards_url: base of links; None: a placeholder is written.
    """

    team: str = ""
    dashboards_url: str | None = None


@dataclass(frozen=True, slots=True)
class AlertsConfig:
    """Who sends alerts, where to, and when again.

    Attributes:
        pages_per_hour: above it, one alert says that there are more.
        namespace: of this deployment, in the alerts' keys.
        runbooks: where the pages of reasons are published; None: on the prober's own page, and
            rendered rules have a placeholder.
    """

    via: AlertsVia
    policy: IncidentPolicy
    sinks: tuple[SinkConfig, ...] = ()
    routes: tuple[Route, ...] = ()
    reminding: Reminding = field(default_factory=Reminding)
    pages_per_hour: int = 10
    namespace: str = ""
    runbooks: str | None = None
    prometheus: PrometheusConfig = field(default_factory=PrometheusConfig)

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The sinks that get alerts: all but heartbeats."""
        return tuple(one.name for one in self.sinks if not isinstance(one, HeartbeatConfig))

    @property
    def router(self) -> Router:
        """Which of them get what."""
        return Router(self.routes, self.sink_names, catches=self.via is AlertsVia.DIRECT)
