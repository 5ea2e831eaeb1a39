"""Mutations: what bad relays do to a mail on its way."""

from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP
from email.utils import parseaddr

from sandbox.faults import Faults, SenderRewrite

_POLICY = SMTP.clone(refold_source="none")
_SUBJECT_KEPT_CHARACTERS = 20


def mutate(raw: bytes, faults: Faults, recipient: str) -> bytes:
    """Return the mail as it looks after the faults in force have had their way; untouched if there are none."""
    wanted = (
        faults.mangle_subject
        or faults.mangle_charset
        or faults.truncate_body_bytes is not None
        or faults.drop_attachments
        or faults.rewrite_sender is SenderRewrite.GROUP
    )
    if not wanted:
        return raw
    mail = message_from_bytes(raw, EmailMessage, policy=_POLICY)
    if faults.mangle_subject:
        subject = str(mail["Subject"] or "")
        del mail["Subject"]
        mail["Subject"] = f"[External] {subject[:_SUBJECT_KEPT_CHARACTERS]}..."
    if faults.drop_attachments:
        _drop_attachments(mail)
    if faults.mangle_charset or faults.truncate_body_bytes is not None:
        for part in mail.walk():
            if part.get_content_maintype() == "text" and not part.is_attachment():
                _change_text(part, faults)
    if faults.rewrite_sender is SenderRewrite.GROUP:
        name, original = parseaddr(str(mail["From"]))
        for field in ("From", "Sender", "Reply-To"):
            del mail[field]
        mail["From"] = f'"{name or original} via Support" <{recipient}>'
        mail["Sender"] = recipient
        mail["Reply-To"] = original
    return mail.as_bytes()


def rewritten_sender(sender: str, faults: Faults, recipient: str) -> str:
    """Return the envelope sender as it looks behind a forwarder."""
    if faults.rewrite_sender is None or not sender:
        return sender
    local, _, domain = recipient.partition("@")
    if faults.rewrite_sender is SenderRewrite.GROUP:
        return f"{local}+bounces@{domain}"
    user, _, host = sender.partition("@")
    return f"SRS0=HHH=TT={host}={user}@{domain}"


def _drop_attachments(mail: EmailMessage) -> None:
    for part in mail.walk():
        parts = part.get_payload()
        if part.is_multipart() and isinstance(parts, list):
            kept = [
                child
                for child in parts
                if not (isinstance(child, Message) and child.get_content_disposition() == "attachment")
            ]
            part.set_payload(kept)


def _change_text(part: EmailMessage, faults: Faults) -> None:
    content = part.get_payload(decode=True)
    body = content if isinstance(content, bytes) else b""
    if faults.truncate_body_bytes is not None:
        body = body[: faults.truncate_body_bytes]
    text = body.decode(part.get_content_charset() or "utf-8", errors="replace")
    if faults.mangle_charset:
        text = text.encode("utf-8").decode("latin-1")
    part.set_content(text.replace("\r\n", "\n"), subtype=part.get_content_subtype())
