"""Times, durations, gauges and verdicts in words, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from canary.gauge import Gauge
from canary.gauge_words import called
from canary.quantity import amount, duration, whole_percent
from canary.verdict import Verdict
from runners.contracts import Leftover

_MOST_TOLD = 3
_MARKS = {
    Verdict.CONFIRMED: "+",
    Verdict.BREACHED: "!",
    Verdict.LATE: "~",
    Verdict.LOST: "x",
    Verdict.INCONCLUSIVE: "?",
    Verdict.PENDING: ".",
}


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago something was."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 1 else "just now"


def canaries(count: int) -> str:
    """So many canaries."""
    return "1 canary" if count == 1 else f"{count} canaries"


def leftovers_wait(count: int) -> str:
    """That so many leftovers wait."""
    return "1 leftover waits" if count == 1 else f"{count} leftovers wait"


def left_behind(leftovers: Sequence[Leftover]) -> str:
    """What of ours a run has left, for the last line of it: that it is told, and by which command more of it."""
    first = [
        f"{one.place}: {one.kind} {one.what or 'of ' + one.canary_id} ({one.detail or 'not removed yet'})"
        for one in leftovers[:_MOST_TOLD]
    ]
    more = f", and {len(leftovers) - _MOST_TOLD} more" if len(leftovers) > _MOST_TOLD else ""
    return (
        f"{leftovers_wait(len(leftovers))} to be removed: {'; '.join(first)}{more}. The exit status speaks of verdicts alone;"
        " `intake-prober audit` lists them, the next run or `intake-prober sweep` tries again"
    )


def clock(at: datetime | None) -> str:
    """A time in UTC to the second; a dash for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at is not None else "-"


def verdict_marks(verdicts: Sequence[Verdict]) -> str:
    """The last verdicts, oldest first, one mark each: + confirmed, ! breached, ~ late, x lost, ? inconclusive."""
    return "".join(_MARKS[one] for one in reversed(verdicts))


def gauge_words(gauge: Gauge) -> str:
    """A reading in one line."""
    if gauge.value is None:
        return f"{gauge.place}: {called(gauge)} is unknown" + (f" ({gauge.detail})" if gauge.detail else "")
    if gauge.unit == "1" and gauge.detail:
        return f"{gauge.place}: {called(gauge)} {gauge.state}: {gauge.detail}"  # yes or no, and the words say which
    reading = amount(gauge.value, gauge.unit)
    share = (
        f" of {amount(gauge.limit, gauge.unit)} ({whole_percent(gauge.share)})"
        if gauge.limit and gauge.share is not None
        else ""
    )
    detail = f", {gauge.detail}" if gauge.detail else ""
    return f"{gauge.place}: {called(gauge)} {gauge.state}: {reading}{share}{detail}"
