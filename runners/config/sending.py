"""How a path's canaries are sent, as configured: what a path has of its own by its channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from probes.servers import SecretSource
from runners.config.document_email import MxTls, Subaddress, Via

if TYPE_CHECKING:
    # What a web channel is told is made of its document at once, and loaded only where a path has that channel.
    from probes.form.settings import FormSettings
    from probes.portal.settings import PortalSettings


@dataclass(frozen=True, slots=True)
class AttachmentConfig:
    """An attachment of the canary's request, read when the configuration was."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DkimConfig:
    """A DKIM signature; ``key`` reads the private key in PEM."""

    domain: str
    selector: str
    key: SecretSource


@dataclass(frozen=True, slots=True)
class MailConfig:
    """What the canary mail looks like; None: the default text."""

    subject: str | None
    body: str | None
    headers: Mapping[str, str]
    attachment: AttachmentConfig | None
    dkim: DkimConfig | None
    subaddress: Subaddress


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """How the canaries of a path of channel `email` are sent.

    Attributes:
        to: the support address.
        ca_files: trusted at the MX beside the system's.
        helo_name: how we greet; empty: the sender's domain.
        dkim_selectors: selectors of the target's domain that `check` looks up.
        bisect_to: the place past the mail platform, where one canary goes when an incident opens; None: there is none.
    """

    to: str
    via: Via
    mx_port: int
    mx_tls: MxTls
    ca_files: tuple[str, ...]
    helo_name: str
    dkim_selectors: tuple[str, ...]
    bisect_to: str | None
    mail: MailConfig


Sending: TypeAlias = "EmailConfig | PortalSettings | FormSettings"
"""By channel."""
