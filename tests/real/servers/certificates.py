"""Certificates for the tests' servers: an authority of our own, and valid, expired and wrong-name ones."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("localhost", "mx.acme.test", "mx1.acme.test", "mx2.acme.test", "mail.acme.test", "smtp.probe.test")
ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate_path: Path
    key_path: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """What `make_certificates` made.

    Attributes:
        ca_path: the authority's certificate, to be trusted by clients.
        valid: for `NAMES` and `ADDRESSES`, a day old, ends in 90 days.
        expired: as `valid`, but ended yesterday.
        wrong_name: trusted and in time, for ``wrong.example`` only.
        other_ca_path: an authority that signed none of these.
    """

    ca_path: Path
    valid: Pair
    expired: Pair
    wrong_name: Pair
    other_ca_path: Path


def make_certificates(directory: Path) -> Certificates:
    """Write an authority and its certificates into the folder. Keys are readable by all: they protect nothing."""
    now = datetime.now(UTC)
    directory.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority("intake tests", key, now)
    other = _authority("some other authority", ec.generate_private_key(ec.SECP256R1()), now)
    ca_path = _write(directory / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))
    other_ca_path = _write(directory / "other-ca.pem", other.public_bytes(serialization.Encoding.PEM))

    def pair(name: str, names: tuple[str, ...], begins_at: datetime, ends_at: datetime) -> Pair:
        own = ec.generate_private_key(ec.SECP256R1())
        alternatives: list[x509.GeneralName] = [x509.DNSName(each) for each in names]
        if names == NAMES:
            alternatives += [x509.IPAddress(ip_address(each)) for each in ADDRESSES]
        issued = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(authority.subject)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins_at)
            .not_valid_after(ends_at)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            # OpenSSL's strict mode, the default from Python 3.13 on, wants both key identifiers.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        return Pair(
            _write(directory / f"{name}.pem", issued.public_bytes(serialization.Encoding.PEM)),
            _write(directory / f"{name}.key", _private_bytes(own)),
        )

    day = timedelta(days=1)
    return Certificates(
        ca_path=ca_path,
        valid=pair("valid", NAMES, now - day, now + 90 * day),
        expired=pair("expired", NAMES, now - 30 * day, now - day),
        wrong_name=pair("wrong-name", ("wrong.example",), now - day, now + 90 * day),
        other_ca_path=other_ca_path,
    )


def make_client(directory: Path) -> Pair:
    """A client's certificate that vouches for itself; a server that is to take it trusts it as an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _authority("canary", key, datetime.now(UTC))
    return Pair(
        _write(directory / "client.pem", made.public_bytes(serialization.Encoding.PEM)),
        _write(directory / "client.key", _private_bytes(key)),
    )


def _authority(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
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
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
