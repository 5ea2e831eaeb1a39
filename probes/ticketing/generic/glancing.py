"""A short look over recent tickets, whoever's, pick by pick: for the person who writes the configuration.

A look that watches is strict: a pick that fails blinds it. Here each pick is tried by itself and counted, so that all
of them are seen at once. Of strangers' rows nothing is kept but those counts.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from canary.hop import Channel
from canary.signature import find_tokens
from canary.ticket import Ticket
from probes.contracts import Blind, Glance
from probes.masking import Masker
from probes.ticketing.generic.absence import Absence
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.matching import must, rows_of
from probes.ticketing.generic.paging import End, Page
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.settings import LookSettings, Per, ReadSettings
from probes.ticketing.generic.stamps import REMEDY, Stamp, misstamped, stamp_of
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import FIELDS, Values, as_words, created_of, merged, searched
from probes.ticketing.generic.variables import Variables, requester_of
from probes.ticketing.tallying import GLANCE_PAGES, SAMPLE, Tally

_REFUSED: Final = frozenset({401, 429})


@dataclass(slots=True)
class _Seen:
    """What a look has shown so far."""

    tally: Tally = field(default_factory=Tally)
    absence: Absence = field(default_factory=Absence)
    stamps: list[Stamp | None] = field(default_factory=list)
    ids: set[object] = field(default_factory=set)
    ours: list[Values] = field(default_factory=list)
    shown: int = 0
    older: int = 0
    sampled: int = 0
    is_whole: bool = True
    fault: str = ""
    is_unreadable: bool = False
    status: int | None = None


class Glancer:
    """Makes short looks by a configuration; remembers nothing of them."""

    def __init__(
        self,
        calls: Calls,
        variables: Variables,
        system: str,
        channels: Mapping[str, frozenset[Channel]],
        *,
        masker: Masker,
    ) -> None:
        self._calls = calls
        self._variables = variables
        self._system = system
        self._channels = channels
        self._masker = masker

    async def glances(
        self,
        looks: Sequence[LookSettings],
        *,
        repeated: Callable[[LookSettings], Iterable[Words]],
        ticket: Callable[[LookSettings, Values], Awaitable[Ticket]],
        since: datetime,
        now: datetime,
    ) -> Sequence[Glance]:
        """Make each look once, but those that ask for tokens.

        Args:
            looks: which ones.
            repeated: what a look's templates may say, once for each time that it is made.
            ticket: makes the ticket of the values of a row.
            since: rows that are known to be older are left out.
            now: by our clock.
        """
        made: list[Glance] = []
        for look in looks:
            if made and made[-1].status in _REFUSED:
                # said again and again, some systems lock us out
                made.append(replace(left_out(look, "we are refused"), status=made[-1].status))
                continue
            if look.per is Per.TOKENS:
                made.append(left_out(look, "it asks for tokens alone, and none is sought"))
                continue
            try:
                several = [
                    {**words, "vars": values}
                    for words in repeated(look)
                    if (values := await self._variables.words(look.asking, words, requester_of(words)))
                    is not None
                ]
            except Blind as error:
                fault = self._masker.mask(str(error))
                made.append(replace(left_out(look, ""), fault=fault, is_unreadable=True, status=error.status))
                continue
            if not several:
                made.append(left_out(look, "the system knows none of our addresses yet"))
                continue
            glance, ours = await self._glance(look, several, since, now)
            try:
                tickets = [await ticket(look, values) for values in ours]
            except Blind as error:
                glance, tickets = replace(glance, fault=self._masker.mask(str(error))), []
            made.append(replace(glance, tickets=tuple(tickets)))
        return made

    async def _glance(
        self, look: LookSettings, several: Sequence[Words], since: datetime, now: datetime
    ) -> tuple[Glance, Sequence[Values]]:
        """What one look shows, and the values of the rows that bear a token's shape.

        Args:
            look: which one.
            several: what its templates may say, once for each time that it is made.
            since: rows that are known to be older are left out.
            now: by our clock.
        """
        found = _Seen()
        for words in several:
            await self._walk(look, words, since, found)
            if found.fault:
                break
        their_now = now + timedelta(seconds=self._calls.skew.seconds or 0.0)
        times = misstamped(filter(None, found.stamps), their_now).values()
        wrong = [("created_at", f"{self._system}: {words}. {REMEDY}") for words in times]
        for name, fault in [*wrong, *found.absence.faults(self._system)]:
            if not found.tally.blame(name, self._masker.mask(fault)):
                found.fault = found.fault or fault
        skew = self._calls.skew.seconds
        glance = Glance(
            look.name,
            look.state,
            look.view,
            look.lag_seconds,
            shown=found.shown,
            older=found.older,
            fields=found.tally.fields(),
            is_whole=found.is_whole and not found.fault,
            skew_seconds=skew,
            fault=self._masker.mask(found.fault),
            is_unreadable=found.is_unreadable,
            status=found.status,
        )
        return glance, found.ours

    async def _walk(self, look: LookSettings, words: Words, since: datetime, found: _Seen) -> None:
        page: Page | End = look.paging.first()
        for _ in range(GLANCE_PAGES):
            if isinstance(page, End):
                break
            try:
                answer, _ = await self._calls.call(look.asking, words, page=page)
            except Blind as error:
                found.fault, found.is_unreadable, found.status = str(error), True, error.status
                return
            if answer.status in look.empty_on:
                return
            try:
                seen = seen_of(answer)
                must(look.must, seen, self._system)
                rows = rows_of(look, seen, self._system)
                fresh = [await self._row(look, one, words, since, found) for one in rows]
                page = look.paging.after(page, seen, len(rows)) if any(fresh) or not rows else End.LAST
            except Blind as error:
                found.fault = str(error)
                return
        found.is_whole = found.is_whole and page is End.LAST

    async def _row(self, look: LookSettings, seen: Seen, words: Words, since: datetime, found: _Seen) -> bool:
        """Count one row; whether it was not shown before."""
        values: Values
        values, faults = look.ticket.attempted(seen, words)
        number = values.get("id")
        if number not in (None, MISSING, "") and number in found.ids:
            return False
        found.ids.add(number)
        found.absence.note(look.ticket, seen, values)
        created_at = created_of(values)
        if created_at is not None and created_at < since:
            found.older += 1
            found.stamps.append(stamp_of(look.ticket, values, values))
            return True
        found.shown += 1
        stamp = stamp_of(look.ticket, values, values)
        maps = [one.ticket for one in look.reads]
        sought = [*look.ticket.picks, *(["files"] if look.ticket.files is not None else [])]
        if look.reads:
            is_ours = bool(find_tokens(searched(values)))
            if is_ours or found.sampled < SAMPLE:
                found.sampled += not is_ours
                values, more, told = await self._read_on(
                    look.reads, values, {**words, "row": seen.row}, found.absence
                )
                stamp = told or stamp
                faults = {**more, **faults}
                sought += [name for one in look.reads for name in one.ticket.picks]
                sought += ["files" for one in look.reads if one.ticket.files is not None]
        found.stamps.append(stamp)
        for name in dict.fromkeys(sought):
            if name in FIELDS or name == "files":
                is_lenient = any(name in one.lenient for one in (look.ticket, *maps))
                # what one answer tells does not mend what another tells wrongly: a look that watches would be blind
                fault = faults.get(name, "") if not (is_lenient and self._has(name, values)) else ""
                is_read = self._has(name, values) and not fault
                found.tally.count(name, is_read=is_read, fault=self._masker.mask(fault))
        if values.get("id") not in (None, MISSING, "") and find_tokens(searched(values)):
            found.ours.append(values)
        return True

    async def _read_on(
        self, reads: Sequence[ReadSettings], values: Values, words: Words, absence: Absence
    ) -> tuple[Values, dict[str, str], Stamp | None]:
        """The row with what its further requests tell, by field why they don't, and the stamp that one of them tells."""
        faults: dict[str, str] = {}
        stamp: Stamp | None = None
        answered: object = None
        for one in reads:
            if one.has_nothing_for(values):
                continue
            known = {**words, "ticket": as_words(values), "answer": answered}
            try:
                answer, means = await self._calls.call(one.asking, known, accept=frozenset({Means.GONE}))
                if means is Means.GONE:
                    break
                seen = seen_of(answer)
                if one.gone is not None and one.gone.holds(seen.whole):
                    break
                must(one.must, seen, self._system)
                answered = seen.whole
                inner = one.seen(seen)
                more, missed = one.ticket.attempted(inner, {**known, "answer": answered})
            except Blind as error:
                faults |= dict.fromkeys([*one.ticket.picks, "files"], str(error))
                break
            absence.note(one.ticket, inner, more)
            faults |= missed
            values = merged(values, more)
            stamp = stamp_of(one.ticket, more, values) or stamp
        return values, faults, stamp

    def _has(self, name: str, values: Values) -> bool:
        """Whether a field has a value; of a channel, one that is a channel of ours."""
        found = values.get(name, MISSING)
        if found is MISSING or found is None or found == "":
            return False
        if name == "channel":
            try:
                return (text_of(found, name) or "").lower() in self._channels
            except Blind:
                return False
        return True


def left_out(look: LookSettings, note: str) -> Glance:
    """A look that is not made."""
    return replace(Glance(look.name, look.state, look.view, look.lag_seconds), note=note)
