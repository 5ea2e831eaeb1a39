"""What a canary says, whatever the channel: its subject, its body, and the words of a form's templates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.ticket import Attachment
from probes.message.compose import DEFAULT_BODY, DEFAULT_SUBJECT, AttachedFile

WORDS: Final = ("subject", "body", "token", "sender", "name")
"""What stands between double braces in a template: ``{{ subject }}``."""
_WORD = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """What the request of a portal or form canary says and bears.

    Attributes:
        display_name: of the customer that we play.
        display_names: of single customers, by their address in lower case, instead of that one.
        subject: what follows marker and token.
        body: plain text; the line with the token is added to it.
    """

    display_name: str = "Zoë Example"
    display_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    subject: str = DEFAULT_SUBJECT
    body: str = DEFAULT_BODY
    attachment: AttachedFile | None = None


def words_of(canary: Canary, request: RequestSettings) -> Mapping[str, str]:
    """The value of each of `WORDS` for one canary."""
    return MappingProxyType(
        {
            "subject": f"{canary.subject_prefix} {request.subject}".rstrip(),
            "body": _body(canary, request),
            "token": canary.token,
            "sender": canary.sender,
            "name": request.display_names.get(canary.sender, request.display_name),
        }
    )


def filled(template: str, words: Mapping[str, str]) -> str:
    """The template with its words replaced; a word that there isn't stays as it is (`unknown_words` finds it)."""
    return _WORD.sub(lambda found: words.get(found[1], found[0]), template)


def unknown_words(template: str) -> tuple[str, ...]:
    """The words between double braces that no canary has, in order."""
    return tuple(dict.fromkeys(word for word in _WORD.findall(template) if word not in WORDS))


def expected_content(
    canary: Canary, request: RequestSettings, *, bears_attachment: bool = True
) -> ExpectedContent:
    """What a ticket of this canary must say; without the attachment where the path does not send it."""
    words = words_of(canary, request)
    attachments: tuple[Attachment, ...] = ()
    if request.attachment is not None and bears_attachment:
        digest = sha256(request.attachment.content).hexdigest()
        attachments = (Attachment(request.attachment.name, digest),)
    return ExpectedContent(words["subject"], words["body"], attachments)


def _body(canary: Canary, request: RequestSettings) -> str:
    """The token stands on a line of its own in the middle, as in a canary mail."""
    first, gap, rest = request.body.replace("\r\n", "\n").strip("\n").partition("\n\n")
    head = f"{first}\n\nReference: {canary.token}"
    return f"{head}\n\n{rest}" if gap else head
