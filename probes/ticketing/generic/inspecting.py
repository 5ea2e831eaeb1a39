"""What `check` finds out of the looks: each made once, its newest rows read on, and its filter by time tried.

Of strangers' tickets nothing is said but how many and how old they are, and what their fields are called.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from canary.observation import Depth
from canary.ticket import TicketState
from probes.contracts import Blind, Check, CheckState, Clock
from probes.http_wire import Answer
from probes.masking import Masker
from probes.ticketing.checking import checked
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.failures import Means, at_key
from probes.ticketing.generic.matching import must, rows_of
from probes.ticketing.generic.misfits import (
    LOOK_BACK,
    Row,
    age_of,
    empty_fields,
    is_in_future,
    is_whole_hours_off,
    left_out_by,
    missed_fields,
    named_fields,
    newest_first,
    tells_text,
    unread_texts,
)
from probes.ticketing.generic.paging import End, Page
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.seeing import NothingShown
from probes.ticketing.generic.settings import GenericSettings, LookSettings, Order, ReadSettings
from probes.ticketing.generic.stamps import REMEDY, Stamp, misstamped, stamp_of
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, as_words, merged
from probes.ticketing.generic.variables import Variables

_DAY: Final = timedelta(hours=24)
_MIDDLE: Final = timedelta(hours=2)
"""Where nothing came in the last minutes, the filter by time is tried with this."""
_SAMPLE: Final = 2
_MOST_PAGES: Final = 8
_NO_MEANS: Final[frozenset[Means]] = frozenset()
_SEARCH: Final = "ticket.search"
_READ: Final = "ticket.read"
_TIME: Final = "ticket.time"
_FIELDS: Final = "ticket.fields"
_BUDGET: Final = "budget"


@dataclass(slots=True)
class _Shown:
    """What a look has shown when it was asked for what came since a moment; ``page``: what would come next."""

    look: LookSettings
    words: Words
    rows: list[Row] = field(default_factory=list)
    page: Page | End = End.LAST

    @property
    def is_whole(self) -> bool:
        """Whether it shows all that there is."""
        return isinstance(self.page, End)


class Inspector:
    """Tries the looks of one system, once. Changes nothing."""

    def __init__(
        self,
        settings: GenericSettings,
        calls: Calls,
        variables: Variables,
        *,
        words: Callable[[datetime], Words],
        see: Callable[[], Awaitable[None]],
        clock: Clock,
        masker: Masker,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._variables = variables
        self._words = words
        self._see = see
        self._clock = clock
        self._stamps: list[Stamp | None] = []
        self._masker = masker
        self._shown: list[_Shown] = []

    async def inspect(self) -> tuple[Sequence[Check], Sequence[Values]]:
        """What is found, the search first, and the newest ticket that each look shows."""
        search = await checked(self._settings.name, _SEARCH, self._search, masker=self._masker)
        if search.state is CheckState.FAIL:
            return (search,), ()
        found = [search]
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
        found += [
            self._warn(
                _BUDGET,
                f"{key}: none of the answers told of this window",
                "Compare the name of the header and its form with an answer; else nothing keeps to this limit.",
            )
            for key in self._calls.untold()
        ]
        newest = [
            newest_first(one.rows)[0][1]
            for one in self._shown
            if one.rows and one.look.state is TicketState.TICKET
        ]
        return tuple(found), newest

    async def _search(self) -> Check:
        since = self._clock.now() - _DAY
        for look in self._settings.looks:
            if look.per is None and (shown := await self._asked(look, since)) is not None:
                self._shown.append(shown)
        count = sum(len(one.rows) for one in self._shown)
        if self._settings.sight:
            try:
                await self._see()
            except NothingShown:
                return self._warn(
                    _SEARCH,
                    "it answers, and shows not one ticket, of whatever age: what is missing is inconclusive until it does",
                    "Look at our key first, for a wrong one is often taken for nobody; then at what our user may see; in a new"
                    f" system let one stay: intake-prober ticketing try {self._settings.name} --create.",
                )
        elif count == 0:
            return self._warn(
                _SEARCH,
                "it answers, and shows no ticket at all: whether we would see one is not known",
                "Add `sight`: requests that prove who we are, and that we see tickets.",
            )
        looks = sum(one.per is None for one in self._settings.looks)
        return self._ok(
            _SEARCH,
            f"reachable and authorised; {count} tickets on the first pages of {looks} looks were understood",
        )

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
                answer, means = await self._call(read.asking, known, accept=frozenset({Means.GONE}))
                if means is Means.GONE:
                    continue
                is_gone = False
                whole = self._seen(answer, read.asking)
                if read.gone is not None and read.gone.holds(whole.whole):
                    continue
                must(read.must, whole, self._settings.name)
                answered[index] = whole.whole
                inner = read.seen(whole)
                more = read.ticket.read(inner, {**known, "answer": whole.whole})
                told.append((inner, more))
                self._stamps.append(stamp_of(read.ticket, more, merged(values[index], more)))
                values[index] = merged(values[index], more)
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

    async def _time(self, shown: _Shown) -> list[Check]:
        """What does not fit between the filter by time, the tickets' own stamps, and the clock."""
        look = shown.look
        if "created_at" not in look.ticket.picks:
            return []
        pick = look.ticket.picks["created_at"]
        is_asked = ("since", "") in look.asking.names
        narrow = await self._asked(look, self._clock.now() - LOOK_BACK) if is_asked else None
        now = self._their_now()
        found: list[Check] = []
        rows = [*shown.rows, *(narrow.rows if narrow is not None else [])]
        if is_in_future(rows, now):
            found.append(
                self._warn(
                    _TIME,
                    f"{pick.key}: by its stamp the newest ticket is made {-(age_of(rows, now) or 0.0):.0f} s from now",
                    "Look at created_at: its zone, and whether it is another field.",
                )
            )
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

    async def _left_out(self, shown: _Shown, narrow: _Shown) -> list[Check]:
        """Whether the filter by time hides what it should show."""
        tried = [(narrow, LOOK_BACK)]
        wide = shown
        if not narrow.rows and not left_out_by(narrow.rows, wide.rows, LOOK_BACK, self._their_now()):
            middle = await self._asked(shown.look, self._clock.now() - _MIDDLE)
            if middle is not None:
                tried.append((middle, _MIDDLE))
                if shown.look.order is Order.ANY:  # what is newest may stand at the end
                    await self._walked(middle if middle.rows else wide, lambda: False)
                wide = _Shown(shown.look, shown.words, [*shown.rows, *middle.rows])
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

    async def _unread_rows(self, narrow: _Shown) -> list[Check]:
        """Whether more tickets come than a deadline look can read."""
        look = narrow.look
        if Depth.DEADLINE not in look.depths or not tells_text(look.reads):
            return []

        def recent() -> int:
            now = self._their_now()
            return sum((age_of([one], now) or 0.0) <= LOOK_BACK.total_seconds() for one in narrow.rows)

        await self._walked(narrow, lambda: recent() > look.most_reads)
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

    async def _walked(self, shown: _Shown, is_enough: Callable[[], bool]) -> None:
        """Read on where a look has ended, for some pages."""
        for _ in range(min(_MOST_PAGES, shown.look.most_pages)):
            if isinstance(shown.page, End) or is_enough():
                return
            before = len(shown.rows)
            await self._page(shown, shown.page)
            if len(shown.rows) == before:
                return

    async def _asked(self, look: LookSettings, since: datetime) -> _Shown | None:
        """The first page; None where a value that it needs is not there."""
        words = self._words(since)
        values = await self._variables.words(look.asking, words, None)
        if values is None:
            return None
        shown = _Shown(look, {**words, "vars": values})
        await self._page(shown, look.paging.first())
        return shown

    async def _page(self, shown: _Shown, page: Page) -> None:
        look = shown.look
        answer, _ = await self._call(look.asking, shown.words, page=page)
        shown.page = End.LAST
        if answer.status in look.empty_on:
            return
        seen = self._seen(answer, look.asking)
        must(look.must, seen, self._settings.name)
        rows = [(one, look.ticket.read(one, shown.words)) for one in rows_of(look, seen, self._settings.name)]
        named_fields(rows, look.ticket, self._settings.name)
        known = {values["id"] for _, values in shown.rows}
        shown.rows += [one for one in rows if one[1]["id"] not in known]
        shown.page = look.paging.after(page, seen, len(rows)) if rows else End.LAST

    async def _call(
        self,
        asking: Asking,
        words: Words,
        *,
        page: Page = Page(),  # noqa: B008 -- frozen
        accept: frozenset[Means] = _NO_MEANS,
    ) -> tuple[Answer, Means]:
        try:
            return await self._calls.call(asking, words, page=page, accept=accept)
        except Blind as error:
            raise at_key(error, asking.key, self._settings.name) from None

    def _seen(self, answer: Answer, asking: Asking) -> Seen:
        try:
            return seen_of(answer)
        except Blind as error:
            raise at_key(error, asking.key, self._settings.name) from None

    def _their_now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._calls.skew.seconds or 0.0)

    def _ok(self, name: str, finding: str) -> Check:
        return Check(self._settings.name, name, CheckState.OK, finding)

    def _warn(self, name: str, finding: str, remedy: str) -> Check:
        return Check(self._settings.name, name, CheckState.WARN, finding, remedy)

    def _fail(self, name: str, finding: str, remedy: str) -> Check:
        return Check(self._settings.name, name, CheckState.FAIL, finding, remedy)
