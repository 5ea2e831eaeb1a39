"""Tickets of ours asked for once more, many at a time, as a look shows them: for the clean-up."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from canary.observation import Depth
from canary.signature import find_tokens
from canary.ticket import Ticket, TicketState
from probes.contracts import Clock, View
from probes.ticketing.generic.looks import Looker
from probes.ticketing.generic.matching import Wanted
from probes.ticketing.generic.settings import GenericSettings, LookSettings, Per
from probes.ticketing.generic.tickets import Values
from probes.ticketing.generic.variables import Variables
from probes.ticketing.settings import LOOK_AHEAD, LOOK_BACK_SECONDS, ORPHAN_DAYS


@dataclass(slots=True)
class Listing:
    """What a look shows of some tickets.

    Attributes:
        rows: the values of those that are shown, by number.
        others: numbers of tickets that are shown and bear no token.
        gone: numbers of those that are listed, and gone, as the system itself says.
        is_complete: what is not shown is not there, if we see at all.
        is_behind: an index that lags has told it.
    """

    rows: dict[str, Values] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    is_complete: bool = True
    is_behind: bool = False


class Lister:
    """Makes the narrow looks for tickets that were found; the wide ones too, where a subject bears no token."""

    def __init__(
        self,
        settings: GenericSettings,
        looker: Looker,
        variables: Variables,
        *,
        clock: Clock,
        see: Callable[[], Awaitable[object]],
        aside: LookSettings | None = None,
    ) -> None:
        """``see`` raises where it is not proven that we see; ``aside``: the look of what is held aside, instead."""
        self._settings = settings
        self._looker = looker
        self._variables = variables
        self._clock = clock
        self._aside = aside
        self.see = see

    async def asked(self, tickets: Sequence[Ticket]) -> Listing:
        """Look once for all of them.

        Raises:
            Blind: an answer is refused, or not what the configuration says.
            SecretUnavailable: our credential can't be had.
        """
        listing = Listing()
        oldest = self._clock.now() - timedelta(days=ORPHAN_DAYS)
        since = min((one.remote_created_at or oldest for one in tickets), default=oldest)
        texts = [one for ticket in tickets for one in (ticket.subject, ticket.body, ticket.message_id) if one]
        wanted = Wanted(
            tokens=frozenset(find_tokens("\n".join(texts))),
            marker=self._settings.marker,
            tag=self._settings.tag,
            since=since - timedelta(seconds=LOOK_BACK_SECONDS),
            is_wide=True,
            is_for_cleaning=True,
        )
        for look in self._looks(tickets):
            listing.is_behind = listing.is_behind or look.view is View.EVENTUAL
            calls = 0
            for words in self._repeated(look, wanted, tickets):
                calls += 1
                requester = words.get("requester")
                values = await self._variables.words(
                    look.asking, words, str(requester) if requester else None
                )
                if calls > look.most_calls or values is None:
                    listing.is_complete = False
                    continue
                caught = await self._looker.look(look, wanted, {**words, "vars": values})
                if caught.error is not None:
                    raise caught.error
                listing.is_complete = listing.is_complete and caught.is_complete and not caught.unread
                listing.others |= caught.others.keys()
                listing.gone |= caught.gone
                for row in caught.rows:
                    listing.rows.setdefault(str(row["id"]), row)
        return listing

    def _looks(self, tickets: Sequence[Ticket]) -> list[LookSettings]:
        if self._aside is not None:
            return [self._aside]
        looks = [one for one in self._settings.looks if one.state is TicketState.TICKET]
        if all(find_tokens(one.subject or "") for one in tickets):
            return [one for one in looks if Depth.POLL in one.depths] or looks
        return looks

    def _repeated(
        self, look: LookSettings, wanted: Wanted, tickets: Sequence[Ticket]
    ) -> Iterator[dict[str, object]]:
        now = self._clock.now()
        tokens = sorted(wanted.tokens)
        asked_by = {one.requester for one in tickets if one.requester} | set(self._settings.own_addresses)
        requesters = sorted(asked_by)
        words: dict[str, object] = {
            "since": wanted.since,
            "until": now + LOOK_AHEAD,
            "now": now,
            "marker": wanted.marker,
            "tag": wanted.tag,
            "requesters": requesters,
            "tokens": tokens,
        }
        match look.per:
            case None:
                yield words
            case Per.REQUESTERS:
                yield from ({**words, "requester": one} for one in requesters)
            case Per.TOKENS:
                for begin in range(0, len(tokens), look.chunk):
                    chunk = tokens[begin : begin + look.chunk]
                    yield {**words, "tokens": chunk, "token": chunk[0]}
