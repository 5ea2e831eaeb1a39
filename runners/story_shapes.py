"""The shapes of the `--json` answers that tell a whole story: one incident, its escalation, a shift's hand-over.

Times are RFC 3339 in UTC with microseconds, durations are seconds as numbers, what isn't there is null.
"""

from typing import Literal

from typing_extensions import TypedDict

from runners.answer_shapes import CanaryAnswer, GaugeAnswer, IncidentAnswer, TicketAnswer, UndeliveredAnswer


class MomentAnswer(TypedDict):
    """Something that happened, and when."""

    at: str
    what: str


class WholeIncidentAnswer(TypedDict):
    """`incidents ID`.

    ``party`` is whose it is; null where the path is no longer configured. ``paths`` are those with the same cause, its
    own among them. ``failed`` is how many canaries failed, ``canaries`` some of them, oldest first.
    """

    incident: IncidentAnswer
    party: str | None
    paths: list[str]
    only_sender: str | None
    failed_senders: list[str]
    working_senders: list[str]
    timeline: list[MomentAnswer]
    failed: int
    canaries: list[CanaryAnswer]
    remedy: str
    runbook: str | None
    exit: int


class TimesAnswer(TypedDict):
    """When it began, was known, and ended; whoever wrote from ``impact_from`` to ``impact_until`` may be affected."""

    onset_at: str
    detected_at: str
    last_proof_before: str | None
    impact_from: str | None
    impact_until: str | None
    resolved_at: str | None
    written_at: str


class ExchangeAnswer(TypedDict):
    """One exchange of a canary with the other side, as we saw it.

    ``facts`` are attributes by their names in the catalogue: addresses, status, codes, queue ids.
    """

    hop: str
    outcome: Literal["ok", "failed", "skipped", "unknown"]
    attempt: int
    place: str
    began_at: str
    ended_at: str
    reason: str | None
    detail: str
    facts: dict[str, str | int | float | bool]


class PassedRelayAnswer(TypedDict):
    """A relay that the mail passed, from one ``Received`` field, by the relays' own clocks.

    ``received`` is that field as it stood in the mail, where it was kept.
    """

    by_host: str
    from_host: str | None
    protocol: str | None
    queue_id: str | None
    at: str | None
    delay_seconds: float | None
    clock_suspect: bool
    received: str | None


class EvidenceAnswer(TypedDict):
    """What of one failed canary is told to whoever runs the other side.

    ``message_id`` and ``subject`` are cut before the token's signature (at the ``…``): enough to search by.
    """

    id: str
    verdict: str
    launched_at: str
    deadline_at: str
    blame: str | None
    reason: str | None
    message_id: str | None
    subject: str
    sender: str
    recipient_domain: str | None
    queue_id: str | None
    reply: str | None
    exchanges: list[ExchangeAnswer]
    relays: list[PassedRelayAnswer]
    ticket: TicketAnswer | None
    ticket_seen_at: str | None
    dropped: bool


class PastMailPlatformAnswer(TypedDict):
    """The one canary that was sent past the mail platform, as the incident opened.

    ``verdict`` is ``pending`` while it is on its way; ``canary`` is null where it is no longer kept.
    """

    verdict: str
    says: str
    canary: EvidenceAnswer | None


class EscalationAnswer(TypedDict):
    """`incidents ID --escalation`: what a vendor needs, and nothing secret.

    ``canaries`` are the first and the last of the ``failed`` ones, oldest first.
    """

    prober: str
    contact: str | None
    incident: str
    path: str
    channel: str | None
    party: str
    blame: str
    reason: str
    summary: str
    times: TimesAnswer
    failed: int
    canaries: list[EvidenceAnswer]
    bisect: PastMailPlatformAnswer | None
    tried: list[str]
    asked: list[str]
    exit: int


class MissedAnswer(TypedDict):
    """Slots of which no canary was launched, by cause."""

    cause: str
    slots: int


class ShiftPathAnswer(TypedDict):
    """A path in the time of a shift.

    ``coverage_share`` is the share of what was to be launched that was; null where nothing was to be.
    """

    path: str
    state: Literal["unknown", "broken", "stale", "blind", "degraded", "ok"]
    silenced: bool
    enabled: bool
    why: str
    last_success_at: str | None
    verdicts: dict[str, int]
    launched: int
    missed: list[MissedAnswer]
    coverage_share: float | None


class ShiftIncidentAnswer(TypedDict):
    """An incident that was open in the time of a shift, and whose it is."""

    incident: IncidentAnswer
    party: str | None


class SilenceAnswer(TypedDict):
    """A time in which nothing is told of a path or a place."""

    about: str
    begins_at: str
    ends_at: str
    in_force: bool
    why: str
    who: str


class LeftBehindAnswer(TypedDict):
    """What of a path waits for its removal."""

    path: str
    things: int
    oldest_since: str


class HandoverAnswer(TypedDict):
    """`status --since`: the hand-over of a shift. ``needs`` is what is open now and needs somebody.

    ``silences`` are those in force, those to come, and the maintenance windows that begin before ``silences_until``
    (``who`` is ``configuration``): as long after now as the shift lasted, at least 12 hours, at most 7 days.
    """

    since: str
    until: str
    prober: str
    needs: list[str]
    paths: list[ShiftPathAnswer]
    incidents: list[ShiftIncidentAnswer]
    gauges: list[GaugeAnswer]
    silences: list[SilenceAnswer]
    silences_until: str
    leftovers: list[LeftBehindAnswer]
    undelivered: list[UndeliveredAnswer]
    exit: int
