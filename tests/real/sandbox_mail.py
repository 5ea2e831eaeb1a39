"""Sending to the sandbox in the plainest way, phase by phase, so that a test sees each answer."""

import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from imapclient import IMAPClient

from tests.sandbox import Sandbox

TIMEOUT_SECONDS = 2.0


def context(sandbox: Sandbox) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=sandbox.endpoints.ca_file)


@contextmanager
def mx(sandbox: Sandbox, *, starttls: bool = False) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP(local_hostname="client.probe.test", timeout=TIMEOUT_SECONDS)
    try:
        client.connect("127.0.0.1", sandbox.endpoints.mx_port)
        client._host = "localhost"  # type: ignore[attr-defined] # the name that STARTTLS verifies
        if starttls:
            client.starttls(context=context(sandbox))
        client.ehlo()
        yield client
    finally:
        client.close()


@contextmanager
def submission(sandbox: Sandbox, *, login: bool = True) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP(local_hostname="client.probe.test", timeout=TIMEOUT_SECONDS)
    try:
        client.connect("127.0.0.1", sandbox.endpoints.submission_port)
        client._host = "localhost"  # type: ignore[attr-defined] # the name that STARTTLS verifies
        client.starttls(context=context(sandbox))
        client.ehlo()
        if login:
            client.login(sandbox.canary.address, sandbox.canary.password)
        yield client
    finally:
        client.close()


@contextmanager
def inbox(sandbox: Sandbox, role: str = "canary", folder: str = "INBOX") -> Iterator[IMAPClient]:
    account = sandbox.endpoints.account(role)
    ends = sandbox.endpoints
    with IMAPClient(
        ends.host, ends.imaps_port, ssl_context=context(sandbox), timeout=TIMEOUT_SECONDS
    ) as client:
        client.login(account.address, account.password)
        client.select_folder(folder)
        yield client


def mail(
    sandbox: Sandbox, subject: str = "help", *, body: str = "A body.\n", attachment: bool = False
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"A Customer <{sandbox.canary.address}>"
    message["To"] = sandbox.support.address
    message["Subject"] = subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@probe.test>"
    message.set_content(body)
    if attachment:
        message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="a.csv")
    return message


def send(sandbox: Sandbox, message: EmailMessage) -> None:
    """Submit a mail as a customer does."""
    with submission(sandbox) as client:
        client.send_message(message)


def mails(sandbox: Sandbox, role: str = "support", folder: str = "INBOX") -> list[bytes]:
    """All mails of a folder, as they are stored."""
    with inbox(sandbox, role, folder) as client:
        found = client.search("ALL")
        return [client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"] for uid in found]


def wait_for_mails(
    sandbox: Sandbox, number: int = 1, *, role: str = "support", folder: str = "INBOX", seconds: float = 5.0
) -> list[bytes]:
    """Wait until a folder has that many mails."""
    address = sandbox.endpoints.account(role).address

    def there(state: dict[str, dict[str, dict[str, dict[str, dict[str, int]]]]]) -> bool:
        return state["mailboxes"][address]["folders"][folder]["messages"] >= number

    sandbox.until(there, seconds=seconds)
    return mails(sandbox, role, folder)


def took_seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
