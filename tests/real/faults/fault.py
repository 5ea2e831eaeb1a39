"""One fault: how it is made, and the verdict that the canary must get."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tests.sandbox import Sandbox

Prepare = Callable[[Sandbox], None]
NOTHING: Mapping[str, Any] = MappingProxyType({})

OWN_RELAY: Mapping[str, Any] = MappingProxyType({"accounts": {"canary": {"side": "prober"}}})
"""The submission server is ours, not one of the chain that is probed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the intake, or of the prober.

    Attributes:
        name: short, unique; the test's name and the row of the page.
        made: how it was made, for the page.
        verdict: the first verdict; blame, reason and side where it is not ``confirmed``.
        flaws: ``hop reason`` of each flaw.
        switches: the sandbox's switches.
        changes: keys of the configuration.
        prepare: what else is done before the canary is launched.
        becomes: the verdict after the fault was healed, by a later run; empty: it stays.
        tickets, mails: how many tickets, and mails in the support mailbox, the canary made at the first verdict;
            None: not counted.
        attempts: the least number of tries of the blamed or flawed hop.
    """

    name: str
    made: str
    verdict: str = "confirmed"
    blame: str | None = None
    reason: str | None = None
    side: str | None = None
    flaws: tuple[str, ...] = ()
    switches: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    prepare: Prepare | None = None
    becomes: str = ""
    tickets: int | None = None

    @property
    def exit(self) -> int:
        """The exit status of the run."""
        return {"confirmed": 0, "breached": 1, "inconclusive": 3}[self.verdict]


def breach(name: str, made: str, stop: str, reason: str, **more: Any) -> Fault:  # noqa: ANN401 -- the fields of Fault
    """A fault of the target."""
    return Fault(name, made, "breached", stop, reason, "target", **more)


def blindness(name: str, made: str, stop: str, reason: str, **more: Any) -> Fault:  # noqa: ANN401 -- as above
    """A fault on our side."""
    return Fault(name, made, "inconclusive", stop, reason, "prober", **more)
