"""One look: its pages walked, its rows matched to tokens on this side, and what its silence is worth."""

import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from canary.signature import find_tokens
from probes.contracts import Blind
from probes.http_wire import Answer
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.expressions import MISSING, Expression
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.paging import End, Page
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.settings import LookSettings, Order, ReadSettings
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import (
    Values,
    as_words,
    check_fields,
    created_of,
    merged,
    searched,
    tags_of,
)

_ORDER_TOLERANCE: Final = timedelta(seconds=2)
_REMEMBERED: Final = 1000


@dataclass(slots=True)
class Caught:
    """What a look has caught.

    Attributes:
        rows: values of the rows that bear a token.
        is_complete: all pages were read, and each row that may be ours.
        left: where it was left off, if there is more that a later look can go on with.
    """

    rows: list[Values] = field(default_factory=list)
    is_complete: bool = True
    left: "Left | None" = None


@dataclass(frozen=True, slots=True)
class Left:
    """Where a look was left off: the last page that it read, so that what moves meanwhile is met again.

    Attributes:
        page: to go on with; the one after it, where a look reads a single page.
        newest: when the newest ticket of the last page was created, by the system's clock; None: not known.
    """

    page: Page
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for.

    Attributes:
        tokens: of the canaries; none: whatever bears any token together with the marker or the tag.
        since: older tickets are not asked for, by our clock.
        is_wide: rows whose text is still to be read are read, too.
    """

    tokens: frozenset[str]
    marker: str
    tag: str
    since: datetime
    is_wide: bool


class Looker:
    """Makes looks. Remembers what further requests have told of a row, as long as the row stays as it was."""

    def __init__(self, calls: Calls, system: str) -> None:
        self._calls = calls
        self._system = system
        self._read: dict[str, Values | None] = {}

    async def look(
        self, look: LookSettings, wanted: Wanted, words: Words, *, begin: Page | None = None
    ) -> Caught:
        """Walk the pages of one look; with ``begin``, from there on and no further than each row could be read.

        Raises:
            Blind: an answer is not what the configuration says, or refused.
            SecretUnavailable: our credential can't be had.
        """
        caught = Caught()
        reads_left = look.most_reads
        async with aclosing(self._pages(look, words, wanted.since, caught, begin)) as pages:
            async for page, rows in pages:
                for seen, values in rows:
                    whole: Values | None = values
                    if look.reads:
                        if not _may_be_ours(look, values, wanted):
                            continue
                        mark = _mark(look, values, seen.row)
                        if mark not in self._read:
                            if reads_left == 0:
                                caught.is_complete = False  # the next look goes on where this one ends
                                if begin is not None:
                                    caught.left = Left(page, _newest(rows))
                                    return caught
                                continue
                            reads_left -= 1
                            await self._remember(mark, look, seen, values, words)
                        whole = self._read[mark]
                    if whole is not None and bears(whole, wanted):
                        caught.rows.append(whole)
        return caught

    async def _pages(
        self, look: LookSettings, words: Words, since: datetime, caught: Caught, begin: Page | None
    ) -> AsyncGenerator[tuple[Page, Sequence[tuple[Seen, Values]]], None]:
        page: Page | End = begin or look.paging.first()
        ids: set[object] = set()
        newest_before: datetime | None = None
        for _ in range(look.most_pages):
            if isinstance(page, End):
                break
            answer = await self._answer(look, words, page)
            if answer is None:
                caught.left = None
                return
            seen = seen_of(answer)
            must(look.must, seen, self._system)
            rows = [(one, look.ticket.read(one, words)) for one in rows_of(look, seen, self._system)]
            check_fields([values for _, values in rows], look.ticket, self._system)
            yield page, rows
            fresh = {values["id"] for _, values in rows} - ids
            if rows and not fresh:
                caught.is_complete = False  # the same page again: it does not know the parameter
                caught.left = None
                return
            ids |= fresh
            stamps = [created_of(values) for _, values in rows]
            newest = _newest(rows)
            if _is_past(look.order, stamps, newest, newest_before, self._by_its_clock(since)):
                caught.left = None
                return
            newest_before = newest if newest is not None else newest_before
            last, page = page, look.paging.after(page, seen, len(rows))
            if isinstance(page, Page):
                caught.left = Left(page if look.most_pages == 1 else last, newest)
        caught.is_complete = caught.is_complete and page is End.LAST
        if isinstance(page, End):
            caught.left = None

    async def _answer(self, look: LookSettings, words: Words, page: Page) -> Answer | None:
        """The answer of one page; None for a status that means that there is none."""
        answer, _ = await self._calls.call(look.asking, words, page=page)
        return None if answer.status in look.empty_on else answer

    def _by_its_clock(self, moment: datetime) -> datetime:
        """The moment by the system's clock where that is behind ours; never a later one."""
        return moment + timedelta(seconds=min(0.0, self._calls.skew.seconds or 0.0))

    async def _remember(
        self, mark: str, look: LookSettings, seen: Seen, values: Values, words: Words
    ) -> None:
        if len(self._read) >= _REMEMBERED:
            self._read.clear()
        whole = await self.read(look.reads, values, {**words, "row": seen.row})
        # of a stranger's ticket only that it is one
        self._read[mark] = whole if whole is not None and find_tokens(searched(whole)) else None

    async def read(self, reads: Sequence[ReadSettings], values: Values, words: Words) -> Values | None:
        """The values of a row with those of its further requests; None where it is gone meanwhile; raises as `look`."""
        answered: object = None
        for one in reads:
            if one.has_nothing_for(values) and find_tokens(searched(values)):
                continue  # ours without a text, or so: it is found all the same, and blinds nothing
            known = {**words, "ticket": as_words(values), "answer": answered}
            answer, means = await self._calls.call(one.asking, known, accept=frozenset({Means.GONE}))
            if means is Means.GONE:
                return None
            seen = seen_of(answer)
            if one.gone is not None and one.gone.holds(seen.whole):
                return None
            must(one.must, seen, self._system)
            answered = seen.whole
            more = one.ticket.read(one.seen(seen), {**known, "answer": answered})
            check_fields([more], one.ticket, self._system)
            values = merged(values, more)
        return values


def rows_of(look: LookSettings, seen: Seen, system: str) -> list[Seen]:
    """The rows of an answer.

    Raises:
        Blind: there is no list where the configuration says.
    """
    found = look.rows.of(seen)
    if not isinstance(found, list | tuple):
        source = look.rows.expression.source if look.rows.expression is not None else "@"
        kind = "nothing" if found in (None, MISSING) else "no list"
        raise Blind(
            f"{system}: {look.rows.key}: the answer has {kind} at `{source}`: it is an error in disguise, or the system's"
            " version is another. Look at what it answers; where it leaves out an empty list, write default: []."
        )
    return [seen.of_row(row) for row in found]


def must(expression: Expression | None, seen: Seen, system: str) -> None:
    """See that an answer holds what it must.

    Raises:
        Blind: it does not, so that it proves nothing.
    """
    if expression is not None and not expression.holds(seen.row):
        raise Blind(
            f"{system}: {expression.key}: the answer does not hold `{expression.source}`, so nothing can be concluded from"
            " it. Look whether our credential is still good, and whether the filter is still understood."
        )


def bears(values: Values, wanted: Wanted) -> bool:
    """Whether a row bears a token that is wanted."""
    text = searched(values)
    words = find_tokens(text)
    if wanted.tokens:
        return any(word in wanted.tokens for word in words)
    is_tagged = wanted.tag in tags_of(values.get("tags"))
    return bool(words) and (wanted.marker.lower() in text.lower() or is_tagged)


def _may_be_ours(look: LookSettings, values: Values, wanted: Wanted) -> bool:
    """Whether the rest of a row is worth a request: it bears a token of ours, or none yet and no subject was shown.

    In a wide look also where a subject was shown: a gateway may have rewritten it. Requests that tell no text can't
    find a token: a stranger's row is not read further for its files.
    """
    words = find_tokens(searched(values))
    if words:
        return not wanted.tokens or any(word in wanted.tokens for word in words)
    if not any(name in one.ticket.picks for one in look.reads for name in ("subject", "body", "message_id")):
        return False
    return "subject" not in look.ticket.picks or (wanted.is_wide and bool(wanted.tokens))


def _is_past(
    order: Order,
    stamps: Sequence[datetime | None],
    newest: datetime | None,
    newest_before: datetime | None,
    since: datetime,
) -> bool:
    """Whether all that follows is older than what is wanted; never, where the rows are not in the order asked for."""
    if order is Order.ANY or newest is None or newest >= since:
        return False
    known = [one for one in stamps if one is not None]
    if order is Order.NEWEST_FIRST and known[0] < known[-1] - _ORDER_TOLERANCE:
        return False
    return newest_before is None or newest <= newest_before + _ORDER_TOLERANCE


def _newest(rows: Sequence[tuple[Seen, Values]]) -> datetime | None:
    """When the newest of the rows was created."""
    stamps = (created_of(values) for _, values in rows)
    return max((one for one in stamps if one is not None), default=None)


def _mark(look: LookSettings, values: Values, row: object) -> str:
    """A row as it is now: an id that is given out again is another row."""
    content = json.dumps(row, sort_keys=True, default=str)
    return hashlib.sha256(f"{look.key}\n{values['id']}\n{content}".encode()).hexdigest()
