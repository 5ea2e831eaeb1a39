"""What several looks came to together: which may still be made, how far they are trusted, and whom they showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.hop import Channel
from canary.ticket import TicketState
from canary.traffic import Strangers, Way, way_of
from canary.walk import LONGEST, Walk, ids_of
from probes.contracts import Blind, WalkFacts
from probes.servers import SecretUnavailable
from probes.ticketing.generic.caught import Caught
from probes.ticketing.generic.settings import LookSettings
from probes.ticketing.generic.unread import Unread

_NARROWING: Final = frozenset({"marker", "tag", "tokens", "token", "requesters", "requester"})
_STAY_AWAY: Final = frozenset({401, 429, 503})
_BOUND: Final = timedelta(seconds=1)
"""Many filters know whole seconds, and leave the bound out."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one look came to, and the walk that it is a piece of.

    Attributes:
        since: of a look that is part of a walk: what was created since then it has shown by itself; None: nothing.
    """

    look: LookSettings
    caught: Caught
    walk: Walk | None = None
    since: datetime | None = None


def error_of(made: Sequence[Found]) -> Blind | SecretUnavailable | None:
    """What hid a part of it, if anything: before all what keeps us away, else what came first."""
    errors = [one.caught.error for one in made if one.caught.error is not None]
    return next(filter(stays_away, errors), errors[0] if errors else None)


def unread_of(made: Sequence[Found]) -> tuple[Unread, ...]:
    """The rows that could not be read: one that two looks show counts once, by the later of what is known of it."""
    rows: dict[tuple[TicketState, str], Unread] = {}
    for one in made:
        for number, row in one.caught.unread.items():
            key = one.look.state, number
            rows[key] = max(rows.get(key, row), row, key=lambda each: each.until)
    return tuple(rows.values())


def stays_away(error: Blind | SecretUnavailable | None) -> bool:
    """Whether after this no other look should be tried: we are refused as a whole, or asked to come later."""
    if error is None:
        return False
    return not isinstance(error, Blind) or error.status in _STAY_AWAY or error.retry_after_seconds is not None


def walk_of(made: Sequence[Found], canaries: Sequence[Canary], now: datetime) -> WalkFacts | None:
    """What the walks among the looks together may be trusted with."""
    walks = [one.walk for one in made if one.walk is not None]
    if not walks:
        return None
    goes_on = all(
        one.caught.is_complete or (one.walk is not None and now - one.walk.began_at < LONGEST) for one in made
    )
    return WalkFacts(
        began_at=min(one.began_at for one in walks),
        covers=ids_of(canaries).intersection(*(one.covers for one in walks)),
        is_under_way=goes_on and not all(one.caught.is_complete for one in made),
        met=frozenset(canary_id for one in walks for canary_id in one.seen) & ids_of(canaries),
    )


def strangers_of(
    made: Sequence[Found], channels: Mapping[str, frozenset[Channel]], since: datetime
) -> Strangers | None:
    """When strangers' tickets were created; None where the looks did not show each of them, or not when.

    Args:
        made: all wide looks.
        channels: ours by the system's word, lower case.
        since: older tickets were not asked for.
    """
    shown = [one for one in made if one.look.state is TicketState.TICKET]
    if not shown or not all(_shows_all(one) for one in shown):
        return None
    created: dict[Way, dict[str, datetime]] = {}
    for one in shown:
        for number, (created_at, word) in one.caught.others.items():
            if created_at is None:
                return None
            way = way_of(min(channels.get(word.lower(), ()), default=None))
            created.setdefault(way, {})[number] = created_at
    begin = max([since, *(one.since for one in shown if one.since is not None)]) + _BOUND
    return Strangers(
        begin,
        {
            way: tuple(sorted(one for one in several.values() if one >= begin))
            for way, several in created.items()
        },
    )


def _shows_all(found: Found) -> bool:
    """Whether it shows each ticket, whoever asked, as far as the configuration tells."""
    asks = {name for name, _ in found.look.asking.names}
    by_itself = found.walk is None or found.since is not None
    return found.caught.is_complete and by_itself and found.look.per is None and not asks & _NARROWING
