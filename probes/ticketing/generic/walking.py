"""Looks that go on where an earlier one was left off, so that a busy tenant is read whole by bounded looks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.signature import CanaryId, find_tokens
from canary.walk import (
    OVERLAP,
    Position,
    Walk,
    ended_by,
    ended_by_whole,
    going_on,
    ids_of,
    too_many,
)
from probes.contracts import Clock
from probes.masking import Masker
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.looks import Caught, Left, Looker
from probes.ticketing.generic.matching import Wanted
from probes.ticketing.generic.paging import Page, Single, read_page, written
from probes.ticketing.generic.settings import LookSettings, Order
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import searched
from probes.ticketing.settings import LOOK_BACK_SECONDS
from probes.ticketing.walks import Walks

_AHEAD: Final = timedelta(days=1)
"""So far the system's clock may be ahead of ours before a ticket of this moment is not asked for."""
_WITHIN: Final = timedelta(seconds=2)
"""Rows of the second at which a piece ended are read again: many filters know whole seconds, and leave the bound out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one look of a walk has caught, and the walk after it; without a walk, it was a look of its own.

    Attributes:
        since: of a walk: what was created since then this look has read by itself; None: nothing.
    """

    caught: Caught
    walk: Walk | None = None
    since: datetime | None = None


class Walker:
    """Makes looks that may be pieces of a walk."""

    def __init__(
        self, looker: Looker, calls: Calls, walks: Walks, *, system: str, clock: Clock, masker: Masker
    ) -> None:
        self._looker = looker
        self._calls = calls
        self._walks = walks
        self._system = system
        self._clock = clock
        self._masker = masker

    async def look(
        self, look: LookSettings, wanted: Wanted, words: Words, canaries: Sequence[Canary]
    ) -> Piece:
        """Look, from where the last look was left off; raises as `Looker.look`, and whatever the store raises.

        A look that reads all at once is no walk, and ends those that it makes needless.
        """
        if isinstance(look.paging, Single):
            return Piece(await self._looker.look(look, wanted, words))
        kept = await self._walks.walks(self._system, look.name)
        now = self._clock.now()
        walk = going_on(
            kept,
            canaries,
            place=self._system,
            look=look.name,
            since=wanted.since,
            now=now,
            overlap=self._overlap(look),
        )
        position = walk.position or Position()
        begin = read_page(look.paging, position.page) if position.page is not None else look.paging.first()
        caught = await self._looker.look(
            look,
            replace(wanted, since=walk.since),
            {**words, "since": walk.since, "until": position.until or now + _AHEAD},
            begin=begin,
            began_at=walk.began_at,
        )
        is_first = walk.position == Position()
        if caught.is_complete and is_first and walk.since <= wanted.since:
            await self._drop(ended_by_whole(kept, ids_of(canaries), since=wanted.since))
            return Piece(caught)
        left = None if caught.is_complete else _position(look, position, caught.left)
        if not caught.is_complete and (left is None or self._holds_a_secret(left)):
            return Piece(caught)
        walk = walk.moved(left, seen=_seen(caught, canaries), at=self._clock.now())
        await self._keep(walk, kept)
        return Piece(caught, walk, walk.since if walk.is_over and is_first else None)

    async def _keep(self, walk: Walk, kept: Sequence[Walk]) -> None:
        """Keep a walk, unless there is nothing to go on with, and no more of the others than is of use."""
        needless = ended_by(kept, walk) if walk.is_over else ()
        if walk not in needless:
            await self._walks.keep_walk(walk)
        others = [one for one in kept if one.started_at != walk.started_at]
        rest = [one for one in (walk, *others) if one not in needless]
        await self._drop([*needless, *too_many(rest, self._clock.now())])

    async def _drop(self, walks: Sequence[Walk]) -> None:
        if walks:
            await self._walks.drop_walks(walks)

    def _overlap(self, look: LookSettings) -> timedelta:
        skew = self._calls.skew.seconds
        behind = LOOK_BACK_SECONDS if skew is None else max(0.0, -skew)
        return OVERLAP + timedelta(seconds=look.lag_seconds + behind)

    def _holds_a_secret(self, position: Position) -> bool:
        """Whether a link to the next page bears a credential: what must not be kept is not gone on with."""
        return position.page is not None and self._masker.mask_known(position.page) != position.page


def _position(look: LookSettings, before: Position, left: Left | None) -> Position | None:
    """Where the next look goes on; by time, where the request can be bounded and that leads further."""
    if left is None:
        return None
    is_bounded = any(name == "until" for name, _ in look.asking.names)
    if is_bounded and look.order is not Order.ANY and left.newest is not None:
        until = left.newest.replace(microsecond=0) + _WITHIN
        if before.until is None or until < before.until:
            return Position(until)
    return Position(before.until, written(_plain(left.page)))


def _plain(page: Page) -> Page:
    return replace(page, headers={})


def _seen(caught: Caught, canaries: Collection[Canary]) -> frozenset[CanaryId]:
    """Whose tickets are among what was caught."""
    by_token = {str(one.token): one.id for one in canaries}
    words = {word for values in caught.rows for word in find_tokens(searched(values))}
    return frozenset(canary_id for token, canary_id in by_token.items() if token in words)
