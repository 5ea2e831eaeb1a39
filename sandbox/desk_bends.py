"""Desk bends: faults inside the helpdesk's own mail handling: titles, duplicates, silence."""

from collections.abc import Callable
from typing import Protocol

import helpdesk.email
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from sandbox.faults import Faults

_CLOSED_PORT = 1


class Steered(Protocol):
    """Who knows the faults in force."""

    @property
    def faults(self) -> Faults:
        """The faults in force."""
        ...


def bend(steering: Steered, *, smtp_port: int) -> None:
    """Put the switches between the helpdesk and its mail; without faults nothing is changed."""
    read_subject: Callable[[object], str] = helpdesk.email.extract_email_subject
    take_mail: Callable[..., object] = helpdesk.email.extract_email_metadata

    def subject(message: object) -> str:
        form = steering.faults.desk_title_rewrite
        return read_subject(message) if form is None else form.replace("{subject}", read_subject(message))

    def metadata(message: str, queue: object, logger: object) -> object:
        ticket = None
        for _ in range(max(1, steering.faults.desk_duplicates)):
            ticket = take_mail(message=message, queue=queue, logger=logger)
        return ticket

    send: Callable[..., object] = EmailBackend.send_messages

    def send_messages(backend: EmailBackend, messages: list[object]) -> object:
        if not steering.faults.desk_acknowledge:
            return len(messages)
        return send(backend, messages)

    start: Callable[..., None] = EmailBackend.__init__

    def initialise(backend: EmailBackend, *args: object, **kwargs: object) -> None:
        settings.EMAIL_PORT = _CLOSED_PORT if steering.faults.desk_outgoing_refused else smtp_port
        start(backend, *args, **kwargs)

    helpdesk.email.extract_email_subject = subject
    helpdesk.email.extract_email_metadata = metadata
    EmailBackend.send_messages = send_messages
    EmailBackend.__init__ = initialise
