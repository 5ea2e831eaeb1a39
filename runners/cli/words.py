"""Times, durations, gauges and verdicts in words, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from canary.gauge import Gauge
from canary.verdict import Verdict

_MARKS = {
    Verdict.CONFIRMED: "+",
    Verdict.BREACHED: "!",
    Verdict.LATE: "~",
    Verdict.LOST: "x",
    Verdict.INCONCLUSIVE: "?",
    Verdict.PENDING: ".",
}
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def duration(seconds: float | None) -> str:
    """A duration in at most two units; a dash for none."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004 -- seconds of a minute
        return f"{seconds:.1f} s"
    left = int(seconds)
    parts = []
    for unit, length in _UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago something was."""
    if at is None:
        return "never"
    seconds = (now - at).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 1 else "just now"


def canaries(count: int) -> str:
    """So many canaries."""
    return "1 canary" if count == 1 else f"{count} canaries"


def clock(at: datetime | None) -> str:
    """A time in UTC to the second; a dash for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at is not None else "-"


def verdict_marks(verdicts: Sequence[Verdict]) -> str:
    """The last verdicts, oldest first, one mark each: + confirmed, ! breached, ~ late, x lost, ? inconclusive."""
    return "".join(_MARKS[one] for one in reversed(verdicts))


def amount(value: float, unit: str) -> str:
    """A value with its unit (UCUM), bytes in the largest that fits."""
    match unit:
        case "By":
            size = value
            for name in ("B", "KiB", "MiB", "GiB"):
                if abs(size) < 1024:  # noqa: PLR2004 -- one unit of the next
                    return f"{size:.0f} {name}" if name == "B" else f"{size:.1f} {name}"
                size /= 1024
            return f"{size:.1f} TiB"
        case "s":
            return duration(value) if value >= 0 else f"-{duration(-value)}"
        case _:
            things = unit.strip("{}") + ("" if value == 1 else "s")
            return f"{value:g} {things}" if unit != "1" else f"{value:g}"


def gauge_words(gauge: Gauge) -> str:
    """A reading in one line."""
    if gauge.value is None:
        return f"{gauge.place}: {gauge.name} is unknown" + (f" ({gauge.detail})" if gauge.detail else "")
    if gauge.unit == "1" and gauge.detail:
        return (
            f"{gauge.place}: {gauge.name} {gauge.state}: {gauge.detail}"  # yes or no, and the words say which
        )
    reading = amount(gauge.value, gauge.unit)
    share = (
        f" of {amount(gauge.limit, gauge.unit)} ({100 * gauge.share:.0f}%)"
        if gauge.limit and gauge.share is not None
        else ""
    )
    detail = f", {gauge.detail}" if gauge.detail else ""
    return f"{gauge.place}: {gauge.name} {gauge.state}: {reading}{share}{detail}"
