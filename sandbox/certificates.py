"""Certificates: an authority of its own, with good, expired and wrongly named server certificates."""

import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.faults import CertificateKind

SERVER_NAMES = ("localhost", "mx.acme.test", "imap.acme.test", "submission.acme.test")
_WRONG_NAMES = ("elsewhere.test",)
_DAY = timedelta(days=1)


class Authority:
    """Makes the certificates below a folder; the authority's key is never written.

    Attributes:
        ca_file: The authority's certificate, which clients must trust.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.ca_file = directory / "ca.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox authority")])
        self._contexts: dict[CertificateKind, ssl.SSLContext] = {}

    def make(self) -> None:
        """Write the authority's certificate and all server certificates."""
        self._directory.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC)
        key_use = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * _DAY)
            .not_valid_after(now + 30 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_use, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        spans = {
            CertificateKind.VALID: (SERVER_NAMES, now - _DAY, now + 20 * _DAY),
            CertificateKind.EXPIRED: (SERVER_NAMES, now - 20 * _DAY, now - _DAY),
            CertificateKind.WRONG_NAME: (_WRONG_NAMES, now - _DAY, now + 20 * _DAY),
        }
        for kind, (names, begins_at, ends_at) in spans.items():
            self._contexts[kind] = self._server(kind, names, begins_at, ends_at)

    def context(self, kind: CertificateKind) -> ssl.SSLContext:
        """Return the server's TLS context with the certificate of that kind."""
        return self._contexts[kind]

    def switched(self, kind: Callable[[], CertificateKind]) -> ssl.SSLContext:
        """Return a context for an implicit-TLS listener that asks at each handshake which one to show."""
        front = self._load(CertificateKind.VALID)

        def choose(
            connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
        ) -> None:
            connection.context = self._contexts[kind()]

        front.sni_callback = choose
        return front

    def _server(
        self, kind: CertificateKind, names: tuple[str, ...], begins_at: datetime, ends_at: datetime
    ) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
        if kind is not CertificateKind.WRONG_NAME:
            alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins_at)
            .not_valid_after(ends_at)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._file(kind)
        file.touch(mode=0o600)
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        return self._load(kind)

    def _load(self, kind: CertificateKind) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self._file(kind))
        return context

    def _file(self, kind: CertificateKind) -> Path:
        return self._directory / f"server-{kind}.pem"
