"""Compare a ticket with what its canary said: what was cut, changed, mangled or lost on the way.

Helpdesks legitimately put prefixes before subjects, quote and re-wrap bodies, flatten HTML, add footers and strip
signatures; none of that is damage. The token, the middle and the end of the body and every letter outside ASCII
must have come through.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from canary.canary import Canary
from canary.reason import Reason
from canary.requester import Standing
from canary.ticket import Attachment, Ticket

_WORST_FIRST = (
    Reason.WRONG_REQUESTER,
    Reason.BODY_TRUNCATED,
    Reason.BODY_CHANGED,
    Reason.CHARSET_MANGLED,
    Reason.SUBJECT_CHANGED,
    Reason.ATTACHMENT_MISSING,
    Reason.ATTACHMENT_CHANGED,
    Reason.WRONG_CHANNEL,
    Reason.REQUESTER_REWRITTEN,
)
_PUNCTUATION = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "...", "\u00a0": " "}
    | {"\u00ad": "", "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": ""}
)
_TAG = re.compile(r"<(?:!--.*?--|!?/?[a-zA-Z][^<>]*)>", re.DOTALL)
_INVISIBLE = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>")
_QUOTE = re.compile(r"(?m)^(?:[ \t]*>)+[ \t]?")
_SIGNATURE = re.compile(r"(?m)^-- ?$")
_ENCODED_BYTE = re.compile(r"=[0-9A-Fa-f]{2}")
_ENCODED_WORD = re.compile(r"=\?[\w-]+\?[bq]\?", re.IGNORECASE)
_REPLACED = "?\ufffd\"'."
"""What misread letters may leave among the plain ones: marks for them, and quotes and dots that were typographic."""
_TAIL = 24
"""How many characters of the body's end tell a cut one from one that was changed before its end."""


@dataclass(frozen=True, slots=True)
class ExpectedContent:
    """What the canary's request said.

    Attributes:
        body: the plain text, as a person wrote it.
        attachments: with the digests of their contents.
    """

    subject: str
    body: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a ticket differs from its canary's request."""

    reason: Reason
    detail: str

    @property
    def is_damage(self) -> bool:
        """Whether it makes the ticket no proof; a rewritten requester only flaws it."""
        return self.reason is not Reason.REQUESTER_REWRITTEN


def compare(
    canary: Canary, expected: ExpectedContent | None, ticket: Ticket, *, requester: Standing
) -> tuple[Finding, ...]:
    """What is wrong with a ticket of a canary, the worst first; empty for an intact one.

    Parts that the look did not read (None) are not judged. Without an expectation only the requester and the
    channel are.
    """
    found = [*_of_requester(requester, ticket), *_of_channel(canary, ticket)]
    if expected is not None:
        if ticket.subject is not None:
            found += _of_subject(canary.token, expected.subject, ticket.subject)
        if ticket.body is not None:
            found += _of_body(expected.body, ticket.body)
        if ticket.attachments is not None:
            found += _of_attachments(expected.attachments, ticket.attachments)
    return tuple(sorted(found, key=lambda one: _WORST_FIRST.index(one.reason)))


def _of_requester(requester: Standing, ticket: Ticket) -> list[Finding]:
    match requester:
        case Standing.OURS | Standing.LISTED | Standing.UNREADABLE:
            rewritten = requester is Standing.LISTED
            detail = f"the requester is the forwarder {ticket.requester}"
            return [Finding(Reason.REQUESTER_REWRITTEN, detail)] if rewritten else []
        case Standing.REWRITTEN:
            detail = f"the requester was rewritten to {ticket.requester}"
            return [Finding(Reason.REQUESTER_REWRITTEN, detail)]
        case Standing.STRANGER:
            # whose address it is stays untold: it may be a customer's
            return [
                Finding(Reason.WRONG_REQUESTER, "the ticket's requester is neither ours nor a listed one")
            ]


def _of_channel(canary: Canary, ticket: Ticket) -> list[Finding]:
    if ticket.channel is None or canary.channel in {ticket.channel, *ticket.other_channels}:
        return []
    return [Finding(Reason.WRONG_CHANNEL, f"sent by {canary.channel}, came by {ticket.channel}")]


def _of_subject(token: str, expected: str, actual: str) -> list[Finding]:
    wanted, got = _compact(expected).lower(), _compact(actual).lower()
    if wanted in got or wanted.casefold() in got.casefold():
        return []
    if _ENCODED_WORD.search(actual) or _is_mangled(wanted, got):
        return [Finding(Reason.CHARSET_MANGLED, "the subject's letters outside ASCII were mangled")]
    if token.lower() not in got:
        return [Finding(Reason.SUBJECT_CHANGED, "the token is not in the subject")]
    cut = _common_prefix(wanted, got)
    if got.endswith(wanted[:cut]):
        detail = f"the subject was cut: {cut} of {len(wanted)} characters came"
        return [Finding(Reason.SUBJECT_CHANGED, detail)]
    return [Finding(Reason.SUBJECT_CHANGED, "the subject's words were changed")]


def _of_body(expected: str, actual: str) -> list[Finding]:
    got = (_compact(_without_quotes(actual)), _compact(_flattened(_without_quotes(actual))))
    signed = _SIGNATURE.search(expected)
    texts = (
        [expected, expected[: signed.start()]] if signed is not None and signed.start() > 0 else [expected]
    )
    wanted = [_compact(text) for text in texts]
    if any(one in text for one in wanted for text in got):
        return []
    core = wanted[-1]
    if not got[1]:
        return [Finding(Reason.BODY_TRUNCATED, "the body is empty")]
    if any(_is_mangled(core, text) for text in got):
        return [Finding(Reason.CHARSET_MANGLED, "the body's letters outside ASCII were mangled")]
    return _of_damaged_body(core, max(got, key=lambda text: _common_prefix(core, text)))


def _of_damaged_body(wanted: str, got: str) -> list[Finding]:
    """Tell a body that was cut from one that was changed; both may be mangled besides."""
    letters = _skeleton(wanted), _skeleton(got)
    cut, whole = _common_prefix(*letters), len(letters[0])
    mangled = (
        [Finding(Reason.CHARSET_MANGLED, "the body's letters outside ASCII were mangled")]
        if _common_prefix(wanted, got) < cut and _is_mangled_until(wanted, got, cut)
        else []
    )
    if cut == 0:
        return [Finding(Reason.BODY_CHANGED, "nothing of the body is there")]
    if letters[0][-_TAIL:] in letters[1]:
        return [Finding(Reason.BODY_CHANGED, f"changed after {cut} of {whole} characters"), *mangled]
    rest = letters[1].partition(letters[0][:cut])[2]
    if _is_elsewhere(letters[0][cut:], rest):
        return [Finding(Reason.BODY_CHANGED, f"changed after {cut} of {whole} characters"), *mangled]
    return [Finding(Reason.BODY_TRUNCATED, f"cut after {cut} of {whole} characters"), *mangled]


def _is_elsewhere(lost: str, rest: str) -> bool:
    """Whether pieces of what seems lost come later all the same: then the text was changed, not cut."""
    pieces = [lost[at : at + _TAIL] for at in range(1, max(1, len(lost) - _TAIL), _TAIL)]
    return any(len(piece) == _TAIL and piece in rest for piece in pieces)


def _is_mangled_until(wanted: str, got: str, letters: int) -> bool:
    """Whether the beginning that holds so many plain letters is not there as it was written."""
    lengths = accumulate(len(_skeleton(letter)) for letter in wanted)
    end = next((index for index, taken in enumerate(lengths, start=1) if taken == letters), len(wanted))
    return not wanted[:end].isascii() and wanted[:end] not in got


def _of_attachments(expected: Sequence[Attachment], actual: Iterable[Attachment]) -> list[Finding]:
    found: list[Finding] = []
    came = list(actual)
    for one in expected:
        if any(other.sha256 is not None and other.sha256 == one.sha256 for other in came):
            continue
        named = [other for other in came if _same_name(one.name, other.name)]
        if not named:
            found.append(Finding(Reason.ATTACHMENT_MISSING, f"the attachment {one.name} is not there"))
        elif one.sha256 is not None and all(other.sha256 is not None for other in named):
            found.append(Finding(Reason.ATTACHMENT_CHANGED, f"the attachment {one.name} has another content"))
    return found


def _same_name(expected: str, actual: str) -> bool:
    """Whether a helpdesk may have made the one name of the other: prefixes, case, spaces for underscores."""
    names = [
        re.sub(r"[^\w.]+", "_", unicodedata.normalize("NFC", one)).casefold() for one in (expected, actual)
    ]
    return names[1].endswith(names[0])


def _compact(text: str) -> str:
    """The text in one normal form, without any white space: wrapping and flattening then make no difference."""
    plain = unicodedata.normalize("NFC", html.unescape(text)).translate(_PUNCTUATION)
    return "".join(plain.split())


def _without_quotes(text: str) -> str:
    return _QUOTE.sub("", text)


def _flattened(text: str) -> str:
    return _TAG.sub(" ", _INVISIBLE.sub(" ", text))


def _skeleton(text: str) -> str:
    """What is left of a text whose letters outside ASCII may have been lost, replaced, or shown as raw bytes."""
    plain = _ENCODED_BYTE.sub("", text)
    return "".join(letter for letter in plain if letter.isascii() and letter not in _REPLACED)


def _is_mangled(wanted: str, got: str) -> bool:
    """Whether only letters outside ASCII differ: misread, replaced, dropped, or written without their accents."""
    if wanted.isascii():
        return False
    return _skeleton(wanted) in _skeleton(got) or _bare(wanted) in _bare(got)


def _bare(text: str) -> str:
    """The letters without their accents."""
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _common_prefix(wanted: str, got: str) -> int:
    """The length of the longest beginning of one text that is found anywhere in the other."""
    low, high = 0, len(wanted)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if wanted[:middle] in got else (low, middle - 1)
    return low
