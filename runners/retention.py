"""How long the store keeps what: raw observations for a while, canaries longer, the figures of days for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_CANARIES = timedelta(days=90)
"""A ticket that comes so late must still be known for ours: its canary's token is kept as long."""
LEAST_RECORDS = timedelta(days=90)
"""Incidents and the audit outlive the canaries that they tell of, or last as long."""
A_YEAR = timedelta(days=400)
"""A year, and the month in which it is looked back on."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How old things may become before they are dropped.

    Attributes:
        observations: of clean, settled canaries, with what their judgements say of each hop.
        canaries: clean and settled; and readings, slots, alerts that are done with and ended silences.
        incidents: that are over and of which everything was told, with what happened to them.
        audit: lines of what was closed or deleted.
    """

    observations: timedelta = timedelta(days=30)
    canaries: timedelta = LEAST_CANARIES
    incidents: timedelta = A_YEAR
    audit: timedelta = A_YEAR

    def __post_init__(self) -> None:
        """Hold observations to their canaries, and canaries to their tokens.

        Raises:
            ValueError: the ages contradict each other.
        """
        if self.canaries < LEAST_CANARIES:
            raise ValueError(f"canaries must be kept for at least {LEAST_CANARIES.days} days")
        if not timedelta(0) < self.observations <= self.canaries:
            raise ValueError("observations must be kept for some time, and no longer than their canaries")
        if min(self.incidents, self.audit) < LEAST_RECORDS:
            raise ValueError(f"incidents and audit must be kept for at least {LEAST_RECORDS.days} days")

    def observations_before(self, now: datetime) -> datetime:
        """Observations of canaries launched before this are dropped."""
        return now - self.observations

    def incidents_before(self, now: datetime) -> datetime:
        """Incidents that ended before this are dropped."""
        return now - self.incidents

    def audit_before(self, now: datetime) -> datetime:
        """Lines of the audit that were written before this are dropped."""
        return now - self.audit

    def canaries_before(self, now: datetime) -> datetime:
        """Canaries launched before this are dropped."""
        return now - self.canaries


KEPT = Retention()
"""Without a word in the configuration."""
