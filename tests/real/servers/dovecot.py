"""Dovecot as a child: IMAP and IMAPS, LMTP, quota-status and SASL, with mailboxes whose quota can be set."""

import contextlib
import itertools
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from tests.real.servers.certificates import Certificates, Pair
from tests.real.servers.dovecot_configuration import OAuth, Ports, configuration, oauth_configuration
from tests.real.servers.maildir import Stored, read_maildir
from tests.real.servers.needed import DOVECOT
from tests.real.servers.process import (
    Account,
    Child,
    hand_over,
    run_as,
    server_directory,
    unprivileged_account,
    wait_for_greeting,
    wait_until,
)

KIB = 1024
_FILLER = "X-Intake-Filler"
_PIECE_BYTES = 512 * KIB


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An account of the server. None as a limit is none at all."""

    address: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    storage_bytes: int | None = None
    messages: int | None = None


class Dovecot:
    """A running server. Its verbs are for tests: they act on mailboxes directly, past the protocols."""

    host = "localhost"

    def __init__(
        self, directory: Path, account: Account, certificates: Certificates, *, oauth: OAuth | None = None
    ) -> None:
        self.directory = directory
        self.account = account
        self.certificates = certificates
        self.oauth = oauth
        self.ports = Ports()
        self.mailboxes: dict[str, Mailbox] = {}
        self.child: Child | None = None
        self._stamp = itertools.count(1)
        self._pair = certificates.valid

    @property
    def port(self) -> int:
        """IMAP without TLS; STARTTLS is offered."""
        return self.ports.imap

    @property
    def imaps_port(self) -> int:
        """IMAP with TLS from the first byte."""
        return self.ports.imaps

    @property
    def ca_file(self) -> Path:
        """The authority that clients must trust."""
        return self.certificates.ca_path

    def start(self) -> Self:
        """Start it; ready when it greets."""
        self._write_configuration()
        self.child = Child(
            ["/usr/sbin/dovecot", "-F", "-c", str(self._configuration)],
            log_path=self.directory / "stdout.log",
            account=self.account,
        )
        self.child.log_path = self.directory / "dovecot.log"
        wait_for_greeting(self.ports.imap, b"* OK", child=self.child)
        return self

    def stop(self) -> None:
        """Stop it: connections end, ports refuse. Mailboxes stay; `start` brings it back. Repeatable."""
        if self.child is not None:
            self.child.stop()

    def present(self, pair: Pair) -> None:
        """Show another certificate (restarts the server: 1.2 s)."""
        self.stop()
        self._pair = pair
        self.start()

    def add(self, mailbox: Mailbox) -> Mailbox:
        """Create an account; logins see it at once."""
        self.mailboxes[mailbox.address] = mailbox
        self._write_users()
        return mailbox

    def set_password(self, address: str, password: str) -> None:
        """Change an account's password; connections that are open stay."""
        self.mailboxes[address] = replace(self.mailboxes[address], password=password)
        self._write_users()

    def set_quota(
        self, address: str, *, storage_bytes: int | None = None, messages: int | None = None
    ) -> None:
        """Set the limits (None: none); returns when a new login sees them.

        Storage is counted in KiB (RFC 9208 §5.1). A connection that is open keeps showing the old limit.
        """
        self.mailboxes[address] = replace(
            self.mailboxes[address], storage_bytes=storage_bytes, messages=messages
        )
        self._write_users()
        expected = {
            name: limit
            for name, limit in (("STORAGE", storage_bytes and storage_bytes // KIB), ("MESSAGE", messages))
            if limit is not None
        }

        def is_seen() -> bool:
            return {name: limit for name, (_, limit) in self.quota(address).items()} == expected

        wait_until(is_seen, what=f"limits {expected} of {address}", limit_seconds=10, child=self.child)

    def quota(self, address: str) -> dict[str, tuple[int, int]]:
        """Use and limit by resource (``STORAGE`` in KiB, ``MESSAGE``), as Dovecot counts them now."""
        answer = self._doveadm("-f", "tab", "quota", "get", "-u", address).decode().splitlines()
        rows = [line.split("\t") for line in answer[1:]]
        return {row[1]: (int(row[2]), int(row[3])) for row in rows if row[3].isdigit()}

    def save(self, address: str, raw: bytes, *, folder: str = "INBOX", is_beyond_quota: bool = False) -> None:
        """Put a message into a folder, made if need be.

        Raises:
            CommandError: the quota forbids it.
        """
        options = ["-o", "plugin/quota="] if is_beyond_quota else []
        self._doveadm("mailbox", "create", "-u", address, folder, accept=(0, 65, 68))
        self._doveadm(*options, "save", "-u", address, "-m", folder, standard_input=raw)

    def fill(self, address: str, *, share: float = 1.0) -> int:
        """Fill the storage limit to the share with read messages, which `empty` removes; gives the bytes added.

        A share of 1 leaves no room at all: a bit more than the limit is stored, past the quota's check.
        """
        used, limit = self.quota(address)["STORAGE"]
        missing = int(limit * KIB * share) - used * KIB + (2 * KIB if share >= 1 else 0)
        added = 0
        while missing - added >= KIB:
            size = min(_PIECE_BYTES, missing - added)
            self.save(address, _filler(size), is_beyond_quota=True)
            added += size
        self._doveadm("flags", "add", "-u", address, r"\Seen", "mailbox", "INBOX", "header", _FILLER, "yes")
        return added

    def empty(self, address: str, *, is_all: bool = False) -> None:
        """Remove the filling, or all messages of all folders."""
        query = ["mailbox", "*", "all"] if is_all else ["mailbox", "*", "header", _FILLER, "yes"]
        self._doveadm("expunge", "-u", address, *query)

    def expunge(self, address: str, *query: str) -> None:
        """Remove messages by doveadm's search query, such as ``mailbox INBOX subject word``."""
        self._doveadm("expunge", "-u", address, *query)

    def move(self, address: str, destination: str, *query: str) -> None:
        """Move messages by doveadm's search query to a folder, as a filter or an agent would."""
        self._doveadm("mailbox", "create", "-u", address, destination, accept=(0, 65, 68))
        self._doveadm("move", "-u", address, destination, *query)

    def messages(self, address: str, folder: str = "INBOX") -> list[Stored]:
        """All messages of a folder, oldest first; read from the disk: no connection, no flag changed."""
        return read_maildir(self._home(address) / "Maildir", folder)

    def kick(self, address: str) -> None:
        """End the user's connections with BYE, as an administrator or a restart would."""
        self._doveadm("kick", address, accept=(0, 68))

    def connections(self, address: str) -> int:
        """How many IMAP connections the user has open now."""
        answer = self._doveadm("-f", "tab", "who", "-1", address, accept=(0, 68)).decode().splitlines()
        return sum(1 for line in answer[1:] if line.startswith(f"{address}\t"))

    def log(self) -> str:
        """What the server logged."""
        path = self.directory / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def _configuration(self) -> Path:
        return self.directory / "dovecot.conf"

    def _doveadm(self, *words: str, standard_input: bytes = b"", accept: tuple[int, ...] = (0,)) -> bytes:
        return run_as(
            self.account,
            ["doveadm", "-c", str(self._configuration), *words],
            standard_input=standard_input,
            accept=accept,
        )

    def _home(self, address: str) -> Path:
        return self.directory / "mail" / address

    def _write_users(self) -> None:
        lines = []
        for mailbox in self.mailboxes.values():
            rules = []
            if mailbox.storage_bytes is not None:
                rules.append(f"storage={mailbox.storage_bytes // KIB}K")
            if mailbox.messages is not None:
                rules.append(f"messages={mailbox.messages}")
            extra = f"userdb_quota_rule=*:{':'.join(rules)}" if rules else ""
            who = f"{self.account.uid}:{self.account.gid}::{self._home(mailbox.address)}"
            lines.append(f"{mailbox.address}:{{PLAIN}}{mailbox.password}:{who}::{extra}\n")
        draft = self.directory / "users.draft"
        draft.write_text("".join(lines))
        draft.chmod(0o600)
        hand_over(draft, self.account)
        # Dovecot reads the file again only when its time in whole seconds differs: give each writing its own.
        stamp = 1_000_000_000 + next(self._stamp)
        os.utime(draft, (stamp, stamp))
        draft.replace(self.directory / "users")

    def _write_configuration(self) -> None:
        home = self.directory / "mail"
        home.mkdir(exist_ok=True)
        hand_over(home, self.account)
        self._write_users()
        self._configuration.write_text(
            configuration(self.directory, self.account, self._pair, self.ports, self.oauth)
        )
        if self.oauth is not None:
            (self.directory / "oauth2.conf").write_text(oauth_configuration(self.oauth))


def _filler(size_bytes: int) -> bytes:
    head = f"From: filler@localhost\r\nSubject: filling\r\n{_FILLER}: yes\r\n\r\n".encode()
    line = b"x" * 76 + b"\r\n"
    return head + (line * (size_bytes // len(line) + 1))[: max(2, size_bytes - len(head)) - 2] + b"\r\n"


@contextlib.contextmanager
def running_dovecot(
    certificates: Certificates, mailboxes: Sequence[Mailbox] = (), *, oauth: OAuth | None = None
) -> Iterator[Dovecot]:
    """Start a server with these accounts; it and all mail are gone at the end."""
    DOVECOT.require()
    account = unprivileged_account()
    with server_directory("imap", account) as directory:
        server = Dovecot(directory, account, certificates, oauth=oauth)
        for mailbox in mailboxes:
            server.add(mailbox)
        try:
            yield server.start()
        finally:
            server.stop()
