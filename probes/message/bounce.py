"""Read bounces: delivery status notifications (RFC 3464) and the common ones that keep to no standard. No IO."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum
from typing import Final

from canary.reason import Reason
from canary.signature import find_tokens
from probes.message.extract import bodies, content, field, fields, header_tokens, parse_header, walk
from probes.smtp_replies import FULL, UNKNOWN_USER, reason_of_report

DIAGNOSTIC_CHARACTERS: Final = 500
REPORT_LINES: Final = 200


class Action(StrEnum):
    """What the reporting server did (RFC 3464 section 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report about a mail's delivery.

    Attributes:
        tokens: words of a token's shape in the mail that it is about; their signatures are not verified.
        action: of several recipients, the worst.
        status: the enhanced status code (RFC 3463) such as ``5.2.2``, the most telling one; None where it has none.
        diagnostic: the remote server's words on one line; empty where it has none.
        reporting_mta: who reports; empty where unknown.
        is_final: the server has given the mail up. A warning of a delay is not final.
        is_standard: it keeps to RFC 3464.
        recipients: the addresses that failed, lower case, as they were given and as they came to be; empty: not said.
    """

    tokens: tuple[str, ...]
    action: Action
    status: str | None
    diagnostic: str
    reporting_mta: str
    is_final: bool
    is_standard: bool
    recipients: frozenset[str] = frozenset()

    @property
    def is_permanent(self) -> bool:
        """Whether the fault itself is said to be permanent (class 5), so that no later try can have delivered the mail.

        Words alone do not say so: a notice of a delay in a language that is not known here looks the same.
        """
        return self.is_final and self.status is not None and self.status.startswith("5")

    def is_about(self, address: str) -> bool:
        """Whether that address failed, as far as the report says: a list's dead member is no failure of the list."""
        return not self.recipients or address.lower() in self.recipients


_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(r"(?<![\d.:-])([45]\d\d)(?=[ \-:#])")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_DAEMONS = re.compile(
    r"(?:^|[<\s\"])(?:mailer-daemon|postmaster|mail-daemon|microsoftexchange[0-9a-f]+)@|mail delivery (?:sub)?system",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"^\s*(?:undeliver(?:able|ed)|failure notice|mail delivery fail|delivery (?:has )?fail|delivery status notif"
    r"|returned mail|mail could not be delivered|message not delivered|non[- ]?delivery|unzustellbar|nicht zustellbar"
    r"|warning: (?:message|could not send)|delayed mail|delivery delayed|mail system error)",
    re.IGNORECASE,
)
_WARNING = re.compile(
    r"will (?:keep|continue|be retried)|still (?:being )?(?:trying|queued)|warning (?:message )?only"
    r"|do not need to re-?send|has been delayed|\(delay(?:ed)?\)|^delayed mail",
    re.IGNORECASE | re.MULTILINE,
)
_ORIGINAL = re.compile(
    r"\s*(?:-{2,} ?(?:[\w' ]{0,40}(?:original|copy|returned|below))|>? ?(?:received|return-path):)",
    re.IGNORECASE,
)
_RANKS = {Action.FAILED: 0, Action.DELAYED: 1, Action.EXPANDED: 2, Action.RELAYED: 3, Action.DELIVERED: 4}
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})


def read_bounce(message: Message) -> Bounce | None:
    """What a mail reports of another's delivery, or None if it is no report. Never raises."""
    for part in walk(message):
        if part.get_content_type() in _STATUS_TYPES:
            standard = _standard(message, part)
            if standard is not None:
                return standard
    return _plain(message) if is_suspected(message) else None


def is_suspected(message: Message) -> bool:
    """Whether the header alone makes a bounce likely, so that its body is worth reading.

    An empty return path is no sign: acknowledgements have it too (RFC 3834 section 3.3).
    """
    if message.get_content_type() == "multipart/report":
        return True
    if message.get("X-Failed-Recipients") is not None:
        return True
    if field(message, "Auto-Submitted").lower().startswith("auto-replied") and not _DAEMONS.search(
        field(message, "From")
    ):
        return False
    return bool(_DAEMONS.search(field(message, "From")) or _SUBJECTS.match(field(message, "Subject")))


def bounce_reason(bounce: Bounce) -> Reason:
    """Why the mail came back, as far as the report tells, by the table that answers in the session are read with."""
    reason = reason_of_report(bounce.status, bounce.diagnostic)
    if reason is Reason.MAILBOX_FULL:
        return reason
    if bounce.action is Action.DELAYED:
        return Reason.DEFERRED
    return Reason.BOUNCED if reason is Reason.REJECTED else reason


def _standard(message: Message, part: Message) -> Bounce | None:
    """By RFC 3464: fields of the message, an empty line, then fields of each recipient."""
    blocks = list(_blocks(part))
    recipients = [block for block in blocks if _action(block) is not None]
    if not recipients:
        return None
    worst = min(recipients, key=lambda block: _RANKS[_action(block) or Action.DELIVERED])
    action = _action(worst) or Action.DELIVERED
    diagnostic = _typed(field(worst, "Diagnostic-Code"))
    status = _most_telling(field(worst, "Status"), diagnostic)
    envelope_id = _from_xtext(_first(blocks, "Original-Envelope-Id"))
    named = [text for block in recipients for text in fields(block, "Original-Recipient")]
    return Bounce(
        tokens=_tokens_of_original(message, envelope_id, *named),
        action=action,
        status=status,
        diagnostic=diagnostic,
        reporting_mta=_typed(_first(blocks, "Reporting-MTA")),
        is_final=action is Action.FAILED,
        is_standard=True,
        recipients=frozenset(
            _typed(_from_xtext(text)).strip("<>").lower()
            for block in recipients
            if _action(block) is Action.FAILED
            for name in ("Original-Recipient", "Final-Recipient")
            for text in fields(block, name)
        ),
    )


def _plain(message: Message) -> Bounce:
    """By what qmail, Exchange, Exim and hand-made daemons write: a few words, the answer, the original below."""
    text, page = bodies(message)
    lines = list(_report_lines(text or page))
    report = "\n".join(lines)
    subject = field(message, "Subject")
    says_failed = bool(_SUBJECTS.match(subject) or FULL.search(report) or UNKNOWN_USER.search(report))
    has_code = bool(_STATUS.search(report) or _REPLY.search(report))
    is_warning = bool(_WARNING.search(subject) or _WARNING.search(report)) or not (says_failed or has_code)
    line = next(
        (one for one in lines if _STATUS.search(one) or _REPLY.search(one)),
        next((one for one in lines if FULL.search(one) or UNKNOWN_USER.search(one)), ""),
    )
    diagnostic = _one_line(line or report)
    return Bounce(
        tokens=_tokens_of_original(message),
        action=Action.DELAYED if is_warning else Action.FAILED,
        status=_most_telling("", diagnostic),
        diagnostic=diagnostic,
        reporting_mta=_one_line(field(message, "From").rpartition("@")[2].strip("<> ")),
        is_final=not is_warning,
        is_standard=False,
    )


def _report_lines(text: str) -> Iterator[str]:
    """What the daemon wrote, until the copy of the original begins."""
    for line in text[: 64 * 1024].splitlines()[:REPORT_LINES]:
        short = line[:DIAGNOSTIC_CHARACTERS]
        if _ORIGINAL.match(short):
            return
        yield short


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status, also where the part was transfer-encoded as a whole."""
    payload = part.get_payload()
    groups = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
    if any(one.get("Action") is not None for one in groups):
        yield from groups
        return
    encoded = Message()
    encoded["Content-Transfer-Encoding"] = str(part.get("Content-Transfer-Encoding", "7bit"))
    encoded.set_payload("".join(str(one.get_payload()) for one in groups) if groups else str(payload))
    text = content(encoded)
    for group in re.split(r"\r?\n[ \t]*\r?\n", text):
        yield parse_header(group.encode("utf-8", "replace"))


def _action(block: Message) -> Action | None:
    words = field(block, "Action").lower().split()
    try:
        return Action(words[0].strip("();,")) if words else None
    except ValueError:
        return None


def _first(blocks: list[Message], name: str) -> str:
    return next((text for block in blocks for text in fields(block, name)), "")


def _typed(text: str) -> str:
    """The value of a field of the form ``type; value``."""
    kind, separator, value = text.partition(";")
    return _one_line(value if separator else kind)


def _most_telling(status: str, diagnostic: str) -> str | None:
    """The more specific of the field's code and that in the server's own answer, of the same class."""
    given = _STATUS.search(status)
    said = _STATUS.search(diagnostic)
    reply = _REPLY.search(diagnostic)
    code = given.group(1) if given else None
    if said is not None and (code is None or (code.endswith(".0.0") and said.group(1)[0] == code[0])):
        return said.group(1)
    if code is None and reply is not None:
        return "5.2.2" if reply.group(1) == "552" else f"{reply.group(1)[0]}.0.0"
    return code


def _from_xtext(text: str) -> str:
    """Decode ``xtext`` (RFC 3461 section 4)."""
    return _XTEXT.sub(lambda match: chr(int(match.group(1), 16)), text)


def _tokens_of_original(message: Message, *named: str) -> tuple[str, ...]:
    """The tokens in what was returned, in the report and in the envelope's id, each once."""
    found = [token for text in named for token in find_tokens(text)]
    for part in walk(message):
        found += [one.token for one in header_tokens(part)]
        if part.get_content_maintype() == "text":
            found += find_tokens(content(part))
        if part.get_content_type() == "text/rfc822-headers":
            found += [
                one.token for one in header_tokens(parse_header(content(part).encode("utf-8", "replace")))
            ]
    return tuple(dict.fromkeys(found))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line[:DIAGNOSTIC_CHARACTERS]
