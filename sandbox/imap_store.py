"""IMAP commands on a whole account: folders, STATUS, APPEND, quota and namespace."""

import fnmatch
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from sandbox.faults import Faults, QuotaForm
from sandbox.imap_parse import BadCommand, Node, Text, mailbox, parse_date_time, text, word
from sandbox.mailstore import Account, Folder, MailStore, OverQuota

_STATUS_ITEMS = ("MESSAGES", "UNSEEN", "UIDNEXT", "UIDVALIDITY", "RECENT", "SIZE")
_QUOTA_ROOT = "User quota"
_STORAGE_UNIT_BYTES = 1024  # RFC 9208 section 5.1


class No(Exception):
    """The command is understood and refused; the text follows NO."""


def find_folder(account: Account, name: str, *, missing: str = "[NONEXISTENT]") -> Folder:
    """Return a folder; INBOX in any case (RFC 9051 section 5.1).

    Raises:
        No: It doesn't exist.
    """
    folder = account.folders.get("INBOX" if name.upper() == "INBOX" else name)
    if folder is None:
        raise No(f"{missing} Mailbox doesn't exist.")
    return folder


class StoreCommands:
    """The commands that need a login and no selected folder."""

    NAMES: ClassVar = (
        *("LIST", "LSUB", "STATUS", "CREATE", "DELETE", "SUBSCRIBE", "UNSUBSCRIBE", "APPEND"),
        *("GETQUOTA", "GETQUOTAROOT", "SETQUOTA", "NAMESPACE"),
    )

    def __init__(
        self, store: MailStore, account: Account, faults: Faults, say: Callable[[bytes], None]
    ) -> None:
        self._store = store
        self._account = account
        self._faults = faults
        self._say = say

    def folder(self, name: str) -> Folder:
        """Return a folder.

        Raises:
            No: It doesn't exist.
        """
        return find_folder(self._account, name)

    def run(self, name: str, nodes: list[Node]) -> str:
        """Carry out a command; returns the text of its OK.

        Raises:
            BadCommand: It can't be understood.
            No: It is understood and refused.
        """
        commands: dict[str, tuple[int, Callable[[list[Node]], str]]] = {
            "LIST": (2, self._list),
            "LSUB": (2, self._list),
            "STATUS": (2, self._status),
            "CREATE": (1, self._create),
            "DELETE": (1, self._delete),
            "SUBSCRIBE": (1, lambda _: "Subscribe completed."),
            "UNSUBSCRIBE": (1, lambda _: "Unsubscribe completed."),
            "APPEND": (2, self._append),
            "NAMESPACE": (0, self._namespace),
        }
        if self._faults.imap_quota is not QuotaForm.NONE:
            commands |= {
                "GETQUOTA": (1, self._getquota),
                "GETQUOTAROOT": (1, self._getquotaroot),
                "SETQUOTA": (2, self._setquota),
            }
        found = commands.get(name)
        if found is None:
            raise BadCommand(f"unknown command {name}")
        wanted, carry_out = found
        if len(nodes) < wanted:
            raise BadCommand(f"{name} takes {wanted} arguments")
        return carry_out(nodes)

    def _list(self, nodes: list[Node]) -> str:
        only_special = isinstance(nodes[0], list)
        if only_special:
            nodes = nodes[1:]
        if len(nodes) < 2:  # noqa: PLR2004 - reference and pattern
            raise BadCommand("LIST takes a reference and a pattern")
        reference = text(nodes[0])
        patterns = nodes[1] if isinstance(nodes[1], list) else [nodes[1]]
        if len(patterns) == 1 and text(patterns[0]) == "":
            self._say(b'* LIST (\\Noselect) "/" ""')
            return "List completed."
        wanted = [(reference + text(pattern)).replace("%", "*") for pattern in patterns]
        for name, folder in self._account.folders.items():
            if only_special and folder.special_use is None:
                continue
            if any(fnmatch.fnmatchcase(name.casefold(), pattern.casefold()) for pattern in wanted):
                use = f" {folder.special_use}" if folder.special_use else ""
                self._say(f'* LIST (\\HasNoChildren{use}) "/" '.encode() + mailbox(name))
        return "List completed."

    def _status(self, nodes: list[Node]) -> str:
        folder = self.folder(text(nodes[0]))
        if not isinstance(nodes[1], list):
            raise BadCommand("STATUS takes a list of items")
        values = {
            "MESSAGES": len(folder.messages),
            "UNSEEN": folder.unseen,
            "UIDNEXT": folder.uidnext,
            "UIDVALIDITY": folder.uidvalidity + self._faults.imap_uidvalidity_bump,
            "RECENT": 0,
            "SIZE": folder.used_bytes,
        }
        asked = [word(item) for item in nodes[1]]
        unknown = [item for item in asked if item not in _STATUS_ITEMS]
        if unknown:
            raise BadCommand(f"unknown status items {unknown}")
        shown = " ".join(f"{item} {values[item]}" for item in asked)
        self._say(b"* STATUS " + mailbox(folder.name) + f" ({shown})".encode())
        return "Status completed."

    def _create(self, nodes: list[Node]) -> str:
        name = text(nodes[0]).rstrip("/")
        if name.upper() == "INBOX" or name in self._account.folders:
            raise No("[ALREADYEXISTS] Mailbox already exists")
        self._store.create_folder(self._account, name)
        return "Create completed."

    def _delete(self, nodes: list[Node]) -> str:
        folder = self.folder(text(nodes[0]))
        if folder.name == "INBOX":
            raise No("[CANNOT] INBOX can't be deleted.")
        self._store.remove(folder, list(folder.messages))
        del self._account.folders[folder.name]
        return "Delete completed."

    def _append(self, nodes: list[Node]) -> str:
        folder = find_folder(self._account, text(nodes[0]), missing="[TRYCREATE]")
        raw = nodes[-1]
        if not isinstance(raw, Text):
            raise BadCommand("APPEND takes a literal")
        flags: list[str] = []
        at: datetime | None = None
        for node in nodes[1:-1]:
            if isinstance(node, list):
                flags = [text(flag) for flag in node]
            else:
                at = parse_date_time(text(node))
        try:
            message = self._store.store(self._account, folder, bytes(raw), internal_at=at, flags=flags)
        except OverQuota as error:
            raise No("[OVERQUOTA] Quota exceeded (mailbox for user is full)") from error
        return f"[APPENDUID {folder.uidvalidity + self._faults.imap_uidvalidity_bump} {message.uid}] Append completed."

    def _namespace(self, _nodes: list[Node]) -> str:
        self._say(b'* NAMESPACE (("" "/")) NIL NIL')
        return "Namespace completed."

    def _getquota(self, nodes: list[Node]) -> str:
        if text(nodes[0]) != _QUOTA_ROOT:
            raise No("[NONEXISTENT] No such quota root.")
        self._quota()
        return "Getquota completed."

    def _getquotaroot(self, nodes: list[Node]) -> str:
        folder = self.folder(text(nodes[0]))
        account = self._account
        if account.limit_bytes is None and account.limit_messages is None:
            # Dovecot answers so where there is no limit.
            return "No quota."
        self._say(b"* QUOTAROOT " + mailbox(folder.name) + b' "User quota"')
        self._quota()
        return "Getquotaroot completed."

    def _quota(self) -> None:
        account = self._account
        resources = []
        if account.limit_bytes is not None:
            used = -(-account.used_bytes // _STORAGE_UNIT_BYTES)
            resources.append(f"STORAGE {used} {account.limit_bytes // _STORAGE_UNIT_BYTES}")
        if account.limit_messages is not None:
            resources.append(f"MESSAGE {account.used_messages} {account.limit_messages}")
        self._say(f'* QUOTA "{_QUOTA_ROOT}" ({" ".join(resources)})'.encode())

    def _setquota(self, _nodes: list[Node]) -> str:
        raise No("[NOPERM] Quota is set by the administrator.")
