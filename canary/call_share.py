"""Shares of a vendor's windows of requests: what all processes on one store together may take of each.

The law: calls are taken before they are made, some at a time, out of a stretch of their window, and count for as long as
one of them, made as late as it may be, is in the vendor's window. What counts is never more than the share. So whoever
takes calls and dies has taken them, until they count no more; whoever did not make them gives them back; and whoever made
one, and was told by its own answer when its window ends, has it counted to that end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

PIECES: Final = 12
"""A window that tells no end is counted in stretches of this part of its length: so much longer than it, calls count."""
GUARD: Final = timedelta(seconds=1)
"""Answers tell ends in whole seconds: calls this near to one count on both sides of it."""
AHEAD: Final = 4
"""Nobody takes more ahead than one in so many of what is left, so that the last ones are not held by whoever is idle."""
KEPT: Final = timedelta(days=2)
"""How long a stretch that counts no more is kept, for what it tells of the window to whoever begins."""
_ROUNDING: Final = 1e-9
_TOGETHER: Final = timedelta(seconds=0.25)
"""Answered calls whose windows end within this are kept as one stretch."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Calls that were taken out of one window within a while, by all processes together.

    Attributes:
        name: the window's.
        began_at: when it began; with the name, what it is called.
        until_at: calls of it are made before this.
        counts_until: they count before this.
        taken: how many were taken and not given back.
        limit: how many the whole window had, by whoever took last.
        is_told: its end is the vendor's own word.
    """

    name: str
    began_at: datetime
    until_at: datetime
    counts_until: datetime
    taken: int
    limit: int
    is_told: bool = False

    @property
    def is_answered(self) -> bool:
        """Whether all its calls were made and answered: none is made of it, and none is given back."""
        return self.until_at <= self.began_at


@dataclass(frozen=True, slots=True)
class Unused:
    """Calls of a stretch that were taken and will not be made."""

    began_at: datetime
    calls: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A call of a stretch that was made, and whose own answer told when its window ends."""

    began_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Want:
    """What a process wants of a window.

    Attributes:
        share: of ``limit``, what all processes together may take; from 0 to 1.
        calls: how many it wants ahead.
        made: calls that it made before it knew of the window: they count, whatever is left.
        ends_at: when the window begins anew, by the vendor's word; None: it does not say, or not yet.
        length_seconds: how long it is, where nobody says when it ends.
        unused: given back first.
        answered: calls that count to the end that their answers told, and no longer.
    """

    name: str
    limit: int
    share: float
    calls: int = 0
    made: int = 0
    ends_at: datetime | None = None
    length_seconds: float = 60.0
    unused: Unused | None = None
    answered: tuple[Answered, ...] = ()

    @property
    def most(self) -> int:
        """How many calls all processes together may make in one window: one at least, or nothing would ever be asked."""
        if self.limit < 1 or self.share <= 0:
            return 0
        return max(1, int(self.share * self.limit + _ROUNDING))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process got of a window.

    Attributes:
        calls: so many it may make, before ``until_at``; 0 where nothing is left.
        began_at: of the stretch that they are of, or None where there is none.
        is_told: that stretch's end is the vendor's own word.
        taken: what all processes together have taken that counts, these included.
        most: how much that may be.
        free_at: when some of that counts no more; ``over_at``: when none of it does.
    """

    name: str
    calls: int
    began_at: datetime | None
    until_at: datetime
    is_told: bool
    taken: int
    most: int
    free_at: datetime
    over_at: datetime


def take(known: Sequence[Stretch], want: Want, *, now: datetime) -> tuple[tuple[Stretch, ...], Grant]:
    """Take calls of one window, as far as there are any.

    Args:
        known: the window's stretches, as they were left by whoever took last.
        want: how many.
        now: what time it is; processes whose clocks differ begin a window so much too early or too late.

    Returns:
        The stretches as they are now, and what was got.
    """
    counting = [_told(_given_back(one, want), want, now) for one in known if one.counts_until > now]
    for answer in want.answered:
        counting = _answered(counting, answer, now)
    current = next((one for one in reversed(counting) if one.until_at > now and not one.is_answered), None)
    taken = sum(one.taken for one in counting) + want.made
    left = want.most - taken
    calls = min(want.calls, max(1, left // AHEAD)) if left > 0 else 0
    if calls + want.made:
        if current is None:
            current = _begun(known, want, now)
            counting.append(current)
        counting.remove(current)
        current = replace(current, taken=current.taken + calls + want.made, limit=want.limit)
        counting.append(current)
    ends = [one.counts_until for one in counting if one.taken]
    grant = Grant(
        name=want.name,
        calls=calls,
        began_at=current.began_at if current is not None else None,
        until_at=current.until_at if current is not None else now,
        is_told=current is not None and current.is_told,
        taken=taken + calls,
        most=want.most,
        free_at=min(ends, default=now + timedelta(seconds=want.length_seconds)),
        over_at=max(ends, default=now),
    )
    over = [one for one in known if one.counts_until <= now < one.counts_until + KEPT]
    # what counts no more tells who begins how large and how long the window is
    telling = [one for one in over if one.is_told and not one.is_answered] or ([] if counting else over)
    return (*telling[-1:], *counting), grant


def _given_back(one: Stretch, want: Want) -> Stretch:
    if want.unused is None or want.unused.began_at != one.began_at or one.is_answered:
        return one
    return replace(one, taken=max(0, one.taken - want.unused.calls))


def _answered(counting: Sequence[Stretch], answer: Answered, now: datetime) -> list[Stretch]:
    """A call that was answered is no more of its stretch, which counts it as if it could still be made.

    It was in the window whose end its answer told: also where that window is of a second, and its stretch of more.
    """
    left = list(counting)
    of = next((one for one in left if one.began_at == answer.began_at and not one.is_answered), None)
    counts_until = _EPOCH - ((_EPOCH - answer.ends_at - GUARD) // _TOGETHER) * _TOGETHER
    if of is None or of.taken == 0 or of.counts_until <= counts_until:
        return left
    left[left.index(of)] = replace(of, taken=of.taken - 1)
    if counts_until <= now:
        return left
    same = next((one for one in left if one.is_answered and one.counts_until == counts_until), None)
    if same is None:
        return [*left, Stretch(of.name, now, now, counts_until, 1, of.limit, is_told=True)]
    left[left.index(same)] = replace(same, taken=same.taken + 1)
    return left


def _told(one: Stretch, want: Want, now: datetime) -> Stretch:
    """A stretch whose end was not known ends when the vendor says. The first word stands; the next may be of a refill.

    It is heeded only where nobody may hold calls of the stretch that are made after that end: they would not count.
    """
    ends_at = want.ends_at
    if one.is_told or ends_at is None or ends_at <= now or one.until_at > ends_at - GUARD:
        return one
    until_at = ends_at - GUARD if one.until_at > now else one.until_at
    return replace(one, until_at=until_at, counts_until=ends_at + GUARD, is_told=True)


def _begun(known: Sequence[Stretch], want: Want, now: datetime) -> Stretch:
    if want.ends_at is not None and want.ends_at - GUARD > now:
        until_at, counts_until, is_told = want.ends_at - GUARD, want.ends_at + GUARD, True
    else:
        told = [one.counts_until - one.began_at for one in known if one.is_told]
        length = max([timedelta(seconds=want.length_seconds), *told])
        until_at, is_told = now + length / PIECES, False
        counts_until = until_at + length
    return Stretch(want.name, now, until_at, counts_until, 0, want.limit, is_told)
