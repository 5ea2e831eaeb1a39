"""Sinks and heartbeats, made of their configuration: where what alerts know meets what the configuration holds."""

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import assert_never

from canary.path import Path, PathName
from probes.servers import SecretSource, SecretUnavailable
from runners.alerts.alertmanager import Alertmanager
from runners.alerts.contracts import AlertSink, Clock, Mask, ReadSecret, Undelivered
from runners.alerts.email import Email, Relay
from runners.alerts.heartbeat import TIMEOUT_SECONDS, Heartbeat
from runners.alerts.pagerduty import PagerDuty
from runners.alerts.posting import Poster, client_context
from runners.alerts.renewing import RenewableSecret, Renewing
from runners.alerts.slack import Slack
from runners.alerts.webhook import Webhook
from runners.alerts.wording import Known
from runners.config.alerting import (
    AlertmanagerConfig,
    EmailSinkConfig,
    HeartbeatConfig,
    PagerDutyConfig,
    SinkConfig,
    SlackConfig,
    WebhookConfig,
)
from runners.config.config import (
    AccountConfig,
    Config,
    Google,
    Microsoft,
    Oauth,
    Refresh,
    TokenCommand,
)

Tokens = Callable[[Oauth, str], SecretSource]
"""Makes a source of access tokens for a user name: `runners.site.Site.tokens`."""
Reader = Callable[[SecretSource], ReadSecret]


def known_of(config: Config) -> Known:
    """What the wording knows of a configuration."""
    paths: Mapping[PathName, Path] = {name: one.path for name, one in config.paths.items()}
    return Known(paths, page_url=config.web.url, runbook_url=config.alerts.runbooks)


def build_sinks(
    config: Config, *, clock: Clock, tokens: Tokens, known: Known | None = None
) -> Mapping[str, AlertSink]:
    """All sinks that get alerts, by name. Does no IO; heartbeats are none of them.

    Args:
        config: the whole configuration.
        clock: limits and stamps.
        tokens: where an account's access tokens come from.
        known: what the wording knows; by default the paths alone.
    """
    known = known if known is not None else known_of(config)
    built: dict[str, AlertSink] = {}
    for one in config.alerts.sinks:
        secrets: list[RenewableSecret] = []
        sink = _sink(one, config, _reader(one.name, secrets), clock=clock, tokens=tokens, known=known)
        if sink is not None:
            built[one.name] = Renewing(sink, secrets) if secrets else sink
    return built


def build_heartbeats(config: Config, *, clock: Clock) -> tuple[Heartbeat, ...]:
    """All heartbeats. Does no IO."""
    return tuple(
        _heartbeat(one, config, clock) for one in config.alerts.sinks if isinstance(one, HeartbeatConfig)
    )


def _heartbeat(one: HeartbeatConfig, config: Config, clock: Clock) -> Heartbeat:
    secrets: list[RenewableSecret] = []
    url = _reader(one.name, secrets)(one.url)
    mask, trusted = config.masker.mask, config.prober.ca_files
    poster = Poster(one.name, clock, mask, TIMEOUT_SECONDS, ca_files=trusted)
    return Heartbeat(one.name, url, poster, secrets[0].renew)


def _sink(
    one: SinkConfig, config: Config, read: Reader, *, clock: Clock, tokens: Tokens, known: Known
) -> AlertSink | None:
    mask, trusted = config.masker.mask, config.prober.ca_files
    match one:
        case PagerDutyConfig():
            poster = Poster(one.name, clock, mask, ca_files=trusted)
            return PagerDuty(one.name, read(one.routing_key), poster, known, one.url)
        case SlackConfig():
            return Slack(one.name, read(one.url), Poster(one.name, clock, mask, ca_files=trusted), known)
        case WebhookConfig():
            return Webhook(
                name=one.name,
                url=read(one.url),
                secrets=[read(secret) for secret in one.secrets],
                poster=Poster(
                    one.name, clock, mask, is_public_only=not one.allow_private, ca_files=one.ca_files
                ),
                clock=clock,
                known=known,
            )
        case EmailSinkConfig():
            return _email(
                one, config.accounts[one.account], read, mask=mask, clock=clock, tokens=tokens, known=known
            )
        case AlertmanagerConfig():
            return Alertmanager(
                one.name, one.urls, Poster(one.name, clock, mask, ca_files=one.ca_files), clock, known
            )
        case HeartbeatConfig():
            return None
        case _:
            assert_never(one)


def _email(
    one: EmailSinkConfig,
    account: AccountConfig,
    read: Reader,
    *,
    mask: Mask,
    clock: Clock,
    tokens: Tokens,
    known: Known,
) -> Email:
    smtp = account.smtp
    if smtp is None:
        raise ValueError(f"the account {account.name} has no smtp")  # refused when the configuration was read
    secret: ReadSecret | None
    is_token = False
    match smtp.login:
        case None:
            secret = None
        case Google() | Microsoft() | Refresh() | TokenCommand():
            secret, is_token = read(tokens(smtp.login, smtp.username)), True
        case source:
            secret = read(source)

    @cache
    def tls() -> ssl.SSLContext:
        return client_context(smtp.ca_files)

    relay = Relay(
        host=smtp.host,
        port=smtp.port,
        mode=smtp.tls.value,
        username=smtp.username,
        secret=secret,
        is_token=is_token,
        tls=tls,
    )
    return Email(one.name, account.address, one.to, relay, clock, mask, known)


def _reader(name: str, made: list[RenewableSecret]) -> Reader:
    """Makes secrets of a sink out of their sources, and notes them."""

    def reader(source: SecretSource) -> ReadSecret:
        async def fetch(renew: bool) -> str:
            try:
                return (await source.read(renew=renew)).reveal()
            except SecretUnavailable as error:
                raise Undelivered(f"{name}: {error}", permanent=False) from error

        secret = RenewableSecret(fetch)
        made.append(secret)
        return secret

    return reader
