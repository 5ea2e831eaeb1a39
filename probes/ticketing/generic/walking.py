"""Looks that go on where an earlier one was left off, so that a busy tenant is read whole by bounded looks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from canary.canary import Canary
from canary.signature import CanaryId, find_tokens
from canary.walk import (
    LONGEST,
    OVERLAP,
    Course,
    Position,
    Walk,
    begun,
    ended_by,
    ended_by_whole,
    going_on,
    ids_of,
    too_many,
)
from probes.contracts import Clock
from probes.masking import Masker
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught, Left, Unresumed
from probes.ticketing.generic.looks import Looker
from probes.ticketing.generic.matching import Wanted
from probes.ticketing.generic.paging import Single, read_page, written
from probes.ticketing.generic.settings import LookSettings, Order
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import searched
from probes.ticketing.generic.unread import hidden_by
from probes.ticketing.settings import LOOK_AHEAD, LOOK_BACK_SECONDS
from probes.ticketing.walks import Walks

_WITHIN: Final = timedelta(seconds=2)
"""Rows of the second at which a piece ended are read again: many filters know whole seconds, and leave the bound out."""
_REFUSED: Final = frozenset({401, 403, 429, 503})
"""What is said to us, and not of a page."""


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

        A look that reads all at once is no walk, and ends those that it makes needless. Where a walk can't be gone on
        with, a new one begins in the same look. Of whom a row that can't be read may be, the walk proves nothing, and goes
        on all the same: their ticket may be another one, further down.
        """
        if isinstance(look.paging, Single):
            return Piece(await self._looker.look(look, wanted, words))
        called = _called(look)
        kept = await self._walks.walks(self._system, called)
        now = self._clock.now()
        new = begun(kept, canaries, place=self._system, look=called, since=wanted.since, now=now)
        course = going_on(kept, new, canaries, overlap=self._overlap(look))
        walk = course.walk
        caught = await self._read(look, wanted, words, walk)
        if walk.position != new.position and _can_not_go_on(caught):
            await self._drop([course.rest or walk])
            course, walk = Course(new), new
            caught = _joined(caught, await self._read(look, wanted, words, walk))
        is_first = walk.position == new.position
        if caught.is_complete and is_first and walk.since <= wanted.since:
            await self._drop(ended_by_whole(kept, ids_of(canaries), since=wanted.since))
            return Piece(caught)
        left = None
        if not caught.is_complete:
            left = _position(look, walk.position or Position(), caught.left)
            if left is None:
                return Piece(caught)
            if self._holds_a_secret(left):
                await self._drop([course.rest or walk])
                return Piece(caught)
        walk = walk.moved(left, seen=_seen(caught, canaries), at=self._clock.now())
        if canaries and caught.unread:
            walk = walk.hiding(hidden_by(caught.unread.values(), canaries))
        await self._keep(walk, course.rest, kept)
        return Piece(caught, walk, walk.since if walk.is_over and is_first else None)

    async def _read(self, look: LookSettings, wanted: Wanted, words: Words, walk: Walk) -> Caught:
        """A piece of a walk, as far as one look comes; nothing, where what it goes on with has ended meanwhile."""
        position = walk.position or Position()
        try:
            begin = (
                read_page(look.paging, position.page) if position.page is not None else look.paging.first()
            )
        except ValueError:
            return Caught(is_complete=False)
        try:
            return await self._looker.look(
                look,
                replace(wanted, since=walk.since),
                {**words, "since": walk.since, "until": position.until or self._clock.now() + LOOK_AHEAD},
                begin=begin,
                began_at=walk.began_at,
            )
        except Unresumed as error:
            if not self._has_ended(error, walk):
                raise
            return Caught(is_complete=False)

    def _has_ended(self, error: Unresumed, walk: Walk) -> bool:
        """Whether a page was refused for itself, and not since we are, or since the system fails for a while."""
        if error.status is None or error.status in _REFUSED or error.retry_after_seconds is not None:
            return False
        is_a_while = self._clock.now() - walk.moved_at < LONGEST
        return error.status < HTTPStatus.INTERNAL_SERVER_ERROR or not is_a_while

    async def _keep(self, walk: Walk, rest: Walk | None, kept: Sequence[Walk]) -> None:
        """Keep a walk, unless there is nothing to go on with, and no more of the others than is of use."""
        changed = {one.started_at: one for one in (walk, rest) if one is not None}
        now_kept = [*changed.values(), *(one for one in kept if one.started_at not in changed)]
        needless = ended_by(now_kept, walk) if walk.is_over else ()
        for one in changed.values():
            if one not in needless:
                await self._walks.keep_walk(one)
        of_use = [one for one in now_kept if one not in needless]
        await self._drop([*needless, *too_many(of_use, self._clock.now())])

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


def _called(look: LookSettings) -> str:
    """What walks of a look are kept as: what was read by another request, or of another list, is no part of them."""
    return f"{look.name} {look.digest}".rstrip()


def _position(look: LookSettings, before: Position, left: Left | None) -> Position | None:
    """Where the next look goes on; by time, where the request can be bounded and that leads further."""
    if left is None:
        return None
    is_bounded = any(name == "until" for name, _ in look.asking.names)
    if is_bounded and look.order is not Order.ANY and left.newest is not None:
        until = left.newest.replace(microsecond=0) + _WITHIN
        if before.until is None or until < before.until:
            # it must meet that row again: a bound that is taken for another zone's would pass over hours
            return Position(until, written(replace(look.paging.first(), last=left.last)))
    return Position(before.until, written(replace(left.page, last=left.last if left.is_shown else None)))


def _can_not_go_on(caught: Caught) -> bool:
    """Whether a piece came neither to the end nor to a place that the next look could go on from."""
    return not caught.is_complete and caught.left is None and caught.error is None


def _joined(before: Caught, caught: Caught) -> Caught:
    """A piece with the rows of one before it that it has not met itself."""
    ids = {one["id"] for one in caught.rows}
    caught.rows += [one for one in before.rows if one["id"] not in ids]
    caught.unread = before.unread | caught.unread
    return caught


def _seen(caught: Caught, canaries: Collection[Canary]) -> frozenset[CanaryId]:
    """Whose tickets are among what was caught."""
    by_token = {str(one.token): one.id for one in canaries}
    words = {word for values in caught.rows for word in find_tokens(searched(values))}
    return frozenset(canary_id for token, canary_id in by_token.items() if token in words)
