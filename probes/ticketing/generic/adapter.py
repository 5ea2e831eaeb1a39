"""A ticketing system that is known by configuration alone, as a `TicketingSystem`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import find_tokens
from canary.ticket import Ticket, TicketState
from probes.contracts import (
    Blind,
    Budget,
    Check,
    CheckState,
    Clock,
    Disposal,
    Disposed,
    Glance,
    Look,
    RemovalState,
    View,
)
from probes.masking import Masker
from probes.servers import SecretUnavailable
from probes.ticketing.checking import checked, skew_check
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.caught import Caught
from probes.ticketing.generic.cleaning import Cleaner
from probes.ticketing.generic.files import Files
from probes.ticketing.generic.gathering import Found, error_of, stays_away, strangers_of, unread_of, walk_of
from probes.ticketing.generic.glancing import Glancer, left_out
from probes.ticketing.generic.inspecting import Inspector
from probes.ticketing.generic.listing import Lister
from probes.ticketing.generic.looks import Looker
from probes.ticketing.generic.made import made_by
from probes.ticketing.generic.making import Maker
from probes.ticketing.generic.matching import Wanted
from probes.ticketing.generic.oddness import odd_is_blind
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.seeing import Sight
from probes.ticketing.generic.settings import GenericSettings, LookSettings, Per
from probes.ticketing.generic.showing import Showing
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, as_words, searched, with_ref
from probes.ticketing.generic.unread import told
from probes.ticketing.generic.variables import Variables, requester_of
from probes.ticketing.generic.walking import Walker
from probes.ticketing.settings import LOOK_AHEAD, LOOK_BACK_SECONDS, ORPHAN_DAYS
from probes.ticketing.walks import Walks


class Generic:
    """A ticketing system by configuration alone. Its view and its lag are what the configuration says."""

    def __init__(
        self, settings: GenericSettings, calls: Calls, *, clock: Clock, masker: Masker, walks: Walks
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._clock = clock
        self._masker = masker
        self._looker = Looker(calls, settings.name, clock=clock, reads_files=settings.reads_files)
        self._walker = Walker(self._looker, calls, walks, system=settings.name, clock=clock, masker=masker)
        self._variables = Variables(settings.vars, calls, clock=clock)
        self._cleaner = Cleaner(settings.clean, calls, system=settings.name, clock=clock, masker=masker)
        self._glancer = Glancer(calls, self._variables, settings.name, settings.channels, masker=masker)
        self._maker = Maker(settings, Files(calls, clock=clock))
        self._sight = Sight(settings.sight, calls, system=settings.name, clock=clock)

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        return self._settings.name

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """Make all looks that the configuration has for this depth; see `TicketingSystem.find`.

        A look without a ticket of ours is only believed once the configured proof that we see has held: a system that
        takes a wrong key for nobody still shows what everybody may see.
        """
        with odd_is_blind(self.name):
            async with self._calls.turn():
                return await self._found(canaries, depth)

    async def _found(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        since = self._since(canaries)
        wanted = Wanted(
            tokens=frozenset(one.token for one in canaries),
            marker=self._settings.marker,
            tag=self._settings.tag,
            since=since,
            is_wide=depth is Depth.DEADLINE,
            launched_since=min((one.launched_at for one in canaries), default=None),
        )
        usable = [one for one in self._settings.looks if canaries or one.is_swept]
        looks = [one for one in usable if depth in one.depths]
        made = await self._gathered(looks, canaries, wanted)
        is_complete = len(made) == len(looks) and all(one.caught.is_complete for one in made)
        found = made
        error = error_of(made)
        walks = any(one.walk is not None for one in made)
        unread = unread_of(made)
        if wanted.is_wide and (walks or unread or not is_complete) and not stays_away(error):
            # what the wide looks have not come to yet, have left behind, or can't see, the narrow ones may show at once:
            # also what shows up late under an older date, which a walk that goes on does not ask for again
            narrow = (one for one in usable if depth not in one.depths)
            found = [*made, *await self._gathered(narrow, canaries, wanted)]
        seen = [row for one in found if one.look.state is TicketState.TICKET for row in one.caught.rows]
        shown_tokens = {token for row in seen for token in find_tokens(searched(row))}
        self._sight.met(shown_tokens)
        unseen = wanted.tokens - shown_tokens if wanted.is_wide and is_complete else frozenset()
        if (not seen or unseen) and error is None:
            # what is held aside is another list: it may be shown to who sees no tickets
            try:
                await self._see_at_all(depth, unseen)
            except (Blind, SecretUnavailable) as blind:
                error, is_complete = blind, False
        tickets, odd = await self._maker.tickets(found, {one.sender for one in canaries})
        if odd is not None:
            error, is_complete = error or odd, False
        if error is not None and not tickets:
            raise error
        shown = [one for one in looks if one.state is TicketState.TICKET]
        return Look(
            tickets=tuple(tickets),
            view=View.EVENTUAL if any(one.view is View.EVENTUAL for one in shown) else View.STRONG,
            lag_seconds=max((one.lag_seconds for one in shown), default=0.0),
            is_complete=bool(shown) and is_complete and not unread,
            since=since,
            skew_seconds=self._calls.skew.seconds,
            strangers=strangers_of(made, self._settings.channels, since)
            if is_complete and wanted.is_wide and not unread
            else None,
            walk=walk_of(made, canaries, self._clock.now()),
            blinded_by=told(unread, self.name) if unread and wanted.is_wide and error is None else error,
            unread_until=max(one.until for one in unread) if unread and shown and is_complete else None,
        )

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """Remove by the configuration's steps; what is held aside, by those of the look that found it."""
        try:
            with odd_is_blind(self.name):
                async with self._calls.turn():
                    return await self._disposed(tickets, how)
        except Blind as error:
            detail = self._masker.detail(str(error))
            return tuple(Disposed(one.ref, RemovalState.FAILED, detail) for one in tickets)

    async def _disposed(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        words = {**self._words((), self._clock.now()), "tag": how.tag}
        answers: dict[str, Disposed] = {}
        usual = [one for one in tickets if self._aside(one) is None]
        for one in await self._cleaned(usual, how, words) if usual else ():
            answers[one.ref.id] = one
        for look in self._settings.looks:
            aside = [one for one in tickets if self._aside(one) is look]
            if not aside:
                continue
            bare = {f"{look.name}/{number}": number for number in (_number(one) for one in aside)}
            known = {number: self._maker.values.get(name, {}) for name, number in bare.items()}
            renamed = [with_ref(one, _number(one)) for one in aside]
            done = await self._cleaner.clean(
                renamed, known, how, words, steps=look.clean, lister=self._lister(look)
            )
            for ticket, one in zip(aside, done, strict=True):
                answers[ticket.ref.id] = replace(one, ref=ticket.ref)
        return tuple(answers[one.ref.id] for one in tickets)

    async def _cleaned(self, tickets: Sequence[Ticket], how: Disposal, words: Words) -> Sequence[Disposed]:
        return await self._cleaner.clean(tickets, self._maker.values, how, words, lister=self._lister())

    def _lister(self, aside: LookSettings | None = None) -> Lister:
        return Lister(
            self._settings,
            self._looker,
            self._variables,
            clock=self._clock,
            see=lambda: self._see_at_all(Depth.DEADLINE),
            aside=aside,
        )

    def budget(self) -> Sequence[Budget]:
        """Windows by the answers so far, or as the configuration declares them."""
        return self._calls.budget()

    async def check(self) -> Sequence[Check]:
        """Make each look's first page, its further requests and what shows our rights; changes nothing."""
        try:
            with odd_is_blind(self.name):
                return await self._check()
        except Blind as error:
            detail = self._masker.detail(str(error))
            remedy = "Until it is mended, this system is blind; all others are watched."
            return [Check(self.name, "ticket.search", CheckState.FAIL, detail, remedy)]

    async def _check(self) -> Sequence[Check]:
        inspector = Inspector(
            self._settings,
            self._calls,
            Showing(self._settings, self._calls, self._variables, words=lambda since: self._words((), since)),
            see=lambda: self._see_at_all(Depth.DEADLINE),
            clock=self._clock,
            masker=self._masker,
        )
        found, newest = await inspector.inspect()
        if found[0].state is CheckState.FAIL:
            return found
        changes = await checked(
            self.name, "ticket.close", lambda: self._check_rights(newest), masker=self._masker
        )
        return (*found, changes, skew_check(self.name, self._calls.skew))

    async def glance(self, since: datetime) -> Sequence[Glance]:
        """Make each look once, pick by pick, but those that ask for tokens: none is out."""
        try:
            with odd_is_blind(self.name):
                return await self._glancer.glances(
                    self._settings.looks,
                    repeated=lambda look: self._repeated(look, (), since),
                    ticket=self._maker.ticket,
                    since=since,
                    now=self._clock.now(),
                )
        except Blind as error:
            fault = self._masker.mask(str(error))
            return [
                replace(left_out(one, ""), fault=fault, is_unreadable=True) for one in self._settings.looks
            ]

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        """Make a ticket, to try our rights; its id.

        Raises:
            Blind: it is refused, or the answer has no id.
            LookupError: the configuration does not say how.
        """
        create = self._settings.create
        if create is None:
            raise LookupError(
                f"the configuration of {self.name} does not say how a ticket is made: add create"
            )
        said = {"subject": subject, "body": body, "requester": requester}
        with odd_is_blind(self.name):
            async with self._calls.turn():
                words = {**self._words((), self._clock.now()), **said}
                words["vars"] = await self._variables.words(create.asking, words, requester)
                answer, _ = await self._calls.call(create.asking, words)
                return made_by(create, answer, self.name)

    async def end(self) -> None:
        """Log out of the system."""
        await self._calls.end()

    async def _gathered(
        self, looks: Iterable[LookSettings], canaries: Sequence[Canary], wanted: Wanted
    ) -> list[Found]:
        """The looks one after the other; one that is blind does not hide what the others see."""
        made: list[Found] = []
        for one in looks:
            try:
                with odd_is_blind(self.name):
                    made.append(await self._look(one, canaries, wanted))
            except (Blind, SecretUnavailable) as error:
                made.append(Found(one, Caught(is_complete=False, error=error)))
            if stays_away(made[-1].caught.error):
                break
        return made

    async def _look(self, look: LookSettings, canaries: Sequence[Canary], wanted: Wanted) -> Found:
        if look.per is None and wanted.is_wide:
            words = self._words(canaries, wanted.since)
            values = await self._variables.words(look.asking, words, None)
            if values is None:
                return Found(look, Caught(is_complete=False))
            piece = await self._walker.look(look, wanted, {**words, "vars": values}, canaries)
            return Found(look, piece.caught, piece.walk, piece.since)
        whole = Caught()
        ids: set[object] = set()
        calls = 0
        for words in self._repeated(look, canaries, wanted.since):
            calls += 1
            if calls > look.most_calls:
                whole.is_complete = False
                break
            values = await self._variables.words(look.asking, words, requester_of(words))
            if values is None:
                whole.is_complete = False  # this sender is not known there yet
                continue
            try:
                caught = await self._looker.look(look, wanted, {**words, "vars": values})
            except (Blind, SecretUnavailable) as error:
                if isinstance(error, Blind) and error.status == HTTPStatus.NOT_FOUND:
                    # a user that was merged or deleted, say
                    self._variables.forget(look.asking, requester_of(words))
                if not whole.rows:
                    raise
                caught = Caught(is_complete=False, error=error)
            whole.error = whole.error or caught.error
            whole.is_complete = whole.is_complete and caught.is_complete
            whole.unread |= caught.unread
            whole.rows += [one for one in caught.rows if one["id"] not in ids]
            ids |= {one["id"] for one in caught.rows}
        whole.is_complete = whole.is_complete and calls > 0
        return Found(look, whole)

    def _repeated(
        self, look: LookSettings, canaries: Sequence[Canary], since: datetime
    ) -> Iterable[dict[str, object]]:
        words = self._words(canaries, since)
        match look.per:
            case None:
                yield words
            case Per.REQUESTERS:
                for requester in self._requesters(canaries):
                    yield {**words, "requester": requester}
            case Per.TOKENS:
                tokens = [str(one.token) for one in canaries]
                for begin in range(0, len(tokens), look.chunk):
                    chunk = tokens[begin : begin + look.chunk]
                    yield {**words, "tokens": chunk, "token": chunk[0]}

    def _words(self, canaries: Sequence[Canary], since: datetime) -> dict[str, object]:
        now = self._clock.now()
        return {
            "since": since,
            "until": now + LOOK_AHEAD,
            "now": now,
            "marker": self._settings.marker,
            "tag": self._settings.tag,
            "requesters": self._requesters(canaries),
            "tokens": [str(one.token) for one in canaries],
        }

    def _requesters(self, canaries: Sequence[Canary]) -> list[str]:
        return sorted({one.sender for one in canaries} if canaries else set(self._settings.own_addresses))

    async def _see_at_all(self, depth: Depth, unseen: frozenset[str] = frozenset()) -> Sequence[Seen]:
        words = self._words((), self._clock.now())
        return await self._sight.prove(words, may_be_old=depth is Depth.POLL, unseen=unseen)

    def _aside(self, ticket: Ticket) -> LookSettings | None:
        """The look that found a ticket which is held aside."""
        if ticket.state is not TicketState.DIVERTED:
            return None
        name = ticket.ref.id.partition("/")[0]
        return next(
            (one for one in self._settings.looks if one.name == name and one.state is TicketState.DIVERTED),
            None,
        )

    async def _check_rights(self, newest: Sequence[Values]) -> Check:
        rights = self._settings.rights
        needs_ticket = rights is not None and any(name == "ticket" for name, _ in rights.asking.names)
        if rights is None or (needs_ticket and not newest):
            why = "the configuration does not say how" if rights is None else "no ticket is shown yet"
            return Check(
                self.name,
                "ticket.close",
                CheckState.WARN,
                f"whether we may change tickets is not known: {why}",
                f"Add `clean.rights`, or try it with one of your own: intake-prober ticketing try {self.name} --create.",
            )
        words = self._words((), self._clock.now())
        if newest:
            words["ticket"] = as_words(newest[0])
        answer, _ = await self._calls.call(rights.asking, words)
        if rights.must.holds(seen_of(answer).row):
            return Check(self.name, "ticket.close", CheckState.OK, "authorised to change and close")
        return Check(
            self.name,
            "ticket.close",
            CheckState.FAIL,
            "the credential may read tickets and not change them",
            "Give its user the right to change tickets, or set `cleanup: none`.",
        )

    def _since(self, canaries: Sequence[Canary]) -> datetime:
        if not canaries:
            return self._clock.now() - timedelta(days=ORPHAN_DAYS)
        return min(one.launched_at for one in canaries) - timedelta(seconds=LOOK_BACK_SECONDS)


def _number(ticket: Ticket) -> str:
    """The system's own id of what is held aside."""
    return ticket.ref.id.partition("/")[2]
