"""What the e-mail probe of one path needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from canary.reason import Side
from probes.message.compose import MailSettings
from probes.servers import SecretSource, Server


class Via(StrEnum):
    """By which way a canary mail leaves: our own submission server, or straight to the target's mail hosts."""

    SMTP = "smtp"
    MX = "mx"


class MxTls(StrEnum):
    """Whether a mail to the target's mail host must be encrypted."""

    REQUIRED = "required"
    OPPORTUNISTIC = "opportunistic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SenderAccount:
    """A customer that we play.

    Attributes:
        server: its submission server; None: it can only send by way of the MX.
        side: whose fault a failure of that server is; ours, unless it is the target's own.
    """

    address: str
    server: Server | None
    side: Side = Side.PROBER


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that each hop may take; a try never runs past the canary's deadline by more than a second."""

    dns_seconds: float = 10.0
    address_seconds: float = 5.0
    connect_seconds: float = 30.0
    banner_seconds: float = 10.0
    tls_seconds: float = 15.0
    auth_seconds: float = 20.0
    accept_seconds: float = 60.0
    quit_seconds: float = 2.0


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """When a launch is tried again: deferrals until the deadline, a connection that fails only a few times.

    Attributes:
        first_seconds, factor, longest_seconds: the pauses, growing.
        connections: how many tries a launch has that fail without an answer.
    """

    first_seconds: float = 5.0
    factor: float = 2.0
    longest_seconds: float = 60.0
    connections: int = 3

    def pause_seconds(self, attempt: int) -> float:
        """The pause after a try, counted from 1."""
        return float(min(self.first_seconds * self.factor ** (attempt - 1), self.longest_seconds))


@dataclass(frozen=True, slots=True)
class DkimSettings:
    """How the mail is signed; ``key`` reads the private key in PEM."""

    domain: str
    selector: str
    key: SecretSource


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """One path's way of sending.

    Attributes:
        senders: by address, lower case.
        mx_port: where the target's mail hosts listen.
        ca_files: trusted beside the system's for the target's mail hosts.
        helo_name: how we greet; empty: the sender's domain.
        dkim_selectors: selectors of the target's domain that `check` looks up.
    """

    mail: MailSettings
    senders: Mapping[str, SenderAccount]
    via: Via = Via.SMTP
    mx_port: int = 25
    mx_tls: MxTls = MxTls.OPPORTUNISTIC
    ca_files: tuple[str, ...] = ()
    helo_name: str = ""
    dkim: DkimSettings | None = None
    dkim_selectors: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    retry: RetrySettings = field(default_factory=RetrySettings)

    @property
    def target_domain(self) -> str:
        """The domain of the support address."""
        return self.mail.recipient.rpartition("@")[2]
