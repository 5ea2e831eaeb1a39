"""Where a server is and how we are known to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from probes.masking import Secret


class TlsMode(StrEnum):
    """When TLS begins: by command (RFC 3207, RFC 9051 section 6.2.1), at once, or never (the sandbox)."""

    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


class SecretUnavailable(Exception):
    """A secret could not be read or renewed; the message names its source and the remedy, never its value."""


class SecretSource(Protocol):
    """Where a secret comes from: an environment variable, a file, a command, or a token endpoint."""

    async def read(self, *, renew: bool = False) -> Secret:
        """The secret as it is now; ``renew`` after it was refused, so that nothing remembered is used.

        Raises:
            SecretUnavailable: it can't be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Password:
    """A user name and its password."""

    username: str
    secret: SecretSource


@dataclass(frozen=True, slots=True)
class Bearer:
    """A user name and OAuth 2.0 access tokens, presented by SASL XOAUTH2."""

    username: str
    tokens: SecretSource


Credential = Password | Bearer


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate by which a web server lets the synthetic user through (TLS client authentication).

    Attributes:
        origin: scheme, host and port that it is shown to.
        certificate: the PEM file.
        key: reads the private key, in PEM.
    """

    origin: str
    certificate: str
    key: SecretSource


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    Attributes:
        ca_files: PEM files of certificate authorities that are trusted beside the system's.
        credential: None: no authentication.
    """

    host: str
    port: int
    tls: TlsMode
    credential: Credential | None = None
    ca_files: Sequence[str] = ()

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        return f"{self.host}:{self.port}"
