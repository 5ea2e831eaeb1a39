"""FETCH: the data items of one message: BODY sections with partials, ENVELOPE, BODYSTRUCTURE."""

import re
from collections.abc import Sequence
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import compat32
from email.utils import getaddresses

from sandbox.imap_parse import BadCommand, Node, format_date_time, quote, word
from sandbox.mailstore import SEEN, Message

_MACROS = {
    "ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"],
    "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
    "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"],
}
_SECTION = re.compile(r"BODY(\.PEEK)?\[(.*)\](?:<(\d+)\.(\d+)>)?", re.DOTALL)
_PLAIN_ITEMS = ("FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE", "BODY")
_OLD_ITEMS = {"RFC822": "BODY[]", "RFC822.HEADER": "BODY.PEEK[HEADER]", "RFC822.TEXT": "BODY[TEXT]"}


def items(node: Node) -> list[str]:
    """Return the data items that a FETCH asks for.

    Raises:
        BadCommand: One of them is unknown.
    """
    names = [word(item) for item in node] if isinstance(node, list) else [word(node)]
    if len(names) == 1 and names[0] in _MACROS:
        return _MACROS[names[0]]
    for name in names:
        if name not in _PLAIN_ITEMS and name not in _OLD_ITEMS and not _SECTION.fullmatch(name):
            raise BadCommand(f"unknown data item {name}")
    return names


def marks_seen(wanted: Sequence[str]) -> bool:
    """Whether reading these items sets the flag Seen (RFC 9051 section 6.4.5)."""
    spelled = [_OLD_ITEMS.get(item, item) for item in wanted]
    return any(item.startswith("BODY[") for item in spelled)


def fetch(message: Message, wanted: Sequence[str], *, with_uid: bool, may_mark: bool = True) -> bytes:
    """Return what stands between the brackets of a FETCH response.

    Args:
        message: The mail; reading its body sets Seen.
        wanted: Data items, as `items` gives them.
        with_uid: Show the UID even if it was not asked for.
        may_mark: False in a folder that was opened by EXAMINE: no flag changes.
    """
    parts = [_item(message, item) for item in wanted]
    if with_uid and "UID" not in wanted:
        parts.insert(0, b"UID %d" % message.uid)
    if may_mark and marks_seen(wanted) and SEEN not in message.flags:
        message.flags.add(SEEN)
        parts = [part for part in parts if not part.startswith(b"FLAGS ")]
        parts.append(_flags(message))
    return b" ".join(parts)


def _flags(message: Message) -> bytes:
    return b"FLAGS (" + " ".join(sorted(message.flags)).encode() + b")"


def _item(message: Message, item: str) -> bytes:  # noqa: PLR0911 - one a data item
    match item:
        case "FLAGS":
            return _flags(message)
        case "UID":
            return b"UID %d" % message.uid
        case "INTERNALDATE":
            return b"INTERNALDATE " + quote(format_date_time(message.internal_at))
        case "RFC822.SIZE":
            return b"RFC822.SIZE %d" % len(message.raw)
        case "ENVELOPE":
            return b"ENVELOPE " + _envelope(_parsed(message.raw))
        case "BODYSTRUCTURE" | "BODY":
            return item.encode() + b" " + _structure(_parsed(message.raw), extended=item != "BODY")
        case _:
            return _section(message, item)


def _parsed(raw: bytes) -> Mail:
    return message_from_bytes(raw, policy=compat32)


def _section(message: Message, item: str) -> bytes:
    found = _SECTION.fullmatch(_OLD_ITEMS.get(item, item))
    if found is None:
        raise BadCommand(f"unknown data item {item}")
    content = _content(message.raw, found[2])
    label = item.encode() if item in _OLD_ITEMS else b"BODY[" + found[2].encode() + b"]"
    if content is None:
        return label + b" NIL"
    if found[3] is not None:
        begin, length = int(found[3]), int(found[4])
        content = content[begin : begin + length]
        label += b"<%d>" % begin
    return label + b" {%d}\r\n" % len(content) + content


def _split(raw: bytes) -> tuple[bytes, bytes]:
    head, gap, body = raw.partition(b"\r\n\r\n")
    return (head + gap, body) if gap else (raw, b"")


def _content(raw: bytes, section: str) -> bytes | None:  # noqa: PLR0911 - one a kind of section
    """The bytes of a section; None if there is no such part."""
    numbered = re.match(r"((?:\d+\.)*\d+)(?:\.|$)", section)
    rest = section[numbered.end() :] if numbered else section
    if numbered:
        part = _part(raw, [int(number) for number in numbered[1].split(".")])
        if part is None:
            return None
        if rest == "":
            return _split(part)[1]
        if rest == "MIME":
            return _split(part)[0]
        raw = _split(part)[1]
    head, body = _split(raw)
    if rest == "":
        return raw
    if rest == "TEXT":
        return body
    if rest == "HEADER":
        return head
    chosen = re.fullmatch(r"HEADER\.FIELDS(\.NOT)? ?\((.*)\)", rest, re.DOTALL)
    if chosen is None:
        raise BadCommand(f"unknown section {section}")
    names = {name.strip('"').casefold() for name in chosen[2].split()}
    return _fields(head, names, exclude=chosen[1] is not None)


def _fields(head: bytes, names: set[str], *, exclude: bool) -> bytes:
    kept = [
        field
        for field in re.split(rb"(?<=\r\n)(?![ \t])", head)
        if b":" in field
        and (field.partition(b":")[0].strip().decode("latin-1").casefold() in names) is not exclude
    ]
    return b"".join(kept) + b"\r\n"


def _part(raw: bytes, path: Sequence[int]) -> bytes | None:
    """The bytes of a MIME part, header included; part 1 of a mail that isn't multipart is its body."""
    for number in path:
        mail = _parsed(raw)
        if mail.get_content_type() == "message/rfc822" and not raw.startswith(b"\r\n"):
            inner = _split(raw)[1]
            mail, raw = _parsed(inner), inner
        boundary = mail.get_boundary()
        if mail.get_content_maintype() != "multipart" or boundary is None:
            if number != 1:
                return None
            continue
        pieces = re.split(
            rb"(?:^|\r\n)--" + re.escape(boundary.encode()) + rb"(?:--)?[ \t]*(?:\r\n|$)", _split(raw)[1]
        )
        inner_parts = pieces[1:-1] if len(pieces) > 1 else []
        if number > len(inner_parts):
            return None
        raw = inner_parts[number - 1]
        if not re.match(rb"[!-9;-~]+:", raw):
            raw = b"\r\n" + raw if raw.startswith(b"\r\n") else b"\r\n\r\n" + raw
    return raw


def _field(mail: Mail, name: str) -> bytes:
    value = mail.get(name)
    return quote(None if value is None else re.sub(r"\r?\n[ \t]", " ", str(value)))


def _envelope(mail: Mail) -> bytes:
    sender = _addresses(mail, "From")
    parts = [
        _field(mail, "Date"),
        _field(mail, "Subject"),
        sender,
        _addresses(mail, "Sender", sender),
        _addresses(mail, "Reply-To", sender),
        _addresses(mail, "To"),
        _addresses(mail, "Cc"),
        _addresses(mail, "Bcc"),
        _field(mail, "In-Reply-To"),
        _field(mail, "Message-ID"),
    ]
    return b"(" + b" ".join(parts) + b")"


def _addresses(mail: Mail, name: str, otherwise: bytes = b"NIL") -> bytes:
    found = []
    for shown, address in getaddresses([str(value) for value in mail.get_all(name, [])]):
        if not address:
            continue
        local, _, domain = address.rpartition("@")
        found.append(b"(" + quote(shown or None) + b" NIL " + quote(local) + b" " + quote(domain) + b")")
    return b"(" + b"".join(found) + b")" if found else otherwise


def _parameters(pairs: Sequence[tuple[str, str]]) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(" + b" ".join(quote(name) + b" " + quote(value) for name, value in pairs) + b")"


def _disposition(mail: Mail) -> bytes:
    kind = mail.get_content_disposition()
    if kind is None:
        return b"NIL"
    pairs = (mail.get_params(header="content-disposition") or [])[1:]
    return b"(" + quote(kind) + b" " + _parameters([(name, str(value)) for name, value in pairs]) + b")"


def _structure(mail: Mail, *, extended: bool) -> bytes:
    pairs = [(name, str(value)) for name, value in (mail.get_params() or [])[1:]]
    payload = mail.get_payload()
    if mail.get_content_maintype() == "multipart" and isinstance(payload, list):
        inner = b"".join(_structure(part, extended=extended) for part in payload if isinstance(part, Mail))
        tail = b" " + _parameters(pairs) + b" " + _disposition(mail) + b" NIL NIL" if extended else b""
        return b"(" + inner + b" " + quote(mail.get_content_subtype()) + tail + b")"
    if mail.get_content_type() == "text/plain" and not pairs:
        pairs = [("charset", "us-ascii")]
    embedded = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Mail) else None
    body = embedded.as_bytes() if embedded else str(payload).encode("utf-8", errors="surrogateescape")
    parts = [
        quote(mail.get_content_maintype()),
        quote(mail.get_content_subtype()),
        _parameters(pairs),
        _field(mail, "Content-ID"),
        _field(mail, "Content-Description"),
        quote(str(mail.get("Content-Transfer-Encoding", "7bit"))),
        b"%d" % len(body),
    ]
    if embedded is not None and mail.get_content_type() == "message/rfc822":
        parts += [_envelope(embedded), _structure(embedded, extended=extended)]
    if mail.get_content_maintype() == "text" or embedded is not None:
        parts.append(b"%d" % body.count(b"\n"))
    if extended:
        parts += [b"NIL", _disposition(mail), b"NIL", b"NIL"]
    return b"(" + b" ".join(parts) + b")"
