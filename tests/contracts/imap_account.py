"""What every conformance test needs: the server's Protocol, mails, and connections to its account."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Protocol

from imapclient import IMAPClient

TIMEOUT_SECONDS = 5.0
WAKE_SECONDS = 5.0


class ImapServer(Protocol):
    """A running server with one account, under test."""

    host: str
    port: int
    imaps_port: int
    username: str
    password: str
    ca_file: str
    quota_bytes: int

    def deliver(self, raw: bytes) -> None:
        """Put a mail into the account's INBOX, past the protocol."""
        ...


def mail(subject: str = "hello", *, body: str = "a body\n", sender: str = "customer@probe.test") -> bytes:
    message = EmailMessage()
    message["From"] = f"A Customer <{sender}>"
    message["To"] = "support@acme.test"
    message["Subject"] = subject
    message["Date"] = "Wed, 25 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = f"<{abs(hash(subject))}@probe.test>"
    message["X-Canary"] = "token abc"
    message.set_content(body)
    return message.as_bytes().replace(b"\n", b"\r\n")


def mail_with_attachment() -> bytes:
    message = EmailMessage()
    message["From"] = "customer@probe.test"
    message["To"] = "support@acme.test"
    message["Subject"] = "with attachment"
    message.set_content("plain part\n")
    message.add_alternative("<p>html part</p>\n", subtype="html")
    message.add_attachment(b"\x00\x01\x02", maintype="application", subtype="pdf", filename="a.pdf")
    return message.as_bytes().replace(b"\n", b"\r\n")


def trust(server: ImapServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca_file)


@contextmanager
def connected(server: ImapServer) -> Iterator[IMAPClient]:
    with IMAPClient(server.host, server.port, ssl=False, timeout=TIMEOUT_SECONDS) as client:
        client.normalise_times = False
        client.starttls(trust(server))
        yield client


@contextmanager
def logged_in(server: ImapServer) -> Iterator[IMAPClient]:
    with connected(server) as client:
        client.login(server.username, server.password)
        yield client


@contextmanager
def selected(server: ImapServer, *, readonly: bool = False) -> Iterator[IMAPClient]:
    with logged_in(server) as client:
        client.select_folder("INBOX", readonly=readonly)
        yield client


def names_exists(events: list[tuple[object, ...]], number: int) -> bool:
    return any(event[0] == number and event[1] == b"EXISTS" for event in events)
