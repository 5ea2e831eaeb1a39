"""Find the tokens that a mail bears, wherever they survived; never raises, whatever it is given."""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from enum import StrEnum
from html.parser import HTMLParser
from typing import Final

from canary.signature import find_tokens

MAIL_BYTES: Final = 512 * 1024
"""More of a mail is not read: a token stands at the beginning, and strangers' attachments are none of ours."""
PARTS: Final = 64
HEADER_CHARACTERS: Final = 16 * 1024


class Where(StrEnum):
    """Where in a mail a token was found; the order is that of trust."""

    MESSAGE_ID = "message_id"
    CANARY_HEADER = "canary_header"
    IN_REPLY_TO = "in_reply_to"
    REFERENCES = "references"
    ADDRESS = "address"
    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


_FIELDS: Final = {
    "message-id": Where.MESSAGE_ID,
    "x-intake-canary": Where.CANARY_HEADER,
    "in-reply-to": Where.IN_REPLY_TO,
    "references": Where.REFERENCES,
    "to": Where.ADDRESS,
    "cc": Where.ADDRESS,
    "delivered-to": Where.ADDRESS,
    "x-original-to": Where.ADDRESS,
    "envelope-to": Where.ADDRESS,
    "reply-to": Where.ADDRESS,
    "original-recipient": Where.ADDRESS,
    "subject": Where.SUBJECT,
}
"""Where a field belongs; in those of addresses a sub-address (``canary+TOKEN@…``, RFC 5233) may be found."""


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A word of a token's shape (its signature not yet verified) and where it stood first."""

    token: str
    where: Where


_WORD = re.compile(r"=\?[^?\s]+\?[bqBQ]\?[^?]*\?=")
_TAG = re.compile(r"<[^>]*>")
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "body", "br", "dd", "div", "dl", "dt", "fieldset", "footer"}
    | {
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
    }
    | {"section", "table", "tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul"}
)
_SILENT = frozenset({"script", "style"})


def parse(raw: bytes) -> Message:
    """A mail as parsed; of one that is nested too deeply for a parser, the header alone."""
    head = raw[:MAIL_BYTES]
    try:
        return BytesParser(policy=compat32).parsebytes(head)
    except RecursionError:
        return parse_header(head)


def parse_header(raw: bytes) -> Message:
    """The header of a mail; the body stays one undecoded text."""
    return BytesHeaderParser(policy=compat32).parsebytes(raw[:MAIL_BYTES])


def field(message: Message, name: str) -> str:
    """A header field's text, unfolded and decoded (RFC 2047); empty where there is none."""
    values = fields(message, name)
    return values[0] if values else ""


def fields(message: Message, name: str) -> tuple[str, ...]:
    """All fields of a name, in their order, each unfolded and decoded (RFC 2047)."""
    return tuple(decode(str(value)) for value in message.get_all(name) or ())


def decode(text: str) -> str:
    """Decode the encoded words of a header field (RFC 2047); what can't be decoded stays as it is."""
    unfolded = text[:HEADER_CHARACTERS].replace("\r", "").replace("\n", "")
    clean = unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if not _WORD.search(clean):
        return clean
    try:
        return _decoded(clean)
    except (HeaderParseError, binascii.Error, ValueError):
        return _WORD.sub(_decoded_word, clean)


def _decoded(text: str) -> str:
    return "".join(
        piece if isinstance(piece, str) else to_text(piece, charset or "ascii")
        for piece, charset in decode_header(text)
    )


def _decoded_word(match: re.Match[str]) -> str:
    try:
        return _decoded(match.group())
    except (HeaderParseError, binascii.Error, ValueError):
        return match.group()


def to_text(data: bytes, charset: str) -> str:
    """Decode bytes; an unknown or wrong charset costs characters, never the text."""
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("latin-1")


def flatten(html: str) -> str:
    """The text of an HTML document: blocks on lines of their own, inline tags without a trace, entities decoded."""
    reader = _Flattener()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        return _TAG.sub(" ", html)
    return "".join(reader.pieces)


def bodies(message: Message) -> tuple[str, str]:
    """The plain text and the flattened HTML of a mail, transfer encodings and charsets undone."""
    texts: list[str] = []
    pages: list[str] = []
    for part in walk(message):
        match part.get_content_type():
            case "text/html":
                pages.append(flatten(content(part)))
            case "text/plain" | "text/rfc822-headers":
                texts.append(content(part))
            case _:
                pass
    return "\n".join(texts), "\n".join(pages)


def content(part: Message) -> str:
    """The text of one part, decoded; empty where it has none."""
    try:
        data = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError, AssertionError):
        data = None
    if not isinstance(data, bytes):
        return ""
    try:
        charset = part.get_content_charset("utf-8")
    except (MessageError, ValueError, LookupError):
        charset = "utf-8"
    return to_text(data, charset)


def walk(message: Message) -> Iterator[Message]:
    """The parts of a mail, itself first, without recursion and at most `PARTS` of them."""
    waiting = [message]
    for _ in range(PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        yield part
        children = part.get_payload()
        if isinstance(children, list):
            waiting[:0] = [one for one in children if isinstance(one, Message)]


def header_tokens(message: Message) -> tuple[FoundToken, ...]:
    """The tokens in a mail's header, the most trustworthy place first, each once."""
    texts: dict[Where, list[str]] = {where: [] for where in Where}
    for name, value in message.items():
        where = _FIELDS.get(name.lower())
        if where is not None:
            texts[where].append(decode(str(value)))
    texts[Where.ADDRESS] = [text for text in texts[Where.ADDRESS] if "@" in text]
    return _unique(FoundToken(token, where) for where in Where for token in _tokens(texts[where]))


def mail_tokens(message: Message) -> tuple[FoundToken, ...]:
    """The tokens in a mail's header and text, the most trustworthy place first, each once."""
    text, page = bodies(message)
    return _unique(
        [
            *header_tokens(message),
            *(FoundToken(token, Where.TEXT) for token in _tokens((text,))),
            *(FoundToken(token, Where.HTML) for token in _tokens((page,))),
        ]
    )


def _tokens(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from find_tokens(text)


def _unique(found: Iterator[FoundToken] | Sequence[FoundToken]) -> tuple[FoundToken, ...]:
    first: dict[str, FoundToken] = {}
    for one in found:
        first.setdefault(one.token, one)
    return tuple(first.values())


class _Flattener(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _SILENT:
            self._silent += 1
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)
