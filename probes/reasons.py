"""One table from what went wrong, as a library raised it, to a reason; a protocol's code before an exception's type.

What can reach a hop from the outside::

    OSError ── ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError ── SSLCertVerificationError
    aiosmtplib.SMTPException ── SMTPResponseException (a code) · SMTPConnectError, SMTPTimeoutError, … (none)
    dns.exception.DNSException      httpx.HTTPError      imaplib.IMAP4.error (IMAPClient's errors are its kin)
    probes: Blind, SecretUnavailable, Failure (a reason that the code itself found)
"""

import errno
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

import aiosmtplib
import dns.exception
import dns.resolver
import httpx
import imapclient.exceptions

from canary.observation import Fact
from canary.reason import CAUSES, Reason
from probes.contracts import Blind, Uncounted
from probes.masking import MASK
from probes.servers import SecretUnavailable
from probes.smtp_replies import SmtpReply, reason_of_reply

NO_FACTS: Final[Mapping[str, Fact]] = MappingProxyType({})
_E = TypeVar("_E", bound=BaseException)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a hop went wrong.

    Attributes:
        detail: for people; not yet masked.
        facts: attributes of the span to come.
        is_answer: the remote side said so itself (a code), so nothing of it is in doubt.
        is_transient: another try may help.
    """

    reason: Reason
    detail: str
    facts: Mapping[str, Fact] = field(default_factory=lambda: NO_FACTS)
    is_answer: bool = False
    is_transient: bool = True


class Failure(Exception):
    """A hop failed for a reason that our own code found; `explain` returns its fault."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        facts: Mapping[str, Fact] = NO_FACTS,
        is_answer: bool = False,
    ) -> None:
        super().__init__(detail)
        self.fault = Fault(
            reason, detail, facts, is_answer=is_answer, is_transient=not CAUSES[reason].is_final
        )

    @classmethod
    def of(cls, fault: Fault) -> "Failure":
        """The failure of a fault that is known already."""
        failure = cls(fault.reason, fault.detail)
        failure.fault = fault
        return failure


MAPPED: Final[tuple[type[Exception], ...]] = (
    Failure,
    Blind,
    SecretUnavailable,
    OSError,
    EOFError,
    aiosmtplib.SMTPException,
    dns.exception.DNSException,
    httpx.HTTPError,
    imaplib.IMAP4.error,
)
"""What a hop catches. Everything else is a bug and propagates as itself."""


def explain(error: BaseException, *, limit_reason: Reason = Reason.ANSWER_TIMEOUT) -> Fault | None:
    """The fault behind an exception, or None: not of the outside world, so a bug.

    Args:
        error: what was raised.
        limit_reason: what a plain `TimeoutError` (our own limit) means where it was raised.
    """
    if type(error) is TimeoutError and error.errno is None and not isinstance(error.__cause__, OSError):
        return _fault(limit_reason, "no answer within the limit")
    for kind, row in _ROWS:
        if isinstance(error, kind):
            return row(error)
    return None


def _fault(reason: Reason, detail: str, facts: Mapping[str, Fact] = NO_FACTS) -> Fault:
    return Fault(reason, detail, facts, is_transient=not CAUSES[reason].is_final)


def _failure(error: Failure) -> Fault:
    return error.fault


def answered(error: Exception) -> tuple[int | None, int | None]:
    """Of a look that could not read the HTTP status of the kind that it is, and the one that came; None: there was none."""
    return (error.status, error.answered) if isinstance(error, Blind) else (None, None)


def _blind(error: Blind) -> Fault:
    if isinstance(error, Uncounted):
        return _fault(Reason.STORE_UNAVAILABLE, str(error))
    match error.status:
        case 401 | 403:
            return _fault(Reason.CREDENTIALS_REJECTED, str(error))
        case 429:
            return _fault(Reason.RATE_LIMITED, str(error))
        case _:
            return _fault(Reason.TICKET_API_UNREADABLE, str(error))


def smtp_fault(reply: SmtpReply) -> Fault:
    """The fault behind an SMTP answer that is not a success."""
    facts: dict[str, Fact] = {"intake.smtp.code": reply.code}
    if reply.enhanced_code:
        facts["intake.smtp.enhanced_code"] = reply.enhanced_code
    return Fault(
        reason_of_reply(reply),
        f"{reply.code} {reply.text}",
        facts,
        is_answer=reply.is_refusal,
        is_transient=reply.is_transient,
    )


def _smtp_response(error: aiosmtplib.SMTPResponseException) -> Fault:
    reply = SmtpReply(
        error.code,
        error.message,
        is_login=isinstance(error, aiosmtplib.SMTPAuthenticationError),
        is_sender=isinstance(error, aiosmtplib.SMTPSenderRefused),
    )
    return smtp_fault(reply)


def _smtp_recipients(error: aiosmtplib.SMTPRecipientsRefused) -> Fault:
    if not error.recipients:
        return _fault(Reason.REJECTED, "every recipient was refused")
    return _smtp_response(error.recipients[0])


def _by_cause(fallback: Reason) -> Callable[[BaseException], Fault]:
    """The fault of what caused the exception; else the fallback."""

    def row(error: BaseException) -> Fault:
        cause = error.__cause__ or error.__context__
        fault = explain(cause) if cause is not None and not isinstance(cause, TimeoutError) else None
        return fault or _fault(fallback, str(error) or type(error).__name__)

    return row


def _always(reason: Reason) -> Callable[[BaseException], Fault]:
    return lambda error: _fault(reason, str(error) or type(error).__name__)


def _smtp_plain(error: aiosmtplib.SMTPException) -> Fault:
    """The library says only by text that STARTTLS is not offered (aiosmtplib 5.1)."""
    missing = "STARTTLS" in str(error)
    return _fault(Reason.TLS_UNAVAILABLE if missing else Reason.PROTOCOL_ERROR, str(error))


_EXPIRED = 10
_NAME_MISMATCHES = frozenset({62, 64})


def _certificate(error: ssl.SSLCertVerificationError) -> Fault:
    """By OpenSSL's verification codes (x509_vfy.h): expired 10, host name 62, IP address 64."""
    if error.verify_code == _EXPIRED:
        return _fault(Reason.CERTIFICATE_EXPIRED, "the server's certificate has expired")
    if error.verify_code in _NAME_MISMATCHES:
        return _fault(Reason.CERTIFICATE_WRONG_NAME, error.verify_message)
    return _fault(
        Reason.CERTIFICATE_INVALID, f"the server's certificate is not valid: {error.verify_message}"
    )


def _tls(error: ssl.SSLError) -> Fault:
    return _fault(Reason.TLS_FAILED, f"the TLS handshake failed: {getattr(error, 'reason', None) or error}")


def _name_lookup(error: socket.gaierror) -> Fault:
    absent = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME), socket.EAI_FAIL}
    reason = Reason.DNS_NO_RECORD if error.errno in absent else Reason.DNS_UNANSWERED
    return _fault(reason, error.strerror or str(error))


_NUMBERS = re.compile(r"\[Errno (\d+)\]")
_ERRNO: Final[Mapping[int, Reason]] = MappingProxyType(
    {
        errno.ECONNREFUSED: Reason.REFUSED,
        errno.ETIMEDOUT: Reason.CONNECT_TIMEOUT,
        errno.ENETUNREACH: Reason.NO_ROUTE,
        errno.EHOSTUNREACH: Reason.NO_ROUTE,
        errno.ENETDOWN: Reason.NO_ROUTE,
        errno.EHOSTDOWN: Reason.NO_ROUTE,
        errno.EADDRNOTAVAIL: Reason.NO_ROUTE,
        errno.EAFNOSUPPORT: Reason.NO_ROUTE,
        errno.EACCES: Reason.NO_ROUTE,
        errno.EPERM: Reason.NO_ROUTE,
        errno.ECONNRESET: Reason.CONNECTION_LOST,
        errno.ECONNABORTED: Reason.CONNECTION_LOST,
        errno.EPIPE: Reason.CONNECTION_LOST,
        errno.ENOTCONN: Reason.CONNECTION_LOST,
        errno.EMFILE: Reason.NETWORK_UNAVAILABLE,
        errno.ENFILE: Reason.NETWORK_UNAVAILABLE,
        errno.ENOBUFS: Reason.NETWORK_UNAVAILABLE,
        errno.ENOSPC: Reason.STORE_UNAVAILABLE,
        errno.EDQUOT: Reason.STORE_UNAVAILABLE,
        errno.EROFS: Reason.STORE_UNAVAILABLE,
    }
)


def _system(error: OSError) -> Fault | None:
    """By the system's error number.

    Where each address of a host failed, asyncio raises one error without a number, whose text has those of all;
    then a refusal counts before silence, and both before an address that can't be reached from here at all.
    """
    numbers = [error.errno] if error.errno is not None else list(map(int, _NUMBERS.findall(str(error))))
    known = [
        one for one in (errno.ECONNREFUSED, errno.ETIMEDOUT, *numbers) if one in numbers and one in _ERRNO
    ]
    if known:
        return _fault(_ERRNO[known[0]], error.strerror or str(error))
    if isinstance(error, ConnectionError):
        return _fault(Reason.CONNECTION_LOST, str(error) or "the connection was lost")
    if isinstance(error, TimeoutError):
        return _fault(Reason.ANSWER_TIMEOUT, str(error) or "no answer within the limit")
    return None


def _http_status(error: httpx.HTTPStatusError) -> Fault:
    code = error.response.status_code
    facts: dict[str, Fact] = {"http.response.status_code": code}
    reasons = {401: Reason.CREDENTIALS_REJECTED, 403: Reason.CREDENTIALS_REJECTED, 429: Reason.RATE_LIMITED}
    server_error = code >= httpx.codes.INTERNAL_SERVER_ERROR
    reason = reasons.get(code, Reason.SERVER_ERROR if server_error else Reason.REJECTED)
    return Fault(
        reason,
        f"HTTP {code} {error.response.reason_phrase}".strip(),
        facts,
        is_answer=True,
        is_transient=not CAUSES[reason].is_final,
    )


def _http_protocol(error: httpx.RemoteProtocolError) -> Fault:
    """The library says only by text that the server closed without an answer, or in the middle of it (httpx 0.28)."""
    lost = any(words in str(error) for words in ("disconnected", "peer closed connection"))
    return _fault(Reason.CONNECTION_LOST if lost else Reason.PROTOCOL_ERROR, str(error))


def _http_connect(error: httpx.ConnectError) -> Fault:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return explain(cause) or _fault(Reason.REFUSED, str(error))
        cause = cause.__cause__ or cause.__context__
    return _fault(Reason.REFUSED, str(error))


def _nameservers(error: dns.resolver.NoNameservers) -> Fault:
    return _fault(Reason.DNS_UNANSWERED, f"no name server gave an answer: {error}")


def _secret(error: SecretUnavailable) -> Fault:
    return _fault(Reason.CREDENTIALS_REJECTED, f"our own credential can't be had ({MASK}): {error}")


def _row(
    kind: type[_E], row: Callable[[_E], Fault | None]
) -> tuple[type[BaseException], Callable[..., Fault | None]]:
    return kind, row


_ROWS: Final[tuple[tuple[type[BaseException], Callable[..., Fault | None]], ...]] = (
    # what our own code found
    _row(Failure, _failure),
    _row(Blind, _blind),
    _row(SecretUnavailable, _secret),
    # a protocol's code
    _row(aiosmtplib.SMTPResponseException, _smtp_response),
    _row(aiosmtplib.SMTPRecipientsRefused, _smtp_recipients),
    _row(httpx.HTTPStatusError, _http_status),
    _row(imapclient.exceptions.LoginError, _always(Reason.CREDENTIALS_REJECTED)),
    # libraries' types, the most special first
    _row(aiosmtplib.SMTPConnectTimeoutError, _always(Reason.CONNECT_TIMEOUT)),
    _row(aiosmtplib.SMTPTimeoutError, _always(Reason.ANSWER_TIMEOUT)),
    _row(aiosmtplib.SMTPConnectError, _by_cause(Reason.CONNECTION_LOST)),
    _row(aiosmtplib.SMTPServerDisconnected, _always(Reason.CONNECTION_LOST)),
    _row(aiosmtplib.SMTPException, _smtp_plain),
    _row(dns.resolver.NXDOMAIN, _always(Reason.DNS_NO_RECORD)),
    _row(dns.resolver.NoAnswer, _always(Reason.DNS_NO_RECORD)),
    _row(dns.resolver.NoNameservers, _nameservers),
    _row(dns.exception.DNSException, _always(Reason.DNS_UNANSWERED)),
    _row(httpx.ConnectTimeout, _always(Reason.CONNECT_TIMEOUT)),
    _row(httpx.TimeoutException, _always(Reason.ANSWER_TIMEOUT)),
    _row(httpx.RemoteProtocolError, _http_protocol),
    _row(httpx.ConnectError, _http_connect),
    _row(httpx.NetworkError, _always(Reason.CONNECTION_LOST)),
    _row(httpx.HTTPError, _always(Reason.PROTOCOL_ERROR)),
    _row(imaplib.IMAP4.abort, _always(Reason.CONNECTION_LOST)),
    _row(imaplib.IMAP4.error, _always(Reason.MAILBOX_UNREADABLE)),
    # the system's
    _row(ssl.SSLCertVerificationError, _certificate),
    _row(ssl.SSLError, _tls),
    _row(socket.gaierror, _name_lookup),
    _row(OSError, _system),
    _row(EOFError, _always(Reason.CONNECTION_LOST)),
)
