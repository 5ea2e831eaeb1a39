"""What `check` says of the sinks without the network: is an alert about broken mail sent by the same mail? Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from canary.alert import AlertKind
from probes.contracts import Check, CheckState
from probes.servers import SecretUnavailable
from runners.alerts.outward import is_public
from runners.alerts.routing import labels_of
from runners.config.alerting import EmailSinkConfig, HeartbeatConfig, SinkConfig, WebhookConfig
from runners.config.config import Config, PathConfig
from runners.config.document_alerts import AlertsVia
from runners.config.document_email import Via
from runners.config.secrets import EnvSecret, FileSecret, LiteralSecret
from runners.config.sending import EmailConfig

_SAME = "an alert about broken mail by the same mail is no alert"


@dataclass(frozen=True, slots=True)
class _Probed:
    """What a path depends on, by which it must not be told that it is broken."""

    path: str
    accounts: frozenset[str]
    hosts: frozenset[str]
    domains: frozenset[str]


def advise_on_alerts(config: Config) -> tuple[Check, ...]:
    """A line a sink, and what would make alerts useless."""
    return (*_sinks(config), *_silence(config), *_hours(config))


def _sinks(config: Config) -> Iterator[Check]:
    probed = [_probed(config, one) for one in config.paths.values() if one.path.is_enabled]
    for one in config.alerts.sinks:
        shared = list(_shared(one, config, probed)) if isinstance(one, EmailSinkConfig) else []
        shared += list(_private(one)) if isinstance(one, WebhookConfig) else []
        yield from shared
        if not shared:
            yield Check(one.name, "sink", CheckState.OK, f"{_kind(one)}; `check --send` sends it a test")


def _private(one: WebhookConfig) -> Iterator[Check]:
    """A receiver in our own network, by its address alone: what a name leads to is known when it is asked."""
    if one.allow_private or not isinstance(one.url, EnvSecret | FileSecret | LiteralSecret):
        return
    try:
        host = urlsplit(one.url.now().reveal()).hostname or ""
        is_outside = is_public(host) if host != "localhost" else False
    except (SecretUnavailable, ValueError):
        return  # not known, or a name
    if not is_outside:
        yield Check(
            one.name,
            "sink",
            CheckState.FAIL,
            "its host has an address that is not public: nothing would be delivered",
            "Name a public host, or write `allow_private: true` beside its url.",
        )


def _probed(config: Config, one: PathConfig) -> _Probed:
    accounts, hosts = set(one.senders), set()
    domains = {one.path.domain.lower()} if one.path.domain else set()
    if one.target is not None:
        domains.add(_domain(one.target))
    if one.path.mailbox is not None:
        mailbox = config.mailboxes[one.path.mailbox]
        hosts.add(mailbox.imap.host.lower())
        if mailbox.address is not None:
            domains.add(_domain(mailbox.address))
    is_by_relay = isinstance(one.sending, EmailConfig) and one.sending.via is Via.SMTP
    for name in one.senders:
        account = config.accounts[name]
        domains.add(_domain(account.address))
        if account.smtp is not None and is_by_relay:
            hosts.add(account.smtp.host.lower())
    return _Probed(one.path.name, frozenset(accounts), frozenset(hosts), frozenset(domains))


def _shared(one: EmailSinkConfig, config: Config, probed: list[_Probed]) -> Iterator[Check]:
    account = config.accounts[one.account]
    host = account.smtp.host.lower() if account.smtp is not None else ""
    for path in probed:
        found = []
        if one.account in path.accounts:
            found.append(f"the account {one.account}")
        elif host in path.hosts:
            found.append(f"the server {host}")
        domains = {_domain(account.address), *map(_domain, one.to)} & path.domains
        found += [f"the domain {domain}" for domain in sorted(domains)]
        if found:
            yield Check(
                one.name,
                "sink",
                CheckState.FAIL,
                f"uses {' and '.join(found)}, on which the path {path.path} depends: {_SAME}",
                "Give it an account and recipients at another provider.",
            )


def _silence(config: Config) -> Iterator[Check]:
    alerts = config.alerts
    if alerts.via is AlertsVia.DIRECT and alerts.sinks:
        if not any(isinstance(one, HeartbeatConfig) for one in alerts.sinks):
            yield Check(
                "alerts",
                "heartbeat",
                CheckState.WARN,
                "there is no heartbeat: nobody would hear that the prober itself is dead",
                "Add a sink of type heartbeat, at a service that calls when the pings stop.",
            )
        if not alerts.sink_names:
            yield Check(
                "alerts", "sinks", CheckState.WARN, "no sink takes alerts", "Add one: docs/guides/alerts.md."
            )


def _hours(config: Config) -> Iterator[Check]:
    router = config.alerts.router
    for name, one in config.paths.items():
        if router.has_page_hours(AlertKind.INCIDENT, name, {name: labels_of(one.path)}):
            yield Check(
                name,
                "routes",
                CheckState.WARN,
                "every route that takes its pages has hours: at other hours its outage waits",
                "Add a route for the other hours, if somebody is to be woken.",
            )


def _kind(one: SinkConfig) -> str:
    return f"{type(one).__name__.removesuffix('Config').removesuffix('Sink').lower()} is configured"


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
