"""When the next look may pay: often while a canary is fresh, seldom when it is old, never against the system's word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from canary.canary import Canary
from canary.hush import LONGEST, Hush
from canary.signature import CanaryId
from probes.contracts import Blind, Budget, Clock, Uncounted
from probes.ticketing.budget import Spent, seconds_between_looks
from probes.ticketing.quiet import LeftAlone


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """How often a system is looked at.

    Attributes:
        least_seconds: between the begins of two looks, however many canaries are out.
        fresh_seconds: as long as the youngest canary is younger than this, looks are ``least_seconds`` apart.
        age_share: later they are this share of the youngest one's age apart.
        most_seconds: and never further apart than this.
        blind_seconds: after a look that was blind, doubled each time up to ``most_blind_seconds``.
        longest_hush_seconds: the longest that a system's wish to be left alone is honoured without asking again.
    """

    least_seconds: float = 1.0
    fresh_seconds: float = 120.0
    age_share: float = 1 / 120
    most_seconds: float = 60.0
    blind_seconds: float = 1.0
    most_blind_seconds: float = 15.0
    longest_hush_seconds: float = LONGEST.total_seconds()


class Pace:
    """Keeps the time of one system's looks."""

    def __init__(self, settings: PaceSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._began: float | None = None
        self._outstanding: dict[CanaryId, Canary] = {}
        self._looks: dict[CanaryId, int] = {}
        self._blind_looks = 0
        self._hush_until: float | None = None
        self._hush: Hush | None = None
        self._refused: Blind | None = None
        self._calls_a_look = 1.0
        self._goes_on = False

    async def turn(self) -> None:
        """Wait until a look may begin; the caller looks at once."""
        if self._began is not None:
            await self._clock.sleep(self._began + self._settings.least_seconds - self._clock.monotonic())
        self._began = self._clock.monotonic()

    def looked(
        self,
        asked: Sequence[Canary],
        missing: Sequence[Canary],
        *,
        calls: int = 1,
        goes_on: bool = False,
    ) -> None:
        """A look for some canaries was done; of those, the missing ones were not yet there.

        ``goes_on``: it is a piece of a walk, and the next one should not wait until the canaries are older.
        """
        self._blind_looks = 0
        self._goes_on = goes_on
        self._hush_until = None
        self._calls_a_look = max(1.0, float(calls))
        self._note(asked, missing)

    def was_blind(self, asked: Sequence[Canary], error: Blind | None) -> None:
        """A look was blind; ``error`` may say how long to stay away."""
        self._blind_looks += 1
        self._note(asked, asked)
        self.was_refused(error)

    def was_refused(self, error: Exception | None) -> None:
        """Whatever was asked: the answer may say how long to stay away."""
        if isinstance(error, Blind) and error.retry_after_seconds is not None:
            wait = min(error.retry_after_seconds, self._settings.longest_hush_seconds)
            self._hush_until = self._clock.monotonic() + wait
            asked = Hush.asked(self._clock.now(), wait, error.status, error.answered)
            self._hush = error.hush if isinstance(error, LeftAlone) else asked
            self._refused = error

    def left_alone(self, place: str) -> Blind:
        """Why the system is left alone, and until when: as blind as by the answer that asked for it."""
        left = self.hush_seconds
        if isinstance(self._refused, Uncounted):
            return self._refused
        if self._hush is None or isinstance(self._refused, Spent):
            words = f"{place} is left alone for another {left:.0f} s: of its windows of requests nothing is left to us"
            return Spent(words, status=429, retry_after_seconds=left)
        return LeftAlone(place, self._hush, self._clock.now())

    def looks_for(self, canary_id: CanaryId) -> int:
        """How many looks of this process a canary took so far; 0 of one that the last look did not ask for."""
        return self._looks.get(canary_id, 0)

    @property
    def hush_seconds(self) -> float:
        """How long the system still wants to be left alone; 0: not at all."""
        if self._hush_until is None:
            return 0.0
        return max(0.0, self._hush_until - self._clock.monotonic())

    def wait_seconds(self, budgets: Sequence[Budget]) -> float | None:
        """How long until another look may pay; None: nothing is outstanding."""
        if not self._outstanding or self._began is None:
            return None
        now = self._clock.now()
        youngest_at = max(one.launched_at for one in self._outstanding.values())
        apart = max(
            self._settings.least_seconds if self._goes_on else self._interval(now - youngest_at),
            seconds_between_looks(budgets, now=now, calls_a_look=self._calls_a_look),
            self._back_off(),
        )
        return max(0.0, self._began + apart - self._clock.monotonic(), self.hush_seconds)

    def _note(self, asked: Sequence[Canary], missing: Sequence[Canary]) -> None:
        """Two callers may ask for different canaries: the one's old canary must not slow the other's fresh one."""
        now = self._clock.now()
        wanted = {one.id for one in asked}
        kept = [one for one in self._outstanding.values() if one.id not in wanted and one.horizon_at >= now]
        self._outstanding = {one.id: one for one in (*kept, *missing)}
        self._looks = {
            **{one.id: self._looks.get(one.id, 0) for one in kept},
            **{one.id: self._looks.get(one.id, 0) + 1 for one in asked},
        }

    def _interval(self, age: timedelta) -> float:
        settings = self._settings
        if age.total_seconds() < settings.fresh_seconds:
            return settings.least_seconds
        wanted = age.total_seconds() * settings.age_share
        return min(settings.most_seconds, max(settings.least_seconds, wanted))

    def _back_off(self) -> float:
        if self._blind_looks == 0:
            return 0.0
        doubled = self._settings.blind_seconds * 2.0 ** min(self._blind_looks - 1, 20)
        return min(self._settings.most_blind_seconds, doubled)
