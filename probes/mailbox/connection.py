"""One logged-in IMAP connection, blocking: it belongs to one thread. Reads with EXAMINE and BODY.PEEK only.

IMAPClient's traps are dealt with here, so that nobody above needs to know them:

* An EXISTS in the same segment as the answer to IDLE sits in the file object's buffer, where no poll sees it.
* One that was told with the answer of another command is never told again: before an IDLE it is asked for.
* An untagged line that comes in two parts makes `idle_check` raise and lose it. So the lines of an IDLE are not read
  while idle at all: when the socket is readable, the IDLE is ended, and that reads them with a time limit.
* `idle_check` answers the end of the connection with an empty list, for ever; ending the IDLE raises instead.
* After a read that timed out the connection is unusable.
"""

import imaplib
import logging
import socket
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import wraps
from select import POLLIN, poll
from typing import Any, Final, ParamSpec, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.imap_utf7 import encode as encode_utf7
from imapclient.response_parser import parse_response

from probes.mailbox.failure import OUTSIDE, ConnectionDead
from probes.mailbox.settings import Limits
from probes.masking import Secret
from probes.servers import Server, TlsMode

FETCH_AT_ONCE: Final = 100
DONE_SECONDS: Final = 5.0
"""How long a server may take to end an IDLE: it has nothing to do for it."""

_log = logging.getLogger("imapclient")


P = ParamSpec("P")
T = TypeVar("T")


def _parsed(method: Callable[P, T]) -> Callable[P, T]:
    """Turn what the library raises for answers that it can't parse into the end of the connection."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except OUTSIDE:
            raise  # a certificate that does not hold is a ValueError, too
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ConnectionDead(f"an answer that is not of the protocol ({type(error).__name__})") from error

    return call


class Wake(StrEnum):
    """Why an IDLE ended."""

    NEWS = "news"
    QUIET = "quiet"
    CALLED = "called"


@dataclass(frozen=True, slots=True)
class Selected:
    """A folder as selected: a UID means the same only while ``uid_validity`` is the same (RFC 9051 section 2.3.1.1)."""

    folder: str
    uid_validity: int
    exists: int


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as listed, with its special use (RFC 6154) where the server marks it, lower case without backslash."""

    name: str
    uses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message as fetched: what was asked of its text, and when it arrived by the server's word."""

    uid: int
    data: bytes
    internal_at: datetime | None


class Connection:
    """An open connection. Every method blocks for at most the answer's limit, and raises what the library raises."""

    def __init__(self, client: IMAPClient, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._capabilities: frozenset[str] = frozenset()
        self._selected: tuple[Selected, bool] | None = None

    @classmethod
    @_parsed
    def open(cls, server: Server, context: ssl.SSLContext | None, limits: Limits) -> "Connection":
        """Connect and begin TLS; not yet logged in."""
        # Whatever the library might log could be a stranger's mail or a credential.
        _log.setLevel(logging.CRITICAL + 1)
        client = IMAPClient(
            server.host,
            port=server.port,
            ssl=server.tls is TlsMode.IMPLICIT,
            ssl_context=context,
            timeout=SocketTimeout(connect=limits.connect_seconds, read=limits.answer_seconds),
        )
        client.normalise_times = False
        client._imap.debug = 0  # noqa: SLF001 -- the library sets it to 5: every line would be formatted for the log
        client.socket().setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection = cls(client, limits)
        try:
            if server.tls is TlsMode.STARTTLS:
                client.starttls(context)
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def capabilities(self) -> frozenset[str]:
        """What the server can do, as asked after the login: before it, IDLE and QUOTA may be missing."""
        return self._capabilities

    @_parsed
    def login(self, username: str, secret: Secret, *, is_bearer: bool) -> None:
        """Authenticate by SASL XOAUTH2, else by SASL PLAIN where offered (UTF-8, RFC 4616), else by LOGIN."""
        offered = {one.decode("ascii", "replace") for one in self._client.capabilities()}
        if is_bearer:
            self._client.sasl_login("XOAUTH2", _XOAuth2(username, secret))
        elif "AUTH=PLAIN" in offered:
            self._client.plain_login(username, secret.reveal())
        else:
            self._client.login(username, secret.reveal())
        self._capabilities = frozenset(one.decode("ascii", "replace") for one in self._client.capabilities())

    def can(self, capability: str) -> bool:
        """Whether the server announced a capability."""
        return capability in self._capabilities

    @_parsed
    def folders(self) -> Sequence[Folder]:
        """All folders of the mailbox that can be selected."""
        found = []
        for flags, _, name in self._client.list_folders():
            uses = frozenset(_text(one).lstrip("\\").lower() for one in flags)
            if "noselect" not in uses and "nonexistent" not in uses:
                found.append(Folder(_text(name), uses))
        return found

    @_parsed
    def examine(self, folder: str) -> Selected:
        r"""Open a folder for reading alone; no flag changes, not even \Recent (RFC 9051 section 6.3.3)."""
        return self._open(folder, may_write=False)

    @_parsed
    def select(self, folder: str) -> Selected:
        """Open a folder for removing mails from it."""
        return self._open(folder, may_write=True)

    def is_reading(self, folder: str) -> bool:
        """Whether this folder is open, for reading alone."""
        return self._selected is not None and not self._selected[1] and self._selected[0].folder == folder

    @_parsed
    def reread(self, folder: str) -> Selected:
        """The folder as it is now: if it is still open for reading, without selecting it again."""
        if self._selected is None or not self.is_reading(folder):
            return self.examine(folder)
        self._client.noop()
        return self._selected[0]

    @_parsed
    def search(self, criteria: Sequence[object] | str) -> list[int]:
        """The UIDs of messages that match, ascending; a text is sent as it is."""
        terms = criteria if isinstance(criteria, str) else list(criteria)
        return sorted(int(uid) for uid in self._client.search(terms))

    @_parsed
    def fetch(self, uids: Collection[int], section: str) -> list[Fetched]:
        """A section of the text of messages, and their arrival; nothing is marked as seen.

        Args:
            uids: which messages; those that are gone are left out.
            section: what goes in the brackets of ``BODY.PEEK[…]``, with a partial range where wanted.
        """
        found: list[Fetched] = []
        ordered = sorted(uids)
        for start in range(0, len(ordered), FETCH_AT_ONCE):
            answer: Mapping[int, Mapping[bytes, Any]] = self._client.fetch(
                ordered[start : start + FETCH_AT_ONCE], ["INTERNALDATE", f"BODY.PEEK{section}"]
            )
            for uid, items in answer.items():
                text = next((value for key, value in items.items() if key.startswith(b"BODY[")), None)
                internal_at = items.get(b"INTERNALDATE")
                found.append(
                    Fetched(
                        uid=uid,
                        data=text if isinstance(text, bytes) else b"",
                        internal_at=_utc(internal_at),
                    )
                )
        return found

    @_parsed
    def arrivals(self, uids: Collection[int]) -> list[datetime]:
        """When messages arrived, by the server's word, aware."""
        stamps: list[datetime] = []
        ordered = sorted(uids)
        for start in range(0, len(ordered), FETCH_AT_ONCE):
            answer = self._client.fetch(ordered[start : start + FETCH_AT_ONCE], ["INTERNALDATE"])
            found = (_utc(one.get(b"INTERNALDATE")) for one in answer.values())
            stamps += [one for one in found if one is not None]
        return stamps

    @_parsed
    def sizes(self, uids: Collection[int]) -> list[int]:
        """The sizes of messages (RFC822.SIZE), in bytes."""
        sizes: list[int] = []
        ordered = sorted(uids)
        for start in range(0, len(ordered), FETCH_AT_ONCE):
            answer = self._client.fetch(ordered[start : start + FETCH_AT_ONCE], ["RFC822.SIZE"])
            sizes += [int(one[b"RFC822.SIZE"]) for one in answer.values() if b"RFC822.SIZE" in one]
        return sizes

    @_parsed
    def status(self, folder: str, items: Sequence[str]) -> dict[str, int]:
        """STATUS of a folder that is not open (RFC 9051 section 6.3.11): items that the server leaves out are missing."""
        answer = self._client.folder_status(folder, list(items))
        return {_text(key).upper(): int(value) for key, value in answer.items() if isinstance(value, int)}

    @_parsed
    def quotas(self, folder: str) -> list[tuple[str, str, int, int]]:
        """Root, resource, use and limit of each quota that holds for a folder (RFC 9208 section 4.1.2).

        A server without any quota may answer without a root (Dovecot): an IndexError in the library's own verb, which
        also insists on the old capability. So the lines are read here.
        """
        name = encode_utf7(folder).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        imap = self._client._imap  # noqa: SLF001 -- the library's own verb fails, see above
        kind, answer = imap.getquotaroot(b'"' + name + b'"')
        if kind != "OK":
            raise imaplib.IMAP4.error(f"GETQUOTAROOT failed: {kind}")
        lines = [line for line in answer[1] if line is not None]
        words = list(parse_response(lines)) if lines else []
        found = []
        for root, resources in zip(words[::2], words[1::2], strict=True):
            for resource, used, limit in zip(resources[::3], resources[1::3], resources[2::3], strict=True):
                found.append((_text(root), _text(resource).upper(), int(used), int(limit)))
        return found

    def flag_deleted(self, uids: Collection[int]) -> None:
        r"""Set \Deleted; the only flag that is ever set, and only on mails with our token."""
        self._client.delete_messages(sorted(uids), silent=True)

    def expunge(self, uids: Collection[int]) -> None:
        """Remove these messages and no others (UIDPLUS, RFC 4315 section 2.1)."""
        self._client.uid_expunge(sorted(uids))

    def expunge_all_deleted(self) -> None:
        r"""Remove every message of the folder that is flagged \Deleted: only where all of them are ours."""
        self._client.expunge()

    def move(self, uids: Collection[int], folder: str) -> None:
        """Move messages to another folder (RFC 6851)."""
        self._client.move(sorted(uids), folder)

    def idle(self, seconds: float, call: socket.socket) -> Wake:
        """Wait in the folder that is open until there is news, the time is over, or a byte comes over ``call``.

        Never trust it beyond that: whoever wakes searches.

        Raises:
            OSError, imaplib.IMAP4.error: the connection is of no use any more: reconnect and search.
        """
        if self._has_told_of_mail():
            return Wake.NEWS
        self._client.idle()
        wake = Wake.NEWS if self._has_buffered() else self._wait(seconds, call)
        self._client.socket().settimeout(min(DONE_SECONDS, self._limits.answer_seconds))
        _, told = self._client.idle_done()
        self._client.socket().settimeout(self._limits.answer_seconds)
        if any(line and line[0] == b"BYE" for line in told):
            raise ConnectionDead("the server said BYE")
        return Wake.NEWS if told else wake

    def raw_socket(self) -> socket.socket:
        """The socket, for `shutdown` from outside, which ends whatever this thread waits for."""
        found: socket.socket = self._client.socket()
        return found

    def logout(self) -> None:
        """Say good-bye; what goes wrong is of no interest any more."""
        try:
            self._client.socket().settimeout(1.0)
            self._client.logout()
        except OUTSIDE:
            self.close()

    def close(self) -> None:
        """Close the socket without a word."""
        try:
            self._client.shutdown()
        except OSError:
            return

    def _open(self, folder: str, *, may_write: bool) -> Selected:
        self._selected = None
        answer = self._client.select_folder(folder, readonly=not may_write)
        selected = Selected(folder, _number(answer.get(b"UIDVALIDITY")), int(answer[b"EXISTS"]))
        self._selected = (selected, may_write)
        self._has_told_of_mail()
        return selected

    def _has_told_of_mail(self) -> bool:
        """Whether an EXISTS came with the answer to another command; asking forgets it."""
        _, told = self._client._imap.response("EXISTS")  # noqa: SLF001 -- the library shows it nowhere else
        return bool(told and told != [None])

    def _has_buffered(self) -> bool:
        """Whether lines are waiting in the file object or the TLS layer, where `poll` does not see them."""
        imap = self._client._imap  # noqa: SLF001 -- the library shows it nowhere else
        own_buffer = getattr(imap, "_readbuf", None)  # imaplib of Python 3.14 reads into a list of its own
        if own_buffer:
            return True
        connection = self._client.socket()
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        if own_buffer is not None:
            return False
        limit = connection.gettimeout()
        connection.setblocking(False)
        try:
            return bool(imap.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            connection.settimeout(limit)

    def _wait(self, seconds: float, call: socket.socket) -> Wake:
        connection = self._client.socket()
        poller = poll()
        poller.register(connection.fileno(), POLLIN)
        poller.register(call.fileno(), POLLIN)
        ready = {descriptor for descriptor, _ in poller.poll(seconds * 1000)}
        if connection.fileno() in ready:
            return Wake.NEWS
        return Wake.CALLED if call.fileno() in ready else Wake.QUIET


class _XOAuth2:
    """The client's side of XOAUTH2: the token first, then an empty line for the server's error, as its makers ask."""

    def __init__(self, username: str, secret: Secret) -> None:
        self._answer = f"user={username}\x01auth=Bearer {secret.reveal()}\x01\x01"

    def __call__(self, challenge: bytes) -> bytes:
        del challenge
        answer, self._answer = self._answer, ""
        return answer.encode()


def since(when: datetime) -> date:
    """The day to give to SEARCH SINCE so that no time zone can hide a message (it compares days alone)."""
    return date.fromordinal(max(1, when.date().toordinal() - 1))


def _number(value: object) -> int:
    """UIDVALIDITY as the library gives it: a number, or the raw line in a list."""
    if isinstance(value, list) and value:
        return int(value[0])
    return value if isinstance(value, int) else 0


def _utc(value: object) -> datetime | None:
    """A time as the library gives it with `normalise_times` off: aware, in the server's zone."""
    return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else None


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
