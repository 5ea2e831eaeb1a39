"""SEARCH: which messages of a view meet the keys of a command (RFC 9051 section 6.4.4)."""

from collections.abc import Callable, Sequence
from datetime import UTC, date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime

from sandbox.imap_parse import BadCommand, Node, is_in, numbers, parse_date, text, word
from sandbox.mailstore import Message

Test = Callable[[int, Message], bool]

_FLAG_KEYS = {
    "ANSWERED": "\\Answered",
    "DELETED": "\\Deleted",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}
_FIELD_KEYS = ("BCC", "CC", "FROM", "SUBJECT", "TO")


class BadCharset(Exception):
    """The charset of a SEARCH is not known: NO [BADCHARSET]."""


def search(nodes: Sequence[Node], view: Sequence[Message]) -> list[tuple[int, Message]]:
    """Return (sequence number, message) of each match, in order.

    Raises:
        BadCommand: A key is unknown or lacks its argument.
        BadCharset: The charset is neither UTF-8 nor US-ASCII.
    """
    keys = list(nodes)
    if len(keys) > 1 and not isinstance(keys[0], list) and word(keys[0]) == "CHARSET":
        if word(keys[1]) not in ("UTF-8", "US-ASCII"):
            raise BadCharset(word(keys[1]))
        keys = keys[2:]
    if not keys:
        raise BadCommand("SEARCH needs a key")
    test = _all(keys, view)
    return [(number, message) for number, message in enumerate(view, 1) if test(number, message)]


def _all(keys: list[Node], view: Sequence[Message]) -> Test:
    tests = []
    rest = list(keys)
    while rest:
        tests.append(_one(rest, view))
    return lambda number, message: all(test(number, message) for test in tests)


def _take(rest: list[Node]) -> str:
    if not rest:
        raise BadCommand("a search key lacks its argument")
    return text(rest.pop(0))


def _one(rest: list[Node], view: Sequence[Message]) -> Test:  # noqa: C901, PLR0911 - one a search key
    if not rest:
        raise BadCommand("a search key lacks its argument")
    node = rest.pop(0)
    if isinstance(node, list):
        return _all(node, view)
    key = word(node)
    flag = _flag_test(key, rest)
    if flag is not None:
        return flag
    match key:
        case "ALL" | "OLD":
            return lambda _number, _message: True
        case "NEW" | "RECENT":
            return lambda _number, _message: False
        case "NOT":
            inner = _one(rest, view)
            return lambda number, message: not inner(number, message)
        case "OR":
            left, right = _one(rest, view), _one(rest, view)
            return lambda number, message: left(number, message) or right(number, message)
        case "UID":
            wanted = numbers(_take(rest), view[-1].uid if view else 0)
            return lambda _number, message: is_in(message.uid, wanted)
        case "LARGER" | "SMALLER":
            return _size_test(key, _take(rest))
        case "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE":
            return _date_test(key, parse_date(_take(rest)))
        case _:
            if key[:1].isdigit() or key[:1] == "*":
                chosen = numbers(key, len(view))
                return lambda number, _message: is_in(number, chosen)
            return _text_test(key, rest)


def _flag_test(key: str, rest: list[Node]) -> Test | None:
    if key in ("KEYWORD", "UNKEYWORD"):
        keyword = _take(rest).casefold()
        has = key == "KEYWORD"
        return lambda _number, message: (keyword in {flag.casefold() for flag in message.flags}) is has
    name = _FLAG_KEYS.get(key)
    if name is not None:
        return lambda _number, message: name in message.flags
    absent = _FLAG_KEYS.get(key.removeprefix("UN"))
    if absent is not None and key.startswith("UN"):
        return lambda _number, message: absent not in message.flags
    return None


def _size_test(key: str, digits: str) -> Test:
    if not digits.isdigit():
        raise BadCommand(f"{digits!r} is no size")
    size = int(digits)
    if key == "LARGER":
        return lambda _number, message: len(message.raw) > size
    return lambda _number, message: len(message.raw) < size


def _date_test(key: str, day: date) -> Test:
    sent = key.startswith("SENT")

    def when(message: Message) -> date:
        if sent:
            stated = _header(message, "Date")
            try:
                return parsedate_to_datetime(stated[0]).date() if stated else date.min
            except ValueError:
                return date.min
        return message.internal_at.astimezone(UTC).date()

    match key.removeprefix("SENT"):
        case "BEFORE":
            return lambda _number, message: when(message) < day
        case "ON":
            return lambda _number, message: when(message) == day
        case _:
            return lambda _number, message: when(message) >= day


def _text_test(key: str, rest: list[Node]) -> Test:
    if key == "HEADER":
        name = _take(rest)
        wanted = _take(rest).casefold()
        return lambda _number, message: any(wanted in value.casefold() for value in _header(message, name))
    if key in _FIELD_KEYS:
        wanted = _take(rest).casefold()
        return lambda _number, message: any(wanted in value.casefold() for value in _header(message, key))
    if key in ("BODY", "TEXT"):
        wanted = _take(rest).casefold()
        whole = key == "TEXT"
        return lambda _number, message: wanted in _readable(message, with_header=whole).casefold()
    raise BadCommand(f"unknown search key {key}")


def _header(message: Message, name: str) -> list[str]:
    head = message.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return [str(value) for value in message_from_bytes(head, EmailMessage, policy=default).get_all(name, [])]


def _readable(message: Message, *, with_header: bool) -> str:
    mail = message_from_bytes(message.raw, EmailMessage, policy=default)
    parts = [f"{name}: {value}" for name, value in mail.items()] if with_header else []
    for part in mail.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and part.get_content_maintype() in ("text", "message"):
            parts.append(payload.decode(part.get_content_charset() or "utf-8", errors="replace"))
    return "\n".join(parts)
