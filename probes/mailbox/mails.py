"""Read the mails of canaries out of folders; whatever bears no verified token is dropped where it is read.

All of it is blocking and repeatable, and changes nothing in the mailbox: EXAMINE and BODY.PEEK alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from heapq import nlargest
from typing import Final

from canary.signature import CanaryId
from probes.mailbox.connection import Connection, Fetched, since
from probes.message.bounce import is_suspected, read_bounce
from probes.message.extract import FoundToken, Where, header_tokens, mail_tokens, parse, parse_header

Recognise = Callable[[str], CanaryId | None]
"""Whose token a word is, its signature verified; None for a forged, altered or foreign one."""

BODY_BYTES: Final = 64 * 1024
"""So much of a mail is read where its header has no token: it stands in the first lines, or in a bounce's header."""
BODIES_AT_ONCE: Final = 50
MOST_REMEMBERED: Final = 20_000
"""UIDs of mails that were read, a folder: about a megabyte."""
HEADERS: Final = (
    "[HEADER.FIELDS (FROM TO CC SUBJECT MESSAGE-ID IN-REPLY-TO REFERENCES REPLY-TO DELIVERED-TO X-ORIGINAL-TO"
    " X-INTAKE-CANARY RECEIVED AUTHENTICATION-RESULTS AUTO-SUBMITTED CONTENT-TYPE X-FAILED-RECIPIENTS X-RT-TICKET)]"
)
WHOLE: Final = f"[]<0.{BODY_BYTES}>"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that bears a canary's verified token.

    Attributes:
        where: the most trustworthy place where the token stood.
        uid_validity, uid: its identity in the folder.
        internal_at: when it arrived, by the server's word, aware; None where it does not say.
        message: its header, and its text where that was read (`is_whole`).
    """

    canary_id: CanaryId
    where: Where
    folder: str
    uid_validity: int
    uid: int
    internal_at: datetime | None
    message: Message
    is_whole: bool = False

    @property
    def what(self) -> str:
        """Its identity, for people and for the audit."""
        return f"{self.folder};UIDVALIDITY={self.uid_validity}/;UID={self.uid}"


@dataclass(frozen=True, slots=True)
class Memory:
    """What was read of a folder; worth nothing once the UIDVALIDITY is another."""

    uid_validity: int = 0
    next_uid: int = 1
    read: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Scope:
    """Which mails to ask the server for.

    Attributes:
        since: the oldest launch that matters.
        narrow: search terms that candidates fulfil, or none: every mail is one (the prober's own mailbox).
        reads_bodies: whether a body is read where the header bears no token of ours.
        texts: canaries whose answers must be read whole: the ticket number that proves may stand in the text.
        is_wide: look at the whole time, not only at what is new since the last look.
    """

    since: datetime
    narrow: tuple[str, ...]
    reads_bodies: bool
    is_wide: bool
    texts: frozenset[CanaryId] = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look read: all mails with a verified token, and what is to be remembered of each folder.

    Attributes:
        missing: folders that could not be opened.
        is_whole: no mail was put off to the next look.
    """

    mails: tuple[Mail, ...]
    memories: Mapping[str, Memory]
    missing: tuple[str, ...] = ()
    is_whole: bool = True


def candidates(marker: str, senders: Sequence[str]) -> tuple[str, ...]:
    """Search terms for what may be a canary in a mailbox of others: its subject, its sender, or its own header."""
    terms: list[str] = ["HEADER", "X-Intake-Canary", ""]
    for pair in (("SUBJECT", marker), *(("FROM", sender) for sender in senders)):
        terms = ["OR", *pair, *terms]
    return tuple(terms)


def read_folder(
    connection: Connection, folder: str, memory: Memory, scope: Scope, recognise: Recognise
) -> tuple[list[Mail], Memory, bool]:
    """Read a folder: one search, one fetch of headers, and of bodies only where they are needed.

    A mail that was read before is not read again. A UIDVALIDITY that changed makes the look a wide one. Returned with
    the mails: what to remember, and whether every mail was read.
    """
    selected = connection.reread(folder)
    if selected.uid_validity != memory.uid_validity:
        memory = Memory(uid_validity=selected.uid_validity)
    criteria: list[object] = ["SINCE", since(scope.since)]
    if not scope.is_wide:
        # "n:*" is never empty: it holds at least the last message (RFC 9051 section 9, seq-range).
        criteria = ["UID", f"{memory.next_uid}:*", *criteria]
    uids = [uid for uid in connection.search([*criteria, *scope.narrow]) if uid not in memory.read]
    mails: list[Mail] = []
    pending: list[Fetched] = []
    for fetched in connection.fetch(uids, HEADERS):
        header = parse_header(fetched.data)
        found = _recognised(header_tokens(header), recognise)
        mails += [_mail(one, folder, selected.uid_validity, fetched, header) for one in found.items()]
        if scope.reads_bodies and (not found or is_suspected(header) or _wants_text(found, scope.texts)):
            pending.append(fetched)
    for fetched in connection.fetch([one.uid for one in pending[-BODIES_AT_ONCE:]], WHOLE):
        mails = [one for one in mails if one.uid != fetched.uid]
        mails += whole_mails(fetched, folder, selected.uid_validity, recognise)
    unread = frozenset(one.uid for one in pending[:-BODIES_AT_ONCE])  # for the next wide look
    read = remembered(memory.read | (frozenset(uids) - unread))
    next_uid = max((memory.next_uid, *(uid + 1 for uid in uids)))
    return mails, Memory(selected.uid_validity, next_uid, read), not unread


def remembered(read: frozenset[int]) -> frozenset[int]:
    """Which of the UIDs that were read are kept in mind: UIDs only grow (RFC 9051 section 2.3.1.1), so the newest.

    A mail that is forgotten and asked for once more is read twice, and is the same fact; a daemon runs for a year.
    """
    if len(read) <= MOST_REMEMBERED:
        return read
    return frozenset(nlargest(MOST_REMEMBERED // 2, read))


def _wants_text(found: Mapping[CanaryId, Where], texts: frozenset[CanaryId]) -> bool:
    """Whether it answers a canary whose answer must be read whole; a copy of the canary itself is no answer."""
    return any(one in texts and where is not Where.MESSAGE_ID for one, where in found.items())


def whole_mails(fetched: Fetched, folder: str, uid_validity: int, recognise: Recognise) -> list[Mail]:
    """The mail once for each canary whose verified token it bears, in what it returns (a bounce) or says."""
    message = parse(fetched.data)
    bounce = read_bounce(message)
    tokens = mail_tokens(message)
    if bounce is not None:
        tokens = (*tokens, *(FoundToken(token, Where.TEXT) for token in bounce.tokens))
    found = _recognised(tokens, recognise)
    return [_mail(one, folder, uid_validity, fetched, message, is_whole=True) for one in found.items()]


def _recognised(tokens: Sequence[FoundToken], recognise: Recognise) -> dict[CanaryId, Where]:
    found: dict[CanaryId, Where] = {}
    for one in tokens:
        canary_id = recognise(one.token)
        if canary_id is not None:
            found.setdefault(canary_id, one.where)
    return found


def _mail(
    found: tuple[CanaryId, Where],
    folder: str,
    uid_validity: int,
    fetched: Fetched,
    message: Message,
    *,
    is_whole: bool = False,
) -> Mail:
    canary_id, where = found
    return Mail(canary_id, where, folder, uid_validity, fetched.uid, fetched.internal_at, message, is_whole)
