"""What a channel makes of its part of a path, and what the parts of several channels have in common."""

from dataclasses import dataclass

from canary.hop import Channel, Hop
from runners.config.document_paths import AttachmentDocument
from runners.config.reading import Loc
from runners.config.sending import AttachmentConfig, Sending
from runners.config.sources import Surroundings


@dataclass(frozen=True, slots=True)
class Built:
    """What a channel makes of its part of a path.

    Attributes:
        senders: names of the accounts that take turns.
        without: the optional hops of the channel's own that this path hasn't.
        domain: what it is about, unless ``labels.domain`` says otherwise.
        target: the support address that canaries are sent to; None where they are not sent to one.
        mailbox: the support mailbox that the prober may read, or None.
    """

    channel: Channel
    sending: Sending
    senders: tuple[str, ...]
    without: frozenset[Hop]
    domain: str
    target: str | None = None
    mailbox: str | None = None


def attachment(
    document: AttachmentDocument | None, around: Surroundings, loc: Loc
) -> AttachmentConfig | None:
    """The attachment with its content; notes where there is none, or two."""
    if document is None:
        return None
    if (document.file is None) == (document.text is None):
        around.note(loc, "an attachment needs either file or text", "Keep one of them.", at_key=True)
    if document.file is None:
        content = (document.text or "").encode()
    else:
        content = around.content(document.file, (*loc, "file"))
    return AttachmentConfig(document.name, content)
