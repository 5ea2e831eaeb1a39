"""Further requests of one row: its text, its requester, its files, where a list does not tell them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from canary.signature import find_tokens
from probes.contracts import Blind
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.failures import STATUS_OF, Means, at_key
from probes.ticketing.generic.matching import must
from probes.ticketing.generic.misfits import named_fields
from probes.ticketing.generic.picking import seen_of
from probes.ticketing.generic.settings import ReadSettings
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, as_words, merged, searched
from probes.ticketing.generic.unread import is_of_the_row

_GONE: Final = STATUS_OF[Means.GONE]


class Told(StrEnum):
    """What further requests told of a row: all; no more, since one found nothing, of ours; that it is gone."""

    ALL = "all"
    LESS = "less"
    GONE = "gone"


class OddRow(Exception):
    """A further request of a row failed in a way that may be this row's alone."""

    def __init__(self, error: Blind) -> None:
        super().__init__(str(error))
        self.error = error


class Further:
    """Asks for what a row does not tell itself."""

    def __init__(self, calls: Calls, system: str) -> None:
        self._calls = calls
        self._system = system
        self._answered: set[str] = set()
        """Keys of requests that were understood once: a row that has nothing for them has no text."""

    async def read(self, reads: Sequence[ReadSettings], values: Values, words: Words) -> tuple[Values, Told]:
        """The values of a row with those of its further requests, as far as they are answered.

        Raises:
            OddRow: one failed in a way that may be this row's alone.
            Blind: the system does not answer, or not us.
            SecretUnavailable: our credential can't be had.
        """
        answered: object = None
        for one in reads:
            key = one.asking.key
            if one.has_nothing_for(values) and (key in self._answered or find_tokens(searched(values))):
                continue  # a ticket without a text, or so: ours is found all the same, a stranger's has no token in it
            known = {**words, "ticket": as_words(values), "answer": answered}
            was_answered = one.has_nothing_for(values)
            try:
                answer, means = await self._calls.call(one.asking, known, accept=frozenset({Means.GONE}))
                was_answered = True
                if means is Means.GONE:
                    if find_tokens(searched(values)):
                        return values, Told.LESS
                    # not the ticket need be gone: what it refers to may not be shown to us
                    raise Blind(f"it was answered {answer.status}: there is no such thing", status=_GONE)  # noqa: TRY301 -- as what else is odd
                seen = seen_of(answer)
                if one.gone is not None and one.gone.holds(seen.whole):
                    return values, Told.GONE
                must(one.must, seen, self._system)
                answered = seen.whole
                inner = one.seen(seen)
                more = one.ticket.read(inner, {**known, "answer": answered})
                named_fields([(inner, more)], one.ticket, self._system)
            except Blind as error:
                named = at_key(error, key, self._system)
                if is_of_the_row(error, was_answered=was_answered):
                    raise OddRow(named) from None
                raise named from None
            self._answered.add(key)
            values = merged(values, more)
        return values, Told.ALL
