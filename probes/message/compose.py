"""Compose the canary mail: a customer's request, the same bytes each time for the same canary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from enum import StrEnum
from hashlib import sha256
from html import escape
from mimetypes import guess_type
from textwrap import wrap
from types import MappingProxyType
from typing import Final

import idna

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Hop
from canary.ticket import Attachment
from probes.masking import Secret
from probes.message.addresses import ascii_domain
from probes.servers import SecretUnavailable

WRAP_CHARACTERS: Final = 72
DEFAULT_SUBJECT: Final = "Question about invoice \u2013 Zoë\u2019s café"
DEFAULT_BODY: Final = (
    "Hello,\n\n"
    "this is a test request of our support intake. It checks that what customers write reaches you in time and "
    "unchanged, and it closes itself; nobody needs to answer.\n\n"
    "Some letters that must arrive as they were written: äöüß, naïve, Łódź, Ελλάδα, 東京, 5 €, \u201cquoted\u201d & <tags>.\n\n"
    "Kind regards\n"
    "The intake check"
)

_OWN = frozenset(
    {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "mime-version",
        "traceparent",
        "x-intake-canary",
    }
    | {"content-type", "content-transfer-encoding", "content-disposition", "dkim-signature", "received"}
    | {"return-path", "bcc", "cc", "sender", "in-reply-to", "references"}
)
_SUBJECT_LINE: Final = 78
"""RFC 5322 section 2.1.1: lines should be no longer."""
_MAIL_LINE_CHARACTERS: Final = 998
"""RFC 5322 section 2.1.1, without the line end."""


class Subaddress(StrEnum):
    """Where the sub-address ``name+TOKEN@domain`` stands, so that answers come back to it (RFC 5233)."""

    NONE = "none"
    REPLY_TO = "reply_to"
    FROM = "from"


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """An attachment of the canary mail."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Dkim:
    """How to sign (RFC 6376). ``key``: the private key in PEM."""

    domain: str
    selector: str
    key: Secret


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What the canary mail says and bears.

    Attributes:
        recipient: the support address.
        display_name: of the customer that we play; empty: none.
        display_names: of single customers, by their address in lower case, instead of that one.
        subject: what follows marker and token.
        body: plain text; the line with the token is added to it.
        headers: further header fields.
    """

    recipient: str
    display_name: str = "Zoë Example"
    display_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    subject: str = DEFAULT_SUBJECT
    body: str = DEFAULT_BODY
    has_html: bool = True
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    attachment: AttachedFile | None = None
    subaddress: Subaddress = Subaddress.NONE

    def __post_init__(self) -> None:
        """Refuse what would break the mail.

        Raises:
            ValueError: a header field is one of ours, or is not one line of a header.
        """
        for name, value in self.headers.items():
            if problem := header_problem(name, value):
                raise ValueError(problem)
        if any(character in self.subject for character in "\r\n"):
            raise ValueError("the subject of the canary mail must be one line")


_PLAIN: Final = frozenset(
    {"date", "message-id", "x-intake-canary", "traceparent", "mime-version"}
    | {"content-type", "content-transfer-encoding"}
)
_SHORT_CHARACTERS: Final = 70


class DkimUnavailable(SecretUnavailable):
    """The mail can't be signed: the extra is not installed, or the key is unusable."""


def header_problem(name: str, value: str) -> str:
    """What speaks against a further header field; empty: nothing."""
    if name.lower() in _OWN:
        return f"header {name}: the canary mail sets it itself. Leave it out"
    if not name or not all("!" <= character <= "~" and character != ":" for character in name):
        return f"header {name!r}: not a field name (RFC 5322 section 2.2). Use letters, digits and hyphens"
    if any(character in value for character in "\r\n\0"):
        return f"header {name}: its value must be one line"
    return ""


def subaddress(canary: Canary) -> str:
    """The sender's address with the token as its sub-address (RFC 5233)."""
    local, _, domain = canary.sender.rpartition("@")
    return f"{local}+{canary.token}@{domain}"


def envelope_sender(canary: Canary, settings: MailSettings) -> str:
    """The address that bounces go to."""
    return subaddress(canary) if settings.subaddress is Subaddress.FROM else canary.sender


def subject_of(canary: Canary, settings: MailSettings) -> str:
    """The whole subject: marker and token first, so that neither a cut nor an index loses them."""
    return f"{canary.subject_prefix} {settings.subject}".rstrip()


def body_of(canary: Canary, settings: MailSettings) -> str:
    """The plain text, unwrapped; the token stands on a line of its own in the middle."""
    first, gap, rest = settings.body.replace("\r\n", "\n").strip("\n").partition("\n\n")
    return (
        f"{first}\n\nReference: {canary.token}\n\n{rest}" if gap else f"{first}\n\nReference: {canary.token}"
    )


def expected_content(canary: Canary, settings: MailSettings) -> ExpectedContent:
    """What a ticket of this canary must say: what the ticketing watcher compares with."""
    attachments: tuple[Attachment, ...] = ()
    if settings.attachment is not None:
        digest = sha256(settings.attachment.content).hexdigest()
        attachments = (Attachment(settings.attachment.name, digest),)
    return ExpectedContent(subject_of(canary, settings), body_of(canary, settings), attachments)


def compose(canary: Canary, settings: MailSettings, *, dkim: Dkim | None = None) -> bytes:
    """The mail as it is sent: CRLF line ends, 7-bit, no line over 998 characters (RFC 5322 section 2.1.1).

    What it does not bear is as deliberate (docs/mail.md): nothing that marks it as automatic, since helpdesks drop
    such mail. Whoever must tell it apart has `X-Intake-Canary`.

    Raises:
        DkimUnavailable: it shall be signed and can't be.
    """
    sender = envelope_sender(canary, settings)
    needs_utf8 = not (ascii_domain(sender) + ascii_domain(settings.recipient)).isascii()
    mail = EmailMessage(policy=_MailPolicy(linesep="\r\n", utf8=needs_utf8))
    shown = settings.display_names.get(canary.sender.lower(), settings.display_name)
    mail["From"] = _address(shown, sender)
    if settings.subaddress is Subaddress.REPLY_TO:
        mail["Reply-To"] = _address(shown, subaddress(canary))
    mail["To"] = _address("", settings.recipient)
    mail["Subject"] = subject_of(canary, settings)
    mail["Date"] = format_datetime(canary.launched_at)
    mail["Message-ID"] = canary.message_id
    mail["X-Intake-Canary"] = canary.id
    mail["traceparent"] = canary.traceparent(Hop.SMTP_ACCEPT)
    for name, value in settings.headers.items():
        mail[name] = value
    text = body_of(canary, settings)
    mail.set_content(_wrapped(text), cte="quoted-printable")
    if settings.has_html:
        mail.add_alternative(_html(text), subtype="html", cte="quoted-printable")
    if settings.attachment is not None:
        _attach(mail, settings.attachment)
    for number, part in enumerate(mail.walk()):
        if part.is_multipart():
            # Neither quoted-printable nor base64 has "=_" (RFC 2045 section 6.7); the id keeps the field on one line.
            part.set_boundary(f"=_{canary.id}_{number}")
    raw = mail.as_bytes()
    if any(len(line) > _MAIL_LINE_CHARACTERS for line in raw.split(b"\r\n")):
        raise ValueError("the canary mail has a line of over 998 characters. Shorten the header field")
    return raw if dkim is None else _signed(raw, dkim)


class _MailPolicy(EmailPolicy):
    """`email.policy.SMTP`, with a subject that comes back as it was written.

    The library's own folding puts two short words of other letters into two encoded words on one line, and what
    decodes them drops the space between (RFC 2047 section 6.2). Here all that follows the first such word is encoded
    as one text.

    A field of ours that is one short line as it stands is neither parsed nor folded, and a subject that is encoded
    here is not parsed before: that is most of what composing a mail costs.
    """

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        """A header field as the message keeps it."""
        if _is_plain(name, value) or (self._encodes(name, value) and value.isprintable()):
            return name, value
        return super().header_store_parse(name, value)

    def header_fetch_parse(self, name: str, value: str) -> str:
        """A header field as the message shows it; the library reads parameters out of a text, too."""
        return value if _is_plain(name, value) else super().header_fetch_parse(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header field as it is sent."""
        if not self._encodes(name, value):
            return super().fold_binary(name, value)
        words = value.split(" ")
        first = next(number for number, word in enumerate(words) if not word.isascii())
        subject = Header(header_name=name, maxlinelen=_SUBJECT_LINE)
        if first:
            subject.append(" ".join(words[:first]), "us-ascii")
        subject.append(" ".join(words[first:]), "utf-8")
        return f"{name}: {subject.encode(linesep=self.linesep)}{self.linesep}".encode("ascii")

    def _encodes(self, name: str, value: str) -> bool:
        return name.lower() == "subject" and not self.utf8 and not value.isascii()


def _is_plain(name: str, value: str) -> bool:
    if name.lower() not in _PLAIN or len(name) + len(value) > _SHORT_CHARACTERS:
        return False
    return value.isascii() and value.isprintable()


def _address(display_name: str, address: str) -> Address:
    local, _, domain = ascii_domain(address).rpartition("@")
    return Address(display_name, local, domain)


def _wrapped(text: str) -> str:
    """Lines of at most 72 characters; words, so the token too, stay whole."""
    lines = []
    for line in text.split("\n"):
        lines += wrap(line, WRAP_CHARACTERS, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join(lines) + "\n"


def _html(text: str) -> str:
    paragraphs = "\n".join(
        f"<p>{'<br>'.join(escape(line, quote=False) for line in paragraph.split(chr(10)))}</p>"
        for paragraph in text.split("\n\n")
    )
    return f'<html><head><meta charset="utf-8"></head><body>\n{paragraphs}\n</body></html>\n'


def _attach(mail: EmailMessage, file: AttachedFile) -> None:
    kind = guess_type(file.name)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    mail.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name, cte="base64")


_SIGNED_HEADERS: Final = [b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version"]


def _signed(raw: bytes, dkim: Dkim) -> bytes:
    try:
        import dkim as library
    except ImportError as error:
        raise DkimUnavailable(
            "DKIM signing needs an extra that is not installed: pip install 'intake-prober[dkim]'"
        ) from error
    try:
        signature: bytes = library.sign(
            raw,
            dkim.selector.encode(),
            idna.encode(dkim.domain, uts46=True),
            dkim.key.reveal().encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=_SIGNED_HEADERS,
        )
    except (library.DKIMException, ValueError):
        # The cause may quote the key, so it stays out of the message and of the chain.
        raise DkimUnavailable(
            f"DKIM key of selector {dkim.selector} is unusable. It must be an RSA or Ed25519 private key in PEM"
        ) from None
    return signature + raw
