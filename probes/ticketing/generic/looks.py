"""One look: its pages walked, its rows matched to tokens on this side, and what its silence is worth."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from canary.signature import find_tokens
from probes.contracts import Blind, Clock
from probes.http_wire import Answer
from probes.servers import SecretUnavailable
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught, Left, Unresumed
from probes.ticketing.generic.further import Further, OddRow, Told
from probes.ticketing.generic.matching import (
    Wanted,
    bears,
    bears_in_disguise,
    is_strangers,
    mark_of,
    may_be_ours,
    must,
    needed_to_clean,
    rows_of,
    tells_text,
)
from probes.ticketing.generic.misfits import named_fields
from probes.ticketing.generic.ordering import born_of, is_past, newest_of
from probes.ticketing.generic.paging import End, Page, is_moved_by_deletion
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.settings import LookSettings, ReadSettings
from probes.ticketing.generic.strangers import KnownStrangers
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import (
    Values,
    created_of,
    searched,
    word_of,
)
from probes.ticketing.generic.unread import MOST_ODD, Unread, UnreadRows


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one page.

    Attributes:
        is_lost: some between these and the page before may have been missed.
    """

    page: Page
    rows: Sequence[tuple[Seen, Values]]
    is_lost: bool = False

    @property
    def last(self) -> str | None:
        """Id of the last row; None: there is none."""
        return str(self.rows[-1][1]["id"]) if self.rows else None


@dataclass(slots=True)
class _Reading:
    """What one look may still read of rows, and since when a reading of a young row counts for it.

    Attributes:
        has_read: whether any row could be read, now or before.
    """

    look: LookSettings
    reads: Sequence[ReadSettings]
    since: datetime
    left: int
    caught: Caught
    has_read: bool = False


class Looker:
    """Makes looks. Remembers which rows are a stranger's, as long as they stay as they were.

    Attributes:
        reads_files: whether anybody wants attachments; else requests that tell of nothing but them are not made.
    """

    def __init__(self, calls: Calls, system: str, *, clock: Clock, reads_files: bool) -> None:
        self._calls = calls
        self._system = system
        self._strangers = KnownStrangers()
        self._not_left_over = KnownStrangers()
        """Rows that a sweep has read, and that are no leftovers, whatever token they bear: another look may want them."""
        self._unread = UnreadRows()
        self._further = Further(calls, system)
        self._clock = clock
        self._reads_files = reads_files

    async def look(
        self,
        look: LookSettings,
        wanted: Wanted,
        words: Words,
        *,
        begin: Page | None = None,
        began_at: datetime | None = None,
    ) -> Caught:
        """Walk the pages of one look; with ``begin``, from there on and no further than each row could be read.

        Where that fails half-way, what was caught before is kept.

        Args:
            look: which one.
            wanted: what is looked for.
            words: what its templates may say.
            begin: the page that it goes on with.
            began_at: when the pass over all pages began; None: it begins now.

        Raises:
            Unresumed: the page to begin with was kept by an earlier look, and is refused.
            Blind: an answer is not what the configuration says, or refused.
            SecretUnavailable: our credential can't be had.
        """
        caught = Caught(unmet=begin.last if begin is not None else None)
        try:
            await self._walk(look, wanted, words, caught, begin=begin, began_at=began_at)
        except (Blind, SecretUnavailable) as error:
            if not caught.rows and (begin is None or caught.left is None):
                raise
            # where nothing was caught, the way that was made is kept all the same
            caught.is_complete, caught.error = False, error
        if caught.unmet is not None:
            # rows were deleted meanwhile, and some that came after it may have been passed over
            caught.is_complete, caught.left = False, None
        return caught

    async def _walk(
        self,
        look: LookSettings,
        wanted: Wanted,
        words: Words,
        caught: Caught,
        *,
        begin: Page | None,
        began_at: datetime | None,
    ) -> None:
        ids: set[object] = set()
        reads = [one for one in look.reads if self._reads_files or one.ticket.picks or one.ticket.also]
        if wanted.is_for_cleaning:
            reads = needed_to_clean(reads)
        reading = _Reading(look, reads, began_at or self._clock.now(), look.most_reads, caught)
        async with aclosing(self._pages(look, wanted, words, caught, begin)) as pages:
            async for page in pages:
                if caught.unmet in {str(values["id"]) for _, values in page.rows}:
                    caught.unmet = None
                try:
                    await self._page(reading, page, wanted, words, caught=caught, ids=ids)
                except Blind as error:
                    if begin is None or error.status != HTTPStatus.TOO_MANY_REQUESTS:
                        raise
                    # what was read of this page need not be read again by the look that goes on here
                    caught.is_complete, caught.error = False, error
                if begin is not None and not caught.is_complete:
                    newest = newest_of(look, [values for _, values in page.rows])
                    caught.left = None if page.is_lost else Left(page.page, newest, page.last)
                    return  # the next look goes on where this one ends

    async def _page(
        self,
        reading: _Reading,
        page: _Rows,
        wanted: Wanted,
        words: Words,
        *,
        caught: Caught,
        ids: set[object],
    ) -> None:
        """Take the rows of one page into account."""
        for seen, values in self._urgent_first(reading, page.rows, wanted, words):
            if values["id"] in ids:
                continue  # on two pages, since tickets came meanwhile
            whole, is_known = await self._whole(reading, seen, values, wanted, words)
            caught.is_complete = caught.is_complete and is_known
            if whole is not None and bears(whole, wanted):
                caught.rows.append(whole)
                ids.add(values["id"])
            elif str(values["id"]) not in caught.unread and is_strangers(whole or values, wanted):
                caught.others[str(values["id"])] = (created_of(values), word_of(values, "channel"))

    def _urgent_first(
        self, reading: _Reading, rows: Sequence[tuple[Seen, Values]], wanted: Wanted, words: Words
    ) -> Sequence[tuple[Seen, Values]]:
        """The rows; where not all may be read, those that bear a token first, then our senders', then unread ones."""
        if not reading.reads:
            return rows
        ours = words.get("requesters")
        senders = {str(one).lower() for one in ours} if isinstance(ours, list) else set()

        def rank(one: tuple[Seen, Values]) -> tuple[bool, bool, bool, bool]:
            seen, values = one
            mark = mark_of(reading.look, values, seen.row)
            is_read = self._known(wanted).was_read(mark, wanted.tokens) or self._unread.has(mark)
            # A row that bears a token is shown also unread: a sweep, which may meet many, needs to know of the others.
            is_later = bears(values, wanted) != bool(wanted.tokens)
            # that others have a text shows that one has none
            is_empty = any(read.has_nothing_for(values) for read in reading.reads)
            return (is_later, is_empty, values.get("requester") not in senders, is_read)

        return sorted(rows, key=rank)

    async def _whole(
        self, reading: _Reading, seen: Seen, values: Values, wanted: Wanted, words: Words
    ) -> tuple[Values | None, bool]:
        """A row with what further requests tell of it, None for a stranger's; and whether it is known whose it is.

        A row that bears a token itself is ours whatever they say, and whether they may still be made or not.
        """
        if not reading.reads or not may_be_ours(reading.look, values, wanted):
            return values, True
        mark = mark_of(reading.look, values, seen.row)
        tokens = self._known(wanted).tokens_of(mark, since=reading.since)
        if tokens is not None and tokens.isdisjoint(wanted.tokens):
            reading.has_read = True
            # another canary's is no stranger's: of its text the tokens are what is known
            return ({**values, "body": " ".join(sorted(tokens))} if tokens and wanted.tokens else None), True
        is_shown = bears(values, wanted)
        if reading.left == 0:
            return values, is_shown
        reading.left -= 1
        asked_at = self._clock.now()
        try:
            whole, told = await self._further.read(reading.reads, values, {**words, "row": seen.row})
        except OddRow as odd:
            # of a row that is shown all the same it is told that it could not be read whole
            self._leave_unread(reading, mark, values, wanted, odd.error)
            return (values if is_shown else None), True
        reading.has_read = True
        if told is Told.GONE:
            # whoever deleted it: a list that shows our ticket proves that it came
            if wanted.is_for_cleaning:
                reading.caught.gone.add(str(values["id"]))
            is_shown = not wanted.is_for_cleaning and bears(whole, wanted)
            return ({**whole, "open": False} if is_shown else None), True
        if told is Told.ALL and not bears(whole, wanted):
            born = born_of(reading.look, whole) if tells_text(reading.reads, whole) else None
            self._known(wanted).note(
                mark,
                born_at=self._by_ours(born),
                read_at=asked_at,
                tokens=frozenset(find_tokens(searched(whole))) if wanted.tokens else frozenset(),
            )
        return whole, True

    def _leave_unread(
        self, reading: _Reading, mark: str, values: Values, wanted: Wanted, error: Blind
    ) -> None:
        """Note a row that can't be read, if it may be the ticket of a canary that is sought.

        Raises:
            Blind: none of many can.
        """
        born = self._by_ours(born_of(reading.look, values))
        if born is not None and born < wanted.since and _asks_by_time(reading.look):
            born = None  # older than what was asked for, its time may be of another zone, and says nothing
        until = self._unread.until(
            mark,
            born_at=born,
            skew_is_known=self._calls.skew.seconds is not None,
            now=self._clock.now(),
        )
        if wanted.launched_since is None or until >= wanted.launched_since:
            reading.caught.unread[str(values["id"])] = Unread(until, error)
        if len(reading.caught.unread) >= MOST_ODD and not reading.has_read:
            raise error

    def _known(self, wanted: Wanted) -> KnownStrangers:
        return self._strangers if wanted.tokens else self._not_left_over

    async def _pages(
        self, look: LookSettings, wanted: Wanted, words: Words, caught: Caught, begin: Page | None
    ) -> AsyncGenerator[_Rows]:
        page: Page | End = begin or look.paging.first()
        ids: set[object] = set()
        before: _Rows | None = None
        newest_before: datetime | None = None
        is_twice = begin is not None and is_moved_by_deletion(look.paging)
        # a piece of a walk takes so many calls, and goes on with the next one; it must come further than one page
        most_pages = (max(3, look.most_pages) + 1) // 2 if is_twice else look.most_pages
        for _ in range(most_pages):
            if isinstance(page, End):
                break
            answer = await self._answer(look, words, page)
            if answer is None:
                caught.is_complete = caught.is_complete and not page.overlaps
                caught.left = None
                return
            seen = seen_of(answer)
            rows = self._rows(look, seen, wanted, words, caught)
            is_lost = page.overlaps and before is not None and not _goes_on(before.rows, rows)
            caught.is_complete = caught.is_complete and not is_lost
            yield _Rows(page, rows, is_lost)
            fresh = {values["id"] for _, values in rows} - ids
            if rows and not fresh and not (page.overlaps and len(rows) == 1):
                caught.is_complete = False  # the same page again: it does not know the parameter
                caught.left = None
                return
            ids |= fresh
            if before is not None and is_moved_by_deletion(look.paging):
                again = await self._again(look, before.page, wanted, words, caught=caught, ids=ids)
                ids |= {values["id"] for _, values in again.rows}
                yield again
            values = [one for _, one in rows]
            newest = newest_of(look, values)
            if is_past(look, values, newest_before, self._by_its_clock(wanted.since)):
                caught.left = None
                return
            newest_before = newest if newest is not None else newest_before
            before, page = _Rows(page, rows), look.paging.after(page, seen, len(rows))
            if isinstance(page, Page):
                left = page if most_pages == 1 else before.page
                is_shown = left is before.page or left.overlaps
                caught.left = Left(left, newest, before.last if is_shown else None)
        caught.is_complete = caught.is_complete and page is End.LAST
        if isinstance(page, End):
            caught.left = None

    async def _again(
        self,
        look: LookSettings,
        page: Page,
        wanted: Wanted,
        words: Words,
        *,
        caught: Caught,
        ids: set[object],
    ) -> _Rows:
        """A page once more, after the one that follows it.

        Where a ticket was deleted meanwhile, the first ones of the page that followed have moved on to it, unseen.
        """
        answer = await self._answer(look, words, page)
        rows = self._rows(look, seen_of(answer), wanted, words, caught) if answer is not None else []
        is_lost = not any(values["id"] in ids for _, values in rows)
        caught.is_complete = caught.is_complete and not is_lost
        return _Rows(page, rows, is_lost)

    def _rows(
        self, look: LookSettings, seen: Seen, wanted: Wanted, words: Words, caught: Caught
    ) -> list[tuple[Seen, Values]]:
        """The rows of an answer. One that is odd is left out and counts as unread: it may be any canary's that was out.

        Raises:
            Blind: all are odd; or there is no list.
        """
        must(look.must, seen, self._system)
        rows: list[tuple[Seen, Values]] = []
        odd: Blind | None = None
        for one in rows_of(look, seen, self._system):
            try:
                rows.append((one, look.ticket.read(one, words)))
            except Blind as error:
                if bears_in_disguise(one.row, wanted):
                    caught.error = caught.error or error
                odd = error
                mark = mark_of(look, {"id": None}, one.row)
                until = self._unread.until(mark, born_at=None, skew_is_known=False, now=self._clock.now())
                if wanted.launched_since is None or until >= wanted.launched_since:
                    caught.unread[mark] = Unread(until, error)
        if odd is not None and not rows:
            raise odd
        named_fields(rows, look.ticket, self._system)
        return rows

    async def _answer(self, look: LookSettings, words: Words, page: Page) -> Answer | None:
        """The answer of one page; None for a status that means that there is none."""
        try:
            answer, _ = await self._calls.call(look.asking, words, page=page)
        except Blind as error:
            if not page.is_kept:
                raise
            raise Unresumed(
                str(error), status=error.status, retry_after_seconds=error.retry_after_seconds
            ) from error
        return None if answer.status in look.empty_on else answer

    def _by_its_clock(self, moment: datetime) -> datetime:
        """The moment by the system's clock where that is behind ours; never a later one."""
        return moment + timedelta(seconds=min(0.0, self._calls.skew.seconds or 0.0))

    def _by_ours(self, moment: datetime | None) -> datetime | None:
        """A moment of the system's clock by ours."""
        return moment - timedelta(seconds=self._calls.skew.seconds or 0.0) if moment is not None else None


def _goes_on(before: Sequence[tuple[Seen, Values]], rows: Sequence[tuple[Seen, Values]]) -> bool:
    """Whether a page begins before the last row of the page before it: if not, rows between them went unseen."""
    return not before or before[-1][1]["id"] in {values["id"] for _, values in rows}


def _asks_by_time(look: LookSettings) -> bool:
    """Whether older tickets are not asked for."""
    return any(name == "since" for name, _ in look.asking.names)
