"""The pages of one look, turned one after the other up to where what is wanted ends, and the rows on them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from probes.contracts import Blind, Clock, Uncounted
from probes.http_wire import Answer
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught, Left, Unresumed
from probes.ticketing.generic.failures import reworded
from probes.ticketing.generic.matching import Wanted, bears_in_disguise, mark_of, must, rows_of
from probes.ticketing.generic.misfits import named_fields
from probes.ticketing.generic.ordering import is_past, newest_of
from probes.ticketing.generic.paging import End, Page, is_moved_by_deletion
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.settings import LookSettings
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values
from probes.ticketing.generic.unread import Unread, UnreadRows
from probes.ticketing.generic.zones import Zones


@dataclass(frozen=True, slots=True)
class Rows:
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


class Pages:
    """Turns the pages of looks into one system."""

    def __init__(self, calls: Calls, system: str, *, clock: Clock, unread: UnreadRows, zones: Zones) -> None:
        self._calls = calls
        self._system = system
        self._clock = clock
        self._unread = unread
        self._zones = zones

    async def turned(
        self, look: LookSettings, wanted: Wanted, words: Words, caught: Caught, begin: Page | None
    ) -> AsyncGenerator[Rows]:
        """The rows page by page, from ``begin`` on; in ``caught`` is noted whether they came to the end, or how far.

        Raises:
            Unresumed: the page to begin with was kept by an earlier look, and is refused.
            Blind: an answer is not what the configuration says, or refused.
        """
        page: Page | End = begin or look.paging.first()
        ids: set[object] = set()
        before: Rows | None = None
        newest_before: datetime | None = None
        may_end = not asks_by_time(look)
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
            yield Rows(page, rows, is_lost)
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
            doubt = self._zones.doubt(look)
            since = self._by_its_clock(wanted.since) - doubt
            # where older ones are not asked for, a list that begins with them has times that say something else
            may_end = may_end or (newest is not None and newest >= since)
            if may_end and is_past(look, values, newest_before, since):
                caught.left = None
                return
            newest_before = newest if newest is not None else newest_before
            before, page = Rows(page, rows), look.paging.after(page, seen, len(rows))
            if isinstance(page, Page):
                left = page if most_pages == 1 else before.page
                is_shown = left is before.page or left.overlaps
                caught.left = Left(left, newest if not doubt else None, before.last, is_shown=is_shown)
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
    ) -> Rows:
        """A page once more, after the one that follows it.

        Where a ticket was deleted meanwhile, the first ones of the page that followed have moved on to it, unseen.
        """
        answer = await self._answer(look, words, page)
        rows = self._rows(look, seen_of(answer), wanted, words, caught) if answer is not None else []
        is_lost = not any(values["id"] in ids for _, values in rows)
        caught.is_complete = caught.is_complete and not is_lost
        return Rows(page, rows, is_lost)

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
        self._zones.note(look, [values for _, values in rows])
        return rows

    async def _answer(self, look: LookSettings, words: Words, page: Page) -> Answer | None:
        """The answer of one page; None for a status that means that there is none."""
        try:
            answer, _ = await self._calls.call(look.asking, words, page=page)
        except Uncounted:
            raise  # of our own store, and not of the page
        except Blind as error:
            if not page.is_kept:
                raise
            raise reworded(error, str(error), Unresumed) from error
        return None if answer.status in look.empty_on else answer

    def _by_its_clock(self, moment: datetime) -> datetime:
        """The moment by the system's clock where that is behind ours; never a later one."""
        return moment + timedelta(seconds=min(0.0, self._calls.skew.seconds or 0.0))


def asks_by_time(look: LookSettings) -> bool:
    """Whether older tickets are not asked for."""
    return any(name == "since" for name, _ in look.asking.names)


def _goes_on(before: Sequence[tuple[Seen, Values]], rows: Sequence[tuple[Seen, Values]]) -> bool:
    """Whether a page begins before the last row of the page before it: if not, rows between them went unseen."""
    return not before or before[-1][1]["id"] in {values["id"] for _, values in rows}
