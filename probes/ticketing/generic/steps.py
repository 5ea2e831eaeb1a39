"""Clean-up: requests in their order, one ticket or a batch at a time, and a look at what became of it.

A write that is answered 204 and changes nothing is no rare bug. So what was done is read back where the configuration
says how one ticket is read, and is only promised (`accepted`) where it doesn't.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from canary.ticket import Ticket
from probes.contracts import Blind, Clock, Disposal, DisposalAction, Disposed, RemovalState
from probes.http_wire import Answer
from probes.masking import Masker
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.conversions import text_of, truth_of
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.matching import must
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.removal_words import (
    Said,
    Written,
    answered,
    unmade,
    untagged,
)
from probes.ticketing.generic.sameness import Sameness, sameness
from probes.ticketing.generic.settings import CleanSettings, JobSettings, Step
from probes.ticketing.generic.templates import Words, compile_template
from probes.ticketing.generic.tickets import Values, merged, tags_of

_VERSION: Final = compile_template("{{ version }}", "if_match", {"version": None})
_REMEMBERED: Final = 2000
_TOLD: Final = frozenset({Means.GONE, Means.CONFLICT})


@dataclass(frozen=True, slots=True)
class Read:
    """A ticket as it was read.

    Attributes:
        answer: None where it was read out of a list.
        is_gone: it is not there; ``is_told``: the answer says so itself, and is no mere 404.
    """

    values: Values
    answer: Answer | None = None
    is_gone: bool = False
    is_told: bool = False


class Steps:
    """The requests of a clean-up, one by one, and what is read back. Cancellable between requests."""

    def __init__(
        self, settings: CleanSettings, calls: Calls, *, system: str, clock: Clock, masker: Masker
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._system = system
        self._clock = clock
        self._masker = masker
        self._half_done: set[str] = set()

    async def read(self, ticket: Ticket, known: Values, words: Words) -> Read:
        """The ticket as it is now."""
        read = self._settings.read
        if read is None:
            raise LookupError("no request is configured that reads one ticket")
        said = {**words, "ticket": {**known, "id": ticket.ref.id}}
        answer, means = await self._calls.call(read.asking, said, accept=frozenset({Means.GONE}))
        if means is Means.GONE:
            return Read({}, answer, is_gone=True)
        seen = seen_of(answer)
        if read.gone is not None and read.gone.holds(seen.whole):
            return Read({}, answer, is_gone=True, is_told=True)
        must(read.must, seen, self._system)
        values = read.ticket.read(read.seen(seen), said)
        return Read(await self._tagged(values, {**said, "answer": seen.whole}), answer)

    async def _tagged(self, values: Values, words: Words) -> Values:
        """The values with the tags, where these are asked for by themselves: of what is open they decide nothing."""
        tags = self._settings.tags
        if tags is None or truth_of(value_of(values, "open"), "clean.read.ticket.open") is not False:
            return values
        answer, means = await self._calls.call(tags.asking, words, accept=frozenset({Means.GONE}))
        if means is Means.GONE:
            return {**values, "tags": ()}
        seen = seen_of(answer)
        must(tags.must, seen, self._system)
        return merged(values, tags.ticket.read(tags.seen(seen), words))

    @property
    def can_read(self) -> bool:
        """Whether the configuration says how one ticket is read."""
        return self._settings.read is not None

    def is_done(self, read: Read, how: Disposal) -> bool:
        """Whether a ticket is as it should be after the clean-up."""
        if read.is_gone:
            return True
        if how.action is DisposalAction.DELETE:
            return False
        is_tagged = "tags" not in read.values or how.tag in tags_of(read.values["tags"])
        return _is_open(read) is False and is_tagged

    def listed(self, row: Values, how: Disposal) -> Read | None:
        """A list's row in place of what is read alone; None: of a closed ticket that tells more."""
        read = Read(row)
        if how.action is DisposalAction.DELETE or _is_open(read) is True:
            return read
        maps = [one.ticket.picks for one in (self._settings.read, self._settings.tags) if one is not None]
        names = {name for picks in maps for name in ("open", "tags") if name in picks}
        return read if all(row.get(one, MISSING) is not MISSING for one in names) else None

    async def verified(
        self, ticket: Ticket, known: Values, words: Words, how: Disposal, said: Said
    ) -> tuple[Disposed, Read]:
        """Read back what was done, again until it shows or the time for it is over; and what was read last."""
        until = self._clock.monotonic() + self._settings.verify_seconds
        while True:
            read = await self.read(ticket, known, words)
            if self.is_done(read, how) or sameness(ticket, read.values) is Sameness.OTHER:
                return Disposed(ticket.ref, RemovalState.DONE), read
            if self._clock.monotonic() >= until:
                tagging = next((one for one in reversed(said.written) if one.is_tagging), None)
                detail = self._masker.detail(_unchanged(read, how, said.told, tagging))
                return Disposed(ticket.ref, RemovalState.FAILED, detail, _is_open(read)), read
            await self._clock.sleep(self._settings.verify_every_seconds)

    async def ask(
        self, step: Step, words: Words, before: Answer | None, said: Sequence[Said]
    ) -> tuple[Answer, Means]:
        """Make one step, for removals that ``said`` stands for; raises `Blind` where it failed."""
        page = Page()
        if step.if_match is not None:
            told = step.if_match.found(_seen(before)) if before is not None else None
            version = text_of(told, step.if_match.key) or words.get("version")
            words = {**words, "version": version}
            page = Page(headers={"If-Match": _VERSION}) if version else page
        answer, means = await self._calls.call(step.asking, words, page=page, accept=_TOLD)
        written: Written | None = None
        if step.writes and means is Means.OK:
            is_tagging = any(name == "tag" for name, _ in step.asking.names)
            written = Written(step.asking.key, answer.status, is_tagging)
        told = answered(answer, self._masker.mask) if step.writes or means is Means.CONFLICT else None
        for one in said:
            one.note(told, written)
        if means is Means.OK and step.must is not None:
            must(step.must, seen_of(answer), self._system)
        return answer, means

    def tells(self, step: Step, before: Answer | None) -> str | None:
        """The version that a step sends back, where an answer has it."""
        if before is None or step.if_match is None:
            return None
        return text_of(step.if_match.found(_seen(before)), step.if_match.key) or None

    async def awaited(self, job: JobSettings, words: Words) -> bool:
        """Ask a job until it is done; False: it still works when its time is over.

        Raises:
            Blind: it failed.
        """
        until = self._clock.monotonic() + job.limit_seconds
        while True:
            answer, _ = await self._calls.call(job.asking, words)
            seen = seen_of(answer)
            if job.failed is not None and job.failed.holds(seen.row):
                raise Blind(f"{self._system}: {job.asking.key}: the job that was started has failed.")
            if job.done.holds(seen.row):
                return True
            if self._clock.monotonic() + job.every_seconds > until:
                return False
            await self._clock.sleep(job.every_seconds)

    def begin(self, tickets: Sequence[Ticket], steps: Sequence[Step]) -> None:
        """Note that some of the changes may be made and others not, until `ended` is said."""
        if sum(one.writes for one in steps) > 1:
            if len(self._half_done) >= _REMEMBERED:
                self._half_done.clear()
            self._half_done |= {one.ref.id for one in tickets}

    def ended(self, tickets: Sequence[Ticket]) -> None:
        """Note that all changes are made."""
        self._half_done -= {one.ref.id for one in tickets}

    def is_half_done(self, ticket: Ticket) -> bool:
        """Whether a ticket that looks closed may lack a later change."""
        return ticket.ref.id in self._half_done

    def detail(self, error: Exception | str) -> str:
        """What went wrong, for people."""
        return self._masker.detail(str(error))


def _unchanged(read: Read, how: Disposal, request: str, tagging: Written | None) -> str:
    if how.action is DisposalAction.DELETE:
        return f"it took the {how.action} and did not do it: {request}"
    is_open = _is_open(read)
    if is_open is None:
        return "whether it is closed can't be seen: clean.read.ticket has no open"
    return unmade(request) if is_open else untagged(value_of(read.values, "tags"), how.tag, tagging)


def _is_open(read: Read) -> bool | None:
    return truth_of(value_of(read.values, "open"), "clean.read.ticket.open")


def value_of(values: Values, name: str) -> object:
    """A field's value; None where it is not there."""
    found = values.get(name)
    return None if found is MISSING else found


def body_of(answer: Answer | None) -> object:
    """What templates may say as ``answer.…``: the body, where it is JSON."""
    return _seen(answer).whole if answer is not None else None


def _seen(answer: Answer) -> Seen:
    """An answer whose body is of no matter where it is no JSON."""
    try:
        return seen_of(answer)
    except Blind:
        return Seen(None, None, {name.lower(): one for name, one in answer.headers.items()}, answer.status)
