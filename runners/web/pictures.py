"""The page's pictures, as SVG: pure functions of what the store knows, without styles or scripts of their own.

Nothing is told by colour alone: each picture has a description, and what failed has a shape of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from canary.blame import HopResult
from canary.forecast import Forecast
from canary.observation import Outcome
from canary.quantity import duration
from canary.verdict import Verdict
from runners.history import Day, Point
from runners.web.drawing import line, number, path, picture, rect

STRIP_DAYS: Final = 90
_SPARK: Final = (200.0, 40.0)
_HEADROOM: Final = 1.15
_LOW: Final = 0.25
_RARE: Final = 0.6
"""The deadline is drawn into a sparkline only where the canaries come this near to it; else they'd be a flat line."""


def sparkline(key: str, points: Sequence[Point], *, deadline_seconds: float, name: str) -> str:
    """End-to-end seconds of the newest canaries, the oldest left; what failed is a full-height bar with a cap."""
    ordered = sorted(points, key=lambda one: (one.launched_at, one.canary_id))
    width, height = _SPARK
    timed = _timed(ordered)
    largest = max(timed, default=0.0)
    shows_deadline = largest > _RARE * deadline_seconds
    top = max(largest, deadline_seconds if shows_deadline else 0.0, 1e-3) * _HEADROOM
    step = width / max(1, len(ordered))
    parts, run = [], list[tuple[float, float]]()
    if shows_deadline:
        y = height - height * deadline_seconds / top
        parts.append(line(0, y, width, y, "deadline"))
    for index, one in enumerate(ordered):
        x = (index + 0.5) * step
        if one.verdict is Verdict.CONFIRMED and one.seconds is not None:
            run.append((x, round(height - height * max(0.0, one.seconds) / top, 1)))
            continue
        parts += [path(run, "curve"), *_trouble(one.verdict, x, height, min(step, 5.0))]
        run = []
    parts.append(path(run, "curve"))
    if run:
        parts.append(f'<circle class="dot" cx="{number(run[-1][0])}" cy="{number(run[-1][1])}" r="2.5"/>')
    return picture(
        key,
        _SPARK,
        (f"{name}: seconds from launch to ticket", spark_words(ordered)),
        parts,
        "spark",
    )


def spark_note(points: Sequence[Point]) -> str:
    """The scale of a sparkline: its middle and its most; empty where nothing was confirmed."""
    timed = sorted(_timed(points))
    return f"median {duration(timed[len(timed) // 2])}, longest {duration(timed[-1])}" if timed else ""


def _timed(points: Sequence[Point]) -> list[float]:
    return [one.seconds for one in points if one.seconds is not None and one.verdict is Verdict.CONFIRMED]


def _trouble(verdict: Verdict, x: float, height: float, wide: float) -> list[str]:
    """What is drawn of a canary that was not confirmed."""
    if verdict is Verdict.PENDING:
        return [rect(x - wide / 4, height - 4, wide / 2, 4, "fill faint")]
    if verdict is Verdict.INCONCLUSIVE:
        return [rect(x - wide / 4, height * 0.55, wide / 2, height * 0.45, "fill blind")]
    kind = "fill warn" if verdict is Verdict.LATE else "fill bad"
    return [rect(x - wide / 4, 0, wide / 2, height, kind), rect(x - wide * 0.4, 0, wide * 0.8, 4, kind)]


def spark_words(ordered: Sequence[Point]) -> str:
    """What a sparkline says."""
    timed = _timed(ordered)
    if not ordered:
        return "No canary was launched yet."
    failed = sum(1 for one in ordered if one.verdict.is_breach)
    blind = sum(1 for one in ordered if one.verdict is Verdict.INCONCLUSIVE)
    said = [f"The last {len(ordered)} canaries"]
    if timed:
        middle = sorted(timed)[len(timed) // 2]
        said.append(
            f"{len(timed)} confirmed, in the middle after {duration(middle)}, at most {duration(max(timed))}"
        )
    said += [f"{failed} breached"] if failed else []
    said += [f"{blind} inconclusive"] if blind else []
    return f"{said[0]}: {'; '.join(said[1:]) or 'none has a verdict yet'}."


def waterfall(key: str, hops: Sequence[HopResult], launched_at: datetime, *, name: str) -> str:
    """A canary's hops below each other, from its launch to its end."""
    end = end_of(hops, launched_at)
    height = 6.0
    parts = []
    for index, hop in enumerate(hops):
        y = index * height
        parts.append(rect(0, y + 1, 200, height - 2, "rail"))
        if (place := shares(hop, launched_at, end)) is not None:
            begin, length = place
            parts.append(rect(200 * begin, y + 1, max(2.0, 200 * length), height - 2, _hop_kind(hop)))
    trouble = [
        f"{one.hop} {one.outcome}" + (f", {one.reason}" if one.reason is not None else "")
        for one in hops
        if one.outcome in {Outcome.FAILED, Outcome.UNKNOWN}
    ]
    about = "; ".join(trouble) or f"{sum(1 for one in hops if one.outcome is Outcome.OK)} hops, all ok"
    return picture(key, (200, max(height, len(hops) * height)), (name, f"{about}."), parts, "fall")


def bar(hop: HopResult, launched_at: datetime, end: datetime) -> str:
    """One hop between launch and end; beside its words, so it says nothing by itself."""
    place = shares(hop, launched_at, end)
    inner = rect(0, 3, 200, 6, "rail")
    if place is not None:
        inner += rect(200 * place[0], 1, max(2.0, 200 * place[1]), 10, _hop_kind(hop))
    return (
        '<svg class="picture bar" viewBox="0 0 200 12" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false">{inner}</svg>'
    )


def left(share: float | None) -> str:
    """How much of an error budget is left, beside its figure; what is overspent fills it with stripes of its own."""
    if share is None:
        return ""
    tone = "bad" if share <= 0 else "warn" if share < _LOW else "ok"
    filled = 200 * min(1.0, max(0.0, share))
    inner = rect(0, 0, 200, 10, "rail") + rect(0, 0, filled, 10, f"fill {tone}")
    if share < 0:
        inner += "".join(rect(x, 0, 6, 10, "fill bad") for x in range(0, 200, 12))
    return (
        '<svg class="picture left" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true"'
        f' focusable="false">{inner}</svg>'
    )


def end_of(hops: Sequence[HopResult], launched_at: datetime) -> datetime:
    """The right end of a canary's bars."""
    ends = [one.ended_at for one in hops if one.ended_at is not None]
    return max([*ends, launched_at + timedelta(milliseconds=1)])


def shares(hop: HopResult, launched_at: datetime, end: datetime) -> tuple[float, float] | None:
    """Where a hop begins between launch and end, and how long it is, 0 to 1; None where it has no time of its own."""
    whole = (end - launched_at).total_seconds()
    if hop.began_at is None or hop.ended_at is None or whole <= 0:
        return None
    begin = min(1.0, max(0.0, (hop.began_at - launched_at).total_seconds() / whole))
    until = min(1.0, max(begin, (hop.ended_at - launched_at).total_seconds() / whole))
    return begin, until - begin


def _hop_kind(hop: HopResult) -> str:
    tones = {Outcome.OK: "ok", Outcome.FAILED: "bad", Outcome.UNKNOWN: "blind", Outcome.SKIPPED: "faint"}
    return f"fill {tones[hop.outcome]}"


def strip(key: str, days: Sequence[Day], *, today: datetime, name: str) -> str:
    """Ninety days: whole where all was confirmed, notched by the share that breached, empty where nobody probed."""
    by_date = {one.day.date(): one for one in days}
    parts = []
    for index in range(STRIP_DAYS):
        date = (today - timedelta(days=STRIP_DAYS - 1 - index)).date()
        x = index * 10.0
        day = by_date.get(date)
        if day is None or not any(day.verdicts.values()):
            parts.append(rect(x + 1, 34, 8, 5, "rail", tip=f"{date}: not probed"))
            continue
        good = day.verdicts.get(Verdict.CONFIRMED, 0)
        failed = day.verdicts.get(Verdict.BREACHED, 0)
        unseen = day.verdicts.get(Verdict.INCONCLUSIVE, 0)
        tip = f"{date}: {good} confirmed, {failed} breached, {unseen} inconclusive"
        parts += _day(x, good, failed, unseen, tip)
    about = strip_words(days, today=today)
    return picture(
        key, (STRIP_DAYS * 10.0, 40), (f"{name}: the last {STRIP_DAYS} days", about), parts, "strip"
    )


def strip_words(days: Sequence[Day], *, today: datetime) -> str:
    """What the strip of days says."""
    first = (today - timedelta(days=STRIP_DAYS - 1)).date()
    shown = [one.verdicts for one in days if one.day.date() >= first and any(one.verdicts.values())]
    bad = [one for one in shown if one.get(Verdict.BREACHED)]
    blind = [one for one in shown if one.get(Verdict.INCONCLUSIVE) and not one.get(Verdict.BREACHED)]
    if not shown:
        return f"None of {STRIP_DAYS} days was probed."
    return (
        f"{len(shown)} of {STRIP_DAYS} days probed, from {first} to today; {len(bad)} with a breach,"
        f" {len(blind)} more with an inconclusive canary."
    )


def _day(x: float, good: int, failed: int, unseen: int, tip: str) -> list[str]:
    """A day's column: what failed hangs from above, at least so much that it is seen."""
    total = good + failed + unseen
    cut = max(8.0, 40.0 * failed / total) if failed else 0.0
    grey = max(5.0, (40.0 - cut) * unseen / total) if unseen else 0.0
    parts = [rect(x + 1, cut + grey + (1 if cut or grey else 4), 8, 40 - cut - grey, "fill ok", tip=tip)]
    if failed:
        parts.append(rect(x + 1, 0, 8, cut, "fill bad", tip=tip))
    if unseen:
        parts.append(rect(x + 1, cut, 8, grey, "fill blind", tip=tip))
    return parts


def gauge(
    key: str,
    readings: Sequence[tuple[datetime, float]],
    *,
    limit: float,
    now: datetime,
    trend: Forecast | None,
    name: str,
) -> str:
    """Readings of a mailbox as a share of its limit, and where the trend leads them within a day."""
    width, height = 240.0, 60.0
    begin = min([at for at, _ in readings] + [now - timedelta(hours=24)])
    ahead = now + timedelta(hours=24)
    whole = max(1.0, (ahead - begin).total_seconds())
    scale = limit if limit > 0 else 1.0

    def place(at: datetime, value: float) -> tuple[float, float]:
        x = width * (at - begin).total_seconds() / whole
        return x, height - (height - 4) * min(1.1, max(0.0, value / scale))

    drawn = thinned([place(at, value) for at, value in sorted(readings)])
    parts = [line(0, 4, width, 4, "deadline")]
    x = place(now, 0)[0]
    parts += [line(x, 0, x, height, "axis"), path(drawn, "curve")]
    said = "no trend is known"
    if readings and trend is not None:
        last_at, last = max(readings)
        meets = min(ahead, trend.full_at) if trend.full_at is not None else ahead
        after = last + trend.growth_per_second * max(0.0, (meets - last_at).total_seconds())
        parts.append(path([place(last_at, last), place(meets, after)], "forecast"))
        said = (
            "it does not fill at this rate"
            if trend.full_at is None
            else "it is full"
            if last >= limit
            else (f"full in {duration(max(0.0, (trend.full_at - now).total_seconds()))} at this rate")
        )
    used = f"{100 * max(readings)[1] / scale:.0f} % used; " if readings else "not read yet; "
    return picture(
        key, (width, height), (f"{name}: a day back and a day ahead", f"{used}{said}."), parts, "trend"
    )


def thinned(points: Sequence[tuple[float, float]], most: int = 120) -> list[tuple[float, float]]:
    """No more points than a picture can show, the first and last among them."""
    if len(points) <= most:
        return list(points)
    step = (len(points) - 1) / (most - 1)
    return [points[round(index * step)] for index in range(most)]


def impact(
    key: str,
    points: Sequence[Point],
    times: Mapping[str, datetime | None],
    *,
    now: datetime,
    name: str,
    is_blind: bool = False,
) -> str:
    """An incident's canaries on a line of time: the impact window shaded, onset and detection marked.

    Args:
        key: unique on the page.
        points: canaries around it.
        times: of ``from``, ``onset``, ``opened``, ``until`` and ``resolved``, where known.
        now: the right end of one that lasts.
        name: of the path.
        is_blind: what is shaded is not known, rather than bad.
    """
    known = [at for at in times.values() if at is not None]
    until = times.get("until") or times.get("resolved") or now
    first, last = min([*known, until]), max([*known, until])
    margin = max(timedelta(minutes=5), (last - first) * 0.08)
    begin, end = first - margin, min(last + margin, max(now, last))
    whole = max(1.0, (end - begin).total_seconds())

    def x_of(at: datetime) -> float:
        return 400 * min(1.0, max(0.0, (at - begin).total_seconds() / whole))

    left = x_of(times.get("from") or times.get("onset") or begin)
    parts = [
        rect(left, 0, x_of(until) - left, 60, "window blind" if is_blind else "window"),
        line(0, 52, 400, 52, "axis"),
    ]
    inside = [one for one in points if begin <= one.launched_at <= end]
    for one in inside:
        x = x_of(one.launched_at)
        if one.verdict is Verdict.CONFIRMED:
            # A circle would be stretched with the picture; the round end of a line is not.
            parts.append(f'<path class="point ok" d="M{number(x)} 44h0"/>')
        elif one.verdict.is_breach:
            parts += [rect(x - 1.5, 16, 3, 36, "fill bad"), rect(x - 3, 16, 6, 3, "fill bad")]
        else:
            tone = "faint" if one.verdict is Verdict.PENDING else "blind"
            parts.append(rect(x - 1.5, 36, 3, 16, f"fill {tone}"))
    for word in ("onset", "opened", "resolved"):
        if (at := times.get(word)) is not None:
            parts.append(line(x_of(at), 0, x_of(at), 60, f"moment {word}"))
    failed = sum(1 for one in inside if one.verdict.is_breach)
    unseen = sum(1 for one in inside if one.verdict is Verdict.INCONCLUSIVE)
    about = f"{len(inside)} canaries around it, {failed} of them breached; the impact window is shaded."
    if is_blind:
        about = (
            f"{len(inside)} canaries around it, {unseen} of them inconclusive; what is shaded is not known."
        )
    return picture(key, (400, 60), (f"{name}: the incident in time", about), parts, "impact")
