"""The domain of intake-prober: canaries, hops, verdicts, blame and incidents. Pure; imports nothing of the project."""

from canary.canary import Canary, new_canary
from canary.hop import Channel, Hop, route
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import CAUSES, Reason, Side
from canary.ticket import Ticket, TicketRef
from canary.verdict import Judgement, Verdict, advance, judge

__all__ = [
    "CAUSES",
    "Canary",
    "Channel",
    "Evidence",
    "Hop",
    "Judgement",
    "Observation",
    "Outcome",
    "Path",
    "PathName",
    "Reason",
    "Side",
    "Slo",
    "Ticket",
    "TicketRef",
    "Verdict",
    "advance",
    "judge",
    "new_canary",
    "route",
]
