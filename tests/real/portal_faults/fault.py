"""One fault of a portal: how it is made, what its last hop reports, and the verdicts that follow."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from probes.portal.settings import PortalLimits
from probes.portal.steps import Action, Confirm, Step
from tests.real.faulty_proxy import Greeting, Rule
from tests.real.portal_faults.small import DETAILS, OPEN, SEND, SUBJECT, Serving, steps
from tests.real.portals import PATIENT

NOTHING: Mapping[str, Any] = MappingProxyType({})
THANKED = Confirm(text=re.compile(r"request #(?P<ticket>\d+)"))


class At(StrEnum):
    """What stands at the portal's address."""

    SMALL = "small"  # `SmallPortal`, behind the faulty proxy
    HELPDESK = "helpdesk"  # the sandbox's, behind the faulty proxy
    NO_NAME = "no name"
    SILENT_NAMES = "silent names"
    UNKNOWN_TO_BROWSER = "unknown to browser"  # our resolver knows the name, the browser does not
    CLOSED = "closed"
    UNANSWERED = "unanswered"


class Shown(StrEnum):
    """The certificate that is shown, and who is trusted."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG_NAME = "wrong name"
    UNTRUSTED = "untrusted"  # by the path's own authorities
    UNKNOWN = "unknown"  # the path has none of its own; the browser says it
    ASKS_FOR_OURS = "asks for ours"  # a client certificate is demanded


def nothing_broken() -> tuple[Rule, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalFault:
    """A fault, or a benign oddity.

    Attributes:
        name: short, unique; the test's name and the row of the page.
        made: how it was made, for the page.
        hop, outcome, reason: the launch's last observation.
        rules_out: whether it says that no ticket can come, so that the verdict is there at once.
        verdict, blame, side: without a ticket, after the look at the deadline; the blamed reason is `reason`,
            or `not_seen` where the launch went well.
        flaws: ``hop reason`` of each flaw where a ticket came in time. Confirmed, unless it was ruled out.
        says: parts of the last observation's detail.
        pages: of the small portal, beside those of a whole one.
        rules: makes the proxy's rules.
        switches: of the sandbox.
        start: the path of the URL.
        steps, changes: of the settings.
        posts: how many requests our click made, as the portal's own proxy counts them; 0: none left the page.
        resends: whether Chromium may send a POST again by itself, as its connection was cut.
        short: the number of the step that waits in vain, so that it may give up soon; -1: the last.
        tickets: how many tickets the helpdesk really has of it; None: it is not asked.
    """

    name: str
    made: str
    hop: Hop
    outcome: Outcome
    reason: Reason | None
    rules_out: bool = False
    verdict: str = "breached"
    blame: Hop | None = None
    side: str = "target"
    flaws: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    at: At = At.SMALL
    shown: Shown | None = None
    greeting: Greeting = Greeting.READS
    pages: Mapping[str, Serving] = field(default_factory=lambda: NOTHING)
    rules: Callable[[], tuple[Rule, ...]] = nothing_broken
    switches: Mapping[str, object] = field(default_factory=lambda: NOTHING)
    start: str = "/"
    steps: tuple[Step, ...] = ()
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    posts: int = 0
    resends: bool = False
    tickets: int | None = None
    short: int | None = None
    others_answer: bool = False

    @property
    def logs_in(self) -> bool:
        return bool(self.changes.get("login"))

    @property
    def blamed(self) -> tuple[Hop, Reason]:
        """Without a ticket."""
        return (self.blame or self.hop), (self.reason if self.blame is None else None) or Reason.NOT_SEEN


def whole(confirm: Confirm | None = None, *between: Action) -> tuple[Step, ...]:
    """From the first page of the small portal to its confirmation."""
    return steps(OPEN, SUBJECT, DETAILS, *between, SEND, confirm or THANKED)


def from_form(confirm: Confirm | None = None, *between: Action) -> tuple[Step, ...]:
    """From its form, where that is the first page."""
    return steps(SUBJECT, DETAILS, *between, SEND, confirm or THANKED)


def limits(**seconds: float) -> Mapping[str, PortalLimits]:
    """Patient limits but for those that the fault is to run into."""
    return {"limits": replace(PATIENT, **{f"{name}_seconds": value for name, value in seconds.items()})}


def before(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """A fault of the target before anything left: breached at once."""
    return PortalFault(
        name=name, made=made, hop=hop, outcome=Outcome.FAILED, reason=reason, rules_out=True, **more
    )


def ours(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """What is no word about the target: inconclusive at once."""
    return before(name, made, hop, reason, **{"verdict": "inconclusive", "side": "prober", **more})


def answered(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """What the page said to the submit: without a ticket breached at the deadline, with one a flaw."""
    given = {"posts": 1, "flaws": (f"{hop} {reason}",), **more}
    return PortalFault(name=name, made=made, hop=hop, outcome=Outcome.FAILED, reason=reason, **given)


def lost(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """No answer to the submit: without a ticket breached at the deadline, with one as if nothing had been."""
    given = {"posts": 1, **more}
    return PortalFault(name=name, made=made, hop=hop, outcome=Outcome.UNKNOWN, reason=reason, **given)


def harmless(name: str, made: str, **more: Any) -> PortalFault:  # noqa: ANN401 -- the fields
    """An oddity with which the canary goes through; if no ticket comes, that alone is told."""
    given = {"posts": 1, "blame": Hop.TICKET_CREATED, **more}
    return PortalFault(
        name=name, made=made, hop=Hop.PORTAL_CONFIRMATION, outcome=Outcome.OK, reason=None, **given
    )
