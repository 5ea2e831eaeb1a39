"""What a configuration lets one expect, and what it leaves open: the lines of `check` that need no network. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import assert_never

from canary.path import Proof
from dashboards.timing import SCRAPE_SECONDS
from probes.contracts import Check, CheckState
from probes.form.settings import FormSettings
from probes.portal.settings import PortalSettings
from probes.portal.steps import Wait
from probes.servers import TlsMode
from runners.config.config import Config, MailServer, PathConfig
from runners.config.document_alerts import AlertsVia
from runners.config.document_email import Via
from runners.config.fields import duration_text
from runners.config.sending import EmailConfig
from runners.estate import page_after_seconds

MANY_PATHS = 100
"""About 450 series a path: above this, Prometheus and people have a hard time."""


def advise(config: Config) -> tuple[Check, ...]:
    """The checks of the configuration itself."""
    via_prometheus = config.alerts.via is AlertsVia.PROMETHEUS
    page_after = page_after_seconds(config) if via_prometheus else None
    return (
        *_size(config),
        *_launches(config),
        *_encryption(config),
        *(check for path in config.paths.values() for check in _path(config, path, page_after)),
    )


def launches_per_hour(config: Config) -> dict[tuple[str, str], float]:
    """Scheduled launches an hour of each sender to each ticketing system, over all paths, while their schedules run.

    Loop guards of vendors count a sender's mails, whatever path they took.
    """
    sums: dict[tuple[str, str], float] = defaultdict(float)
    for one in config.paths.values():
        path = one.path
        if path.usual_seconds is None or not path.is_enabled or path.ticketing is None:
            continue
        for sender in one.senders:
            sums[config.accounts[sender].address, path.ticketing] += (
                3600.0 / path.usual_seconds / len(one.senders)
            )
    return dict(sums)


def _found_within(seconds: float, page_after: float | None) -> str:
    """When an outage is an incident and, by the rules of Prometheus, how long after that it pages at the latest."""
    finding = f"an outage is an incident within {duration_text(seconds)}"
    if page_after is None:
        return finding
    page = duration_text(ceil(seconds + page_after))
    return (
        f"{finding}, and a page within {page} where Prometheus scrapes every {duration_text(SCRAPE_SECONDS)}"
    )


def detection_seconds(path: PathConfig) -> float | None:
    """After how long a lasting outage opens an incident, at the latest; None without a schedule."""
    if path.path.interval_seconds is None:
        return None
    needed = min(rule.failed for rule in path.path.incidents.open)
    return needed * path.path.interval_seconds + path.path.slo.deadline_seconds


def _size(config: Config) -> Iterator[Check]:
    if len(config.paths) > MANY_PATHS:
        yield Check(
            "configuration",
            "paths",
            CheckState.WARN,
            f"{len(config.paths)} paths, about {450 * len(config.paths)} series",
            "Use several probers, or fewer paths.",
        )


def _launches(config: Config) -> Iterator[Check]:
    for (sender, system), per_hour in sorted(launches_per_hour(config).items()):
        cap = config.ticketing[system].cap_per_hour
        finding = f"{per_hour:g} scheduled launches an hour to {system}"
        if cap is None:
            yield Check(sender, "launches", CheckState.OK, f"{finding}; no loop guard of {system} is known")
        elif per_hour <= cap:
            yield Check(sender, "launches", CheckState.OK, f"{finding}, cap {cap:g}")
        else:
            yield Check(
                sender,
                "launches",
                CheckState.WARN,
                f"{finding}, above the cap of {cap:g}: slots will be missed",
                "Launch less often, or name more senders under `from`.",
            )


def _encryption(config: Config) -> Iterator[Check]:
    servers: list[tuple[str, str, MailServer | None]] = []
    for account in config.accounts.values():
        servers += [(account.name, "smtp", account.smtp), (account.name, "imap", account.imap)]
    servers += [(mailbox.name, "imap", mailbox.imap) for mailbox in config.mailboxes.values()]
    for place, kind, server in servers:
        if server is not None and server.tls is TlsMode.NONE and server.login is not None:
            yield Check(
                place,
                f"{kind}.encryption",
                CheckState.WARN,
                f"the credential goes to {server.host}:{server.port} in clear text",
                "Write tls: starttls or implicit.",
            )
    for system in config.ticketing.values():
        if system.url.startswith("http://"):
            finding = "the credential goes there in clear text"
            yield Check(
                system.name, "ticket.encryption", CheckState.WARN, finding, "Write an https:// address."
            )
    for path in config.paths.values():
        if not isinstance(path.sending, EmailConfig) and path.sending.url.startswith("http://"):
            finding = "what is sent goes there in clear text, log-ins too"
            yield Check(
                path.path.name, "encryption", CheckState.WARN, finding, "Write an https:// address in url."
            )


def _path(config: Config, path: PathConfig, page_after: float | None) -> Iterator[Check]:
    name = path.path.name
    seconds = detection_seconds(path)
    if not path.path.is_enabled:
        yield Check(name, "schedule", CheckState.OK, "disabled: nothing is launched, what is out is settled")
    elif seconds is None:
        remedy = "Add every: 10m, and run `intake-prober run --due` from cron."
        yield Check(name, "schedule", CheckState.OK, "launched by hand only", remedy)
    else:
        yield Check(name, "schedule", CheckState.OK, _found_within(seconds, page_after))
    if path.path.proof is Proof.REPLY:
        yield Check(
            name,
            "proof",
            CheckState.WARN,
            "only the acknowledgement proves a ticket, and the vendor's own rules clean up",
            "Add ticketing and proof: api when you have a credential.",
        )
    if isinstance(path.sending, PortalSettings):
        yield from _login(name, path.sending)
    yield from _controls(config, path)
    yield Check(name, "customer", CheckState.OK, _difference(path))


def _login(name: str, portal: PortalSettings) -> Iterator[Check]:
    if portal.login and not any(isinstance(step.action, Wait) for step in portal.login):
        yield Check(
            name,
            "login",
            CheckState.WARN,
            "nothing shows that the log-in worked: if it fails, the form is blamed",
            "End it with wait: {text: Log out}, or what else only a user who is logged in sees.",
        )


def _difference(path: PathConfig) -> str:
    """In what a canary differs from what a customer sends."""
    subject = "subject begins with the marker and token"
    match path.sending:
        case EmailConfig() as mail:
            fields = ", ".join(("X-Intake-Canary", "traceparent", *sorted(mail.mail.headers)))
            return f"differs from a customer's mail: {subject}; fields {fields}"
        case PortalSettings() as portal:
            return f"differs from a customer's request: {subject}; {_with_fields('a headless browser', portal.headers)}"
        case FormSettings() as form:
            return f"differs from a customer's request: {subject}; {_with_fields('no browser', form.headers)}"
        case _:
            assert_never(path.sending)


def _with_fields(what: str, headers: Mapping[str, object]) -> str:
    return f"{what} with header fields {', '.join(sorted(headers))}" if headers else what


def _controls(config: Config, path: PathConfig) -> Iterator[Check]:
    """Whether a time-out could be told from a fault of our own network."""
    controls = config.prober.controls
    needed = {"dns": any(one.startswith("dns:") for one in controls)}
    for port in sorted(_smtp_ports(config, path)):
        needed[f"port {port}"] = any(_smtp_port(one) == port for one in controls)
    is_web = not isinstance(path.sending, EmailConfig) and path.sending.url.startswith("https://")
    if is_web or path.path.ticketing is not None:
        needed["https"] = any(one.startswith("https:") for one in controls)
    missing = [what for what, is_there in needed.items() if not is_there]
    if missing:
        yield Check(
            path.path.name,
            "controls",
            CheckState.WARN,
            f"no control for {', '.join(missing)}: there, a time-out can't be told from a fault of our own network",
            "Add independent places to prober.controls: dns:example.org, smtp:mx.example.net:25, https://www.example.com.",
        )


def _smtp_ports(config: Config, path: PathConfig) -> frozenset[int]:
    if not isinstance(path.sending, EmailConfig):
        return frozenset()
    if path.sending.via is Via.MX:
        return frozenset({path.sending.mx_port})
    servers: Sequence[MailServer | None] = [config.accounts[one].smtp for one in path.senders]
    return frozenset(server.port for server in servers if server is not None)


def _smtp_port(control: str) -> int | None:
    """The port of an ``smtp:host[:port]`` control, 25 if it names none; None for another control."""
    if not control.startswith("smtp:"):
        return None
    _, _, port = control.removeprefix("smtp:").rpartition(":")
    return int(port) if port.isascii() and port.isdigit() else 25
