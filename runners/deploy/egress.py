"""Which ports the prober goes out to, and who is behind each: from the servers that the configuration names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import urlsplit

from probes.form.settings import FormSettings
from probes.portal.settings import PortalSettings
from runners.config.alerting import (
    AlertmanagerConfig,
    EmailSinkConfig,
    HeartbeatConfig,
    PagerDutyConfig,
    SinkConfig,
    SlackConfig,
    WebhookConfig,
)
from runners.config.config import Config, Google, MailServer, Microsoft, PathConfig, Refresh
from runners.config.document_email import Via
from runners.config.sending import EmailConfig
from runners.deploy.commands import commands_of

_HTTP: Final = {"http": 80, "https": 443}
_POSTGRESQL: Final = 5432
_SMTP: Final = 25
_SECRET_URL: Final = (SlackConfig, WebhookConfig, HeartbeatConfig)
"""Sinks of which not even the port is known: usually 443, but there are receivers of one's own."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A TCP port, and what is reached by it (names of the configuration, never an address)."""

    port: int
    about: str


def ways(config: Config) -> tuple[Way, ...]:
    """All ways out over TCP, beside DNS, by port."""
    found = {*_mail(config), *_tickets(config), *_paths(config), *_alerts(config), *_prober(config)}
    return tuple(sorted(found))


def dns_ports(config: Config) -> tuple[int, ...]:
    """Where DNS is asked, by UDP and TCP: at the system's resolver, and at one of our own."""
    _, _, port = config.prober.resolver.rpartition(":")
    return tuple(sorted({53, int(port)} if port.isdigit() else {53}))


def unknown_ways(config: Config) -> tuple[str, ...]:
    """What goes out by a port that can't be known here: it stands in a secret, or a command goes there."""
    found = [f"alerts.sinks.{one.name}" for one in config.alerts.sinks if isinstance(one, _SECRET_URL)]
    found += [f"the command {one}" for one in sorted({one[0] for one in commands_of(config)})]
    for name, path in config.paths.items():
        match path.sending:
            case FormSettings(proxy=proxy) if proxy is not None and not isinstance(proxy, str):
                found.append(f"paths.{name}.proxy")
            case _:
                pass
    return tuple(found)


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or _HTTP.get(parts.scheme, 443)


def _mail(config: Config) -> Iterator[Way]:
    servers = [(f"accounts.{one.name}.smtp", one.smtp) for one in config.accounts.values()]
    servers += [(f"accounts.{one.name}.imap", one.imap) for one in config.accounts.values()]
    servers += [(f"mailboxes.{one.name}", one.imap) for one in config.mailboxes.values()]
    for about, server in servers:
        if server is not None:
            yield Way(server.port, about)
            yield from _tokens(about, server)


def _tokens(about: str, server: MailServer) -> Iterator[Way]:
    match server.login:
        case Google(token_url=url) | Refresh(token_url=url):
            yield Way(_port(url), f"{about}.auth")
        case Microsoft(token_url=url):
            yield Way(_port(url or "https:"), f"{about}.auth")
        case _:
            return


def _tickets(config: Config) -> Iterator[Way]:
    for one in config.ticketing.values():
        yield Way(_port(one.url), f"ticketing.{one.name}")


def _paths(config: Config) -> Iterator[Way]:
    for name, path in config.paths.items():
        yield from _path(f"paths.{name}", path)


def _path(about: str, path: PathConfig) -> Iterator[Way]:
    match path.sending:
        case EmailConfig() as email:
            if email.via is Via.MX:
                yield Way(email.mx_port, f"{about} (the target's MX)")
        case PortalSettings(url=url):
            yield Way(_port(url), about)
            yield Way(443, f"{about} (what its pages load)")
        case FormSettings(url=url, proxy=proxy):
            yield Way(_port(url), about)
            if isinstance(proxy, str):
                yield Way(_port(proxy), f"{about}.proxy")


def _alerts(config: Config) -> Iterator[Way]:
    for one in config.alerts.sinks:
        for port in _sink(one):
            yield Way(port, f"alerts.sinks.{one.name}")


def _sink(sink: SinkConfig) -> list[int]:
    match sink:
        case PagerDutyConfig():
            return [_port(sink.url)]
        case AlertmanagerConfig():
            return [_port(one) for one in sink.urls]
        case SlackConfig() | WebhookConfig() | HeartbeatConfig():
            return [443]  # the URL itself is a secret
        case EmailSinkConfig():
            return []  # by its account
        case _:
            assert_never(sink)


def _prober(config: Config) -> Iterator[Way]:
    store = config.prober.store_url
    if not store.startswith("sqlite:"):
        yield Way(urlsplit(store).port or _POSTGRESQL, "prober.store")
    traces, metrics = config.telemetry.otlp_traces, config.telemetry.otlp_metrics
    for url, key in (
        (traces.url if traces is not None else None, "telemetry.otlp"),
        (metrics.url if metrics is not None else None, "telemetry.otlp"),
        (config.telemetry.pushgateway_url, "telemetry.metrics.pushgateway"),
        (config.prober.browser.proxy if config.prober.browser is not None else None, "prober.browser.proxy"),
    ):
        if url is not None:
            yield Way(_port(url), key)
    for control in config.prober.controls:
        if control.startswith("https:"):
            yield Way(_port(control), "prober.controls")
        elif control.startswith("smtp:"):
            _, _, port = control.removeprefix("smtp:").rpartition(":")
            yield Way(int(port) if port.isdigit() else _SMTP, "prober.controls")
