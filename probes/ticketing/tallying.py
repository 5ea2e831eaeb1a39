"""How many fields of the tickets that a short look showed could be read: counts, of whoever's tickets."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from canary.signature import find_tokens
from canary.ticket import Ticket
from probes.contracts import FieldRead

GLANCE_PAGES: Final = 3
"""Pages that a short look reads of each list."""
SAMPLE: Final = 3
"""Strangers' tickets of each look for which the further requests of a ticket are made, so that their picks are tried."""


@dataclass(slots=True)
class Tally:
    """Counts by field, in the order in which fields were first sought."""

    _read: dict[str, int] = field(default_factory=dict)
    _of: dict[str, int] = field(default_factory=dict)
    _faults: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, *, is_read: bool, fault: str = "") -> None:
        """One more ticket in which a field was sought."""
        self._of[name] = self._of.get(name, 0) + 1
        self._read[name] = self._read.get(name, 0) + is_read
        if fault:
            self._faults.setdefault(name, fault)

    def blame(self, name: str, fault: str) -> bool:
        """A field is wrong in all tickets, whatever was read; whether it was sought at all."""
        if name in self._of:
            self._faults[name] = fault
        return name in self._of

    def fields(self) -> tuple[FieldRead, ...]:
        """What was counted."""
        return tuple(
            FieldRead(name, self._read[name], of, self._faults.get(name, "")) for name, of in self._of.items()
        )


def bears_token(ticket: Ticket) -> bool:
    """Whether a word of a token's shape is in a ticket's text."""
    return bool(find_tokens("\n".join(filter(None, (ticket.subject, ticket.body, ticket.message_id)))))


def tally_of(tickets: Iterable[Ticket], *, sought: Collection[str]) -> tuple[FieldRead, ...]:
    """How many of the tickets have each of the fields that are sought in them."""
    tally = Tally()
    for ticket in tickets:
        has = {
            "id": bool(ticket.ref.id),
            "created_at": ticket.remote_created_at is not None,
            "requester": ticket.requester is not None,
            "channel": ticket.channel is not None,
            "subject": bool(ticket.subject),
            "body": bool(ticket.body),
            "open": True,
            "tags": True,
            "message_id": ticket.message_id is not None,
        }
        for name, is_read in has.items():
            if name in sought:
                tally.count(name, is_read=is_read)
    return tally.fields()
