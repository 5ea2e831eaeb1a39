"""What a run shows while it goes on: lines hop by hop for people, or log events for machines."""

import logging

from canary.canary import Canary
from canary.gauge import Gauge, GaugeState
from canary.hop import Hop
from canary.incident import Change, Transition
from canary.observation import Evidence, Observation, Outcome
from canary.quantity import duration
from canary.verdict import Judgement, Verdict
from runners.cli.canaries import verdict_style
from runners.cli.output import Output, Style, plain
from runners.cli.words import clock, gauge_words
from runners.contracts import SHOWN_CHARACTERS
from runners.progress import Progress
from runners.telemetry.logs import ids_of

_NAME_CHARACTERS = max(len(hop) for hop in Hop)
_log = logging.getLogger("runners.progress")
_OUTCOMES = {
    Outcome.OK: Style.GOOD,
    Outcome.FAILED: Style.BAD,
    Outcome.UNKNOWN: Style.WARN,
    Outcome.SKIPPED: Style.FAINT,
}


def progress_for(output: Output) -> Progress:
    """Lines on a terminal; elsewhere log events."""
    return LiveProgress(output) if output.remarks.isatty() else LoggedFacts()


def _took(canary: Canary, observation: Observation) -> str:
    """A hop's own duration; of what was watched for, the time since the launch."""
    if observation.seconds is not None:
        return duration(observation.seconds)
    since = max(0.0, (observation.ended_at - canary.launched_at).total_seconds())
    return f"at +{duration(since)}"


class LiveProgress:
    """Lines on standard error, one a fact; looks in vain are not shown."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def launched(self, canary: Canary) -> None:
        """A canary is on its way."""
        self._say(canary, f"launched as {canary.sender}", Style.STRONG)

    def observed(self, canary: Canary, observation: Observation) -> None:
        """Something new was seen."""
        if observation.is_look_in_vain:
            return
        outcome = self._output.paint_remark(f"{observation.outcome:<7}", _OUTCOMES[observation.outcome])
        evidence = "" if observation.evidence is Evidence.OBSERVED else f"  {observation.evidence}"
        reason = f"  {observation.reason}" if observation.reason is not None else ""
        detail = f"  {plain(observation.detail)}" if observation.outcome is not Outcome.OK else ""
        took = _took(canary, observation)
        self._output.tell(
            f"{self._head(canary)}{observation.hop:<{_NAME_CHARACTERS}} {took:>9}  {outcome}{evidence}{reason}{detail}"
        )

    def judged(self, canary: Canary, judgement: Judgement) -> None:
        """A verdict changed."""
        if judgement.verdict is Verdict.PENDING:
            return
        stop = f" at {judgement.stop.hop}: {judgement.stop.reason}" if judgement.stop is not None else ""
        took = f" in {duration(judgement.seconds)}" if judgement.seconds is not None else ""
        flaws = "".join(f", {one.hop} {one.reason}" for one in judgement.flaws)
        self._say(canary, f"{judgement.verdict}{took}{stop}{flaws}", verdict_style(judgement.verdict))

    def changed(self, change: Change) -> None:
        """An incident opened, changed or ended."""
        incident = change.incident
        stop = incident.sharper or incident.stop
        style = Style.BAD if change.transition is Transition.OPENED else Style.STRONG
        text = f"incident {change.transition}: {stop.hop}, {stop.reason}, since {clock(incident.onset_at)}"
        self._output.tell(f"{incident.path}  {self._output.paint_remark(text, style)}")

    def gauged(self, gauge: Gauge) -> None:
        """A gauge was read."""
        style = {GaugeState.PAGE: Style.BAD, GaugeState.WARN: Style.WARN}.get(gauge.state, Style.FAINT)
        self._output.tell(self._output.paint_remark(gauge_words(gauge), style))

    def note(self, text: str) -> None:
        """A remark."""
        self._output.tell(self._output.paint_remark(plain(text), Style.WARN))

    def _say(self, canary: Canary, text: str, style: Style) -> None:
        self._output.tell(f"{self._head(canary)}{self._output.paint_remark(text, style)}")

    def _head(self, canary: Canary) -> str:
        return f"{canary.path}  {canary.id[-SHOWN_CHARACTERS:]}  "


def _log_blindness(canary: Canary, observation: Observation) -> None:
    """A look in vain is no event of its canary; that a place can't be read is one of the prober."""
    if observation.look is not None and observation.look.is_blind:
        extra = {
            **ids_of(canary, observation.hop),
            "place": observation.place,
            "reason": observation.reason.value if observation.reason is not None else None,
            "detail": observation.detail or None,
        }
        _log.warning("look_blind", extra=extra)


class LoggedFacts:
    """Log events, one a fact, with the ids by which a line finds its trace."""

    def launched(self, canary: Canary) -> None:
        """A canary is on its way."""
        _log.info("canary_launched", extra=ids_of(canary))

    def observed(self, canary: Canary, observation: Observation) -> None:
        """Something new was seen."""
        if observation.is_look_in_vain:
            _log_blindness(canary, observation)
            return
        # A hop that was skipped has no span.
        is_skipped = observation.outcome is Outcome.SKIPPED
        extra = {
            **ids_of(canary, None if is_skipped else observation.hop),
            "hop": observation.hop.value,
            "outcome": observation.outcome.value,
            "reason": observation.reason.value if observation.reason is not None else None,
            "seconds": observation.seconds,
            "place": observation.place or None,
            "detail": observation.detail or None,
        }
        _log.info("hop_observed", extra=extra)

    def judged(self, canary: Canary, judgement: Judgement) -> None:
        """A verdict changed."""
        stop = judgement.stop
        extra = {
            **ids_of(canary),
            "verdict": judgement.verdict.value,
            "hop": stop.hop.value if stop is not None else None,
            "reason": stop.reason.value if stop is not None else None,
            "seconds": judgement.seconds,
        }
        _log.info("verdict_reached", extra=extra)

    def changed(self, change: Change) -> None:
        """An incident opened, changed or ended."""
        incident = change.incident
        stop = incident.sharper or incident.stop
        extra = {
            "path": incident.path,
            "incident_id": incident.id,
            "hop": stop.hop.value,
            "reason": stop.reason.value,
        }
        _log.info(f"incident_{change.transition}", extra=extra)

    def gauged(self, gauge: Gauge) -> None:
        """A gauge was read."""
        level = logging.INFO if gauge.state is GaugeState.OK else logging.WARNING
        extra = {
            "place": gauge.place,
            "gauge": gauge.name.value,
            "state": gauge.state.value,
            "value": gauge.value,
            "detail": gauge.detail or None,
        }
        _log.log(level, "gauge_read", extra=extra)

    def note(self, text: str) -> None:
        """A remark."""
        _log.warning(text)
