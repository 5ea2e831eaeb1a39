"""Make the sinks and routes of what the document says, and note what contradicts itself."""

import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final, assert_never

from canary.alert import Severity
from canary.path import IncidentPolicy, PathName
from canary.review import Reminding
from probes.servers import SecretSource
from runners.alerts.routing import Route
from runners.alerts.signing import SHORTEST_KEY_BYTES, key_of
from runners.config.alerting import (
    AlertmanagerConfig,
    AlertsConfig,
    EmailSinkConfig,
    HeartbeatConfig,
    PagerDutyConfig,
    PrometheusConfig,
    SinkConfig,
    SlackConfig,
    WebhookConfig,
)
from runners.config.config import AccountConfig
from runners.config.document_alerts import (
    AlertmanagerDocument,
    AlertsDocument,
    AlertsVia,
    AnySinkDocument,
    EmailSinkDocument,
    HeartbeatDocument,
    PagerDutyDocument,
    RouteDocument,
    SlackDocument,
    WebhookDocument,
)
from runners.config.errors import did_you_mean
from runners.config.fields import SecretRef
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_ROUTING_KEY: Final = re.compile(r"\S{32}")
_URL: Final = re.compile(r"https?://[^\s/?#@]+(?:[/?]\S*)?")


def build_alerts(
    document: AlertsDocument,
    sinks: Mapping[str, AnySinkDocument],
    around: Surroundings,
    *,
    policy: IncidentPolicy,
    accounts: Mapping[str, AccountConfig],
    named_accounts: Collection[str],
    named_paths: Collection[str],
    prober: str,
    trusted: tuple[str, ...],
) -> AlertsConfig:
    """The alerts' part.

    Args:
        document: the part as a whole.
        sinks: each by its type.
        around: notes mistakes.
        policy: when incidents open.
        accounts: those that could be made.
        named_accounts: all that the file names, also those with a mistake of their own.
        named_paths: likewise.
        prober: its name, the default of the namespace.
        trusted: the CA files that hold everywhere.
    """
    built = {
        name: _sink(name, one, around, accounts=accounts, named=named_accounts, trusted=trusted)
        for name, one in sinks.items()
    }
    # Names that the file has, also of sinks with a mistake of their own: no route is blamed for that.
    names = list(document.sinks)
    heartbeats = {name for name, one in sinks.items() if isinstance(one, HeartbeatDocument)}
    routes = tuple(
        _route(index, one, around, sinks=names, heartbeats=heartbeats, paths=named_paths)
        for index, one in enumerate(document.routes)
    )
    alerting = [name for name in names if name not in heartbeats]
    via = document.via or (AlertsVia.DIRECT if alerting else AlertsVia.PROMETHEUS)
    if via is AlertsVia.PROMETHEUS and (paging := _paging(alerting, routes)):
        around.note(
            ("alerts", "via"),
            f"Prometheus pages by our rules, and so would {', '.join(paging)}: everybody would be paged twice",
            "Write via: direct, or give these sinks routes with severity: ticket only.",
        )
    remind = document.remind
    return AlertsConfig(
        via=via,
        policy=policy,
        sinks=tuple(one for one in built.values() if one is not None),
        routes=routes,
        reminding=Reminding(
            first=timedelta(seconds=remind.first),
            then=timedelta(seconds=remind.then),
            ticket=timedelta(seconds=remind.ticket),
        ),
        pages_per_hour=document.pages_per_hour,
        namespace=document.namespace or prober,
        runbooks=document.runbooks,
        prometheus=PrometheusConfig(document.prometheus.team, document.prometheus.dashboards),
    )


def _sink(
    name: str,
    document: AnySinkDocument,
    around: Surroundings,
    *,
    accounts: Mapping[str, AccountConfig],
    named: Collection[str],
    trusted: tuple[str, ...],
) -> SinkConfig | None:
    loc: Loc = ("alerts", "sinks", name)
    match document:
        case PagerDutyDocument():
            key = around.checked(
                document.routing_key,
                (*loc, "routing_key"),
                is_right=lambda value: _ROUTING_KEY.fullmatch(value) is not None,
                message="this is no integration key of PagerDuty",
                remedy="It has 32 characters: service, integrations, Events API V2.",
            )
            return PagerDutyConfig(name, key, document.url)
        case SlackDocument():
            return SlackConfig(name, _url(document.url, around, (*loc, "url")))
        case WebhookDocument():
            secrets = [
                around.checked(
                    ref,
                    (*loc, "secret", index),
                    is_right=lambda value: key_of(value) is not None,
                    message="this is no secret of Standard Webhooks",
                    remedy=f"It is whsec_ and base64 of {SHORTEST_KEY_BYTES} bytes or more: openssl rand -base64 32.",
                )
                for index, ref in enumerate(document.secret)
            ]
            return WebhookConfig(
                name=name,
                url=_url(document.url, around, (*loc, "url")),
                secrets=tuple(secrets),
                allow_private=document.allow_private,
                ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
            )
        case EmailSinkDocument():
            _check_account(document.account, around, (*loc, "account"), accounts=accounts, named=named)
            return EmailSinkConfig(name, document.account, tuple(document.to))
        case AlertmanagerDocument():
            ca_files = (*trusted, *around.authorities(document.ca, (*loc, "ca")))
            return AlertmanagerConfig(name, tuple(document.urls), ca_files)
        case HeartbeatDocument():
            return HeartbeatConfig(name, _url(document.url, around, (*loc, "url")))
        case _:
            assert_never(document)


def _url(ref: SecretRef, around: Surroundings, loc: Loc) -> SecretSource:
    return around.checked(
        ref,
        loc,
        is_right=lambda value: _URL.fullmatch(value) is not None,
        message="this is not a URL",  # which may be a secret, and is not shown
        remedy="Write https://host/path, without user, password and fragment.",
    )


def _check_account(
    name: str,
    around: Surroundings,
    loc: Loc,
    *,
    accounts: Mapping[str, AccountConfig],
    named: Collection[str],
) -> None:
    if name not in named:
        around.note(loc, f"there is no account {name}", did_you_mean(name, named))
    elif name in accounts and accounts[name].smtp is None:
        around.note(loc, f"the account {name} has no smtp", f"Add accounts.{name}.smtp, or name another one.")


def _route(
    index: int,
    document: RouteDocument,
    around: Surroundings,
    *,
    sinks: Collection[str],
    heartbeats: Collection[str],
    paths: Collection[str],
) -> Route:
    loc: Loc = ("alerts", "routes", index)
    for at, name in enumerate(document.sinks):
        if name not in sinks:
            around.note((*loc, "sinks", at), f"there is no sink {name}", did_you_mean(name, sinks))
        elif name in heartbeats:
            around.note((*loc, "sinks", at), f"{name} is a heartbeat, which takes no alerts", "Leave it out.")
    for at, name in enumerate(document.paths):
        if name not in paths:
            around.note((*loc, "paths", at), f"there is no path {name}", did_you_mean(name, paths))
    return Route(
        sinks=tuple(document.sinks),
        severity=document.severity,
        kinds=frozenset(document.kinds),
        paths=frozenset(PathName(one) for one in document.paths),
        labels=document.labels,
        hours=tuple(document.hours),
    )


def _paging(sinks: Collection[str], routes: Collection[Route]) -> list[str]:
    """The sinks that get pages at some hour."""
    if not routes:
        return list(sinks)
    named = {name for one in routes if one.severity is not Severity.TICKET for name in one.sinks}
    return [name for name in sinks if name in named]
