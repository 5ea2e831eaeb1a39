"""The hops: the fixed vocabulary of stages, and the ordered route of each channel."""

from collections.abc import Iterable
from enum import StrEnum
from typing import assert_never


class Channel(StrEnum):
    """How a request is submitted."""

    EMAIL = "email"
    PORTAL = "portal"
    FORM = "form"


class Hop(StrEnum):
    """One stage that a canary passes."""

    DNS = "dns"
    SMTP_CONNECT = "smtp.connect"
    SMTP_TLS = "smtp.tls"
    SMTP_AUTH = "smtp.auth"
    SMTP_ACCEPT = "smtp.accept"
    MAILBOX_ARRIVAL = "mailbox.arrival"
    PORTAL_LOAD = "portal.load"
    PORTAL_LOGIN = "portal.login"
    PORTAL_FORM = "portal.form"
    PORTAL_SUBMIT = "portal.submit"
    PORTAL_CONFIRMATION = "portal.confirmation"
    FORM_CONNECT = "form.connect"
    FORM_TLS = "form.tls"
    FORM_SUBMIT = "form.submit"
    FORM_CONFIRMATION = "form.confirmation"
    TICKET_CREATED = "ticket.created"
    TICKET_CONTENT = "ticket.content"
    REPLY_RECEIVED = "reply.received"
    TICKET_CLEANUP = "ticket.cleanup"


_TICKET = (Hop.TICKET_CREATED, Hop.TICKET_CONTENT, Hop.REPLY_RECEIVED)
_EMAIL = (
    Hop.DNS,
    Hop.SMTP_CONNECT,
    Hop.SMTP_TLS,
    Hop.SMTP_AUTH,
    Hop.SMTP_ACCEPT,
    Hop.MAILBOX_ARRIVAL,
    *_TICKET,
)
_PORTAL = (
    Hop.DNS,
    Hop.PORTAL_LOAD,
    Hop.PORTAL_LOGIN,
    Hop.PORTAL_FORM,
    Hop.PORTAL_SUBMIT,
    Hop.PORTAL_CONFIRMATION,
    *_TICKET,
)
_FORM = (Hop.DNS, Hop.FORM_CONNECT, Hop.FORM_TLS, Hop.FORM_SUBMIT, Hop.FORM_CONFIRMATION, *_TICKET)

OPTIONAL_HOPS = frozenset(
    {Hop.SMTP_TLS, Hop.SMTP_AUTH, Hop.MAILBOX_ARRIVAL, Hop.PORTAL_LOGIN, Hop.FORM_TLS, Hop.REPLY_RECEIVED}
)
"""Hops that a path has only where it is configured for them."""

LAUNCH_HOPS = frozenset(_EMAIL[:5] + _PORTAL[:6] + _FORM[:5])
"""Hops that the probe itself passes while it submits; the others are seen by watchers."""
SUBMITTING_HOPS = frozenset({Hop.SMTP_ACCEPT, Hop.PORTAL_SUBMIT, Hop.FORM_SUBMIT})
"""The hop of each channel at which the request leaves; before it, nothing can be anywhere."""


def full_route(channel: Channel) -> tuple[Hop, ...]:
    """Every hop that a canary of the channel may pass, in order (design: hops)."""
    match channel:
        case Channel.EMAIL:
            return _EMAIL
        case Channel.PORTAL:
            return _PORTAL
        case Channel.FORM:
            return _FORM
        case _:
            assert_never(channel)


def route(channel: Channel, *, without: Iterable[Hop] = ()) -> tuple[Hop, ...]:
    """The hops of a path, in order, less the optional ones that it is configured without.

    Raises:
        ValueError: a hop that is not optional was to be left out.
    """
    left_out = frozenset(without)
    if needed := left_out - OPTIONAL_HOPS:
        raise ValueError(f"not optional: {', '.join(sorted(needed))}")
    return tuple(hop for hop in full_route(channel) if hop not in left_out)
