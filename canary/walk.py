"""Walks: a pass over more tickets than one look may read, a bounded piece a look, its place kept where it outlives us.

The law: a canary may be called missing only by a pass that began after its time, that asked for it in each row it read,
and that came to the end. So a walk carries whom it has asked for from its first row on, and is over only at the last.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.signature import CanaryId

KEPT: Final = timedelta(hours=48)
"""How long a walk that nobody goes on with is kept."""
LONGEST: Final = timedelta(minutes=10)
"""A pass that takes longer than this is blindness, and no longer a look that takes its time."""
RENEWED: Final = timedelta(minutes=30)
"""So long after its first pass began a walk is gone on with by passes over what came since. Then all is read anew: the desk may be quiet by now."""
MOST: Final = 64
"""So many walks of one look are kept: those that were gone on with last."""
OVERLAP: Final = timedelta(seconds=60)
"""How far a pass goes back behind the begin of the one before: a row may be written later than it says."""
ORPHANS: Final = frozenset({CanaryId("")})
"""Whom a look without canaries asks for."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next look goes on.

    Attributes:
        until: rows created after this, by the system's clock, are behind us; None: the system can't be told so.
        page: the page within that, as the paging writes it; None: the first.
    """

    until: datetime | None = None
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """Passes over one look of one system, each of which goes on where the one before began.

    Attributes:
        look: which of the system's looks, as it is configured: another request is another look.
        started_at: when the first pass began; with place and look, what the walk is called.
        began_at: when the pass under way began, or the last one.
        since: how far back it goes.
        asked: canaries that it has asked for in each row, of all its passes.
        position: where it goes on; None: the pass is over.
        moved_at: when it was last gone on with.
        seen: those of them of whom it met a ticket: to meet it again, it must be read anew.
        hidden: those of them whose ticket a row may be that could not be read: they are asked for, and it proves nothing of them.
    """

    place: str
    look: str
    started_at: datetime
    began_at: datetime
    since: datetime
    asked: frozenset[CanaryId]
    position: Position | None
    moved_at: datetime
    seen: frozenset[CanaryId] = frozenset()
    hidden: frozenset[CanaryId] = frozenset()

    @property
    def covers(self) -> frozenset[CanaryId]:
        """For whom it has read each row that it came to."""
        return self.asked - self.hidden

    @property
    def missed(self) -> frozenset[CanaryId]:
        """Of whom it has met no ticket, and none that may be theirs."""
        return self.covers - self.seen

    @property
    def is_over(self) -> bool:
        """Whether the pass came to its end."""
        return self.position is None

    def moved(self, position: Position | None, *, seen: Collection[CanaryId], at: datetime) -> "Walk":
        """The walk after a piece of its pass, in which some were seen."""
        return replace(self, position=position, moved_at=at, seen=self.seen | (self.asked & frozenset(seen)))

    def hiding(self, ids: Collection[CanaryId]) -> "Walk":
        """The walk after a row that may be the ticket of any of these. It goes on, as there may be another of them."""
        return replace(self, hidden=self.hidden | (self.asked & frozenset(ids)))


@dataclass(frozen=True, slots=True)
class Course:
    """What a look goes on with.

    Attributes:
        walk: of those whom it asks for, and no one else.
        rest: what the walk that it was a part of is for the others; None: there is none, or it stays as it is.
    """

    walk: Walk
    rest: Walk | None = None


def ids_of(canaries: Sequence[Canary]) -> frozenset[CanaryId]:
    """Whom a look asks for."""
    return frozenset(one.id for one in canaries) or ORPHANS


def begun(
    kept: Sequence[Walk],
    canaries: Sequence[Canary],
    *,
    place: str,
    look: str,
    since: datetime,
    now: datetime,
) -> Walk:
    """A walk that reads all, beside those that are kept."""
    return Walk(place, look, _unused(kept, now), now, since, ids_of(canaries), Position(), now)


def going_on(
    kept: Sequence[Walk], new: Walk, canaries: Sequence[Canary], *, overlap: timedelta = OVERLAP
) -> Course:
    """What a look for these canaries is a piece of.

    A pass under way that asks for all of them, or for half of them at least, is gone on with to its end, also where it has
    met their tickets by now: begun anew each time, it would never end. Whoever of the others was out when it began waits
    for the next one. After a pass that is over, only what came since is read, if it has asked for all who were out then,
    in vain: the tickets of younger ones are younger, too. Else it is the new one, a pass that reads all.

    Whomever a walk asks for beside these canaries keeps it as it is: the look goes on with a walk of its own.
    """
    ids = new.asked
    open_ = max(
        (one for one in kept if not one.is_over and 2 * len(one.asked & ids) >= len(ids)),
        key=lambda one: (len(one.missed & ids), len(one.asked & ids), one.began_at),
        default=None,
    )
    if open_ is not None and ids <= open_.asked:
        return _piece_of(open_, ids, kept)
    over = [
        one
        for one in kept
        if one.is_over
        and canaries
        and new.began_at - one.started_at < RENEWED
        and one.began_at - overlap > new.since
        and _out_at(canaries, one.began_at) <= one.missed
    ]
    if over:
        last = max(over, key=lambda one: one.began_at)
        further = replace(
            last,
            began_at=new.began_at,
            since=last.began_at - overlap,
            asked=ids,
            seen=frozenset(),
            hidden=frozenset(),
            position=Position(),
        )
        is_for_all = last.missed <= ids
        return Course(further if is_for_all else replace(further, started_at=_unused(kept, last.started_at)))
    return Course(new) if open_ is None else _piece_of(open_, ids, kept)


def _piece_of(walk: Walk, ids: frozenset[CanaryId], kept: Sequence[Walk]) -> Course:
    """A pass under way for some of those that it asks for; for the others it stays where it is."""
    left = walk.asked - ids
    if not left:
        return Course(walk)
    own = replace(_only(walk, ids), started_at=_unused(kept, walk.started_at))
    return Course(own, _only(walk, left))


def _only(walk: Walk, ids: frozenset[CanaryId]) -> Walk:
    return replace(walk, asked=walk.asked & ids, seen=walk.seen & ids, hidden=walk.hidden & ids)


def ended_by_whole(kept: Sequence[Walk], ids: Collection[CanaryId], *, since: datetime) -> Sequence[Walk]:
    """Walks that nobody needs after a look for these canaries has read all since a moment at once: the list is short.

    A sweep asks for whatever is ours: what is left of walks for canaries that nobody asks for any more goes with it.
    """
    asked = frozenset(ids)
    return [one for one in kept if one.asked <= asked or (asked == ORPHANS and one.since >= since)]


def ended_by(kept: Sequence[Walk], walk: Walk) -> Sequence[Walk]:
    """Walks that nobody needs after this one is over: older ones for those whom it knows to be missing, too.

    Itself, where there is nothing to go on with: whoever it has met must be met anew, and a sweep reads all each time.
    """
    older = [
        one
        for one in kept
        if one.started_at != walk.started_at
        and one.began_at <= walk.began_at
        and (one.missed if one.is_over else one.asked) <= walk.missed
    ]
    return older if walk.missed - ORPHANS else [*older, walk]


def too_many(kept: Sequence[Walk], now: datetime) -> Sequence[Walk]:
    """Those of a look that are kept no longer; that of the sweep, which comes seldom, only for its age."""
    latest = sorted(kept, key=lambda one: (one.asked == ORPHANS, one.moved_at), reverse=True)
    return [one for place, one in enumerate(latest) if place >= MOST or one.moved_at < now - KEPT]


def _unused(kept: Sequence[Walk], moment: datetime) -> datetime:
    """The first moment from this one on at which no other walk has started: what walks are told apart by."""
    taken = {one.started_at for one in kept}
    while moment in taken:
        moment += timedelta(microseconds=1)
    return moment


def _out_at(canaries: Sequence[Canary], moment: datetime) -> frozenset[CanaryId]:
    """Whose tickets may have been there at that moment."""
    return frozenset(one.id for one in canaries if one.launched_at <= moment)
