"""A selected folder: what one session has been told of it, and the commands that work on its messages."""

import asyncio
from collections.abc import Callable, Sequence

from sandbox.imap_fetch import fetch, items
from sandbox.imap_parse import BadCommand, Node, is_in, numbers, text, word
from sandbox.imap_search import BadCharset, search
from sandbox.imap_store import No, find_folder
from sandbox.mailstore import DELETED, Account, Folder, MailStore, Message, OverQuota

SELECTED = frozenset(
    {"SEARCH", "FETCH", "STORE", "COPY", "MOVE", "EXPUNGE", "UID", "CLOSE", "UNSELECT"},
)
_FLAGS = b"\\Answered \\Flagged \\Deleted \\Seen \\Draft"


class Selected:
    """One session's view of a folder.

    Attributes:
        changed: Set when the folder has changed since the last `sync`.
    """

    def __init__(
        self, folder: Folder, store: MailStore, say: Callable[[bytes], None], *, read_only: bool
    ) -> None:
        self.folder = folder
        self.changed = asyncio.Event()
        self._store = store
        self._say = say
        self._read_only = read_only
        self._view: list[Message] = list(folder.messages)
        self._told = {message.uid: frozenset(message.flags) for message in self._view}
        folder.watchers.add(self.changed)

    def close(self) -> None:
        """Stop watching the folder."""
        self.folder.watchers.discard(self.changed)

    def announce(self, uidvalidity_bump: int) -> None:
        """Say what SELECT and EXAMINE say (RFC 9051 section 6.3.2)."""
        self._say(b"* FLAGS (" + _FLAGS + b")")
        permanent = b"" if self._read_only else _FLAGS + b" \\*"
        self._say(b"* OK [PERMANENTFLAGS (" + permanent + b")] Flags permitted.")
        self._say(b"* %d EXISTS" % len(self._view))
        self._say(b"* 0 RECENT")
        unseen = next((n for n, message in enumerate(self._view, 1) if "\\Seen" not in message.flags), None)
        if unseen is not None:
            self._say(b"* OK [UNSEEN %d] First unseen." % unseen)
        self._say(b"* OK [UIDVALIDITY %d] UIDs valid" % (self.folder.uidvalidity + uidvalidity_bump))
        self._say(b"* OK [UIDNEXT %d] Predicted next UID" % self.folder.uidnext)

    def sync(self, *, expunges: bool) -> None:
        """Say what has changed since the session was last told.

        Args:
            expunges: Messages that went may be said, too; their numbers shift.
        """
        self.changed.clear()
        present = {id(message) for message in self.folder.messages}
        if expunges:
            for number in range(len(self._view), 0, -1):
                if id(self._view[number - 1]) not in present:
                    self._say(b"* %d EXPUNGE" % number)
                    self._told.pop(self._view.pop(number - 1).uid, None)
        elif any(id(message) not in present for message in self._view):
            self.changed.set()
        for number, message in enumerate(self._view, 1):
            flags = frozenset(message.flags)
            if self._told.get(message.uid) != flags:
                self._told[message.uid] = flags
                self._say(b"* %d FETCH (%s)" % (number, fetch(message, ["UID", "FLAGS"], with_uid=False)))
        known = {id(message) for message in self._view}
        fresh = [message for message in self.folder.messages if id(message) not in known]
        if fresh:
            self._view += fresh
            self._told |= {message.uid: frozenset(message.flags) for message in fresh}
            self._say(b"* %d EXISTS" % len(self._view))

    def run(  # noqa: C901 - one case a command
        self, name: str, nodes: list[Node], account: Account, *, uidvalidity_bump: int
    ) -> str:
        """Carry out a command; returns the text of its OK.

        Raises:
            BadCommand: It can't be understood.
            No: It is understood and refused.
        """
        by_uid = name == "UID"
        if by_uid:
            if not nodes:
                raise BadCommand("UID takes a command")
            name = word(nodes.pop(0))
            if name not in ("SEARCH", "FETCH", "STORE", "COPY", "MOVE", "EXPUNGE"):
                raise BadCommand(f"UID {name} is unknown")
        match name:
            case "SEARCH":
                self._search(nodes, by_uid=by_uid)
            case "FETCH":
                self._fetch(nodes, by_uid=by_uid)
            case "STORE":
                self._flag(nodes, by_uid=by_uid)
            case "COPY" | "MOVE":
                return self._copy(name, nodes, account, by_uid=by_uid, uidvalidity_bump=uidvalidity_bump)
            case "CLOSE":
                if not self._read_only:
                    self._store.remove(
                        self.folder, [message for message in self._view if DELETED in message.flags]
                    )
            case "EXPUNGE":
                self._expunge(nodes, by_uid=by_uid)
            case _:
                pass
        return f"{name.title()} completed."

    def _chosen(self, node: Node, *, by_uid: bool) -> list[tuple[int, Message]]:
        highest = (self._view[-1].uid if self._view else 0) if by_uid else len(self._view)
        wanted = numbers(text(node), highest)
        if not by_uid and any(high > len(self._view) for _, high in wanted):
            raise BadCommand("invalid message number")
        return [
            (number, message)
            for number, message in enumerate(self._view, 1)
            if is_in(message.uid if by_uid else number, wanted)
        ]

    def _writable(self) -> None:
        if self._read_only:
            raise No("[READ-ONLY] The folder was opened by EXAMINE.")

    def _search(self, nodes: Sequence[Node], *, by_uid: bool) -> None:
        try:
            found = search(nodes, self._view)
        except BadCharset as error:
            raise No(f"[BADCHARSET (UTF-8 US-ASCII)] Unknown charset {error}.") from error
        ids = [message.uid if by_uid else number for number, message in found]
        self._say(" ".join(["* SEARCH", *map(str, ids)]).encode())

    def _fetch(self, nodes: Sequence[Node], *, by_uid: bool) -> None:
        if len(nodes) < 2:  # noqa: PLR2004 - a set and items
            raise BadCommand("FETCH takes a set and data items")
        wanted = items(nodes[1] if len(nodes) == 2 else list(nodes[1:]))  # noqa: PLR2004 - a set and items
        for number, message in self._chosen(nodes[0], by_uid=by_uid):
            before = frozenset(message.flags)
            body = fetch(message, wanted, with_uid=by_uid, may_mark=not self._read_only)
            if before != message.flags:
                self.folder.changed()
                self._told[message.uid] = frozenset(message.flags)
            self._say(b"* %d FETCH (%s)" % (number, body))

    def _flag(self, nodes: Sequence[Node], *, by_uid: bool) -> None:
        self._writable()
        if len(nodes) < 3:  # noqa: PLR2004 - set, item, flags
            raise BadCommand("STORE takes a set, an item and flags")
        item = word(nodes[1])
        if item.removesuffix(".SILENT") not in ("FLAGS", "+FLAGS", "-FLAGS"):
            raise BadCommand(f"unknown item {item}")
        listed = nodes[2] if isinstance(nodes[2], list) else list(nodes[2:])
        flags = {_canonical(text(flag)) for flag in listed}
        for number, message in self._chosen(nodes[0], by_uid=by_uid):
            if item.startswith("+"):
                message.flags |= flags
            elif item.startswith("-"):
                message.flags -= flags
            else:
                message.flags = set(flags)
            self._told[message.uid] = frozenset(message.flags)
            if not item.endswith(".SILENT"):
                shown = fetch(message, ["FLAGS"], with_uid=by_uid)
                self._say(b"* %d FETCH (%s)" % (number, shown))
        self.folder.changed()

    def _copy(
        self, name: str, nodes: Sequence[Node], account: Account, *, by_uid: bool, uidvalidity_bump: int
    ) -> str:
        if len(nodes) != 2:  # noqa: PLR2004 - a set and a folder
            raise BadCommand(f"{name} takes a set and a folder")
        if name == "MOVE":
            self._writable()
        target = find_folder(account, text(nodes[1]), missing="[TRYCREATE]")
        chosen = self._chosen(nodes[0], by_uid=by_uid)
        made = []
        try:
            for _, message in chosen:
                made.append(
                    self._store.store(
                        account,
                        target,
                        message.raw,
                        internal_at=message.internal_at,
                        flags=message.flags,
                        over_quota=name == "MOVE",
                        is_filler=message.is_filler,
                    )
                )
        except OverQuota as error:
            self._store.remove(target, made)
            raise No("[OVERQUOTA] Quota exceeded (mailbox for user is full)") from error
        code = ""
        if chosen:
            sources = ",".join(str(message.uid) for _, message in chosen)
            targets = ",".join(str(message.uid) for message in made)
            code = f"[COPYUID {target.uidvalidity + uidvalidity_bump} {sources} {targets}] "
        if name == "COPY":
            return f"{code}Copy completed."
        if code:
            self._say(f"* OK {code}Moved UIDs.".encode())
        self._store.remove(self.folder, [message for _, message in chosen])
        self.sync(expunges=True)
        return "Move completed."

    def _expunge(self, nodes: Sequence[Node], *, by_uid: bool) -> None:
        self._writable()
        if by_uid and not nodes:
            raise BadCommand("UID EXPUNGE takes a set")
        chosen = self._chosen(nodes[0], by_uid=True) if by_uid else list(enumerate(self._view, 1))
        self._store.remove(self.folder, [message for _, message in chosen if DELETED in message.flags])
        self.sync(expunges=True)


def _canonical(flag: str) -> str:
    return "\\" + flag[1:].capitalize() if flag.startswith("\\") else flag
