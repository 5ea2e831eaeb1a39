"""Which paths customers may be sent to: not through what broke the other, and not kept from them for less."""

from dataclasses import replace

import pytest

from canary.blame import Stop
from canary.concern import may_break_alike
from canary.hop import Channel, Hop, route
from canary.path import Path, PathName, Slo
from canary.reason import Reason, Side

MAIL = Path(
    PathName("support-email"),
    Channel.EMAIL,
    route(Channel.EMAIL),
    Slo(600.0),
    ticketing="desk",
    mailbox="support",
    domain="acme.example",
)
FORM = replace(MAIL, name=PathName("contact-form"), mailbox=None, domain="www.acme.example")
FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
NO_TICKET = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
REFUSED = Stop(Hop.SMTP_ACCEPT, Reason.REJECTED, Side.TARGET)
OURS = Stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED, Side.PROBER)


@pytest.mark.parametrize(
    ("stop", "other", "may_break"),
    [
        (FULL, FORM, False),
        (FULL, replace(FORM, mailbox="support"), True),
        (NO_TICKET, FORM, True),
        (NO_TICKET, replace(FORM, ticketing="another"), False),
        (NO_TICKET, replace(FORM, ticketing="another", mailbox="support"), True),
        (REFUSED, FORM, False),
        (REFUSED, replace(FORM, domain="acme.example"), True),
        (OURS, replace(FORM, ticketing="another"), False),
        (OURS, FORM, True),
        (None, FORM, True),
    ],
)
def test_path__may_break_alike_where_it_goes_through_the_place_that_is_blamed(
    stop: Stop | None, other: Path, may_break: bool
) -> None:
    assert may_break_alike(MAIL, stop, other) is may_break


def test_places_that_neither_path_has__are_nothing_in_common() -> None:
    bare = replace(FORM, domain="", ticketing="", mailbox=None)

    assert not may_break_alike(bare, NO_TICKET, replace(bare, name=PathName("another")))
