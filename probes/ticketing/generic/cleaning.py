"""Clean-up: one ticket or a batch at a time, and whether what answers as if it were gone really is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from canary.ticket import Ticket
from probes.contracts import Blind, Clock, Disposal, DisposalAction, Disposed, RemovalState
from probes.http_wire import Answer
from probes.masking import Masker
from probes.servers import SecretUnavailable
from probes.ticketing.disposing import dispose_each
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.gathering import stays_away
from probes.ticketing.generic.listing import Lister, Listing
from probes.ticketing.generic.removal_words import Said
from probes.ticketing.generic.sameness import Sameness, sameness
from probes.ticketing.generic.settings import CleanSettings, Step
from probes.ticketing.generic.steps import Read, Steps, body_of, value_of
from probes.ticketing.generic.templates import Words, filled
from probes.ticketing.generic.tickets import Values, as_words

_TRIES: Final = 3
_GONE: Final = "no longer there"
_SHOWN: Final = "it answers as if it were gone, and a look still shows it: give our user the right to read and change it alone"
_UNPROVEN: Final = "it answers as if it were gone, and whether that is so can't be seen"
_NOT_ALL: Final = f"{_UNPROVEN}: the looks did not show all tickets since it was made"
_NOT_SHOWN: Final = (
    "no look shows it just now, so that whose its number is can't be told, and it is left alone: let `clean.read` show one"
    " ticket"
)
_REUSED: Final = "no longer there: its number belongs to another ticket by now"
_UNSURE: Final = (
    "whether its number still is our ticket's can't be told, so that it is left alone: let clean.read tell the text that"
    " bears the token, or subject, requester and created_at; remove this one by hand"
)
_CLOSED: Final = "already closed"


class Cleaner:
    """Removes tickets by the steps of a configuration. Repeatable; cancellable between requests."""

    def __init__(
        self, settings: CleanSettings, calls: Calls, *, system: str, clock: Clock, masker: Masker
    ) -> None:
        self._settings = settings
        self._asking = Steps(settings, calls, system=system, clock=clock, masker=masker)
        self._system = system
        self._masker = masker

    async def clean(
        self,
        tickets: Sequence[Ticket],
        known: Mapping[str, Values],
        how: Disposal,
        words: Words,
        *,
        lister: Lister,
        steps: Sequence[Step] | None = None,
    ) -> Sequence[Disposed]:
        """One answer a ticket, in their order.

        Args:
            tickets: what is removed.
            known: values of their rows.
            how: closed or deleted.
            words: what templates may say.
            lister: asks for them once more, as a look does.
            steps: instead of the action's.
        """
        is_own = steps is None
        wanted = self._settings.steps.get(how.action, ()) if steps is None else steps
        if not wanted:
            detail = f"the configuration of {self._system} does not say how tickets are removed: add clean.{how.action}"
            return tuple(Disposed(one.ref, RemovalState.FAILED, detail) for one in tickets)
        work = _Work(self._asking, tuple(wanted), known, words, reads_back=is_own, lister=lister)
        # what is not read back alone is at least looked at once more: its number may be another ticket's by now
        left_alone: dict[str, Disposed] = {} if work.reads_back else await self._not_ours(tickets, lister)
        ours = [one for one in tickets if one.ref.id not in left_alone]
        if any(one.batch is not None for one in wanted):
            answers = await work.in_batches(ours, how)
        else:
            answers = await dispose_each(ours, work.one, how, masker=self._masker)
        doubted = [one for one in ours if one.ref.id in work.gone]
        shown = await self._not_gone(doubted, work.gone, lister) if doubted else {}
        by_number: dict[str, Disposed] = {
            one.ref.id: shown.get(one.ref.id, one) for one in answers
        } | left_alone
        return tuple(by_number[one.ref.id] for one in tickets)

    async def _not_ours(self, tickets: Sequence[Ticket], lister: Lister) -> dict[str, Disposed]:
        """Those whose number a look shows with another ticket, or one of which that can't be told."""
        try:
            listing = await lister.asked(tickets)
        except (Blind, SecretUnavailable) as error:
            detail = self._masker.detail(str(error))
            return {one.ref.id: Disposed(one.ref, RemovalState.FAILED, detail) for one in tickets}
        found: dict[str, Disposed] = {}
        for one in tickets:
            row = listing.rows.get(one.ref.id)
            if row is not None:
                answer = _by_sameness(one, row)
            elif one.ref.id in listing.gone:
                answer = Disposed(one.ref, RemovalState.ABSENT, _GONE)
            elif one.ref.id in listing.others:
                answer = Disposed(one.ref, RemovalState.FAILED, _UNSURE)
            else:
                # it was found a moment ago: whether it is gone, the look before the next try says, which is a wide one
                answer = Disposed(one.ref, RemovalState.FAILED, _NOT_SHOWN)
            if answer is not None:
                found[one.ref.id] = answer
        return found

    async def _not_gone(
        self, tickets: Sequence[Ticket], gone: Mapping[str, bool], lister: Lister
    ) -> dict[str, Disposed]:
        """Of tickets that answer as if they were gone, those of which that is not true, or not known.

        A system answers 404 also for what it doesn't let us see, or not let us change.
        """
        asked = [one for one in tickets if not gone[one.ref.id]]
        try:
            listing = await lister.asked(asked) if asked else Listing()
            if any(one.ref.id not in listing.rows for one in tickets):
                await lister.see()
        except (Blind, SecretUnavailable) as error:
            detail = f"{_UNPROVEN}: {self._masker.detail(str(error))}"
            return {one.ref.id: Disposed(one.ref, RemovalState.FAILED, detail) for one in tickets}
        state = RemovalState.ACCEPTED if listing.is_behind else RemovalState.FAILED
        shown: dict[str, Disposed] = {
            one.ref.id: Disposed(one.ref, state, _SHOWN) for one in asked if one.ref.id in listing.rows
        }
        if listing.is_complete:
            return shown
        return {one.ref.id: Disposed(one.ref, RemovalState.FAILED, _NOT_ALL) for one in asked} | shown


class _Work:
    """The clean-up of some tickets by some steps.

    Attributes:
        gone: those that answered as if they were gone, and whether the answer said so itself.
    """

    def __init__(
        self,
        asking: Steps,
        steps: tuple[Step, ...],
        known: Mapping[str, Values],
        words: Words,
        *,
        reads_back: bool,
        lister: Lister,
    ) -> None:
        self._asking = asking
        self._steps = steps
        self._known = known
        self._words = words
        self.reads_back = reads_back and asking.can_read
        self._lister = lister
        self._said: defaultdict[str, Said] = defaultdict(Said)
        self.gone: dict[str, bool] = {}

    async def one(self, ticket: Ticket, how: Disposal) -> Disposed:
        """Clean one ticket: read, change, read back; from the beginning where somebody else was faster."""
        for _ in range(_TRIES):
            read: Read | None = None
            if self.reads_back:
                read = await self._asking.read(ticket, self._of(ticket), self._words)
                if (over := self._over(ticket, read, how)) is not None:
                    return over
            elif self._was_closed(ticket, how):
                return Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
            self._begin([ticket])
            means = await self._stepped(ticket, read)
            if means in {Means.OK, Means.GONE}:
                self._asking.ended([ticket])
            match means:
                case Means.GONE:
                    self.gone[ticket.ref.id] = False
                    return Disposed(ticket.ref, RemovalState.ABSENT, _GONE)
                case Means.CONFLICT:
                    continue
                case Means.OK:
                    return await self._after(ticket, how)
                case _:
                    return Disposed(ticket.ref, RemovalState.ACCEPTED, "its job still works")
        return Disposed(ticket.ref, RemovalState.FAILED, self._often(ticket))

    async def in_batches(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Clean many by steps of which some take many tickets at once."""
        answers: dict[str, Disposed] = {}
        pending: set[str] = set()
        try:
            shown = await self._listed(tickets)
            live = [one for one in tickets if not await self._is_settled(one, shown, how, answers)]
            self._begin(live)
            for step in self._steps:
                size = step.batch or 1
                for begin in range(0, len(live), size):
                    chunk = live[begin : begin + size]
                    if not await self._batch(step, chunk):
                        pending |= {one.ref.id for one in chunk}
            self._asking.ended([one for one in live if one.ref.id not in pending])
            for one in live:
                if one.ref.id in pending:
                    answers[one.ref.id] = Disposed(one.ref, RemovalState.ACCEPTED, "its job still works")
            made = [one for one in live if one.ref.id not in pending]
            answers |= await self._seen_done(made, how)
            for one in made:
                if one.ref.id not in answers:
                    answers[one.ref.id] = await self._after_batch(one, how)
        except (Blind, SecretUnavailable) as error:
            detail = self._asking.detail(error)
            for one in tickets:
                answers.setdefault(one.ref.id, Disposed(one.ref, RemovalState.FAILED, detail))
        return tuple(answers[one.ref.id] for one in tickets)

    async def _listed(self, tickets: Sequence[Ticket]) -> Listing:
        """All of them by one look; what it doesn't show is read alone."""
        return await self._lister.asked(tickets) if self.reads_back and tickets else Listing()

    async def _seen_done(self, tickets: Sequence[Ticket], how: Disposal) -> dict[str, Disposed]:
        """Those of which one look shows that it is done; what it doesn't show is read alone."""
        listing = await self._listed(tickets)
        reads = {one.ref.id: self._row_of(one, listing, how) for one in tickets}
        done = [
            one
            for one in tickets
            if (read := reads[one.ref.id]) is not None and self._asking.is_done(read, how)
        ]
        if how.action is DisposalAction.DELETE and listing.is_complete and not listing.is_behind:
            away = [one for one in tickets if one.ref.id not in listing.rows] if self.reads_back else []
            if away:
                await self._lister.see()
            done += away
        return {one.ref.id: Disposed(one.ref, RemovalState.DONE) for one in done}

    async def _is_settled(
        self, ticket: Ticket, shown: Listing, how: Disposal, answers: dict[str, Disposed]
    ) -> bool:
        """Whether nothing is to be done for one of a batch; one that can't be read holds up none of the others."""
        try:
            return await self._is_over(ticket, shown, how, answers)
        except (Blind, SecretUnavailable) as error:
            if stays_away(error):
                raise
            answers[ticket.ref.id] = Disposed(ticket.ref, RemovalState.FAILED, self._asking.detail(error))
            return True

    async def _is_over(
        self, ticket: Ticket, shown: Listing, how: Disposal, answers: dict[str, Disposed]
    ) -> bool:
        over: Disposed | None = None
        if self.reads_back:
            read = self._row_of(ticket, shown, how) or await self._asking.read(
                ticket, self._of(ticket), self._words
            )
            over = self._over(ticket, read, how)
        elif self._was_closed(ticket, how):
            over = Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
        if over is not None:
            answers[ticket.ref.id] = over
        return over is not None

    def _over(self, ticket: Ticket, read: Read, how: Disposal) -> Disposed | None:
        """What is to be said where nothing is left to be done."""
        if read.is_gone:
            self.gone[ticket.ref.id] = read.is_told
            return Disposed(ticket.ref, RemovalState.ABSENT, _GONE)
        if (other := _by_sameness(ticket, read.values)) is not None:
            return other
        if self._asking.is_done(read, how) and not self._asking.is_half_done(ticket):
            return Disposed(ticket.ref, RemovalState.ABSENT, _CLOSED)
        return None

    async def _stepped(self, ticket: Ticket, read: Read | None) -> Means:
        """Make the steps for one ticket; `Means.MAINTENANCE`: a job still works."""
        now, last, is_fresh = read, read.answer if read is not None else None, read is not None
        sent: str | None = None
        for step in self._steps:
            is_asked_for = self.reads_back and step.if_match is not None and not is_fresh
            if is_asked_for and not self._asking.tells(step, last):
                # the step before it changed the version and did not tell the new one
                now = await self._asking.read(ticket, self._of(ticket), self._words)
                if now.is_gone:
                    return Means.GONE
                if sameness(ticket, now.values) is not Sameness.SAME:
                    return Means.CONFLICT
                last = now.answer
            sent = self._noted(ticket, step, last, sent)
            fields = {**self._of(ticket), **(as_words(now.values) if now is not None else {})}
            words = {**self._words, "ticket": {**fields, "id": ticket.ref.id}, "answer": body_of(last)}
            words["version"] = _version(now) or ticket.version
            answer, means = await self._asking.ask(step, words, last, [self._said[ticket.ref.id]])
            if means is not Means.OK:
                return means
            last, is_fresh = answer, is_fresh and not step.writes
            if step.job is not None and not await self._asking.awaited(
                step.job, {**words, "answer": body_of(answer)}
            ):
                return Means.MAINTENANCE
        return Means.OK

    def _noted(self, ticket: Ticket, step: Step, last: Answer | None, sent: str | None) -> str | None:
        """The version that a step sends; where it is what the change before it sent, that one changed nothing."""
        version = self._asking.tells(step, last)
        if version is not None and version == sent:
            self._said[ticket.ref.id].is_idle = True
        return version

    async def _batch(self, step: Step, chunk: Sequence[Ticket]) -> bool:
        words: dict[str, object] = {**self._words, "ids": [one.ref.id for one in chunk], "answer": None}
        if step.item is not None:
            words["items"] = [filled(step.item, {**words, "ticket": self._named(one)}) for one in chunk]
        if step.batch is None:
            (one,) = chunk
            words["ticket"] = self._named(one)
        answer, means = await self._asking.ask(step, words, None, [self._said[one.ref.id] for one in chunk])
        if means is Means.CONFLICT:
            raise Blind(f"{step.asking.key}: {self._often(chunk[0])}")
        if means is Means.GONE and step.batch is not None:
            raise Blind(
                f"{step.asking.key}: it was answered as if there were no such address, so that none of the batch was changed."
                " Look at its path, and whether the system has it."
            )
        if step.job is None:
            return True
        return await self._asking.awaited(step.job, {**words, "answer": body_of(answer)})

    async def _after_batch(self, ticket: Ticket, how: Disposal) -> Disposed:
        try:
            return await self._after(ticket, how)
        except (Blind, SecretUnavailable) as error:
            if stays_away(error):
                raise
            return Disposed(ticket.ref, RemovalState.FAILED, self._asking.detail(error))

    async def _after(self, ticket: Ticket, how: Disposal) -> Disposed:
        if not self.reads_back:
            return Disposed(ticket.ref, RemovalState.ACCEPTED, "promised; to be seen in a later look")
        done, read = await self._asking.verified(
            ticket, self._of(ticket), self._words, how, self._said[ticket.ref.id]
        )
        if read.is_gone:
            self.gone[ticket.ref.id] = read.is_told
        return done

    def _begin(self, tickets: Sequence[Ticket]) -> None:
        for one in tickets:
            self._said[one.ref.id] = Said()
        self._asking.begin(tickets, self._steps)

    def _often(self, ticket: Ticket) -> str:
        return self._asking.detail(self._said[ticket.ref.id].often())

    def _row_of(self, ticket: Ticket, listing: Listing, how: Disposal) -> Read | None:
        """A ticket as a list shows it; None where it is to be read alone."""
        row = listing.rows.get(ticket.ref.id)
        return self._asking.listed(row, how) if row is not None else None

    def _was_closed(self, ticket: Ticket, how: Disposal) -> bool:
        is_closed = how.action is DisposalAction.CLOSE and not ticket.is_open and how.tag in ticket.tags
        return is_closed and not self._asking.is_half_done(ticket)

    def _named(self, ticket: Ticket) -> Mapping[str, object]:
        """What templates may say as ``ticket.…``."""
        return {**self._of(ticket), "id": ticket.ref.id}

    def _of(self, ticket: Ticket) -> Values:
        values = self._known.get(ticket.ref.id, {})
        return as_words(values) or {"subject": ticket.subject, "tags": sorted(ticket.tags)}


def _by_sameness(ticket: Ticket, values: Values) -> Disposed | None:
    """What is to be said of a number that is not surely our ticket's; None: it is."""
    match sameness(ticket, values):
        case Sameness.OTHER:
            return Disposed(ticket.ref, RemovalState.ABSENT, _REUSED)
        case Sameness.UNSURE:
            return Disposed(ticket.ref, RemovalState.FAILED, _UNSURE)
        case Sameness.SAME:
            return None


def _version(read: Read | None) -> str | None:
    """The version of a ticket as it was read, wherever in the answer the configuration finds it."""
    return text_of(value_of(read.values, "version"), "version") if read is not None else None
