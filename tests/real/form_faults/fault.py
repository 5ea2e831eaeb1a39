"""One fault of a form: how it is made, what its last hop reports, and the verdict that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from probes.form.settings import Confirmation
from tests.real.forms import PAGE, THANKS
from tests.real.scripted_http import Answering, Reply

NOTHING: Mapping[str, Any] = MappingProxyType({})
GET, POST, LANDING = "GET /form", "POST /contact", "GET /thanks"
TO_THANKS = Reply(302, headers={"Location": "/thanks"})
WHOLE: Mapping[str, Answering] = MappingProxyType(
    {GET: Reply(body=PAGE), POST: TO_THANKS, LANDING: Reply(body=THANKS)}
)
THANKED = Confirmation(text="Thank you")


class Where(StrEnum):
    """What stands at the address of the form, if it is not the scripted site."""

    SITE = "site"
    NO_NAME = "no name"
    SILENT_NAMES = "silent names"
    CLOSED = "closed"
    UNANSWERED = "unanswered"
    ACCEPTING_ONLY = "accepting only"
    PLAIN_BEHIND_TLS = "plain behind tls"
    EXPIRED = "expired"
    WRONG_NAME = "wrong name"
    UNKNOWN_AUTHORITY = "unknown authority"


@dataclass(frozen=True, slots=True)
class FormFault:
    """A fault, or a benign oddity.

    Attributes:
        name: short, unique; the test's name and the row of the page.
        made: how it was made, for the page.
        hop, outcome, reason: the launch's last observation.
        rules_out: whether it says that no ticket can come, so that the verdict is there at once.
        verdict: with the ticket as `ticket` says.
        side: whose fault; None where the canary is confirmed.
        answers: of the site, beside those of a whole one; None takes one away.
        changes: of the settings.
        ticket: whether the site made a ticket of it.
        flaws: ``hop reason`` of each flaw.
        posts: how often the form must have been posted.
        others_answer: whether another place outside answered lately.
    """

    name: str
    made: str
    hop: Hop
    outcome: Outcome
    reason: Reason | None
    rules_out: bool
    verdict: str
    side: str | None
    answers: Mapping[str, Answering] = field(default_factory=lambda: NOTHING)
    changes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    where: Where = Where.SITE
    ticket: bool = False
    flaws: tuple[str, ...] = ()
    posts: int = 0
    others_answer: bool = False


def before(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> FormFault:  # noqa: ANN401 -- the fields
    """A fault of the target before anything left: breached at once."""
    given = {"verdict": "breached", "side": "target", **more}
    return FormFault(name, made, hop, Outcome.FAILED, reason, rules_out=True, **given)


def ours(name: str, made: str, hop: Hop, reason: Reason, **more: Any) -> FormFault:  # noqa: ANN401 -- the fields
    """What is no word about the target: inconclusive at once."""
    given = {"verdict": "inconclusive", "side": "prober", **more}
    return FormFault(name, made, hop, Outcome.FAILED, reason, rules_out=True, **given)


def after(name: str, made: str, hop: Hop, outcome: Outcome, reason: Reason, **more: Any) -> FormFault:  # noqa: ANN401 -- the fields
    """A fault once the post had left, and no ticket came: breached by the look at the deadline."""
    given = {"verdict": "breached", "side": "target", "posts": 1, **more}
    return FormFault(name, made, hop, outcome, reason, rules_out=False, **given)


def came(fault: FormFault, *, flawed: bool) -> FormFault:
    """The same fault, where a ticket came all the same."""
    flaws = (f"{fault.hop} {fault.reason}",) if flawed else ()
    return FormFault(
        name=f"{fault.name}, but the ticket came",
        made=fault.made,
        hop=fault.hop,
        outcome=fault.outcome,
        reason=fault.reason,
        rules_out=False,
        verdict="confirmed",
        side=None,
        answers=fault.answers,
        changes=fault.changes,
        ticket=True,
        flaws=flaws,
        posts=1,
    )


def harmless(name: str, made: str, answers: Mapping[str, Answering], **changes: Any) -> FormFault:  # noqa: ANN401 -- the settings
    """An oddity with which the canary is confirmed, without a flaw."""
    return FormFault(
        name,
        made,
        Hop.FORM_CONFIRMATION,
        Outcome.OK,
        None,
        rules_out=False,
        verdict="confirmed",
        side=None,
        answers=answers,
        changes=changes,
        ticket=True,
        posts=1,
    )
