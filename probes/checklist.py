"""The lines of `intake-prober check` for one place: each step tried within its limit, the rest left out once one fails."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from canary.observation import Fact
from canary.reason import CAUSES, Reason
from probes.contracts import Check, CheckState, Clock
from probes.masking import Masker
from probes.reasons import MAPPED, explain

_CERTIFICATE_WARNING = timedelta(days=14)


@dataclass(slots=True)
class Step:
    """One line in the making: what the body finds is written into it."""

    finding: str = "as it should be"
    state: CheckState = CheckState.OK
    remedy: str = ""
    is_optional: bool = False


class StepFailed(Exception):
    """A step failed: those after it can't be tried."""


class Checklist:
    """The lines of one place, in the order in which they are tried."""

    def __init__(
        self,
        place: str,
        *,
        clock: Clock,
        masker: Masker,
        remedies: Mapping[Reason, str] = MappingProxyType({}),
    ) -> None:
        """Begin with no line.

        Args:
            place: what is tried.
            clock: times and bounds each step.
            masker: masks what was found.
            remedies: what helps, where it isn't what the reason's table says.
        """
        self._place = place
        self._remedies = remedies
        self._clock = clock
        self._masker = masker
        self.checks: list[Check] = []

    @asynccontextmanager
    async def step(self, name: str, seconds: float) -> AsyncIterator[Step]:
        """Try one thing within its limit. Raises `StepFailed` after the line was written."""
        step, began = Step(), self._clock.monotonic()
        failed: Exception | None = None
        try:
            async with self._clock.timeout(seconds):
                yield step
        except MAPPED as error:
            fault = explain(error)
            if fault is None:
                raise
            failed = error
            step.state = CheckState.WARN if step.is_optional else CheckState.FAIL
            step.finding = f"{fault.reason}: {fault.detail}"
            step.remedy = self._remedies.get(fault.reason, CAUSES[fault.reason].remedy)
        self.checks.append(
            Check(
                self._place,
                name,
                step.state,
                self._masker.detail(step.finding),
                step.remedy,
                self._clock.monotonic() - began,
            )
        )
        if failed is not None:
            raise StepFailed from failed

    def certificate(self, facts: dict[str, Fact], now: datetime) -> None:
        """The line on the certificate's end, from the facts of a verified connection."""
        text = facts.get("tls.server.not_after")
        if not isinstance(text, str):
            return
        left = datetime.fromisoformat(text) - now
        soon = left < _CERTIFICATE_WARNING
        self.checks.append(
            Check(
                self._place,
                "tls.certificate",
                CheckState.WARN if soon else CheckState.OK,
                f"ends {text[:10]}, in {left.days} days",
                CAUSES[Reason.CERTIFICATE_EXPIRED].remedy if soon else "",
            )
        )
