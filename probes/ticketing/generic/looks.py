"""One look: its pages walked, its rows matched to tokens on this side, and what its silence is worth."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from canary.signature import find_tokens
from probes.contracts import Blind, Clock
from probes.servers import SecretUnavailable
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught, Left
from probes.ticketing.generic.further import Further, OddRow, Told
from probes.ticketing.generic.matching import (
    Wanted,
    bears,
    is_strangers,
    mark_of,
    may_be_ours,
    needed_to_clean,
    tells_text,
)
from probes.ticketing.generic.ordering import born_of, newest_of
from probes.ticketing.generic.page_rows import Pages, Rows, asks_by_time
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.picking import Seen
from probes.ticketing.generic.settings import LookSettings, ReadSettings
from probes.ticketing.generic.strangers import KnownStrangers
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, created_of, searched, word_of
from probes.ticketing.generic.unread import MOST_ODD, Unread, UnreadRows
from probes.ticketing.generic.zones import Zones


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
        self._zones = Zones(calls, clock=clock)
        self._pages = Pages(calls, system, clock=clock, unread=self._unread, zones=self._zones)
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
        async with aclosing(self._pages.turned(look, wanted, words, caught, begin)) as pages:
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
                    is_sure = not self._zones.doubt(look)
                    caught.left = (
                        None if page.is_lost else Left(page.page, newest if is_sure else None, page.last)
                    )
                    return  # the next look goes on where this one ends

    async def _page(
        self,
        reading: _Reading,
        page: Rows,
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
            self._zones.note(reading.look, [whole])
            born = self._born(reading.look, whole) if tells_text(reading.reads, whole) else None
            self._known(wanted).note(
                mark,
                born_at=born,
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
        born = self._born(reading.look, values)
        if born is not None and born < wanted.since and asks_by_time(reading.look):
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

    def _born(self, look: LookSettings, values: Values) -> datetime | None:
        """When the ticket of a row was made at the latest, by our clock; None: it does not say."""
        born = born_of(look, values)
        skew = timedelta(seconds=self._calls.skew.seconds or 0.0)
        return born - skew + self._zones.doubt(look) if born is not None else None
