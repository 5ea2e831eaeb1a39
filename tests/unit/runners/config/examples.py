"""Configurations for tests."""

from pathlib import Path

from runners.config.config import Config
from runners.config.errors import ConfigError, ConfigErrors
from runners.config.load import load

ENVIRON = {
    "INTAKE_SIGNING_KEY": "signing-key-of-32-bytes-for-test",
    "CANARY_PASSWORD": "canary-password-planted",
    "SUPPORT_PASSWORD": "support-password-planted",
    "DESK_TOKEN": "desk-token-planted",
    "PORTAL_TOTP": "JBSWY3DPEHPK3PXP",
    "PATH": "/usr/bin:/bin",
}

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIUGZP6QjO/rwHi1PNn+wSYopVAzVQwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTQWNtZSB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMzAxNzI2MTla
GA8yMTI2MTEwNjE3MjYxOVowHjEcMBoGA1UEAwwTQWNtZSB0ZXN0IGF1dGhvcml0
eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHyo+enxbeBPxjaHXaEBZ6fx6kRi
BjLUVgZICVy/lqj6/FrXkV3gKjlkTdTWf6WOQjPMSHG5Qv/A8Wl8UA/EtmejUzBR
MB0GA1UdDgQWBBRPOG7jNgP8m2frnyBebrQptUlCJTAfBgNVHSMEGDAWgBRPOG7j
NgP8m2frnyBebrQptUlCJTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
MEUCIGLdtwnocJQwW9NMPhzcbwt95/g2VcB7oKNZAAxpGDCsAiEAiu9Ut0Jn7e11
IfNA6uNKNPmpcFWSlAapm8VsxiU745w=
-----END CERTIFICATE-----
"""
"""A certificate authority whose key nobody has kept."""

FULL = """\
prober:
  name: fra-1
  store: sqlite:///intake.db
  signing_keys: [{env: INTAKE_SIGNING_KEY}]
  controls: [https://www.example.com, dns:example.org, smtp:mx.example.net]
  resolver: 127.0.0.1:5353
accounts:
  canary:
    address: canary@probe.example
    smtp: {host: smtp.probe.example, port: 587, tls: starttls, username: canary, password: {env: CANARY_PASSWORD}}
    imap: {host: imap.probe.example, port: 993, tls: implicit, username: canary, password: {env: CANARY_PASSWORD}}
mailboxes:
  support:
    imap: {host: imap.acme.example, username: support, password: {env: SUPPORT_PASSWORD}}
    folder: INBOX
    capacity: {warn: 80%, page: 95%, forecast: 24h, declared: 2GiB}
    backlog: {age: 15m}
ticketing:
  desk: {type: helpdesk, url: "https://desk.acme.example/", token: {env: DESK_TOKEN}, tag: synthetic, cap: 12/h}
paths:
  support-email:
    channel: email
    from: [canary]
    to: support@acme.example
    via: smtp
    mailbox: support
    ticketing: desk
    reply: true
    every: 10m
    deadline: 10m
    horizon: 24h
    objective: 99.5%
    budgets: {smtp.accept: 10s, ticket.created: 2m}
    runbook: https://wiki.acme.example/intake
alerts: {open: [2 of 3, 3 of 10], resolve: 2, at_once: [mailbox_full]}
telemetry: {otlp: "http://collector:4318", metrics: {listen: "127.0.0.1:9464"}}
"""


def read(
    folder: Path, text: str, *, allow_literal_secrets: bool = False, needs_secrets: bool = True
) -> Config:
    """Load a text as a configuration."""
    file = folder / "intake.yaml"
    file.write_text(text, encoding="utf-8")
    return load(
        file, allow_literal_secrets=allow_literal_secrets, needs_secrets=needs_secrets, environ=ENVIRON
    )


def mistakes(folder: Path, text: str) -> tuple[ConfigError, ...]:
    """The mistakes of a text."""
    try:
        read(folder, text)
    except ConfigErrors as errors:
        return errors.errors
    return ()


def changed(old: str, new: str, text: str = FULL) -> str:
    """The full configuration with one thing changed, which must be there."""
    assert old in text, old
    return text.replace(old, new, 1)


def only_mistake(folder: Path, text: str) -> ConfigError:
    """The one mistake of a text."""
    found = mistakes(folder, text)
    assert len(found) == 1, [str(one) for one in found]
    return found[0]
