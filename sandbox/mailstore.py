"""Mail store: accounts, their folders and messages, and the quota of each."""

import asyncio
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

FILLER_FIELD = b"X-Sandbox-Filler"
SEEN = "\\Seen"
DELETED = "\\Deleted"
_FILLER_BYTES = 256 * 1024


class OverQuota(Exception):
    """A message has no room in its account."""


ARCHIVE = "Archive"


@dataclass(slots=True, eq=False)
class Message:
    """One stored mail.

    Attributes:
        uid: Unique identifier within its folder (RFC 9051 section 2.3.1.1).
        raw: The mail as stored, with CRLF line ends.
        internal_at: When the store took it, aware UTC, whole seconds.
        flags: IMAP flags and keywords.
        is_filler: It only takes up room, and `empty` removes it.
    """

    uid: int
    raw: bytes
    internal_at: datetime
    flags: set[str] = field(default_factory=set)
    is_filler: bool = False


@dataclass(slots=True, eq=False)
class Folder:
    """One folder; `watchers` are set at each change."""

    name: str
    uidvalidity: int
    special_use: str | None = None
    uidnext: int = 1
    messages: list[Message] = field(default_factory=list)
    watchers: set[asyncio.Event] = field(default_factory=set)

    @property
    def used_bytes(self) -> int:
        """Size of all messages, as STATUS=SIZE counts it (RFC 8438)."""
        return sum(len(message.raw) for message in self.messages)

    @property
    def unseen(self) -> int:
        """Messages without the flag Seen."""
        return sum(SEEN not in message.flags for message in self.messages)

    def changed(self) -> None:
        """Wake all sessions that look at this folder."""
        for watcher in self.watchers:
            watcher.set()


@dataclass(slots=True, eq=False)
class Account:
    """One mailbox owner; its password never shows in a repr."""

    address: str
    password: str = field(repr=False)
    folders: dict[str, Folder] = field(default_factory=dict)
    limit_bytes: int | None = None
    limit_messages: int | None = None

    @property
    def used_bytes(self) -> int:
        """Bytes that count against the quota."""
        return sum(folder.used_bytes for folder in self.folders.values())

    @property
    def used_messages(self) -> int:
        """Messages that count against the quota."""
        return sum(len(folder.messages) for folder in self.folders.values())

    def has_room(self, size_bytes: int) -> bool:
        """Whether a mail of that size fits into the quota, by bytes and by messages."""
        if self.limit_bytes is not None and self.used_bytes + size_bytes > self.limit_bytes:
            return False
        return self.limit_messages is None or self.used_messages < self.limit_messages

    def accepts_password(self, password: str) -> bool:
        """Whether the password is the account's."""
        return hmac.compare_digest(password.encode(), self.password.encode())


class MailStore:
    """All accounts of the intake. Not thread-safe: it belongs to one event loop."""

    def __init__(self, started_at: datetime) -> None:
        self._accounts: dict[str, Account] = {}
        self._first_uidvalidity = int(started_at.timestamp())
        self._folders_made = 0
        self.room_made = asyncio.Event()

    @property
    def accounts(self) -> Iterable[Account]:
        """All accounts."""
        return self._accounts.values()

    def add_account(self, address: str, password: str) -> Account:
        """Create an account with INBOX, Junk, Sent and an archive."""
        account = Account(address, password)
        self._accounts[address] = account
        for name, use in (("INBOX", None), ("Junk", "\\Junk"), ("Sent", "\\Sent"), (ARCHIVE, "\\Archive")):
            self.create_folder(account, name, special_use=use)
        return account

    def find(self, address: str) -> Account | None:
        """Return the account of an address; `canary+token@…` belongs to `canary@…`."""
        local, _, domain = address.casefold().rpartition("@")
        return self._accounts.get(f"{local.partition('+')[0]}@{domain}")

    def serves_domain(self, domain: str) -> bool:
        """Whether an account of that domain exists."""
        return any(address.endswith(f"@{domain.casefold()}") for address in self._accounts)

    def create_folder(self, account: Account, name: str, special_use: str | None = None) -> Folder:
        """Create an empty folder with a UIDVALIDITY of its own."""
        self._folders_made += 1
        folder = Folder(name, self._first_uidvalidity + self._folders_made, special_use)
        account.folders[name] = folder
        return folder

    def store(
        self,
        account: Account,
        folder: Folder,
        raw: bytes,
        *,
        internal_at: datetime | None = None,
        flags: Iterable[str] = (),
        over_quota: bool = False,
        is_filler: bool = False,
    ) -> Message:
        """Add a mail to a folder.

        Raises:
            OverQuota: It doesn't fit, and `over_quota` doesn't allow that.
        """
        if not over_quota and not account.has_room(len(raw)):
            raise OverQuota(f"{account.address} has no room for {len(raw)} bytes")
        at = (internal_at or datetime.now(UTC)).replace(microsecond=0)
        message = Message(folder.uidnext, raw, at, set(flags), is_filler)
        folder.uidnext += 1
        folder.messages.append(message)
        folder.changed()
        return message

    def remove(self, folder: Folder, doomed: Iterable[Message]) -> None:
        """Take messages out of a folder."""
        gone = set(map(id, doomed))
        folder.messages = [message for message in folder.messages if id(message) not in gone]
        folder.changed()
        self.room_made.set()

    def set_quota(self, account: Account, *, limit_bytes: int | None, limit_messages: int | None) -> None:
        """Change the limits; None lifts one."""
        account.limit_bytes = limit_bytes
        account.limit_messages = limit_messages
        self.room_made.set()

    def fill(self, account: Account, *, size_bytes: int, unread: bool) -> int:
        """Add fillers of so many bytes in all; returns the number of fillers.

        Read ones lie in the archive: the helpdesk fetches whatever is in INBOX, and would eat them.
        """
        folder = account.folders["INBOX" if unread else ARCHIVE]
        flags = () if unread else (SEEN,)
        made = 0
        while size_bytes > 0:
            portion = min(size_bytes, _FILLER_BYTES)
            if size_bytes - portion < _filler_floor():
                portion = size_bytes
            raw = _filler(portion)
            self.store(account, folder, raw, flags=flags, over_quota=True, is_filler=True)
            size_bytes -= len(raw)
            made += 1
        return made

    def empty(self, account: Account, *, everything: bool) -> int:
        """Remove the fillers, or all mail; returns how many messages went."""
        removed = 0
        for folder in account.folders.values():
            doomed = [message for message in folder.messages if everything or message.is_filler]
            if doomed:
                self.remove(folder, doomed)
            removed += len(doomed)
        return removed


def _filler_head() -> bytes:
    return (
        b"From: archive@acme.test\r\nTo: support@acme.test\r\nSubject: Filler\r\n"
        + FILLER_FIELD
        + b": yes\r\n\r\n"
    )


def _filler_floor() -> int:
    return len(_filler_head()) + 2


def _filler(size_bytes: int) -> bytes:
    """A mail of exactly that size, or the smallest one there can be."""
    head = _filler_head()
    body = bytearray()
    wanted = max(size_bytes - len(head), 2)
    line = b"x" * 76 + b"\r\n"
    body += line * (wanted // len(line))
    rest = wanted - len(body)
    if rest == 1:
        body[-2:] = b"x\r\n"
    elif rest >= 2:  # noqa: PLR2004 - room for the line end
        body += b"x" * (rest - 2) + b"\r\n"
    return head + bytes(body)
