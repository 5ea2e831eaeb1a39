"""What this process heard from places outside: when each last answered, and by which clock."""

from datetime import datetime, timedelta

from canary.gauge import Gauge, GaugeName, GaugeState
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome

SKEW_WARN = timedelta(seconds=30)
"""A place whose clock is off by more than this warns: its word of when a ticket came proves little."""


class Outside:
    """Satisfies `probes.selfcheck.OutsideAnswers` by what is told to it."""

    def __init__(self) -> None:
        self._answers: dict[str, datetime] = {}
        self._names: dict[str, datetime] = {}
        self._skews: dict[str, tuple[float, datetime]] = {}

    def noticed(self, observation: Observation) -> None:
        """Take one observation into account: a success, or a look that was not blind, is an answer of its place."""
        place, at = observation.place, observation.ended_at
        if not place:
            return
        if _is_answer(observation):
            heard = self._names if observation.hop is Hop.DNS else self._answers
            heard[place] = max(at, heard.get(place, at))
        if observation.skew_seconds is not None:
            self._skews[place] = (observation.skew_seconds, at)

    def gauged(self, gauge: Gauge) -> None:
        """A gauge that could be read is an answer of its place, too."""
        if gauge.value is not None and gauge.name is not GaugeName.DNS_MAIL and not gauge.is_local:
            self._answers[gauge.place] = max(gauge.read_at, self._answers.get(gauge.place, gauge.read_at))

    def answered_at(self, *, other_than: str, by_name: bool = False) -> datetime | None:
        """The latest answer of any other place (or, ``by_name``, about any other name); None: there was none."""
        heard = self._names if by_name else self._answers
        return max((at for place, at in heard.items() if place != other_than), default=None)

    def skews(self) -> tuple[Gauge, ...]:
        """The gauge `clock.skew` of each place that told its time, as last known, in seconds: its clock less ours."""
        return tuple(
            Gauge(
                place=place,
                name=GaugeName.CLOCK_SKEW,
                value=seconds,
                unit="s",
                limit=None,
                read_at=at,
                state=GaugeState.WARN if abs(seconds) > SKEW_WARN.total_seconds() else GaugeState.OK,
                detail=f"its clock is {abs(seconds):.1f} s {'ahead of' if seconds > 0 else 'behind'} ours",
            )
            for place, (seconds, at) in sorted(self._skews.items())
        )


def _is_answer(observation: Observation) -> bool:
    if observation.look is not None:
        return not observation.look.is_blind
    return observation.evidence is not Evidence.INFERRED and observation.outcome is Outcome.OK
