"""The shape of every `--json` answer but those that tell a whole story (`runners.story_shapes`).

Times are RFC 3339 in UTC with microseconds, durations are seconds as numbers, what isn't there is null.
"""

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from runners.portal_shapes import ImportAnswer, TryAnswer

Side = Literal["target", "prober"]


class FlawAnswer(TypedDict):
    """A hop that went wrong although the intact ticket came in time."""

    hop: str
    reason: str


class TicketAnswer(TypedDict):
    """What a ticket is called."""

    system: str
    id: str
    url: str | None


class HopAnswer(TypedDict):
    """What one hop came to."""

    name: str
    outcome: Literal["ok", "failed", "skipped", "unknown"]
    evidence: Literal["observed", "reported", "inferred"] | None
    began_at: str | None
    ended_at: str | None
    seconds: float | None
    reason: str | None
    detail: str | None


class CanaryAnswer(TypedDict):
    """One canary. ``seconds`` is from launch to the good ``ticket.content``; ``ticket`` is the first one."""

    id: str
    path: str
    channel: str
    verdict: str
    blame: str | None
    reason: str | None
    side: Side | None
    slow: list[str]
    flaws: list[FlawAnswer]
    launched_at: str
    settled_at: str | None
    seconds: float | None
    deadline_seconds: float
    ticket: TicketAnswer | None
    trace_id: str
    hops: list[HopAnswer]


class GaugeAnswer(TypedDict):
    """One reading of a place; of a mailbox's capacity one a resource."""

    place: str
    name: str
    value: float | None
    unit: str
    limit: float | None
    state: Literal["ok", "warn", "page", "unknown"]
    detail: str


class RunAnswer(TypedDict):
    """`run` and `sweep`: canaries that were launched or changed verdict in this process, and the readings taken.

    ``leftovers``: what of ours is still to be removed, of whatever run. It changes no exit status. ``removed``: what
    this process removed, as `audit` has it; ``waiting``: canaries that are not at their end; ``kept``: tickets that
    stay until then.
    """

    canaries: list[CanaryAnswer]
    gauges: list[GaugeAnswer]
    leftovers: list["LeftoverAnswer"]
    removed: list["AuditLineAnswer"]
    waiting: list["WaitingAnswer"]
    kept: list["KeptAnswer"]
    exit: int


class ErrorAnswer(TypedDict):
    """One mistake in the configuration or the command line; without a place, file, line and column are null."""

    file: str | None
    line: int | None
    column: int | None
    key: str
    message: str
    remedy: str


class ErrorsAnswer(TypedDict):
    """Any command that could not do its work."""

    errors: list[ErrorAnswer]
    exit: int


class CheckAnswer(TypedDict):
    """One check: a place, what of it was tried, and what was found."""

    place: str
    name: str
    state: Literal["ok", "warn", "fail"]
    finding: str
    remedy: str
    seconds: float | None


class ChecksAnswer(TypedDict):
    """`check`."""

    checks: list[CheckAnswer]
    exit: int


class BacklogAnswer(TypedDict):
    """What of an incident's canaries is still missing, what came late, and when the last is expected."""

    missing: int
    late: int
    rate_per_minute: float | None
    ends_at: str | None
    state: Literal["none", "waiting", "draining", "drained"]


class BisectedAnswer(TypedDict):
    """What the canary came to that was sent past the mail platform: ``confirmed`` or ``breached``."""

    canary: str
    verdict: str


class IncidentAnswer(TypedDict):
    """A run of breached (kind target) or inconclusive (kind blind) canaries of one path.

    ``blame`` and ``reason`` are as at opening; ``sharper`` is what was learnt later, ``bisected`` what its bisect canary
    came to: confirmed, and it is the mail platform or its forwarding; breached, and it is the vendor, or the vendor too where the mail
    was seen not to arrive. ``backlog`` is told by `incidents`
    while it is open and for a day after, ``tickets_at_risk`` where it is known: how many real tickets would usually
    have come in its impact window.
    """

    id: str
    path: str
    kind: Literal["target", "blind"]
    state: Literal["open", "resolved", "retired"]
    first_canary: str
    blame: str
    reason: str
    side: str
    sharper: FlawAnswer | None
    onset_at: str
    opened_at: str
    detection_seconds: float
    bisected: BisectedAnswer | None
    impact_from: str | None
    impact_until: str | None
    resolved_at: str | None
    failures: int
    backlog: BacklogAnswer | None
    tickets_at_risk: float | None


class PathAnswer(TypedDict):
    """A path at a glance; ``quarantine``: that its tickets were first seen without the mark, and what that stops."""

    path: str
    channel: str
    enabled: bool
    state: Literal["unknown", "broken", "stale", "blind", "degraded", "ok"]
    silenced: bool
    why: str
    quarantine: str | None
    proof: Literal["api", "reply"]
    last_launch_at: str | None
    last_verdict_at: str | None
    last_success_at: str | None
    verdicts: list[str]
    incident: IncidentAnswer | None


class UndeliveredAnswer(TypedDict):
    """What a sink did not take: what waits for it, what it never will take, what it took and not for everybody."""

    sink: str
    pending: int
    oldest_at: str | None
    dead: int
    partial: int
    last_error: str | None


class StatusAnswer(TypedDict):
    """`status`; ``undelivered`` is what sinks did not take, as far as it is more than on its way."""

    paths: list[PathAnswer]
    gauges: list[GaugeAnswer]
    leftovers: int
    undelivered: list[UndeliveredAnswer]
    exit: int


class CanariesAnswer(TypedDict):
    """`canaries`, newest first. Where there are more, ``next`` is the id with which ``before`` goes on, else null."""

    canaries: list[CanaryAnswer]
    next: str | None
    exit: int


class RelayAnswer(TypedDict):
    """One relay that the mail passed, by the relays' own clocks; ``received``: its field, where it was kept."""

    by_host: str
    from_host: str | None
    protocol: str | None
    at: str | None
    delay_seconds: float | None
    clock_suspect: bool
    received: str | None


class ObservationAnswer(TypedDict):
    """One fact that was seen of the canary."""

    hop: str
    outcome: str
    evidence: str
    began_at: str
    ended_at: str
    seconds: float | None
    reason: str | None
    place: str
    attempt: int
    detail: str
    observer: str
    remote_at: str | None
    facts: dict[str, str | int | float | bool]
    relays: list[RelayAnswer]


class TraceAnswer(TypedDict):
    """`trace`: one canary and all that was seen of it; ``dropped``: for its age, observations and hops are gone.

    ``kept``: its ticket, where it stays until the canary's end.
    """

    canary: CanaryAnswer
    kept: "KeptAnswer | None"
    observations: list[ObservationAnswer]
    dropped: bool
    runbook: str | None
    exit: int


class IncidentsAnswer(TypedDict):
    """`incidents`, newest first."""

    incidents: list[IncidentAnswer]
    exit: int


class AuditLineAnswer(TypedDict):
    """Something of ours that was removed, or could not be."""

    at: str
    prober: str
    canary: str
    kind: str
    place: str
    what: str
    action: str
    outcome: str
    detail: str


class LeftoverAnswer(TypedDict):
    """Something of ours that is still to be removed."""

    canary: str
    path: str
    kind: str
    place: str
    what: str
    attempts: int
    since: str
    next_at: str
    detail: str


class KeptAnswer(TypedDict):
    """A ticket of ours that stays until its canary is at its end: late or lost."""

    canary: str
    path: str
    verdict: str
    place: str
    what: str
    until: str


class WaitingAnswer(TypedDict):
    """A canary that is out, or is looked for until its end; ``until``: its deadline while it is pending, else its horizon."""

    canary: str
    path: str
    verdict: str
    until: str


class AuditAnswer(TypedDict):
    """`audit`, newest first, what is still to be removed, and what is kept until its canary's end."""

    audit: list[AuditLineAnswer]
    leftovers: list[LeftoverAnswer]
    kept: list[KeptAnswer]
    exit: int


class SilenceAnswer(TypedDict):
    """A time in which alerts are held back."""

    id: str
    about: str
    begins_at: str
    ends_at: str
    why: str
    who: str


class SilencesAnswer(TypedDict):
    """`silence`: those in force or to come; after making one, that one."""

    silences: list[SilenceAnswer]
    exit: int


class RenderAnswer(TypedDict):
    """`render`: the files that were written, and the text that has no file."""

    written: list[str]
    text: str | None
    exit: int


ANSWERS: Mapping[str, type] = {
    "audit": AuditAnswer,
    "canaries": CanariesAnswer,
    "check": ChecksAnswer,
    "errors": ErrorsAnswer,
    "incidents": IncidentsAnswer,
    "portal import": ImportAnswer,
    "portal try": TryAnswer,
    "render": RenderAnswer,
    "run": RunAnswer,
    "silence": SilencesAnswer,
    "status": StatusAnswer,
    "sweep": RunAnswer,
    "trace": TraceAnswer,
}
"""The answer of each command, by its name; ``errors`` is what any of them prints instead. All: `answer_schemas`."""
