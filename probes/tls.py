"""TLS: contexts that verify, and the facts of a connection."""

import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from canary.observation import Fact
from canary.reason import Reason
from probes.reasons import Failure


class CertificateFileUnusable(Exception):
    """A file of certificate authorities can't be used; the message names the file and the remedy."""


def client_context(ca_files: Sequence[str] = ()) -> ssl.SSLContext:
    """A context that verifies chain and name, trusting the system's authorities and those of the files.

    Raises:
        CertificateFileUnusable: a file is missing, unreadable or holds no certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in ca_files:
        _trust(context, file)
    return context


def check_authorities(file: str) -> None:
    """Load a file of authorities as a connection would, which trusts the system's beside them.

    Raises:
        CertificateFileUnusable: it is missing, unreadable, or holds no whole certificate.
    """
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), file)


def _trust(context: ssl.SSLContext, file: str) -> None:
    try:
        context.load_verify_locations(cafile=file)
    except OSError as error:  # ssl.SSLError too
        # one that was cut off while it was written is refused like one that holds none
        cause = "no whole PEM certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise CertificateFileUnusable(
            f"{file}: {cause}. Name a readable PEM file with the authority's certificate"
        ) from error


def unverified_context() -> ssl.SSLContext:
    """A context that encrypts to whoever answers.

    For opportunistic TLS between mail servers (RFC 7435), and to look at a certificate that is not valid.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Contexts:
    """Keeps the contexts, since reading the system's authorities takes tens of milliseconds each time."""

    def __init__(self) -> None:
        self._verified: dict[tuple[str, ...], ssl.SSLContext] = {}
        self._unverified: ssl.SSLContext | None = None

    def verified(self, ca_files: tuple[str, ...] = ()) -> ssl.SSLContext:
        """The context that trusts these files beside the system's authorities.

        Raises:
            Failure: a file can't be used: a fault of our own (`unexpected`).
        """
        if ca_files not in self._verified:
            try:
                self._verified[ca_files] = client_context(ca_files)
            except CertificateFileUnusable as error:
                raise Failure(Reason.UNEXPECTED, str(error)) from error
        return self._verified[ca_files]

    def unverified(self) -> ssl.SSLContext:
        """The context that verifies nothing."""
        if self._unverified is None:
            self._unverified = unverified_context()
        return self._unverified


def tls_facts(connection: ssl.SSLObject | ssl.SSLSocket) -> Mapping[str, Fact]:
    """What the connection uses and whose certificate it saw; subject and end only if it was verified."""
    facts: dict[str, Fact] = {"tls.protocol.name": "tls"}
    version, cipher = connection.version(), connection.cipher()
    if version:
        facts["tls.protocol.version"] = version.removeprefix("TLSv")
    if cipher:
        facts["tls.cipher"] = cipher[0]
    certificate = connection.getpeercert()
    if certificate:
        facts["tls.server.subject"] = _common_name(certificate)
        if (ends_at := not_after(certificate)) is not None:
            facts["tls.server.not_after"] = ends_at.isoformat().replace("+00:00", "Z")
    return facts


def not_after(certificate: Mapping[str, Any]) -> datetime | None:
    """When a verified certificate ends, aware UTC; None: it does not say."""
    text = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if isinstance(text, str) else None


_COMMON_NAME: Final = "commonName"


def _common_name(certificate: Mapping[str, Any]) -> str:
    subject = [pair for group in certificate.get("subject", ()) for pair in group]
    names = [value for key, value in subject if key == _COMMON_NAME]
    alternatives = [value for _, value in certificate.get("subjectAltName", ())]
    return str((names or alternatives or [""])[0])
