"""`ticketing try --create`: one ticket opened by the API, found as a canary's would be, tagged and closed.

Whatever happens after the ticket may have been made, it is closed before this ends: also where the program is
interrupted, and where the answer to the making was lost. What can't be closed is named.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from canary.canary import Canary, Token, new_canary
from canary.observation import Depth
from canary.signature import RANDOM_BYTES, CanaryId, mint_id, mint_token
from canary.ticket import Ticket, TicketId, TicketRef, TicketState
from canary.trial import TRIAL_BODY, TRIAL_SUBJECT
from probes.contracts import Blind, Clock, Disposal, DisposalAction, RemovalState, Triable
from probes.servers import SecretUnavailable
from runners.config.config import Config, PathConfig, TicketingConfig
from runners.config.document_places import Cleanup
from runners.site import Site
from runners.ticketing_trial import Recognising

FIND_SECONDS: Final = 30.0
"""How long the ticket is looked for, besides the lag of an eventual view."""
CLOSE_SECONDS: Final = 90.0
"""How long closing may take, jobs of the system included."""
_PAUSE_SECONDS: Final = 1.0
_MOST_LOOKS: Final = 5
_OURS_TO_GIVE: Final = frozenset({400, 403, 404, 405, 415, 422})
"""Statuses that speak of rights or of the request, which somebody here can mend; others of the system's state."""
_REFUSED: Final = _OURS_TO_GIVE | {401, 429}


_LEFT: Final[Mapping[bool | None, tuple[str, str]]] = MappingProxyType(
    {
        True: (" is still open", "Close it by hand."),
        False: ("", "Nothing is left to be closed; tag it by hand where somebody counts by the tag."),
        None: (" may still be open", "Look at it, and close it by hand."),
    }
)
"""What is said of a ticket that could not be removed, by whether it is open, and what is to be done of it."""


class StepState(StrEnum):
    """What one step of a trial came to; ``blind``: the system did not say."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Step:
    """One step, as it is told.

    Attributes:
        name: ``create``, ``find`` or ``close``.
        finding: what came of it, masked; ``remedy``: what to do, empty where all is well.
        ticket_id: of the ticket, as far as it is known.
    """

    name: str
    state: StepState
    finding: str
    remedy: str
    seconds: float
    ticket_id: str | None = None


Tell = Callable[[Step], None]
"""Hears each step as soon as it is done; must return at once."""


class NotTriable(Exception):
    """A ticket can't be opened here; the text says why and what to do. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What a ticket is opened with."""

    canary: Canary
    disposal: Disposal

    @property
    def subject(self) -> str:
        return f"{self.canary.subject_prefix} {TRIAL_SUBJECT}"


def path_for(config: Config, system: TicketingConfig) -> PathConfig:
    """The path whose canary the ticket is: one that ends in the system, else any.

    Raises:
        NotTriable: there is none, or nothing may ever be closed there.
    """
    if system.cleanup is Cleanup.NONE:
        raise NotTriable(
            f"{system.name} has `cleanup: none`: what is opened there could not be closed. Set `cleanup: close` first"
        )
    paths = [one for one in config.paths.values() if one.senders]
    ending = [one for one in paths if one.path.ticketing == system.name]
    if not paths:
        raise NotTriable("there is no path whose sender could ask: add one that ends in this system")
    return (ending or paths)[0]


class RightsTrial:
    """Opens, finds and closes one ticket. Made for one use; ``canary_id``: of its token, once there is one."""

    def __init__(
        self, site: Site, system: Triable, recognising: Recognising, *, clock: Clock, tell: Tell
    ) -> None:
        self._site = site
        self._system = system
        self._recognising = recognising
        self._clock = clock
        self._tell = tell
        self._steps: list[Step] = []
        self._ticket_id: str | None = None
        self._found: list[Ticket] = []
        self._is_lost = False
        self.canary_id: CanaryId | None = None

    async def run(
        self,
        path: PathConfig,
        how: TicketingConfig,
        *,
        randomness: Callable[[int], bytes],
        lag_seconds: float,
    ) -> tuple[Step, ...]:
        """All steps; those after one that failed are left out, but closing. Cancelled, it closes and then ends.

        Raises:
            NotTriable: it is not known how a ticket is made there.
        """
        self.canary_id = canary_id = mint_id(self._clock.now(), randomness(RANDOM_BYTES))
        canary = new_canary(
            path.path,
            canary_id=canary_id,
            token=Token(mint_token(canary_id, path.path.name, self._site.signed.keys[0])),
            marker=self._site.config.prober.marker,
            sender=self._site.config.accounts[path.senders[0]].address,
            prober=self._site.config.prober.name,
            by_hand=True,
        )
        attempt = _Attempt(canary, Disposal(DisposalAction(how.cleanup.value), how.tag))
        try:
            if await self._create(attempt):
                await self._find(attempt, FIND_SECONDS + lag_seconds)
        except NotTriable:
            raise
        except BaseException:
            if self._may_exist:
                await self._close_at_last(attempt)
            raise
        if self._may_exist:
            await self._close_at_last(attempt)
        return tuple(self._steps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps so far, also of a trial that was interrupted."""
        return tuple(self._steps)

    @property
    def _may_exist(self) -> bool:
        return self._ticket_id is not None or bool(self._found) or self._is_lost

    async def _create(self, attempt: _Attempt) -> bool:
        began = self._clock.monotonic()
        self._is_lost = True  # from here on there may be a ticket
        try:
            self._ticket_id = await self._system.create(
                subject=attempt.subject, body=TRIAL_BODY, requester=attempt.canary.sender
            )
        except LookupError as error:
            self._is_lost = False
            raise NotTriable(str(error)) from None
        except Blind as error:
            # refused before anything was done; every other answer leaves it open whether there is a ticket
            self._is_lost = error.status not in _REFUSED
            self._failed("create", error, began, "Give the credential the right to open tickets.")
            return False
        except SecretUnavailable as error:
            self._is_lost = False
            self._failed("create", error, began, "")
            return False
        self._done("create", StepState.OK, f"ticket {self._ticket_id} was opened", "", began)
        return True

    async def _find(self, attempt: _Attempt, limit_seconds: float) -> None:
        """Look as for a canary: narrow looks, and a wide one where they don't show it."""
        began = self._clock.monotonic()
        looks = 0
        try:
            while True:
                looks += 1
                if ticket := await self._looked(attempt, Depth.POLL):
                    self._understood(ticket, began, f"seen by a narrow look, the {_ordinal(looks)}", "")
                    return
                if self._clock.monotonic() - began >= limit_seconds:
                    break
                await self._clock.sleep(_PAUSE_SECONDS)
            if ticket := await self._looked(attempt, Depth.DEADLINE):
                self._understood(
                    ticket,
                    began,
                    f"seen by a wide look alone; {looks} narrow ones did not show it",
                    "Look at the filters of the looks with `when: poll`: queue, project, requester.",
                )
                return
        except (Blind, SecretUnavailable) as error:
            self._failed("find", error, began, "Give the credential the right to read tickets.")
            return
        self._done(
            "find",
            StepState.FAIL,
            f"the ticket is shown by no look within {limit_seconds:.0f} s",
            "Look at the filter by time of the looks (`since`: its unit and its zone), whether the credential may see the"
            " place where it was made, and at `view` and `lag`.",
            began,
        )

    async def _looked(self, attempt: _Attempt, depth: Depth) -> Ticket | None:
        look = await self._system.find([attempt.canary], depth)
        ours = [one for one in look.tickets if self._is_of(attempt, one)]
        self._found += [one for one in ours if one.ref.id not in {each.ref.id for each in self._found}]
        return ours[0] if ours else None

    def _is_of(self, attempt: _Attempt, ticket: Ticket) -> bool:
        owner = self._recognising.owner(ticket)
        return owner is not None and owner[0] == attempt.canary.id and ticket.state is TicketState.TICKET

    def _understood(self, ticket: Ticket, began: float, finding: str, remedy: str) -> None:
        read = self._recognising.understood(ticket, ())
        said = [] if read is None or read.created_at is not None else ["its time can't be read"]
        if read is not None and not read.requester.may_be_cleaned:
            said.append("its requester is not the canary's address")
            remedy = remedy or (
                "Where the API takes the credential's user for it, that is all right, for canaries come by mail; else"
                " list the address under `requesters:`, or no canary will be closed."
            )
        state = StepState.WARN if said or remedy else StepState.OK
        self._done("find", state, "; ".join([finding, *said]), remedy, began)

    async def _close_at_last(self, attempt: _Attempt) -> None:
        """Close it, whatever became of us: a cancellation in the middle of it only makes it begin anew."""
        try:
            await self._closed_within(attempt)
        except asyncio.CancelledError:
            await self._closed_within(attempt)
            raise

    async def _closed_within(self, attempt: _Attempt) -> None:
        if any(one.name == "close" for one in self._steps):
            return
        began = self._clock.monotonic()
        try:
            async with self._clock.timeout(CLOSE_SECONDS):
                await self._close(attempt, began)
        except TimeoutError:
            if not self._may_have_id:
                self._unknown(attempt, "it could not be looked for within the time for it", began)
                return
            self._left("it did not close within the time for it", began, is_blind=True)
        except (Blind, SecretUnavailable) as error:
            if not self._may_have_id:
                # what to do of it stands in the step before: a ticket can't be asked for here
                self._unknown(attempt, _first_sentence(self._masked(error)), began)
                return
            self._left(self._masked(error), began, is_blind=_is_blind(error))

    async def _close(self, attempt: _Attempt, began: float) -> None:
        if self._ticket_id is None:
            await self._found_again(attempt)
            if not self._found:
                self._unknown(attempt, "none is shown", began)
                return
        tickets = self._found or [self._known(attempt)]
        disposed = await self._system.dispose(tickets, attempt.disposal)
        failed = [one for one in disposed if one.state is RemovalState.FAILED]
        if failed:
            why, is_open = self._site.masker.detail(failed[0].detail), failed[0].is_open
            self._left(why, began, is_blind=False, is_open=is_open)
            return
        if all(one.state is not RemovalState.ACCEPTED for one in disposed):
            self._done("close", StepState.OK, _closed_words(attempt), "", began)
            return
        if await self._is_closed(attempt):
            self._done("close", StepState.OK, "tagged and closed, as a later look shows", "", began)
            return
        self._done(
            "close",
            StepState.WARN,
            "the system promised it, and no look shows it yet",
            f"Look at ticket {self._ids()}; with `clean.read` it is read back.",
            began,
        )

    async def _found_again(self, attempt: _Attempt) -> None:
        """Look for a ticket whose making was cut off: it may come a moment later than we ask."""
        for _ in range(_MOST_LOOKS):
            if await self._looked(attempt, Depth.DEADLINE):
                return
            await self._clock.sleep(_PAUSE_SECONDS)

    async def _is_closed(self, attempt: _Attempt) -> bool:
        """Whether a later look shows what was only promised: closed with the tag, or gone."""
        until = self._clock.monotonic() + FIND_SECONDS
        while self._clock.monotonic() < until:
            look = await self._system.find([attempt.canary], Depth.DEADLINE)
            seen = [one for one in look.tickets if self._is_of(attempt, one)]
            if attempt.disposal.action is DisposalAction.DELETE:
                if not seen and look.is_complete:
                    return True
            elif seen and not any(one.is_open for one in seen):
                return True
            await self._clock.sleep(_PAUSE_SECONDS)
        return False

    def _known(self, attempt: _Attempt) -> Ticket:
        """The ticket as it must be, where no look has shown it."""
        return Ticket(
            TicketRef(self._system.name, TicketId(self._ticket_id or "")),
            subject=attempt.subject,
            requester=attempt.canary.sender,
        )

    def _unknown(self, attempt: _Attempt, why: str, began: float) -> None:
        """There may be a ticket or not: nothing is said to be open."""
        self._done(
            "close",
            StepState.BLIND,
            f"whether a ticket was made is not known: {why}",
            f"Look for {attempt.canary.subject_prefix[:24]}… later; `intake-prober sweep` closes it if it comes.",
            began,
        )

    def _left(self, why: str, began: float, *, is_blind: bool, is_open: bool | None = True) -> None:
        state = StepState.BLIND if is_blind else StepState.FAIL
        words, remedy = _LEFT[is_open]
        self._done("close", state, f"ticket {self._ids()}{words}: {why}", remedy, began)

    def _ids(self) -> str:
        ids = dict.fromkeys(
            [*(one.ref.id for one in self._found), *([self._ticket_id] if self._ticket_id else [])]
        )
        return ", ".join(ids) or "of unknown number"

    def _failed(self, name: str, error: Exception, began: float, remedy: str) -> None:
        state = StepState.BLIND if _is_blind(error) else StepState.FAIL
        # what a message says of a system's trouble is a remedy already
        self._done(name, state, self._masked(error), "" if state is StepState.BLIND else remedy, began)

    def _done(self, name: str, state: StepState, finding: str, remedy: str, began: float) -> None:
        seconds = self._clock.monotonic() - began
        step = Step(name, state, finding, remedy, seconds, self._ids() if self._may_have_id else None)
        self._steps.append(step)
        self._tell(step)

    @property
    def _may_have_id(self) -> bool:
        return self._ticket_id is not None or bool(self._found)

    def _masked(self, error: Exception) -> str:
        return self._site.masker.mask(str(error))


def _is_blind(error: Exception) -> bool:
    return not (isinstance(error, Blind) and error.status in _OURS_TO_GIVE)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0]


def _closed_words(attempt: _Attempt) -> str:
    is_deleted = attempt.disposal.action is DisposalAction.DELETE
    return "deleted" if is_deleted else f"tagged {attempt.disposal.tag} and closed, nothing is left"


def _ordinal(count: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(count, f"{count}th")
