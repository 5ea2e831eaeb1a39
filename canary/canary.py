"""A canary: one synthetic request sent down one path."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from canary.hop import Channel, Hop
from canary.path import Path, PathName
from canary.signature import CanaryId, launched_at_of
from canary.trace import TraceId, span_id, trace_id

Token = NewType("Token", str)


@dataclass(frozen=True, slots=True)
class Canary:
    """One synthetic request, as recorded before its first byte leaves.

    Attributes:
        token: the signed word by which its mails and tickets are recognised.
        marker: the word that begins the subject of all canaries.
        sender: the address of the customer whom we play, lower case.
        launched_at, deadline_at, horizon_at: aware UTC, by our clock.
        trace_id: of its one trace; the spans' ids derive from the canary's id.
        slot_at: the scheduled slot that it was launched for, or None.
        prober: which prober launched it.
    """

    id: CanaryId
    path: PathName
    channel: Channel
    token: Token
    marker: str
    sender: str
    launched_at: datetime
    deadline_at: datetime
    horizon_at: datetime
    trace_id: TraceId
    prober: str
    slot_at: datetime | None = None
    by_hand: bool = False

    @property
    def message_id(self) -> str:
        """The Message-ID that its mail bears (RFC 5322 section 3.6.4), with the angle brackets."""
        return f"<{self.token}@{self.sender.rpartition('@')[2]}>"

    @property
    def subject_prefix(self) -> str:
        """What the subject begins with, whatever follows."""
        return f"{self.marker} {self.token}"

    def traceparent(self, hop: Hop) -> str:
        """The W3C trace context that the given hop carries, sampled (flags 01)."""
        return f"00-{self.trace_id}-{span_id(self.id, hop)}-01"


def new_canary(
    path: Path,
    *,
    canary_id: CanaryId,
    token: Token,
    marker: str,
    sender: str,
    prober: str,
    slot_at: datetime | None = None,
    by_hand: bool = False,
) -> Canary:
    """Make the canary of an id that was just minted; its times follow from the id and the path's SLO."""
    launched_at = launched_at_of(canary_id)
    return Canary(
        id=canary_id,
        path=path.name,
        channel=path.channel,
        token=token,
        marker=marker,
        sender=sender.lower(),
        launched_at=launched_at,
        deadline_at=launched_at + timedelta(seconds=path.slo.deadline_seconds),
        horizon_at=launched_at + timedelta(seconds=path.slo.horizon_seconds),
        trace_id=trace_id(canary_id),
        prober=prober,
        slot_at=slot_at,
        by_hand=by_hand,
    )
