"""What an SMTP answer means: from code, enhanced status code and text to a reason."""

import re
from dataclasses import dataclass
from typing import Final

from canary.reason import Reason

_ENHANCED = re.compile(r"^\s*([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$|[:;,.-])")
_QUEUE_ID = re.compile(
    r"(?:queued(?: mail)?(?: for delivery)?(?: \S+)? as |queued with id |\bid[=: ]\s*|queued \()([A-Za-z0-9][A-Za-z0-9._@-]{3,})",
    re.IGNORECASE,
)
_RELAYING = re.compile(
    r"\brelay(?:ing)?\b[^.]{0,40}\b(?:denied|prohibited|not permitted|not allowed|refused)\b|\b(?:unable|cannot|won't) to? ?relay|\bnot a relay\b",
    re.IGNORECASE,
)
UNKNOWN_USER = re.compile(
    r"\b(?:user|recipient|mailbox|address|account)\b[^.;]{0,60}\b(?:unknown|not found|does ?n.t exist|does not exist|unavailable|invalid|rejected)\b"
    r"|\b(?:no|unknown|invalid) (?:such )?(?:local )?(?:user|recipient|mailbox|address|account)\b|\bno such \w+ here\b|no mailbox here",
    re.IGNORECASE,
)
"""Words of a server that knows no such recipient."""
_POLICY = re.compile(
    r"\b(?:black|block|deny)[ -]?list|\bspamhaus\b|\bDNSBL\b|\bRBL\b|\bSPF\b|\bDKIM\b|\bDMARC\b|\breputation\b|\bspam\b",
    re.IGNORECASE,
)
FULL = re.compile(
    r"\b(?:mailbox|mail box|inbox|quota|storage|account|disk)\b[^.;]{0,40}\b(?:full|exceed(?:ed|s)?|over)\b"
    r"|\bover ?quota\b|\bexceed\w* (?:\w+ ){0,3}quota",
    re.IGNORECASE,
)
"""Words of a mailbox, or of its system, without room."""

_RECIPIENT_CODES: Final = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
"""Bad mailbox, system or syntax, mailbox moved, mailbox disabled (RFC 3463 sections 3.2 and 3.3); 5.1.10 is
Exchange's "recipient not found"."""
_MAILBOX_FULL: Final = "2.2"
"""RFC 3463 section 3.3; that the whole mail system is full (3.1) is no word about the mailbox."""
_SENDER_CODES: Final = frozenset({"1.7", "1.8"})
"""Bad sender's mailbox or system address (RFC 3463 section 3.2)."""
_CLOSED_TO_OUTSIDERS: Final = frozenset({"7.124", "7.129", "7.133", "7.134", "7.135", "7.136"})
"""Exchange: the recipient takes mail of members or authenticated senders only. It strikes every customer, so it
is no policy about our sender."""
_REPLY_CODE = re.compile(r"(?<![\d.:-])([45]\d\d)(?=[ \-:#])")
_UNTOLD: Final = {"4": 450, "5": 550, "2": 250}
"""By the status's class, the code of an answer of which only words were told."""
_LOGIN_CODES: Final = frozenset({530, 534, 535, 538})
"""Authentication required, too weak, invalid, needs encryption (RFC 4954 sections 4 and 6)."""


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """An answer that is no success, and to what.

    Attributes:
        is_login: it answered AUTH (RFC 4954).
        is_sender: it answered MAIL, before the recipient was named.
    """

    code: int
    message: str
    is_login: bool = False
    is_sender: bool = False

    @property
    def text(self) -> str:
        """The message on one line."""
        return " ".join(self.message.split())

    @property
    def is_refusal(self) -> bool:
        """A 4yz or 5yz answer (RFC 5321 section 4.2.1); of any other it can't be said what became of the mail."""
        return 400 <= self.code < 600  # noqa: PLR2004 -- the classes of the code

    @property
    def is_transient(self) -> bool:
        """A 4yz answer: the sender shall try again (RFC 5321 section 4.2.1)."""
        return 400 <= self.code < 500  # noqa: PLR2004 -- the class of the code

    @property
    def enhanced_code(self) -> str:
        """``5.2.2`` (RFC 3463), or empty; one that contradicts the code's own class is not believed."""
        match = _ENHANCED.match(self.message)
        if match is None or match.group(1) != str(self.code)[0]:
            return ""
        return ".".join(match.groups())


def queue_id_of(message: str) -> str:
    """The queue id that an answer to DATA names, or empty. No standard says how; common wordings are known."""
    match = _QUEUE_ID.search(message)
    return match.group(1).rstrip(".") if match else ""


def reason_of_reply(reply: SmtpReply) -> Reason:
    """The reason behind an answer, the enhanced code before the plain one and both before the text."""
    if not reply.is_refusal:
        return Reason.PROTOCOL_ERROR
    detail = reply.enhanced_code[2:]
    if _says_full(reply, detail):
        return Reason.MAILBOX_FULL
    if reply.is_transient:
        return Reason.DEFERRED
    if reply.code in _LOGIN_CODES or reply.is_login:
        return Reason.CREDENTIALS_REJECTED
    return _by_enhanced_code(reply, detail) if detail else _by_text(reply)


def reason_of_report(status: str | None, words: str) -> Reason:
    """The reason behind a mail that was given up, by the same table as an answer in the session.

    Args:
        status: the enhanced status code; None where there is none.
        words: the remote server's words, with the code of its answer if it told one.
    """
    told = _REPLY_CODE.search(words)
    is_believed = told is not None and (status is None or status[0] == told.group(1)[0])
    code = int(told.group(1)) if told is not None and is_believed else _UNTOLD[(status or "5")[0]]
    text = words if status is None or status.endswith(".0.0") else f"{status} {words}"
    reply = SmtpReply(code, text)
    detail = reply.enhanced_code[2:]
    if _says_full(reply, detail):
        return Reason.MAILBOX_FULL
    return _by_enhanced_code(reply, detail) if detail else _by_text(reply)


def _says_full(reply: SmtpReply, detail: str) -> bool:
    return detail == _MAILBOX_FULL or (not detail and _is_full(reply))


def _is_full(reply: SmtpReply) -> bool:
    """Without an enhanced code: 552 is storage exceeded (RFC 5321 section 4.2.3) unless the text says size."""
    if reply.code == 552:  # noqa: PLR2004
        return re.search(r"\bsize\b|too (?:big|large)", reply.text, re.IGNORECASE) is None
    return reply.code in {422, 450, 451, 452, 550, 554} and FULL.search(reply.text) is not None


def _by_enhanced_code(reply: SmtpReply, detail: str) -> Reason:
    if detail == "4.5":
        return Reason.SENDING_LIMIT
    if detail in _RECIPIENT_CODES:
        return Reason.RECIPIENT_UNKNOWN
    if detail in _SENDER_CODES:
        return Reason.SENDER_REFUSED
    if detail.startswith("7."):
        is_theirs = detail in _CLOSED_TO_OUTSIDERS or _RELAYING.search(reply.text) is not None
        return Reason.REJECTED if is_theirs else Reason.SENDER_REFUSED
    return Reason.REJECTED


def _by_text(reply: SmtpReply) -> Reason:
    if _RELAYING.search(reply.text):
        return Reason.REJECTED
    if _POLICY.search(reply.text):
        return Reason.SENDER_REFUSED
    if reply.is_sender and reply.code in {550, 553, 554}:
        return Reason.SENDER_REFUSED
    if reply.code in {550, 551, 553} and UNKNOWN_USER.search(reply.text):
        return Reason.RECIPIENT_UNKNOWN
    return Reason.REJECTED
