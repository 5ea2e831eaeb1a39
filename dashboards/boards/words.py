"""Words, colours and links that several dashboards show."""

from typing import Final

from canary.verdict import Verdict
from dashboards.asking import BLUE, GREEN, GREY, ORANGE, RED, YELLOW, Levels, Words

TO_RUNBOOK: Final = ("Runbook", "${runbooks}/${__value.raw}.md")
"""Of a reason."""
STATE: Final[Words] = {"0": ("DOWN", RED), "1": ("up", GREEN), "2": ("unknown", ORANGE)}
"""Of a path."""
YES: Final[Words] = {"0": ("no", GREY), "1": ("yes", BLUE)}
FINE: Final[Words] = {"0": ("NO", RED), "1": ("yes", GREEN)}
"""Where yes is good."""
BLIND: Final[Words] = {"0": ("sees", GREEN), "1": ("BLIND", RED)}
FAILURES: Final[Levels] = ((None, GREEN), (1, ORANGE), (2, RED))
SHARE_USED: Final[Levels] = ((None, GREEN), (0.8, ORANGE), (0.95, RED))
"""The usual `warn` and `page` of a mailbox."""
DAYS_LEFT: Final[Levels] = ((None, RED), (2, ORANGE), (14, GREEN))
BUDGET_LEFT: Final[Levels] = ((None, RED), (0, ORANGE), (0.25, GREEN))
BURN: Final[Levels] = ((None, GREEN), (1, ORANGE), (14.4, RED))
"""1 spends the budget in its 30 days, 14.4 a fiftieth of it in an hour."""
BEAT: Final[Levels] = ((None, GREEN), (300, ORANGE), (900, RED))
"""Seconds since a heartbeat; 900 is silence."""
WAITING: Final[Levels] = ((None, GREEN), (1, ORANGE), (5, RED))
ANY: Final[Levels] = ((None, GREEN), (1, RED))
VERDICTS: Final = {
    Verdict.CONFIRMED.value: GREEN,
    Verdict.BREACHED.value: RED,
    Verdict.LATE.value: ORANGE,
    Verdict.LOST.value: "dark-red",
    Verdict.INCONCLUSIVE.value: GREY,
}
"""Their colours; a canary that is late or lost was breached before."""
OUTCOMES: Final = {
    "ok": GREEN,
    "rate_limited": YELLOW,
    "unauthorised": ORANGE,
    "error": RED,
}
"""Of requests to a ticketing API."""
