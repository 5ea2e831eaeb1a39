"""Ticketing systems that are left alone for as long as they ask for, by every process on one store."""

from urllib.parse import urlsplit

from probes.contracts import Clock, Triable
from probes.ticketing.quiet import Quiet
from runners.config.config import TicketingConfig
from runners.counted_calls import Kept


def quiet(system: Triable, one: TicketingConfig, kept: Kept, clock: Clock) -> Triable:
    """The system, unless it wants to be left alone: whose wish counts for all systems of its account."""
    if one.generic is not None:
        account = one.generic.settings.calls.budget.account
    else:
        account = urlsplit(one.url).netloc.rpartition("@")[2].lower()
    return Quiet(system, kept.shared, account=account, clock=clock)
