"""The configuration as typed, frozen values: what wiring makes the parts of. Nobody below wiring sees it whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from canary.gauge import CapacityLimits
from canary.path import Path, PathName
from canary.quarantine import Mark
from canary.reason import Side
from canary.silence import Window
from canary.slot import Slot, due_slot, jitter
from probes.masking import Masker
from probes.servers import Bearer, Credential, Password, SecretSource, Server, TlsMode
from runners.config.alerting import AlertsConfig
from runners.config.cron import Cron
from runners.config.document_places import Cleanup, TicketingType
from runners.config.needs import Needs
from runners.config.page import PageConfig
from runners.config.sending import EmailConfig, Sending
from runners.config.telemetry import TelemetryConfig
from runners.retention import KEPT, Retention

if TYPE_CHECKING:
    from probes.portal.settings import ArtifactSettings, BrowserSettings
    from runners.config.build_ticketing_http import GenericConfig
    from runners.config.reading import Loc
    from runners.config.reading import Mark as KeyMark


@dataclass(frozen=True, slots=True)
class Google:
    """Access by a Google service account; ``key`` reads its JSON key file."""

    key: SecretSource
    subject: str
    token_url: str
    scope: str


@dataclass(frozen=True, slots=True)
class Microsoft:
    """Access by a Microsoft Entra application; ``token_url`` None: the tenant's own."""

    tenant: str
    client_id: SecretSource
    client_secret: SecretSource
    scope: str
    token_url: str | None


@dataclass(frozen=True, slots=True)
class Refresh:
    """Access by a refresh token."""

    token_url: str
    client_id: SecretSource
    client_secret: SecretSource | None
    refresh_token: SecretSource
    scope: str | None


@dataclass(frozen=True, slots=True)
class TokenCommand:
    """Access tokens printed by a command, as a word or as JSON with access_token and expires_in."""

    command: tuple[str, ...]


Oauth = Google | Microsoft | Refresh | TokenCommand


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server as configured; a `Server` once it is known where OAuth tokens come from.

    Attributes:
        login: how we are known there; None: no authentication.
    """

    host: str
    port: int
    tls: TlsMode
    username: str
    login: SecretSource | Oauth | None
    ca_files: tuple[str, ...]

    def server(self, tokens: Callable[[Oauth, str], SecretSource]) -> Server:
        """The server with its credential; ``tokens`` makes a source of access tokens for a user name."""
        credential: Credential | None
        match self.login:
            case None:
                credential = None
            case Google() | Microsoft() | Refresh() | TokenCommand():
                credential = Bearer(self.username, tokens(self.login, self.username))
            case secret:
                credential = Password(self.username, secret)
        return Server(self.host, self.port, self.tls, credential, self.ca_files)


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """A customer that we play. ``smtp_side``: whose fault it is when its own submission server fails."""

    name: str
    address: str
    display_name: str | None
    smtp: MailServer | None
    imap: MailServer | None
    smtp_side: Side


@dataclass(frozen=True, slots=True)
class CapacityConfig:
    """Thresholds of a mailbox's capacity and, where the server tells none, its limit.

    Attributes:
        declared_bytes, declared_messages: the limits by the configuration's word.
        command: prints used and limit in bytes.
    """

    limits: CapacityLimits
    declared_bytes: int | None
    declared_messages: int | None
    command: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class MailboxConfig:
    """A support mailbox that the prober may read.

    Attributes:
        folders: all that is looked through, the one where mail arrives first.
        junk_folders: names of spam folders beside the usual ones.
        may_remove: whether canaries' mails are removed from it.
        backlog_search: the IMAP search for unprocessed messages; None: UNSEEN.
    """

    name: str
    address: str | None
    imap: MailServer
    folders: tuple[str, ...]
    junk_folders: tuple[str, ...]
    may_remove: bool
    capacity: CapacityConfig
    backlog_age_seconds: float
    backlog_search: str | None


@dataclass(frozen=True, slots=True)
class TicketingConfig:
    """A ticketing system.

    Attributes:
        token: an API token; else ``username`` and ``password``.
        custom_field: of Request Tracker, the field that takes the tag.
        cap_per_hour: scheduled launches of one sender to it; None: no cap is known.
        cleanup_per_hour: tickets that may be closed or deleted; None: the default.
        generic: of a system that is known by configuration alone, all that is known of it.
        mark: what its quarantine rule sets; None: it is not said to have one.
        vendor: which system it is: a type, or the name of a preset.
    """

    name: str
    type: TicketingType
    url: str
    token: SecretSource | None
    username: str | None
    password: SecretSource | None
    queue: str | None
    custom_field: str | None
    cleanup: Cleanup
    tag: str
    cap_per_hour: float | None
    cleanup_per_hour: float | None
    ca_files: tuple[str, ...]
    generic: "GenericConfig | None" = None
    mark: Mark | None = None
    vendor: str = ""


@dataclass(frozen=True, slots=True)
class Every:
    """A schedule by interval."""

    interval_seconds: float


@dataclass(frozen=True, slots=True)
class PathConfig:
    """A path: what the domain knows of it, and what sends it.

    Attributes:
        senders: names of the accounts that take turns.
        schedule: None: launched by hand only.
        jitter_seconds: launch up to this much after the slot.
        target: the support address that canaries are sent to; None where they are not sent to one.
        sending: what the path has of its own by its channel.
    """

    path: Path
    senders: tuple[str, ...]
    schedule: Every | Cron | None
    jitter_seconds: float
    target: str | None
    sending: Sending

    @property
    def bisect_to(self) -> str | None:
        """The address past the mail platform, where one canary goes when an incident opens; None: there is none."""
        return self.sending.bisect_to if isinstance(self.sending, EmailConfig) else None

    def due_slot(self, now: datetime) -> Slot | None:
        """The latest slot, if its launch (after the jitter) is not later than ``now``; None without a schedule."""
        slot = self._latest_slot(now)
        if slot is None or now < slot.at + jitter(slot, timedelta(seconds=self.jitter_seconds)):
            return None
        return slot

    def next_due(self, now: datetime) -> datetime | None:
        """The first time after ``now`` at which a slot becomes due, its jitter included; None without a schedule."""
        longest = timedelta(seconds=self.jitter_seconds)
        latest = self._latest_slot(now)
        if latest is not None and (at := latest.at + jitter(latest, longest)) > now:
            return at
        coming = self._next_slot(now)
        return coming.at + jitter(coming, longest) if coming is not None else None

    def _next_slot(self, now: datetime) -> Slot | None:
        match self.schedule:
            case None:
                return None
            case Every():
                interval = timedelta(seconds=self.schedule.interval_seconds)
                return Slot(self.path.name, due_slot(self.path.name, interval, now).at + interval)
            case Cron():
                at = self.schedule.next(now)
                return Slot(self.path.name, at) if at is not None else None

    def _latest_slot(self, now: datetime) -> Slot | None:
        match self.schedule:
            case None:
                return None
            case Every():
                return due_slot(self.path.name, timedelta(seconds=self.schedule.interval_seconds), now)
            case Cron():
                at = self.schedule.latest(now)
                return Slot(self.path.name, at) if at is not None else None


@dataclass(frozen=True, slots=True)
class ProberConfig:
    """This prober.

    Attributes:
        store_url: may hold a password: mask it before it is shown.
        browser, artifacts: for paths of channel `portal`; None where there is none.
    """

    name: str
    store_url: str
    signing_keys: tuple[SecretSource, ...]
    marker: str
    ca_files: tuple[str, ...]
    controls: tuple[str, ...]
    resolver: str
    contact_url: str | None
    browser: "BrowserSettings | None" = None
    artifacts: "ArtifactSettings | None" = None
    retention: Retention = KEPT


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration.

    Attributes:
        file: where it was read from.
        maintenance: the windows in which alerts are held back again and again.
        masker: knows every secret that the configuration named and that was read so far.
        own_addresses: every address in it, lower case: the only ones that logs may show.
        needs: what it needs of the place where it runs.
        keys: where each key stood in the file when it was read; it may have been changed since.
    """

    file: FilePath
    prober: ProberConfig
    accounts: Mapping[str, AccountConfig]
    mailboxes: Mapping[str, MailboxConfig]
    ticketing: Mapping[str, TicketingConfig]
    paths: Mapping[PathName, PathConfig]
    alerts: AlertsConfig
    maintenance: tuple[Window, ...]
    telemetry: TelemetryConfig
    masker: Masker
    own_addresses: frozenset[str]
    web: PageConfig = field(default_factory=PageConfig)
    needs: Needs = field(default_factory=Needs)
    keys: "Mapping[Loc, KeyMark]" = field(default_factory=dict)

    def with_paths(self, names: Sequence[str]) -> "Config":
        """The same with only these paths; all of them where none is named.

        Raises:
            KeyError: there is no such path.
        """
        chosen = {PathName(name): self.paths[PathName(name)] for name in names} if names else self.paths
        return replace(self, paths=chosen)
