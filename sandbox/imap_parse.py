"""IMAP grammar: tokens, literals, sequence sets and dates of a command; quoting of what is answered."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone

_LITERAL_END = re.compile(rb"\{(\d+)(\+?)\}$")
_PLAIN_ATOM = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class BadCommand(Exception):
    """The command can't be understood: answered with BAD."""


class Atom(bytes):
    """A word without quotes."""

    __slots__ = ()


class Text(bytes):
    """A quoted string or a literal."""

    __slots__ = ()


Node = Atom | Text | list["Node"]


def literal_at_end(line: bytes) -> tuple[int, bool] | None:
    """Return (size, non-synchronising) when the line announces a literal (RFC 7888)."""
    found = _LITERAL_END.search(line)
    return (int(found[1]), found[2] == b"+") if found else None


def parse(pieces: Sequence[bytes | Text]) -> list[Node]:
    """Turn the lines and literals of one command into nodes.

    Raises:
        BadCommand: Brackets or quotes don't match.
    """
    stack: list[list[Node]] = [[]]
    for piece in pieces:
        if isinstance(piece, Text):
            stack[-1].append(piece)
        else:
            _scan(_LITERAL_END.sub(b"", piece), stack)
    if len(stack) != 1:
        raise BadCommand("a bracket is not closed")
    return stack[0]


def _scan(line: bytes, stack: list[list[Node]]) -> None:
    at = 0
    while at < len(line):
        char = line[at : at + 1]
        if char == b" ":
            at += 1
        elif char == b"(":
            stack.append([])
            at += 1
        elif char == b")":
            if len(stack) == 1:
                raise BadCommand("a bracket is closed that was not open")
            done = stack.pop()
            stack[-1].append(done)
            at += 1
        elif char == b'"':
            text, at = _quoted(line, at + 1)
            stack[-1].append(text)
        else:
            end = _atom_end(line, at)
            stack[-1].append(Atom(line[at:end]))
            at = end


def _quoted(line: bytes, at: int) -> tuple[Text, int]:
    out = bytearray()
    while at < len(line):
        char = line[at : at + 1]
        if char == b'"':
            return Text(bytes(out)), at + 1
        if char == b"\\":
            at += 1
            char = line[at : at + 1]
        out += char
        at += 1
    raise BadCommand("a quoted string is not closed")


def _atom_end(line: bytes, at: int) -> int:
    depth = 0
    while at < len(line):
        char = line[at : at + 1]
        if char == b"[":
            depth += 1
        elif char == b"]":
            depth -= 1
        elif depth <= 0 and char in b' ()"':
            break
        at += 1
    return at


def text(node: Node) -> str:
    """Return a word or string as text.

    Raises:
        BadCommand: It is a list.
    """
    if isinstance(node, list):
        raise BadCommand("a list where a string is wanted")
    return node.decode("utf-8", errors="replace")


def word(node: Node) -> str:
    """Return a keyword in upper case."""
    return text(node).upper()


def numbers(spec: str, highest: int) -> list[tuple[int, int]]:
    """Return the ranges of a sequence set, `*` being the highest number in use (RFC 9051 section 9).

    Raises:
        BadCommand: It is no sequence set.
    """
    ranges = []
    for part in spec.split(","):
        ends = [highest if end == "*" else _number(end) for end in part.split(":")]
        if not 1 <= len(ends) <= 2:  # noqa: PLR2004 - a range has two ends
            raise BadCommand(f"{part} is no range")
        ranges.append((min(ends), max(ends)))
    return ranges


def _number(digits: str) -> int:
    if not digits.isascii() or not digits.isdigit() or int(digits) < 1:
        raise BadCommand(f"{digits!r} is no message number")
    return int(digits)


def is_in(number: int, ranges: Sequence[tuple[int, int]]) -> bool:
    """Whether a number is in the ranges."""
    return any(low <= number <= high for low, high in ranges)


def parse_date(spec: str) -> date:
    """Return the date of `1-Feb-2026`.

    Raises:
        BadCommand: It is no date.
    """
    try:
        day, month, year = spec.strip().split("-")
        return date(int(year), _MONTHS.index(month.title()) + 1, int(day))
    except ValueError as error:
        raise BadCommand(f"{spec!r} is no date") from error


def parse_date_time(spec: str) -> datetime:
    """Return the time of ` 1-Feb-2026 10:00:00 +0100`.

    Raises:
        BadCommand: It is no date-time.
    """
    try:
        day, clock, zone = spec.strip().split(" ")
        at = parse_date(day)
        hour, minute, second = (int(part) for part in clock.split(":"))
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
        return datetime(at.year, at.month, at.day, hour, minute, second, tzinfo=timezone(offset))
    except (ValueError, IndexError) as error:
        raise BadCommand(f"{spec!r} is no date-time") from error


def format_date_time(at: datetime) -> str:
    """Return INTERNALDATE's form of a time."""
    utc = at.astimezone(UTC)
    return f"{utc.day:2d}-{_MONTHS[utc.month - 1]}-{utc.year} {utc:%H:%M:%S} +0000"


def quote(value: str | bytes | None) -> bytes:
    """Return a string as NIL, quoted or literal, as it needs."""
    if value is None:
        return b"NIL"
    raw = value.encode("utf-8") if isinstance(value, str) else value
    if any(byte < 0x20 or byte >= 0x7F for byte in raw):  # noqa: PLR2004 - outside printable ASCII
        return b"{%d}\r\n%s" % (len(raw), raw)
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def mailbox(name: str) -> bytes:
    """Return a folder name as LIST and STATUS answer it."""
    raw = name.encode("utf-8")
    return raw if _PLAIN_ATOM.fullmatch(raw) else quote(raw)
