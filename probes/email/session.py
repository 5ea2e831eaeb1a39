"""One SMTP connection, phase by phase, each phase awaited by whoever times it."""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiosmtplib

from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.email.settings import Limits
from probes.reasons import MAPPED, Failure, Fault, explain
from probes.servers import Bearer, Credential, Password, TlsMode
from probes.tls import tls_facts

_START_OF_LINE = re.compile(rb"(?m)^\.")
_FLUSH_SECONDS: Final = 0.02
_START_INPUT = 354
_DONE_CLASS = 2
"""2yz: the mail was taken; a client goes by the first digit (RFC 5321 section 4.2.1)."""
_XTEXT = re.compile(r"[^!-*,-<>-~]")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection goes: the host whose name its certificate must bear, at one of its addresses."""

    host: str
    address: str
    port: int

    @property
    def place(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The attributes of a network hop."""
        return {
            "server.address": self.host,
            "server.port": self.port,
            "network.peer.address": self.address,
            "network.peer.port": self.port,
            "network.transport": "tcp",
            "network.protocol.name": "smtp",
        }


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is handed over: addresses (RFC 5321), the id that a DSN repeats (RFC 3461 section 4.4), and the mail."""

    sender: str
    recipient: str
    envelope_id: str
    raw: bytes


class SmtpSession:
    """A connection to one endpoint. Not shared; `close` is sure and immediate."""

    def __init__(self, endpoint: Endpoint, *, clock: Clock, limits: Limits, helo_name: str) -> None:
        self.endpoint = endpoint
        self._clock = clock
        self._limits = limits
        self._helo_name = helo_name
        self._client: aiosmtplib.SMTP | None = None
        self._socket: socket.socket | None = None
        self._transport: asyncio.BaseTransport | None = None

    @property
    def _smtp(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise aiosmtplib.SMTPServerDisconnected("not connected")
        return self._client

    async def open(
        self, *, with_banner: bool, waiting_for: Callable[[Reason], None] = lambda _: None
    ) -> None:
        """Connect; unless TLS begins at once, also read the banner and greet.

        Args:
            with_banner: whether the server speaks first.
            waiting_for: told, once connected, what it means if no banner comes.

        Raises:
            Failure: not within its limits (`connect_timeout`; `answer_timeout` for the banner).
            OSError, aiosmtplib.SMTPException: as they come.
        """
        family = socket.AF_INET6 if ":" in self.endpoint.address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        loop = asyncio.get_running_loop()
        try:
            async with self._clock.timeout(self._limits.address_seconds):
                await loop.sock_connect(self._socket, (self.endpoint.address, self.endpoint.port))
        except TimeoutError as error:
            if error.errno is not None:
                raise
            raise Failure(
                Reason.CONNECT_TIMEOUT, f"no connection within {self._limits.address_seconds:g} s"
            ) from error
        if with_banner:
            waiting_for(Reason.ANSWER_TIMEOUT)
            await self._greet(None)

    async def secure_at_once(self, context: ssl.SSLContext) -> Mapping[str, Fact]:
        """Handshake, then banner and greeting: implicit TLS (RFC 8314 section 3)."""
        await self._greet(context)
        return self.tls_facts()

    @property
    def offers_starttls(self) -> bool:
        """Whether the greeting offered STARTTLS (RFC 3207)."""
        return self._smtp.supports_extension("starttls")

    async def starttls(self, context: ssl.SSLContext) -> Mapping[str, Fact]:
        """Secure the connection and greet again, since all that was said before is void (RFC 3207 section 4.2)."""
        if not self.offers_starttls:
            raise Failure(Reason.TLS_UNAVAILABLE, "the server does not offer STARTTLS", is_answer=True)
        await self._smtp.starttls(tls_context=context, server_hostname=self.endpoint.host)
        await self._ehlo()
        return self.tls_facts()

    async def login(self, credential: Credential) -> None:
        """Log in once with one mechanism; a refusal renews the secret, and a new one is tried once more.

        One mechanism, since each refused one counts towards a lock-out.

        Raises:
            aiosmtplib.SMTPAuthenticationError: refused.
            SecretUnavailable: the secret can't be had.
        """
        source = credential.secret if isinstance(credential, Password) else credential.tokens
        secret = await source.read()
        try:
            await self._authenticate(credential, secret.reveal())
        except aiosmtplib.SMTPAuthenticationError as refusal:
            if 400 <= refusal.code < 500:  # noqa: PLR2004 -- a temporary failure says nothing of the secret
                raise
            renewed = await source.read(renew=True)
            if renewed == secret:
                raise
            if not self._smtp.is_connected:
                raise Failure.of(_ended_credential(refusal)) from refusal
            await self._authenticate(credential, renewed.reveal())

    async def submit(self, envelope: Envelope, *, leaving: Callable[[], None]) -> aiosmtplib.SMTPResponse:
        """Hand the mail over: MAIL, RCPT, DATA, the final dot, and the answer to it.

        Args:
            envelope: what is handed over.
            leaving: called just before the final dot is written: from then on the mail may have left.

        Raises:
            aiosmtplib.SMTPException: as it comes; a refusal at any of them carries its code.
        """
        client = self._smtp
        utf8 = not (envelope.sender + envelope.recipient).isascii()
        if utf8 and not client.supports_extension("smtputf8"):
            raise Failure(
                Reason.REJECTED, "an address outside ASCII, and the server offers no SMTPUTF8 (RFC 6531)"
            )
        encoding = "utf-8" if utf8 else "ascii"
        await client.mail(envelope.sender, options=self._mail_options(envelope, utf8=utf8), encoding=encoding)
        await client.rcpt(envelope.recipient, options=self._rcpt_options(envelope), encoding=encoding)
        start = await client.execute_command(b"DATA")
        if start.code != _START_INPUT:
            raise aiosmtplib.SMTPDataError(start.code, start.message)
        protocol = client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost after DATA")
        protocol.write(_START_OF_LINE.sub(b"..", envelope.raw))
        await self._flush()
        if not protocol.is_connected:
            raise aiosmtplib.SMTPServerDisconnected("the connection was lost within the mail")
        leaving()
        protocol.write(b".\r\n")
        answer = await protocol.read_response()
        if answer.code // 100 != _DONE_CLASS:
            raise aiosmtplib.SMTPDataError(answer.code, answer.message)
        return answer

    async def quit(self) -> None:
        """Say good-bye, whatever the server makes of it, and close."""
        try:
            async with self._clock.timeout(self._limits.quit_seconds):
                await self._smtp.quit()
        except (OSError, aiosmtplib.SMTPException):
            pass  # all that matters has been said
        finally:
            self.close()

    def close(self) -> None:
        """Close at once; repeatable.

        TLS would wait for the other side's good-bye, up to 30 s and beyond the end of the loop: it is cut instead,
        also where the client has closed and forgotten its transport, as it does after QUIT and on many an error.
        """
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()
        if self._client is not None:
            self._client.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def tls_facts(self) -> Mapping[str, Fact]:
        """What TLS came to."""
        connection = self._smtp.get_transport_info("ssl_object")
        return tls_facts(connection) if connection is not None else {}

    async def _greet(self, context: ssl.SSLContext | None) -> None:
        self._client = aiosmtplib.SMTP(
            hostname=self.endpoint.host,
            port=None,
            sock=self._socket,
            timeout=None,
            use_tls=context is not None,
            start_tls=False,
            tls_context=context,
            local_hostname=self._helo_name,
        )
        self._socket = None  # its transport closes it from here on
        seconds = self._limits.banner_seconds
        try:
            async with self._clock.timeout(seconds):
                await self._client.connect()
                self._transport = self._client.transport
                await self._ehlo()
        except TimeoutError as error:
            raise Failure(
                Reason.ANSWER_TIMEOUT, f"connected, but no greeting within {seconds:g} s"
            ) from error

    async def _ehlo(self) -> None:
        """Greet by EHLO, by HELO where that is not known (RFC 5321 section 4.1.4)."""
        try:
            await self._smtp.ehlo()
        except aiosmtplib.SMTPHeloError as error:
            if error.code not in {500, 502}:
                raise
            await self._smtp.helo()

    async def _authenticate(self, credential: Credential, secret: str) -> None:
        client, offered = self._smtp, self._smtp.server_auth_methods
        match credential:
            case Bearer():
                if "xoauth2" not in offered:
                    raise Failure(Reason.CREDENTIALS_REJECTED, _not_offered("XOAUTH2", offered))
                await client.auth_xoauth2(credential.username, secret)
            case Password():
                mechanisms = {
                    "plain": client.auth_plain,
                    "login": client.auth_login,
                    "cram-md5": client.auth_crammd5,
                }
                usable = [login for name, login in mechanisms.items() if name in offered]
                if not usable:
                    raise Failure(
                        Reason.CREDENTIALS_REJECTED, _not_offered("PLAIN, LOGIN or CRAM-MD5", offered)
                    )
                await usable[0](credential.username, secret)

    def _mail_options(self, envelope: Envelope, *, utf8: bool) -> list[str]:
        client = self._smtp
        options = []
        if client.supports_extension("size"):
            options.append(f"SIZE={len(envelope.raw)}")
        if not envelope.raw.isascii() and client.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        if utf8:
            options.append("SMTPUTF8")
        if client.supports_extension("dsn"):
            options += ["RET=HDRS", f"ENVID={_xtext(envelope.envelope_id)}"]
        return options

    def _rcpt_options(self, envelope: Envelope) -> list[str]:
        if not self._smtp.supports_extension("dsn") or not envelope.recipient.isascii():
            return []
        return ["NOTIFY=FAILURE,DELAY", f"ORCPT=rfc822;{_xtext(envelope.recipient)}"]

    async def _flush(self) -> None:
        """Wait until the system has taken all that was written, so that a connection lost within it is noticed."""
        while isinstance(transport := self._smtp.transport, asyncio.WriteTransport):
            if transport.is_closing() or transport.get_write_buffer_size() == 0:
                return
            await self._clock.sleep(_FLUSH_SECONDS)


async def open_first(
    endpoints: Sequence[Endpoint],
    *,
    tls: TlsMode,
    clock: Clock,
    limits: Limits,
    helo_name: str,
    waiting_for: Callable[[Reason], None] = lambda _: None,
) -> tuple[SmtpSession, tuple[str, ...]]:
    """Connect to the first endpoint that answers; also what was wrong with those before it.

    Args:
        endpoints: where to, best first.
        tls: whether TLS begins at once.
        clock: limits each step.
        limits: of each step.
        helo_name: how we greet.
        waiting_for: told before each wait what it would mean if it never ended.

    Raises:
        Failure: none did. Its fault is the most telling one: a refusal shows more than a silence, and a silence
            more than a protocol that this machine has no route for.
    """
    faults: list[tuple[Endpoint, Fault]] = []
    for endpoint in endpoints:
        session = SmtpSession(endpoint, clock=clock, limits=limits, helo_name=helo_name)
        waiting_for(Reason.CONNECT_TIMEOUT)
        try:
            await session.open(with_banner=tls is not TlsMode.IMPLICIT, waiting_for=waiting_for)
        except MAPPED as error:
            session.close()
            fault = explain(error, limit_reason=Reason.CONNECT_TIMEOUT)
            if fault is None:
                raise
            faults.append((endpoint, fault))
        except BaseException:
            session.close()
            raise
        else:
            return session, tuple(_sentence(*one) for one in faults)
    telling = min((fault for _, fault in faults), key=_weight)
    detail = "; ".join(_sentence(*one) for one in faults)
    raise Failure.of(
        Fault(
            telling.reason,
            detail,
            {**endpoints[0].facts, **telling.facts},
            is_answer=telling.is_answer,
            is_transient=telling.is_transient,
        )
    )


_TELLING: Final = (Reason.REFUSED, Reason.ANSWER_TIMEOUT, Reason.CONNECTION_LOST, Reason.CONNECT_TIMEOUT)


def _weight(fault: Fault) -> tuple[bool, bool, int]:
    rank = _TELLING.index(fault.reason) if fault.reason in _TELLING else len(_TELLING)
    return (not fault.is_transient, not fault.is_answer, rank)


def _sentence(endpoint: Endpoint, fault: Fault) -> str:
    return f"{endpoint.host} [{endpoint.address}]:{endpoint.port}: {fault.reason} ({fault.detail})"


def _ended_credential(refusal: aiosmtplib.SMTPAuthenticationError) -> Fault:
    detail = f"{refusal.code} {refusal.message}; the secret was renewed, but the server closed the connection"
    return Fault(Reason.CREDENTIALS_REJECTED, detail, is_answer=True, is_transient=True)


def _not_offered(mechanism: str, offered: Sequence[str]) -> str:
    return f"the server offers no AUTH {mechanism}; it offers {', '.join(offered) or 'none'}"


def _xtext(text: str) -> str:
    """RFC 3461 section 4: printable ASCII but ``+`` and ``=``; the others as ``+`` and two digits."""
    return _XTEXT.sub(lambda match: f"+{ord(match.group()):02X}", text)
