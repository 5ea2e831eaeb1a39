"""Proof that we see: a look without a ticket of ours is believed only after it."""

from collections.abc import Iterable, Sequence
from typing import Final

from canary.signature import find_tokens
from probes.contracts import Blind, Clock
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.failures import at_key
from probes.ticketing.generic.matching import must
from probes.ticketing.generic.picking import Seen, seen_of
from probes.ticketing.generic.settings import ProofSettings
from probes.ticketing.generic.templates import Words

_FRESH_SECONDS: Final = 60.0
_REMEMBERED: Final = 10_000


class NothingShown(Blind):
    """Not one ticket is shown, of whatever age: the system is new, or we may not see its tickets."""


class Sight:
    """The proofs of one system, asked for in their order."""

    def __init__(self, proofs: Sequence[ProofSettings], calls: Calls, *, system: str, clock: Clock) -> None:
        self._proofs = proofs
        self._calls = calls
        self._system = system
        self._clock = clock
        self._proven_at: float | None = None
        self._met: set[str] = set()

    @property
    def is_configured(self) -> bool:
        """Whether there is any."""
        return bool(self._proofs)

    def met(self, tokens: Iterable[str]) -> None:
        """Take note of whose tickets looks have shown: one that is closed since then may be shown no more."""
        if len(self._met) >= _REMEMBERED:
            self._met.clear()
        self._met.update(tokens)

    async def prove(
        self, words: Words, *, may_be_old: bool = False, unseen: frozenset[str] = frozenset()
    ) -> Sequence[Seen]:
        """Make sure that an empty answer is no refusal in disguise; the tickets that are shown, as far as they were asked for.

        Args:
            words: what templates may say.
            may_be_old: a minute's proof will do.
            unseen: tokens of which no look has shown a ticket; where an answer here has one, the looks leave it out.

        Raises:
            Blind: it is one, or may be one.
            SecretUnavailable: our credential can't be had.
        """
        now = self._clock.monotonic()
        if may_be_old and self._proven_at is not None and now - self._proven_at < _FRESH_SECONDS:
            return ()
        shown: list[Seen] = []
        for one in self._proofs:
            try:
                answer, _ = await self._calls.call(one.asking, words)
                seen = seen_of(answer)
            except Blind as error:
                raise at_key(error, one.asking.key, self._system) from None
            must(one.must, seen, self._system)
            told = frozenset(find_tokens(answer.content.decode("utf-8", "replace")))
            if told & unseen - self._met:
                raise Blind(
                    f"{self._system}: {one.asking.key}: a ticket of ours is shown here and by no look of `find`, so that"
                    " they leave it out. Look at their filter by time (`since`: its unit and its zone), at the states and the"
                    f" places that they ask for, and whether it was misrouted: intake-prober ticketing try {self._system}."
                )
            if one.tickets is not None and not one.tickets.holds(seen.row):
                raise NothingShown(
                    f"{self._system}: {one.asking.key}: not one ticket is shown, of whatever age: ours may be hidden too."
                    " Look at our key (a wrong one is often taken for nobody), then at what our user may see; a new system"
                    f" needs one ticket: ticketing try {self._system} --create."
                )
            rows = one.tickets.of(seen.row) if one.tickets is not None else []
            shown += map(seen.of_row, rows if isinstance(rows, list) else [rows])
        self._proven_at = now
        return shown
