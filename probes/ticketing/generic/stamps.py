"""Stamps that can't be: tickets made after now, or before the canaries left whose tokens they bear."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from canary.signature import ID_LENGTH, CanaryId, find_tokens, launched_at_of
from probes.ticketing.generic.tickets import TicketMap, Values, created_of, searched

_SLACK: Final = timedelta(seconds=60)
"""What a stamp may be off without being wrong: slow calls, whole minutes."""
_HOUR_SECONDS: Final = 3600.0
_MINUTE_SECONDS: Final = 60.0
REMEDY: Final = "Look at the zone of created_at, and whether it is another field."


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a ticket was made by what a pick tells.

    Attributes:
        key: of the pick.
        launched_at: of the first of the canaries whose tokens the ticket bears, unverified; None: it bears none.
    """

    key: str
    made_at: datetime
    launched_at: datetime | None = None


def stamp_of(ticket: TicketMap, told: Values, whole: Values) -> Stamp | None:
    """What an answer tells of a ticket's time by a pick of its own; None: nothing.

    Args:
        ticket: the picks of that answer.
        told: what they found.
        whole: all that is known of the ticket by then: where its tokens are.
    """
    pick, made_at = ticket.picks.get("created_at"), created_of(told)
    return (
        Stamp(pick.key, made_at, launched_in(searched(whole)))
        if pick is not None and made_at is not None
        else None
    )


def misstamped(stamps: Iterable[Stamp], now: datetime) -> dict[str, str]:
    """What is to be said of picks whose stamps can't be, by their keys; the remedy is `REMEDY`.

    One ticket of the future will do. Of those with a token all must be older than their canaries: an agent may put a
    canary's words into an older ticket, and a token's shape may be a stranger's joke.

    Args:
        stamps: of tickets, whoever's.
        now: by the system's clock.
    """
    by_key: dict[str, list[Stamp]] = {}
    for one in stamps:
        by_key.setdefault(one.key, []).append(one)
    found: dict[str, str] = {}
    for key, several in by_key.items():
        ahead = max(one.made_at for one in several) - now
        known = [(one.launched_at, one.made_at) for one in several if one.launched_at is not None]
        early = [launched - made for launched, made in known if launched <= now + _SLACK]
        if ahead > _SLACK:
            found[key] = f"{key}: by its stamp a ticket is made in {_length(ahead)} from now"
        elif early and min(early) > _SLACK:
            found[key] = (
                f"{key}: by its stamp a ticket of ours was made {_length(min(early))} before its canary left"
            )
    return found


def _length(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds >= _HOUR_SECONDS:
        return f"{seconds / _HOUR_SECONDS:.1f}".removesuffix(".0") + " h"
    return f"{seconds / _MINUTE_SECONDS:.0f} min"


def launched_in(text: str) -> datetime | None:
    """When the first of the canaries left whose tokens are in a text, by what they say themselves; None: there are none."""
    told = []
    for token in find_tokens(text):
        try:
            told.append(launched_at_of(CanaryId(token[1 : 1 + ID_LENGTH])))
        except ValueError:  # only of its shape
            continue
    return min(told, default=None)
