"""The reason table, row by row; what can be provoked on a socket is in the real tier as well."""

import errno
import imaplib
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import aiosmtplib
import dns.exception
import dns.message
import dns.resolver
import httpx
import imapclient.exceptions
import pytest

from canary.reason import CAUSES, Reason
from probes.contracts import Blind
from probes.reasons import MAPPED, Failure, explain
from probes.servers import SecretUnavailable
from probes.tls import CertificateFileUnusable, client_context


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


def status(code: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "https://desk.example/")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(code, request=request))


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def of_dns(kind: Callable[..., Exception], **details: object) -> Exception:
    return kind(**details)


QUERY = dns.message.make_query("acme.test.", "MX")

ROWS = [
    ("failure", Failure(Reason.DNS_NULL_MX, "null"), Reason.DNS_NULL_MX),
    ("blind 401", Blind("no", status=401), Reason.CREDENTIALS_REJECTED),
    ("blind 429", Blind("slow down", status=429), Reason.RATE_LIMITED),
    ("blind 500", Blind("down", status=500), Reason.TICKET_API_UNREADABLE),
    ("blind garbled", Blind("not JSON"), Reason.TICKET_API_UNREADABLE),
    ("secret", SecretUnavailable("env X is not set"), Reason.CREDENTIALS_REJECTED),
    ("smtp code in a connect error", aiosmtplib.SMTPConnectResponseError(421, "4.3.2 busy"), Reason.DEFERRED),
    ("smtp auth", aiosmtplib.SMTPAuthenticationError(535, "5.7.8 no"), Reason.CREDENTIALS_REJECTED),
    ("smtp sender", aiosmtplib.SMTPSenderRefused(550, "no", "a@b"), Reason.SENDER_REFUSED),
    (
        "smtp recipients",
        aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "5.1.1 no", "a@b")]),
        Reason.RECIPIENT_UNKNOWN,
    ),
    ("smtp connect timeout", aiosmtplib.SMTPConnectTimeoutError("t"), Reason.CONNECT_TIMEOUT),
    ("smtp read timeout", aiosmtplib.SMTPReadTimeoutError("t"), Reason.ANSWER_TIMEOUT),
    (
        "smtp connect, refused",
        caused(aiosmtplib.SMTPConnectError("c"), system(errno.ECONNREFUSED)),
        Reason.REFUSED,
    ),
    (
        "smtp connect, tls",
        caused(aiosmtplib.SMTPConnectError("c"), ssl.SSLError(1, "wrong version")),
        Reason.TLS_FAILED,
    ),
    ("smtp connect, closed", aiosmtplib.SMTPConnectError("closed"), Reason.CONNECTION_LOST),
    ("smtp disconnected", aiosmtplib.SMTPServerDisconnected("x"), Reason.CONNECTION_LOST),
    (
        "smtp starttls",
        aiosmtplib.SMTPException("SMTP STARTTLS extension not supported"),
        Reason.TLS_UNAVAILABLE,
    ),
    ("smtp other", aiosmtplib.SMTPException("odd"), Reason.PROTOCOL_ERROR),
    ("dns nxdomain", of_dns(dns.resolver.NXDOMAIN), Reason.DNS_NO_RECORD),
    ("dns no answer", of_dns(dns.resolver.NoAnswer, response=QUERY), Reason.DNS_NO_RECORD),
    ("dns servfail", of_dns(dns.resolver.NoNameservers), Reason.DNS_UNANSWERED),
    ("dns timeout", of_dns(dns.exception.Timeout), Reason.DNS_UNANSWERED),
    ("http 403", status(403), Reason.CREDENTIALS_REJECTED),
    ("http 429", status(429), Reason.RATE_LIMITED),
    ("http 404", status(404), Reason.REJECTED),
    ("http 503", status(503), Reason.SERVER_ERROR),
    ("http connect timeout", httpx.ConnectTimeout("t"), Reason.CONNECT_TIMEOUT),
    ("http read timeout", httpx.ReadTimeout("t"), Reason.ANSWER_TIMEOUT),
    ("http refused", caused(httpx.ConnectError("c"), system(errno.ECONNREFUSED)), Reason.REFUSED),
    ("http no route", caused(httpx.ConnectError("c"), system(errno.EHOSTUNREACH)), Reason.NO_ROUTE),
    ("http closed", httpx.RemoteProtocolError("Server disconnected without"), Reason.CONNECTION_LOST),
    (
        "http cut",
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        Reason.CONNECTION_LOST,
    ),
    ("http garbled", httpx.RemoteProtocolError("illegal status line"), Reason.PROTOCOL_ERROR),
    ("http broken", httpx.ReadError("reset"), Reason.CONNECTION_LOST),
    ("imap login", imapclient.exceptions.LoginError("no"), Reason.CREDENTIALS_REJECTED),
    ("imap abort", imaplib.IMAP4.abort("EOF"), Reason.CONNECTION_LOST),
    ("imap no", imapclient.exceptions.IMAPClientError("NO"), Reason.MAILBOX_UNREADABLE),
    ("refused", system(errno.ECONNREFUSED), Reason.REFUSED),
    ("no route", system(errno.ENETUNREACH), Reason.NO_ROUTE),
    ("host unreachable", system(errno.EHOSTUNREACH), Reason.NO_ROUTE),
    ("system timeout", system(errno.ETIMEDOUT), Reason.CONNECT_TIMEOUT),
    ("reset", system(errno.ECONNRESET), Reason.CONNECTION_LOST),
    ("disk full", system(errno.ENOSPC), Reason.STORE_UNAVAILABLE),
    ("no file descriptors", system(errno.EMFILE), Reason.NETWORK_UNAVAILABLE),
    ("name", socket.gaierror(socket.EAI_NONAME, "unknown"), Reason.DNS_NO_RECORD),
    ("name, later", socket.gaierror(socket.EAI_AGAIN, "later"), Reason.DNS_UNANSWERED),
    ("our limit", TimeoutError(), Reason.ANSWER_TIMEOUT),
    ("end of file", EOFError("eof"), Reason.CONNECTION_LOST),
    ("tls", ssl.SSLError(1, "handshake failure"), Reason.TLS_FAILED),
]


@pytest.mark.parametrize(("error", "reason"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_exception__of_the_table__is_caught_and_has_its_reason(error: Exception, reason: Reason) -> None:
    fault = explain(error)

    assert isinstance(error, MAPPED)
    assert fault is not None
    assert fault.reason is reason
    assert fault.detail


def test_our_own_limit__means_what_it_means_where_it_ran_out() -> None:
    fault = explain(TimeoutError(), limit_reason=Reason.DNS_UNANSWERED)

    assert fault is not None
    assert fault.reason is Reason.DNS_UNANSWERED


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), FileNotFoundError(2, "none", "a.pem")])
def test_bug_or_file_of_ours__is_not_in_the_table(error: Exception) -> None:
    assert explain(error) is None


@pytest.mark.parametrize("code", [450, 552])
def test_deferral__is_transient_and_a_refusal_is_not(code: int) -> None:
    fault = explain(aiosmtplib.SMTPDataError(code, "no"))

    assert fault is not None
    assert (fault.is_transient, fault.is_answer) == (code < 500, True)


def test_every_final_reason__found_by_our_own_code__is_not_tried_again() -> None:
    for reason, cause in CAUSES.items():
        assert Failure(reason, "x").fault.is_transient is not cause.is_final


def test_missing_file_of_authorities__is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(CertificateFileUnusable, match=r"none\.pem: No such file"):
        client_context([str(tmp_path / "none.pem")])


def test_file_without_a_certificate__is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("hello")

    with pytest.raises(CertificateFileUnusable, match=r"empty\.pem: no whole PEM certificate"):
        client_context([str(tmp_path / "empty.pem")])
