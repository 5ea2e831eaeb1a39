"""The gauge `certificate.expiry`: how long a server's certificate is still good, and whether it is good at all."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509

from canary.gauge import CERTIFICATE_FLAWS, Gauge, GaugeName, GaugeState
from canary.reason import Reason
from probes.contracts import Clock
from probes.reasons import MAPPED, Failure, explain
from probes.tls import Contexts, not_after

_LINE_BYTES = 8192
_MOST_LINES = 100


class Start(StrEnum):
    """How TLS begins on the connection: at once, or by the command of SMTP (RFC 3207) or IMAP (RFC 9051)."""

    AT_ONCE = "at_once"
    SMTP = "smtp"
    IMAP = "imap"


@dataclass(frozen=True, slots=True)
class CertificateSettings:
    """Whose certificate is read, and when it warns and pages."""

    place: str
    host: str
    port: int
    start: Start
    ca_files: tuple[str, ...] = ()
    warn: timedelta = timedelta(days=14)
    page: timedelta = timedelta(days=3)
    limit_seconds: float = 15.0


class CertificateReader:
    """Satisfies `probes.contracts.GaugeReader`: seconds that the certificate is still good for, negative if expired."""

    def __init__(self, settings: CertificateSettings, *, clock: Clock, contexts: Contexts) -> None:
        self._settings = settings
        self._clock = clock
        self._contexts = contexts

    @property
    def place(self) -> str:
        """The place's name in the configuration."""
        return self._settings.place

    @property
    def name(self) -> GaugeName:
        """What it reads."""
        return GaugeName.CERTIFICATE_EXPIRY

    async def read(self) -> Sequence[Gauge]:
        """Read now. A wrong name or an untrusted chain pages at once; a server that can't be reached is unknown."""
        settings = self._settings
        flaw = ""
        try:
            ends_at = await self._verified_end()
        except MAPPED as error:
            fault = explain(error)
            if fault is None:
                raise
            if fault.reason not in CERTIFICATE_FLAWS:
                return [self._gauge(None, GaugeState.UNKNOWN, f"{fault.reason}: {fault.detail}")]
            # As `certificate_flaw` reads it.
            flaw = f"{fault.reason}: {fault.detail}"
            try:
                ends_at = await self._unverified_end()
            except MAPPED as second:
                return [
                    self._gauge(
                        None, GaugeState.PAGE, f"{flaw}; its end can't be read ({type(second).__name__})"
                    )
                ]
        left = ends_at - self._clock.now()
        state = GaugeState.OK
        if flaw or left <= settings.page:
            state = GaugeState.PAGE
        elif left <= settings.warn:
            state = GaugeState.WARN
        detail = f"ends {ends_at:%Y-%m-%d %H:%M}Z" + (f"; {flaw}" if flaw else "")
        return [self._gauge(left.total_seconds(), state, detail)]

    def _gauge(self, value: float | None, state: GaugeState, detail: str) -> Gauge:
        return Gauge(
            place=self._settings.place,
            name=GaugeName.CERTIFICATE_EXPIRY,
            value=value,
            unit="s",
            limit=None,
            read_at=self._clock.now(),
            state=state,
            detail=detail,
        )

    async def _verified_end(self) -> datetime:
        connection = await self._handshake(self._contexts.verified(self._settings.ca_files))
        certificate = connection.getpeercert()
        ends_at = not_after(certificate) if certificate else None
        if ends_at is None:
            raise Failure(Reason.CERTIFICATE_INVALID, "the certificate says no end")
        return ends_at

    async def _unverified_end(self) -> datetime:
        connection = await self._handshake(self._contexts.unverified())
        raw = connection.getpeercert(binary_form=True)
        if raw is None:
            raise Failure(Reason.CERTIFICATE_INVALID, "the server showed no certificate")
        try:
            return x509.load_der_x509_certificate(raw).not_valid_after_utc.astimezone(UTC)
        except ValueError as error:
            raise Failure(Reason.CERTIFICATE_INVALID, "the certificate can't be parsed") from error

    async def _handshake(self, context: ssl.SSLContext) -> ssl.SSLObject:
        settings = self._settings
        at_once = context if settings.start is Start.AT_ONCE else None
        async with self._clock.timeout(settings.limit_seconds):
            reader, writer = await asyncio.open_connection(
                settings.host, settings.port, ssl=at_once, limit=_LINE_BYTES
            )
            try:
                match settings.start:
                    case Start.SMTP:
                        await _smtp(reader, writer)
                    case Start.IMAP:
                        await _imap(reader, writer)
                    case Start.AT_ONCE:
                        pass
                if at_once is None:
                    await writer.start_tls(context, server_hostname=settings.host)
                connection = writer.get_extra_info("ssl_object")
                if not isinstance(connection, ssl.SSLObject):
                    raise Failure(Reason.TLS_FAILED, "no TLS came about")
                return connection
            finally:
                writer.transport.abort()


async def _smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _smtp_answer(reader, b"220")
    writer.write(b"EHLO [127.0.0.1]\r\n")
    await _smtp_answer(reader, b"250")
    writer.write(b"STARTTLS\r\n")
    await _smtp_answer(reader, b"220")


async def _smtp_answer(reader: asyncio.StreamReader, code: bytes) -> None:
    """Read one answer, its continuation lines too (RFC 5321 section 4.2.1)."""
    for _ in range(_MOST_LINES):
        line = await _line(reader)
        if not line.startswith(code):
            raise Failure(
                Reason.TLS_UNAVAILABLE, f"instead of {code.decode()}: {line.decode(errors='replace')}"
            )
        if line[3:4] != b"-":
            return
    raise Failure(Reason.PROTOCOL_ERROR, "an answer without end")


async def _imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _line(reader)
    writer.write(b"a STARTTLS\r\n")
    for _ in range(_MOST_LINES):
        line = await _line(reader)
        if line.startswith(b"a OK"):
            return
        if line.startswith(b"a "):
            raise Failure(Reason.TLS_UNAVAILABLE, line.decode(errors="replace"))
    raise Failure(Reason.PROTOCOL_ERROR, "no answer to STARTTLS")


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.readuntil(b"\n")).strip()
    except asyncio.LimitOverrunError as error:
        raise Failure(Reason.PROTOCOL_ERROR, "a line without end") from error
