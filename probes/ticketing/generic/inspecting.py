"""What `check` finds out of the looks: each made once, its newest rows read on, and its filter by time tried.

Of strangers' tickets nothing is said but how many and how old they are, and what their fields are called.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from canary.observation import Depth
from canary.ticket import TicketState
from probes.contracts import Blind, Check, CheckState, Clock
from probes.masking import Masker
from probes.ticketing.checking import checked
from probes.ticketing.generic.budget_checks import budget_checks
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.matching import must
from probes.ticketing.generic.misfits import (
    LOOK_BACK,
    Row,
    age_of,
    empty_fields,
    is_whole_hours_off,
    left_out_by,
    missed_fields,
    named_fields,
    newest_first,
    tells_text,
    unread_texts,
    youngest,
)
from probes.ticketing.generic.paging import Page, Single
from probes.ticketing.generic.picking import Seen
from probes.ticketing.generic.rereading import CLEAN, try_reading
from probes.ticketing.generic.seeing import NothingShown
from probes.ticketing.generic.settings import GenericSettings, Order, Per, ReadSettings
from probes.ticketing.generic.showing import Showing, Shown
from probes.ticketing.generic.stamps import REMEDY, Stamp, misstamped, stamp_of
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, as_words, merged

_DAY: Final = timedelta(hours=24)
_MIDDLE: Final = timedelta(hours=2)
"""Where nothing came in the last minutes, the filter by time is tried with this."""
_SLACK: Final = timedelta(hours=1)
_SAMPLE: Final = 2
_SEARCH: Final = "ticket.search"
_READ: Final = "ticket.read"
_TIME: Final = "ticket.time"
_FIELDS: Final = "ticket.fields"
_PAGE: Final = "ticket.page"


class Inspector:
    """Tries the looks of one system, once. Changes nothing."""

    def __init__(
        self,
        settings: GenericSettings,
        calls: Calls,
        showing: Showing,
        *,
        see: Callable[[], Awaitable[Sequence[Seen]]],
        clock: Clock,
        masker: Masker,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._showing = showing
        self._see = see
        self._clock = clock
        self._stamps: list[Stamp | None] = []
        self._masker = masker
        self._shown: list[Shown] = []
        self._untried: list[Check] = []
        self._whole: dict[object, Values] = {}
        """Values of the rows that were read on."""

    async def inspect(self) -> tuple[Sequence[Check], Sequence[Values]]:
        """What is found, the search first, and the newest ticket that each look shows."""
        search = await checked(self._settings.name, _SEARCH, self._search, masker=self._masker)
        if search.state is CheckState.FAIL:
            return (search,), ()
        found = [search, *self._untried]
        if any(one.look.paging != Single() for one in self._shown):
            found.append(await checked(self._settings.name, _PAGE, self._pages, masker=self._masker))
        if any(one.look.reads and one.rows for one in self._shown):
            found.append(await checked(self._settings.name, _READ, self._reads, masker=self._masker))
        found += self._fields()
        found += self._stamped()
        for shown in self._shown:
            try:
                told = {(one.name, one.finding.partition(": ")[0]) for one in found}
                times = await self._time(shown)
                found += [one for one in times if (one.name, one.finding.partition(": ")[0]) not in told]
            except Blind as error:
                found.append(
                    self._fail(_TIME, self._masker.detail(str(error)), "Look at `since` in the request.")
                )
        found += budget_checks(self._settings.name, self._settings.calls.budget, self._calls)
        usual = [row for one in self._shown if one.look.state is TicketState.TICKET for row in one.rows]
        newest = [values for _, values in newest_first(usual)[:1]]
        if newest and self._settings.clean.read is not None:
            found.append(
                await checked(self._settings.name, CLEAN, lambda: self._clean(newest[0]), masker=self._masker)
            )
        return tuple(found), newest

    async def _search(self) -> Check:
        since = self._clock.now() - _DAY
        for look in self._settings.looks:
            try:
                shown = await self._showing.asked(look, since)
            except Blind as error:
                if look.per is not Per.REQUESTERS or error.status != HTTPStatus.NOT_FOUND:
                    raise
                shown = None
            if shown is not None:
                self._shown.append(shown)
            elif look.per is not None:
                self._untried.append(
                    self._warn(
                        _SEARCH,
                        f"{look.asking.key}: it is made for our senders, and the system knows none of them yet: not tried",
                        "Send one canary, and check again; else compare its path and `vars` with the documentation.",
                    )
                )
        count = sum(len(one.rows) for one in self._shown)
        if self._settings.sight:
            try:
                elsewhere = await self._see()
            except NothingShown:
                return self._warn(
                    _SEARCH,
                    "it answers, and shows not one ticket, of whatever age: what is missing is inconclusive until it does",
                    "Look at our key first, for a wrong one is often taken for nobody; then at what our user may see; in a new"
                    f" system let one stay: intake-prober ticketing try {self._settings.name} --create.",
                )
            if (hidden := self._left_out_by_all(elsewhere)) is not None:
                return hidden
        elif count == 0:
            return self._warn(
                _SEARCH,
                "it answers, and shows no ticket at all: whether we would see one is not known",
                "Add `sight`: requests that prove who we are, and that we see tickets.",
            )
        return self._ok(
            _SEARCH,
            f"reachable and authorised; {count} tickets on the first pages of {len(self._shown)} looks were understood",
        )

    def _left_out_by_all(self, elsewhere: Sequence[Seen]) -> Check | None:
        """Whether no look shows a ticket of the last day, though `sight` shows some that are younger, or may be."""
        usual = [one for one in self._shown if one.look.state is TicketState.TICKET]
        if not elsewhere or any(one.rows for one in usual):
            return None
        age = youngest([one.look for one in usual], elsewhere, self._their_now())
        if age is not None and age > _DAY - _SLACK:
            return None
        old = f"that is {age.total_seconds() / 60:.0f} min old" if age is not None else "of whatever age"
        return self._warn(
            _SEARCH,
            f"no look shows a ticket of the last day, and `sight` shows one {old}: the looks may leave out all",
            "Look at their filter by time (`since`: its unit and its zone), at the states and the places that they ask for;"
            f" intake-prober ticketing try {self._settings.name} --create shows it.",
        )

    async def _pages(self) -> Check:
        """Ask each look that has pages for its second one, once."""
        read: list[str] = []
        single: list[str] = []
        for shown in self._shown:
            if shown.look.paging == Single():
                continue
            if not isinstance(shown.page, Page):
                single.append(shown.look.asking.key)
                continue
            before, page = len(shown.rows), shown.page
            count = await self._showing.page(shown, page)
            if count > page.overlaps and len(shown.rows) == before:
                return self._fail(
                    _PAGE,
                    f"{shown.look.asking.key}: the second page shows the tickets of the first again",
                    "Correct the parameter of `page`, or where it goes: the system does not know it as it is.",
                )
            read.append(shown.look.asking.key)
        told = [f"the second page was understood: {', '.join(read)}"] if read else []
        told += [f"one page only, so that the next could not be tried: {', '.join(single)}"] if single else []
        return self._ok(_PAGE, "; ".join(told))

    async def _clean(self, newest: Values) -> Check:
        known = {**newest, **self._whole.get(newest["id"], {})}
        return await try_reading(self._settings, self._calls, known, self._showing.words(self._clock.now()))

    async def _reads(self) -> Check:
        """Make the further requests for the newest rows, as a run would for those that may be ours."""
        made: set[tuple[str, object]] = set()
        empty: list[str] = []
        for shown in self._shown:
            reads = shown.look.reads
            rows = [
                one
                for one in newest_first(shown.rows)[:_SAMPLE]
                if reads and (reads[0].asking.key, one[1]["id"]) not in made
            ]
            if not rows:
                continue
            made |= {(reads[0].asking.key, one[1]["id"]) for one in rows}
            empty += await self._read_on(reads, rows, shown.words)
        if empty:
            return self._warn(
                _READ,
                f"{', '.join(dict.fromkeys(empty))}: it comes to nothing in the newest tickets",
                "Compare the pick with the answer; where it may be empty, give it a default.",
            )
        return self._ok(_READ, f"the further requests of the {len(made)} newest tickets were understood")

    async def _read_on(self, reads: Sequence[ReadSettings], rows: Sequence[Row], words: Words) -> list[str]:
        """Keys of picks that come to nothing in all rows.

        Raises:
            Blind: a request is refused, or a field is in none of the answers.
        """
        values = [dict(one) for _, one in rows]
        answered: list[object] = [None for _ in rows]
        empty: list[str] = []
        for read in reads:
            told: list[Row] = []
            is_gone = True
            for index, (seen, _) in enumerate(rows):
                known = {
                    **words,
                    "row": seen.row,
                    "ticket": as_words(values[index]),
                    "answer": answered[index],
                }
                answer, means = await self._calls.named(read.asking, known, accept=frozenset({Means.GONE}))
                if means is Means.GONE:
                    continue
                is_gone = False
                whole = self._calls.seen(answer, read.asking)
                if read.gone is not None and read.gone.holds(whole.whole):
                    continue
                must(read.must, whole, self._settings.name)
                answered[index] = whole.whole
                inner = read.seen(whole)
                more = read.ticket.read(inner, {**known, "answer": whole.whole})
                told.append((inner, more))
                self._stamps.append(stamp_of(read.ticket, more, merged(values[index], more)))
                values[index] = merged(values[index], more)
                self._whole[values[index]["id"]] = values[index]
            if is_gone:
                raise Blind(
                    f"{self._settings.name}: {read.asking.key}: the newest tickets are shown, and this request of each of"
                    " them is answered that there is no such thing. Correct its path, or the permissions of our user."
                )
            named_fields(told, read.ticket, self._settings.name)
            empty += empty_fields(
                told, read.ticket, ("subject", "body", "message_id", "requester", "channel")
            )
        return empty

    def _fields(self) -> list[Check]:
        """What no row tells, although something hangs on it; said once where looks share a pick."""
        read = self._settings.clean.read
        told: dict[str, tuple[str, str]] = {}
        for shown in self._shown:
            if shown.look.state is TicketState.TICKET:
                is_verified = read is not None and "tags" in read.ticket.picks
                for key, words in missed_fields(shown.look, shown.rows, tags_count=is_verified).items():
                    told.setdefault(key, words)
        found = [self._warn(_FIELDS, finding, remedy) for finding, remedy in told.values()]
        return [*found, *self._unread()]

    def _stamped(self) -> list[Check]:
        """Stamps of rows and of further requests that can't be."""
        rows = [stamp_of(one.look.ticket, row, row) for one in self._shown for _, row in one.rows]
        wrong = misstamped(filter(None, [*rows, *self._stamps]), self._their_now())
        return [self._warn(_TIME, words, REMEDY) for words in wrong.values()]

    def _unread(self) -> list[Check]:
        return [
            self._warn(
                _READ,
                f"{key}: the deadline look can't see the text: a ticket with a rewritten subject would be called missing",
                "Give it the `read` that the poll look has.",
            )
            for key in unread_texts(self._settings.looks)
        ]

    async def _time(self, shown: Shown) -> list[Check]:
        """What does not fit between the filter by time, the tickets' own stamps, and the clock."""
        look = shown.look
        if "created_at" not in look.ticket.picks:
            return []
        pick = look.ticket.picks["created_at"]
        is_asked = ("since", "") in look.asking.names
        narrow = await self._showing.asked(look, self._clock.now() - LOOK_BACK) if is_asked else None
        now = self._their_now()
        found: list[Check] = []
        rows = [*shown.rows, *(narrow.rows if narrow is not None else [])]
        stamps = filter(None, (stamp_of(look.ticket, values, values) for _, values in rows))
        found += [self._warn(_TIME, words, REMEDY) for words in misstamped(stamps, now).values()]
        if narrow is None:
            return found
        found += await self._left_out(shown, narrow)
        newest_is_known = narrow.is_whole or look.order is Order.NEWEST_FIRST
        if is_whole_hours_off(narrow.rows, now, newest_is_known=newest_is_known):
            hours = round((age_of(narrow.rows, now) or 0.0) / 3600)
            found.append(
                self._warn(
                    _TIME,
                    f"{pick.key}: asked for the last minutes, it shows a ticket that is {hours} h old by its stamp",
                    "Look at created_at and its zone, and at the zone of `since`.",
                )
            )
        return [*found, *await self._unread_rows(narrow)]

    async def _left_out(self, shown: Shown, narrow: Shown) -> list[Check]:
        """Whether the filter by time hides what it should show."""
        tried = [(narrow, LOOK_BACK)]
        wide = shown
        if not narrow.rows and not left_out_by(narrow.rows, wide.rows, LOOK_BACK, self._their_now()):
            middle = await self._showing.asked(shown.look, self._clock.now() - _MIDDLE)
            if middle is not None:
                tried.append((middle, _MIDDLE))
                if shown.look.order is Order.ANY:  # what is newest may stand at the end
                    await self._showing.walked(middle if middle.rows else wide, lambda: False)
                wide = Shown(shown.look, shown.words, shown.own, [*shown.rows, *middle.rows])
        for asked, span in tried:
            age = left_out_by(asked.rows, wide.rows, span, self._their_now()) if asked.is_whole else None
            if age is not None:
                return [
                    self._fail(
                        _TIME,
                        f"{shown.look.asking.key}: the filter by time leaves out a ticket that is {age:.0f} s old",
                        "Look at the zone of `since`: it goes as the system's own clock, or its user's, shows it.",
                    )
                ]
        return []

    async def _unread_rows(self, narrow: Shown) -> list[Check]:
        """Whether more tickets come than a deadline look can read."""
        look = narrow.look
        if Depth.DEADLINE not in look.depths or not tells_text(look.reads):
            return []

        def recent() -> int:
            now = self._their_now()
            return sum((age_of([one], now) or 0.0) <= LOOK_BACK.total_seconds() for one in narrow.rows)

        await self._showing.walked(narrow, lambda: recent() > look.most_reads)
        if recent() <= look.most_reads:
            return []
        minutes = LOOK_BACK.total_seconds() / 60
        return [
            self._warn(
                _READ,
                f"{look.asking.key}: the deadline look could not read all: {recent()} tickets or more came in the last"
                f" {minutes:.0f} minutes, and max_reads is {look.most_reads}",
                "Raise max_reads or narrow the query.",
            )
        ]

    def _their_now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._calls.skew.seconds or 0.0)

    def _ok(self, name: str, finding: str) -> Check:
        return Check(self._settings.name, name, CheckState.OK, finding)

    def _warn(self, name: str, finding: str, remedy: str) -> Check:
        return Check(self._settings.name, name, CheckState.WARN, finding, remedy)

    def _fail(self, name: str, finding: str, remedy: str) -> Check:
        return Check(self._settings.name, name, CheckState.FAIL, finding, remedy)
