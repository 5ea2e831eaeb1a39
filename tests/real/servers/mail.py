"""Postfix and Dovecot together: the target's mail platform, and the customer's, on loopback."""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.real.servers.certificates import Certificates
from tests.real.servers.dovecot import Dovecot, Mailbox, running_dovecot
from tests.real.servers.dovecot_configuration import OAuth
from tests.real.servers.policy import Rules
from tests.real.servers.postfix import Postfix, running_postfix

DOMAIN = "acme.test"
SUPPORT = "support@acme.test"
AGENT = "agent@acme.test"
CANARY = "canary@probe.test"
CANARY_2 = "canary2@probe.test"
# Postfix takes mail for it, no mailbox has it: 250, then a bounce within a second.
GHOST = "ghost@acme.test"
SUPPORT_STORAGE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Mail:
    """The two servers, their accounts and one verb: `send`, as a customer."""

    postfix: Postfix
    dovecot: Dovecot

    @property
    def rules(self) -> Rules:
        """What Postfix's policy answers for the target's domain."""
        return self.postfix.rules

    @property
    def ca_file(self) -> Path:
        """The authority that clients must trust."""
        return self.dovecot.ca_file

    def account(self, address: str) -> Mailbox:
        """Address, password and limits as they are now."""
        return self.dovecot.mailboxes[address]

    def send(self, raw: bytes, *, sender: str = CANARY, recipient: str = SUPPORT) -> None:
        """Submit a message with the sender's login, as a mail program would.

        Raises:
            smtplib.SMTPException: what the server answered.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        with smtplib.SMTP("localhost", self.postfix.submission_port, "localhost", timeout=20) as client:
            client.starttls(context=context)
            client.login(sender, self.account(sender).password)
            client.sendmail(sender, [recipient], raw)

    def reset(self) -> None:
        """Undo what a test did: rules, limits, queue and mail. Connections of clients stay."""
        fresh = Rules(domain=DOMAIN)
        for name in Rules.__slots__:
            setattr(self.rules, name, getattr(fresh, name))
        self.postfix.thaw()
        for address, mailbox in self.dovecot.mailboxes.items():
            limit = SUPPORT_STORAGE_BYTES if address == SUPPORT else None
            if (mailbox.storage_bytes, mailbox.messages) != (limit, None):
                self.dovecot.set_quota(address, storage_bytes=limit)
            self.dovecot.empty(address)
        # What waits is delivered first and removed then: a mail dropped from the queue may be on its way.
        self.postfix.release()
        self.postfix.drain()
        for address in self.dovecot.mailboxes:
            self.dovecot.empty(address, is_all=True)


@contextlib.contextmanager
def running_mail(certificates: Certificates, *, oauth: OAuth | None = None) -> Iterator[Mail]:
    """Start both, with support@ (8 MiB), agent@, and two customers at another domain."""
    mailboxes = [Mailbox(SUPPORT, storage_bytes=SUPPORT_STORAGE_BYTES), Mailbox(AGENT)]
    mailboxes += [Mailbox(CANARY), Mailbox(CANARY_2)]
    with (
        running_dovecot(certificates, mailboxes, oauth=oauth) as dovecot,
        running_postfix(dovecot, domains=[DOMAIN, "probe.test"], unroutable=[GHOST]) as postfix,
    ):
        yield Mail(postfix, dovecot)
