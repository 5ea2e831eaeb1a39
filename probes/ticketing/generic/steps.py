"""Clean-up: requests in their order, one ticket or a batch at a time, and a look at what became of it.

A write that is answered 204 and changes nothing is no rare bug. So what was done is read back where the configuration
says how one ticket is read, and is only promised (`accepted`) where it doesn't.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from canary.ticket import Ticket
from probes.contracts import Blind, Clock, Disposal, DisposalAction, Disposed, RemovalState
from probes.http_wire import Answer
from probes.masking import Masker
from probes.servers import SecretUnavailable
from probes.ticketing.disposing import dispose_each
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.conversions import text_of, truth_of
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.looks import must
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.sameness import Sameness, sameness
from probes.ticketing.generic.settings import CleanSettings, JobSettings, Step
from probes.ticketing.generic.templates import Words, compile_template
from probes.ticketing.generic.tickets import Values, as_words, tags_of

_VERSION: Final = compile_template("{{ version }}", "if_match", {"version": None})
_TRIES: Final = 3
_REMEMBERED: Final = 2000
_CLOSED: Final = "already closed"
_GONE: Final = "no longer there"
_REUSED: Final = "no longer there: its number belongs to another ticket by now"
_UNSURE: Final = (
    "whether its number still is our ticket's can't be told, so that it is left alone: let clean.read tell the text that"
    " bears the token, or subject, requester and created_at; remove this one by hand"
)
_OFTEN: Final = "somebody else changes it all the time"
_TOLD: Final = frozenset({Means.GONE, Means.CONFLICT})


@dataclass(frozen=True, slots=True)
class _Read:
    """A ticket as it was read alone: its values, and the answer."""

    values: Values
    answer: Answer


class Cleaner:
    """Removes tickets by the steps of a configuration. Repeatable; cancellable between requests."""

    def __init__(
        self, settings: CleanSettings, calls: Calls, *, system: str, clock: Clock, masker: Masker
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._system = system
        self._clock = clock
        self._masker = masker
        self._half_done: set[str] = set()

    async def clean(
        self,
        tickets: Sequence[Ticket],
        known: Mapping[str, Values],
        how: Disposal,
        words: Words,
        *,
        steps: Sequence[Step] | None = None,
    ) -> Sequence[Disposed]:
        """One answer a ticket, in their order; ``known``: values of their rows; ``steps``: instead of the action's."""
        is_own = steps is None
        wanted = self._settings.steps.get(how.action, ()) if steps is None else steps
        if not wanted:
            detail = f"the configuration of {self._system} does not say how tickets are removed: add clean.{how.action}"
            return tuple(Disposed(one.ref, RemovalState.FAILED, detail) for one in tickets)
        work = _Work(self, tuple(wanted), known, words, reads_back=is_own)
        if any(one.batch is not None for one in wanted):
            return await work.in_batches(tickets, how)
        return await dispose_each(tickets, work.one, how, masker=self._masker)

    async def read(self, ticket: Ticket, known: Values, words: Words) -> _Read | None:
        """The ticket as it is now; None: gone."""
        read = self._settings.read
        if read is None:
            raise LookupError("no request is configured that reads one ticket")
        said = {**words, "ticket": {**known, "id": ticket.ref.id}}
        answer, means = await self._calls.call(read.asking, said, accept=frozenset({Means.GONE}))
        if means is Means.GONE:
            return None
        seen = seen_of(answer)
        if read.gone is not None and read.gone.holds(seen.whole):
            return None
        must(read.must, seen, self._system)
        return _Read(read.ticket.read(read.seen(seen), said), answer)

    @property
    def can_read(self) -> bool:
        """Whether the configuration says how one ticket is read."""
        return self._settings.read is not None

    def is_done(self, read: _Read | None, how: Disposal) -> bool:
        """Whether a ticket is as it should be after the clean-up."""
        if read is None:
            return True
        if how.action is DisposalAction.DELETE:
            return False
        is_open = truth_of(_value(read.values, "open"), "clean.read.ticket.open")
        is_tagged = "tags" not in read.values or how.tag in tags_of(read.values["tags"])
        return is_open is False and is_tagged

    async def verified(self, ticket: Ticket, known: Values, words: Words, how: Disposal) -> Disposed:
        """Read back what was done, again until it shows or the time for it is over."""
        if not self.can_read:
            return Disposed(ticket.ref, RemovalState.ACCEPTED, "promised; to be seen in a later look")
        until = self._clock.monotonic() + self._settings.verify_seconds
        while True:
            read = await self.read(ticket, known, words)
            is_other = read is not None and sameness(ticket, read.values) is Sameness.OTHER
            if self.is_done(read, how) or is_other:
                return Disposed(ticket.ref, RemovalState.DONE)
            if self._clock.monotonic() >= until:
                return Disposed(ticket.ref, RemovalState.FAILED, _unchanged(read, how))
            await self._clock.sleep(self._settings.verify_every_seconds)

    async def ask(self, step: Step, words: Words, before: Answer | None) -> tuple[Answer, Means]:
        """Make one step; raises `Blind` where it failed."""
        page = Page()
        if step.if_match is not None:
            told = step.if_match.found(_seen(before)) if before is not None else None
            version = text_of(told, step.if_match.key) or words.get("version")
            words = {**words, "version": version}
            page = Page(headers={"If-Match": _VERSION}) if version else page
        answer, means = await self._calls.call(step.asking, words, page=page, accept=_TOLD)
        if means is Means.OK and step.must is not None:
            must(step.must, seen_of(answer), self._system)
        return answer, means

    def tells(self, step: Step, before: Answer | None) -> bool:
        """Whether an answer has the version that a step sends back."""
        if before is None or step.if_match is None:
            return False
        return bool(text_of(step.if_match.found(_seen(before)), step.if_match.key))

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

    def detail(self, error: Exception) -> str:
        """What went wrong, for people."""
        return self._masker.detail(str(error))


class _Work:
    """The clean-up of some tickets by some steps."""

    def __init__(
        self,
        cleaner: Cleaner,
        steps: tuple[Step, ...],
        known: Mapping[str, Values],
        words: Words,
        *,
        reads_back: bool,
    ) -> None:
        self._cleaner = cleaner
        self._steps = steps
        self._known = known
        self._words = words
        self._reads_back = reads_back and cleaner.can_read

    async def one(self, ticket: Ticket, how: Disposal) -> Disposed:
        """Clean one ticket: read, change, read back; from the beginning where somebody else was faster."""
        for _ in range(_TRIES):
            read: _Read | None = None
            if self._reads_back:
                read = await self._cleaner.read(ticket, self._of(ticket), self._words)
                if (over := self._over(ticket, read, how)) is not None:
                    return over
            elif self._was_closed(ticket, how):
                return Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
            self._cleaner.begin([ticket], self._steps)
            means = await self._stepped(ticket, read)
            if means in {Means.OK, Means.GONE}:
                self._cleaner.ended([ticket])
            match means:
                case Means.GONE:
                    return Disposed(ticket.ref, RemovalState.ABSENT, _GONE)
                case Means.CONFLICT:
                    continue
                case Means.OK:
                    return await self._after(ticket, how)
                case _:
                    return Disposed(ticket.ref, RemovalState.ACCEPTED, "its job still works")
        return Disposed(ticket.ref, RemovalState.FAILED, _OFTEN)

    async def in_batches(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Clean many by steps of which some take many tickets at once."""
        answers: dict[str, Disposed] = {}
        pending: set[str] = set()
        try:
            live = [one for one in tickets if not await self._is_over(one, how, answers)]
            self._cleaner.begin(live, self._steps)
            for step in self._steps:
                size = step.batch or 1
                for begin in range(0, len(live), size):
                    chunk = live[begin : begin + size]
                    if not await self._batch(step, chunk):
                        pending |= {one.ref.id for one in chunk}
            self._cleaner.ended([one for one in live if one.ref.id not in pending])
            for one in live:
                if one.ref.id in pending:
                    answers[one.ref.id] = Disposed(one.ref, RemovalState.ACCEPTED, "its job still works")
                else:
                    answers[one.ref.id] = await self._after(one, how)
        except (Blind, SecretUnavailable) as error:
            detail = self._cleaner.detail(error)
            for one in tickets:
                answers.setdefault(one.ref.id, Disposed(one.ref, RemovalState.FAILED, detail))
        return tuple(answers[one.ref.id] for one in tickets)

    async def _is_over(self, ticket: Ticket, how: Disposal, answers: dict[str, Disposed]) -> bool:
        over: Disposed | None = None
        if self._reads_back:
            read = await self._cleaner.read(ticket, self._of(ticket), self._words)
            over = self._over(ticket, read, how)
        elif self._was_closed(ticket, how):
            over = Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
        if over is not None:
            answers[ticket.ref.id] = over
        return over is not None

    def _over(self, ticket: Ticket, read: _Read | None, how: Disposal) -> Disposed | None:
        """What is to be said where nothing is left to be done."""
        if read is None:
            return Disposed(ticket.ref, RemovalState.ABSENT, _GONE)
        match sameness(ticket, read.values):
            case Sameness.OTHER:
                return Disposed(ticket.ref, RemovalState.ABSENT, _REUSED)
            case Sameness.UNSURE:
                return Disposed(ticket.ref, RemovalState.FAILED, _UNSURE)
            case Sameness.SAME:
                pass
        if self._cleaner.is_done(read, how) and not self._cleaner.is_half_done(ticket):
            return Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
        return None

    async def _stepped(self, ticket: Ticket, read: _Read | None) -> Means:
        """Make the steps for one ticket; `Means.MAINTENANCE`: a job still works."""
        now, last, is_fresh = read, read.answer if read is not None else None, read is not None
        for step in self._steps:
            if self._reads_back and step.if_match is not None and not is_fresh:
                if not self._cleaner.tells(step, last):
                    # the step before it changed the version and did not tell the new one
                    now = await self._cleaner.read(ticket, self._of(ticket), self._words)
                    if now is None:
                        return Means.GONE
                    if sameness(ticket, now.values) is not Sameness.SAME:
                        return Means.CONFLICT
                    last = now.answer
            fields = {**self._of(ticket), **(as_words(now.values) if now is not None else {})}
            words = {**self._words, "ticket": {**fields, "id": ticket.ref.id}, "answer": _body(last)}
            words["version"] = _version(now) or ticket.version
            answer, means = await self._cleaner.ask(step, words, last)
            if means is not Means.OK:
                return means
            last, is_fresh = answer, is_fresh and not step.writes
            if step.job is not None and not await self._cleaner.awaited(
                step.job, {**words, "answer": _body(answer)}
            ):
                return Means.MAINTENANCE
        return Means.OK

    async def _batch(self, step: Step, chunk: Sequence[Ticket]) -> bool:
        words: dict[str, object] = {**self._words, "ids": [one.ref.id for one in chunk], "answer": None}
        if step.batch is None:
            (one,) = chunk
            words["ticket"] = {**self._of(one), "id": one.ref.id}
        answer, means = await self._cleaner.ask(step, words, None)
        if means is Means.CONFLICT:
            raise Blind(f"{step.asking.key}: {_OFTEN}")
        if step.job is None:
            return True
        return await self._cleaner.awaited(step.job, {**words, "answer": _body(answer)})

    async def _after(self, ticket: Ticket, how: Disposal) -> Disposed:
        if not self._reads_back:
            return Disposed(ticket.ref, RemovalState.ACCEPTED, "promised; to be seen in a later look")
        return await self._cleaner.verified(ticket, self._of(ticket), self._words, how)

    def _was_closed(self, ticket: Ticket, how: Disposal) -> bool:
        is_closed = how.action is DisposalAction.CLOSE and not ticket.is_open and how.tag in ticket.tags
        return is_closed and not self._cleaner.is_half_done(ticket)

    def _of(self, ticket: Ticket) -> Values:
        values = self._known.get(ticket.ref.id, {})
        return as_words(values) or {"subject": ticket.subject, "tags": sorted(ticket.tags)}


def _unchanged(read: _Read | None, how: Disposal) -> str:
    if read is None or how.action is DisposalAction.DELETE:
        return f"it took the {how.action} and did not do it"
    is_open = truth_of(_value(read.values, "open"), "clean.read.ticket.open")
    if is_open is None:
        return "whether it is closed can't be seen: clean.read.ticket has no open"
    return "it took the change and did not make it" if is_open else "it is closed and not tagged"


def _version(read: _Read | None) -> str | None:
    """The version of a ticket as it was read, wherever in the answer the configuration finds it."""
    return text_of(_value(read.values, "version"), "version") if read is not None else None


def _value(values: Values, name: str) -> object:
    found = values.get(name)
    return None if found is MISSING else found


def _body(answer: Answer | None) -> object:
    """What templates may say as ``answer.…``: the body, where it is JSON."""
    return _seen(answer).whole if answer is not None else None


def _seen(answer: Answer) -> Seen:
    """An answer whose body is of no matter where it is no JSON."""
    try:
        return seen_of(answer)
    except Blind:
        return Seen(None, None, {name.lower(): one for name, one in answer.headers.items()}, answer.status)
