"""What the portal probe is told by the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from probes.message.request import RequestSettings
from probes.portal.steps import Locator, Step
from probes.servers import ClientCertificate, Password, SecretSource


class Session(StrEnum):
    """What of a log-in is kept for the next canary (cookies and local storage)."""

    NONE = "none"
    MEMORY = "memory"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class PortalLimits:
    """Seconds that each hop, and each step, may take at most."""

    dns_seconds: float = 10.0
    load_seconds: float = 60.0
    login_seconds: float = 60.0
    form_seconds: float = 60.0
    submit_seconds: float = 60.0
    confirmation_seconds: float = 60.0
    step_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """One path through a portal.

    Attributes:
        path: its name; evidence is filed under it.
        url: where a customer begins.
        expect_hosts: the hosts on which the page may end up, lower case.
        login: the steps of the log-in; empty: none.
        steps: the others: exactly one `submit`, then at least one `confirm`.
        session: whether a log-in is used again.
        dismiss: what is clicked away wherever it comes up: cookie banners, tours.
        headers: extra header fields, sent to `expect_hosts` only; a secret to the origin of `url` only.
        http_login: for HTTP authentication (RFC 9110 section 11), shown to `expect_hosts` only.
        ca_files: PEM files of authorities that are trusted beside the system's.
        propagate: whether requests of the portal's own origin carry the W3C trace context of the hop under way.
        pace_seconds: the least time between the form's first step and the submit, as a person needs it.
        locale, time_zone, user_agent: as the browser tells them; None: its own.
    """

    path: str
    url: str
    expect_hosts: frozenset[str]
    steps: tuple[Step, ...]
    login: tuple[Step, ...] = ()
    request: RequestSettings = field(default_factory=RequestSettings)
    session: Session = Session.NONE
    dismiss: tuple[Locator, ...] = ()
    headers: Mapping[str, str | SecretSource] = field(default_factory=lambda: MappingProxyType({}))
    http_login: Password | None = None
    client_certificate: ClientCertificate | None = None
    ca_files: tuple[str, ...] = ()
    propagate: bool = False
    pace_seconds: float = 2.0
    limits: PortalLimits = field(default_factory=PortalLimits)
    locale: str | None = None
    time_zone: str | None = None
    user_agent: str | None = None
    viewport: tuple[int, int] = (1280, 900)


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """The one browser of this prober.

    Attributes:
        executable: the program; None: Playwright's own Chromium if it is there, else the system's.
        recycle_after: canaries after which it is started anew.
        start_seconds: how long its start may take.
        arguments: further ones of the command line.
        proxy: the proxy's URL, without a password; None: as the environment says.
        is_headed: with a window, for a person to watch (`portal try --headed`).
        slow_seconds: a pause before each of its actions (`portal try --slow`).
    """

    executable: str | None = None
    recycle_after: int = 100
    start_seconds: float = 30.0
    arguments: tuple[str, ...] = ()
    proxy: str | None = None
    is_headed: bool = False
    slow_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ArtifactSettings:
    """Where evidence of failures is kept, and how much of it.

    Attributes:
        directory: a folder for each failed canary lies in it.
        most: at most so many of them.
        age_seconds: at most so old.
        most_bytes: at most so large, in all.
    """

    directory: Path
    most: int = 100
    age_seconds: float = 14 * 86400.0
    most_bytes: int = 500_000_000
