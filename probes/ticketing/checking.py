"""The lines of `intake-prober check` that all ticketing systems share."""

from collections.abc import Awaitable, Callable
from typing import Final

from probes.contracts import Blind, Check, CheckState
from probes.masking import Masker
from probes.reasons import explain
from probes.servers import SecretUnavailable
from probes.skew import Skew

_SKEW_WARN_SECONDS: Final = 5.0


async def checked(place: str, name: str, attempt: Callable[[], Awaitable[Check]], *, masker: Masker) -> Check:
    """Make one check; what the system refuses becomes a failed one."""
    try:
        return await attempt()
    except (Blind, SecretUnavailable) as error:
        fault = explain(error)
        reason = fault.reason if fault is not None else ""
        return Check(place, name, CheckState.FAIL, masker.detail(str(error)), f"reason: {reason}")


def skew_check(place: str, skew: Skew) -> Check:
    """How far the system's clock is from ours."""
    seconds = skew.seconds
    if seconds is None:
        return Check(
            place,
            "clock.skew",
            CheckState.WARN,
            "the answers carry no usable Date, so the system's clock is unknown",
            "A ticket that becomes visible after the deadline can then not be proved to have come in time.",
        )
    bound = skew.error_seconds or 0.0
    finding = f"its clock is {seconds:+.1f} s from ours (± {bound:.1f} s)"
    if abs(seconds) - bound > _SKEW_WARN_SECONDS:
        return Check(
            place, "clock.skew", CheckState.WARN, finding, "Look at time synchronisation on both sides."
        )
    return Check(place, "clock.skew", CheckState.OK, finding)
