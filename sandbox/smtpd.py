"""SMTP: one server connection, as MX or as submission, with the faults of both."""

import asyncio
import base64
import binascii
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.bearer import accepts_token, bearer
from sandbox.delivery import MX_NAME, Mail, PostOffice, queue_id, received
from sandbox.faults import HEALTHY, AfterData, FaultBoard, Faults, MailboxFull, RecipientFault, SmtpPlace
from sandbox.mailstore import MailStore

SUBMISSION_NAME = "submission.acme.test"
_SIZE_LIMIT_BYTES = 32 * 1024 * 1024
_ADDRESS_LIMIT_BYTES = 1024
_log = logging.getLogger("sandbox.smtp")


class Kind(StrEnum):
    """What a listener is for; `desk` is the helpdesk's own submission, spared by the faults."""

    MX = "mx"
    SUBMISSION = "submission"
    SUBMISSIONS = "submissions"
    DESK = "desk"


@dataclass(slots=True)
class Parts:
    """What all connections share.

    Attributes:
        store: The accounts.
        office: Takes accepted mail.
        board: The faults in force.
        counters: Connections, logins and accepted mails by kind of listener.
        first_tries: When a (sender, recipient) was first seen, for greylisting; monotonic seconds.
    """

    store: MailStore
    office: PostOffice
    board: FaultBoard
    counters: Counter[str]
    first_tries: dict[tuple[str, str], float] = field(default_factory=dict)


def faults_for(kind: Kind, faults: Faults) -> Faults:
    """The switches as a listener of that kind feels them."""
    if kind is Kind.DESK:
        return faults if faults.desk_behind_faults else HEALTHY
    reached = SmtpPlace.MX if kind is Kind.MX else SmtpPlace.SUBMISSION
    return faults if faults.smtp_at in (SmtpPlace.BOTH, reached) else HEALTHY


def cut(server: SMTP) -> None:
    """Break the connection off, without a word."""
    transport = server.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()


class Handler:
    """Answers the commands of one connection."""

    def __init__(self, kind: Kind, parts: Parts) -> None:
        self._kind = kind
        self._parts = parts
        self.envid: str | None = None
        self.size_bytes = 0
        self.token: str | None = None

    @property
    def faults(self) -> Faults:
        """The switches as this connection feels them now."""
        return faults_for(self._kind, self._parts.board.now)

    @property
    def token_withdrawn(self) -> bool:
        """Whether the token that opened this session is accepted no more."""
        tokens = self.faults.smtp_bearer_tokens
        return self.token is not None and tokens is not None and self.token not in tokens

    def check_password(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        """Judge a PLAIN or LOGIN exchange."""
        account = self._parts.store.find(login.login.decode(errors="replace"))
        good = account is not None and account.accepts_password(login.password.decode(errors="replace"))
        return self._judged(accepted=good)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802 - aiosmtpd's name
        """Judge an XOAUTH2 exchange."""
        blob = args[1].encode() if len(args) > 1 else b""
        if not blob:
            answer = await server.challenge_auth(b"", encode_to_b64=False)
            blob = base64.b64encode(answer) if isinstance(answer, bytes) else b""
        try:
            found = bearer(base64.b64decode(blob, validate=True))
        except binascii.Error:
            found = None
        account = self._parts.store.find(found[0]) if found else None
        tokens = self.faults.smtp_bearer_tokens
        good = bool(found and account and accepts_token(account, found[1], tokens))
        if good and not self.faults.smtp_auth_refused and found:
            self.token = found[1] if tokens is not None else None
        else:
            await server.challenge_auth(
                '{"status":"400","schemes":"bearer","scope":"https://mail.acme.test/"}'
            )
        return self._judged(accepted=good)

    def _judged(self, *, accepted: bool) -> AuthResult:
        if accepted and not self.faults.smtp_auth_refused:
            self._parts.counters[f"logins_{self._kind}"] += 1
            return AuthResult(success=True)
        return AuthResult(
            success=False,
            handled=False,
            message="535 5.7.8 Error: authentication failed: credentials refused",
        )

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Add what this server offers beyond the library's."""
        session.host_name = hostname
        offered = [line for line in responses if self._kind is not Kind.MX or not line[4:].startswith("AUTH")]
        return [*offered[:-1], "250-ENHANCEDSTATUSCODES", "250-DSN", offered[-1]]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse a sender."""
        faults = self.faults
        if faults.smtp_sender_policy:
            return "550 5.7.1 Sender address rejected by policy"
        if faults.smtp_spf:
            return "550 5.7.23 SPF validation failed for the sender's domain"
        if faults.smtp_sending_limit:
            return "550 5.4.5 Daily sending limit exceeded"
        sizes = [option.partition("=")[2] for option in options if option.startswith("SIZE=")]
        self.size_bytes = int(sizes[0]) if sizes else 0
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Accept or refuse a recipient."""
        refusal = self._refusal(envelope.mail_from or "", address, session)
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    def _refusal(self, sender: str, recipient: str, session: Session) -> str | None:
        faults, store = self.faults, self._parts.store
        domain = recipient.rpartition("@")[2]
        if not store.serves_domain(domain) and not session.authenticated:
            return f"554 5.7.1 <{recipient}>: Relay access denied"
        account = store.find(recipient)
        if account is None or faults.smtp_recipient is RecipientFault.UNKNOWN:
            return f"550 5.1.1 <{recipient}>: Recipient address rejected: User unknown"
        if faults.smtp_greylist_seconds > 0:
            first = self._parts.first_tries.setdefault((sender, recipient), time.monotonic())
            if time.monotonic() - first < faults.smtp_greylist_seconds:
                return f"451 4.7.1 <{recipient}>: Recipient address rejected: Greylisted, try again later"
        full = self._parts.board.now.mailbox_full
        if full in (MailboxFull.DEFER, MailboxFull.REJECT) and not account.has_room(max(self.size_bytes, 1)):
            code = "452 4.2.2" if full is MailboxFull.DEFER else "552 5.2.2"
            return f"{code} <{recipient}>: Recipient address rejected: Mailbox is full"
        return None

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the mail over, or fail as the switches say."""
        faults = self.faults
        if faults.smtp_defer:
            return "451 4.3.0 Error: queue file write error"
        ident = queue_id()
        if faults.smtp_silent_after_data is not AfterData.LOST:
            self._accept(ident, session, envelope)
        if faults.smtp_silent_after_data is not None:
            await asyncio.Event().wait()
        if faults.smtp_cut_after_data:
            cut(server)
        return f"250 2.0.0 Ok: queued as {ident}"

    def _accept(self, ident: str, session: Session, envelope: Envelope) -> None:
        office = self._parts.office
        content = envelope.original_content or b""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        self._parts.counters[f"accepted_{self._kind}"] += 1
        peer = session.peer[0] if session.peer else "unknown"
        for recipient in envelope.rcpt_tos:
            relayed, raw = ident, content
            how = "ESMTPS" if session.ssl else "ESMTP"
            source = f"{session.host_name} ([{peer}])"
            if self._kind is not Kind.MX:
                relayed = queue_id()
                raw = (
                    received(
                        source=source,
                        by=SUBMISSION_NAME,
                        how="ESMTPSA",
                        ident=ident,
                        recipient=recipient,
                        at=office.now(),
                    )
                    + raw
                )
                source, how = f"{SUBMISSION_NAME} ([127.0.0.1])", "ESMTP"
            raw = (
                received(
                    source=source, by=MX_NAME, how=how, ident=relayed, recipient=recipient, at=office.now()
                )
                + raw
            )
            office.take(Mail(relayed, raw, sender, recipient, office.now(), envid=self.envid))


class Connection(SMTP):
    """One connection: the library's protocol, with DSN (RFC 3461) and the faults that reach single bytes."""

    def __init__(self, kind: Kind, parts: Parts, context: ssl.SSLContext | None) -> None:
        self._kind = kind
        self.handler = Handler(kind, parts)
        hidden = self.handler.faults.smtp_starttls_missing or kind in (Kind.SUBMISSIONS, Kind.DESK)
        super().__init__(
            self.handler,
            hostname=MX_NAME if kind is Kind.MX else SUBMISSION_NAME,
            ident="ESMTP sandbox",
            data_size_limit=_SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            tls_context=None if hidden else context,
            require_starttls=not hidden and kind is Kind.SUBMISSION,
            auth_required=kind is not Kind.MX,
            authenticator=self.handler.check_password,
            loop=asyncio.get_running_loop(),
        )
        # Set afterwards: the library's constructor warns on standard error of what is meant here.
        self._auth_require_tls = not hidden
        self.command_size_limits["MAIL"] += _ADDRESS_LIMIT_BYTES
        self.command_size_limits["RCPT"] += _ADDRESS_LIMIT_BYTES
        self.command_size_limits["AUTH"] = 16384
        parts.counters[f"connections_{kind}"] += 1

    async def _handle_client(self) -> None:
        if self.handler.faults.smtp_banner_silent:
            await asyncio.Event().wait()
        await super()._handle_client()

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        """MAIL, whose RET and ENVID are kept for bounces."""
        if self.handler.token_withdrawn:
            await self.push("421 4.7.0 Token expired, closing connection")
            if self.transport is not None:
                self.transport.close()
            return
        arg, options = _without_dsn(arg, ("RET", "ENVID"))
        self.handler.envid = options.get("ENVID")
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        """RCPT, whose NOTIFY and ORCPT are understood."""
        arg, _ = _without_dsn(arg, ("NOTIFY", "ORCPT"))
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """DATA, which can be cut after its first line."""
        if not self.handler.faults.smtp_cut_in_data or not (self.envelope and self.envelope.rcpt_tos):
            await super().smtp_DATA(arg)
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        await self._reader.readline()
        cut(self)


def _without_dsn(arg: str | None, names: tuple[str, ...]) -> tuple[str | None, dict[str, str]]:
    if arg is None:
        return None, {}
    found: dict[str, str] = {}
    kept: list[str] = []
    for word in arg.split(" "):
        name, _, value = word.partition("=")
        if name.upper() in names:
            found[name.upper()] = value
        else:
            kept.append(word)
    return " ".join(kept), found


def factory(
    kind: Kind, parts: Parts, context: Callable[[], ssl.SSLContext]
) -> Callable[[], asyncio.Protocol]:
    """Return what makes the protocol of each new connection, with the certificate of that moment."""

    def connect() -> asyncio.Protocol:
        return Connection(kind, parts, context())

    return connect
