"""The hand-over of a shift as text, and as Markdown for a chat, a wiki or a ticket."""

from collections.abc import Iterator

from canary.quantity import amount
from runners.answer_shapes import GaugeAnswer, UndeliveredAnswer
from runners.cli.output import Output, Style, plain
from runners.markdown import escaped, table
from runners.story_shapes import (
    HandoverAnswer,
    ShiftIncidentAnswer,
    ShiftPathAnswer,
    SilenceAnswer,
)

_CAUSES = {
    "not_running": "while the prober did not run",
    "stopped": "as it stopped before the launch",
    "leftovers": "for too many leftovers",
    "cap": "by the sender's cap",
    "outstanding": "for too many outstanding",
    "quarantine": "as agents would meet its tickets (quarantine)",
}
_PATH_HEADINGS = ("path", "state", "last proof (UTC)", "verdicts", "coverage", "missed")
_NONE = "-"
_ALL_WELL = "Nothing is open that needs somebody."


def handover_markdown(answer: HandoverAnswer) -> Iterator[str]:
    """The hand-over as Markdown; whatever a remote or a person wrote is escaped."""
    yield f"# Hand-over of {escaped(answer['prober'])}, {utc(answer['since'])} to {utc(answer['until'])} UTC"
    yield ""
    yield "## Open now"
    yield from (f"- {_cell(one)}" for one in answer["needs"] or [_ALL_WELL])
    yield ""
    yield "## Paths"
    yield from table(
        _PATH_HEADINGS,
        (tuple(_cell(cell) for cell in _path_cells(one)) for one in answer["paths"]),
    )
    for title, headings, rows in _sections(answer):
        yield ""
        yield f"## {title}"
        if rows:
            yield from table(headings, (tuple(_cell(cell) for cell in row) for row in rows))
        else:
            yield "None."


def handover_text(answer: HandoverAnswer, output: Output) -> Iterator[str]:
    """The same for a terminal."""
    yield f"{answer['prober']}: {utc(answer['since'])} to {utc(answer['until'])} UTC"
    for one in answer["needs"]:
        yield output.paint(f"! {_line(one)}", Style.BAD)
    if not answer["needs"]:
        yield output.paint(_ALL_WELL, Style.GOOD)
    yield ""
    yield from _aligned(_PATH_HEADINGS, [_path_cells(one) for one in answer["paths"]], output)
    for title, headings, rows in _sections(answer):
        if rows:
            yield ""
            yield output.paint(title, Style.STRONG)
            yield from _aligned(headings, rows, output)


def _sections(answer: HandoverAnswer) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    yield (
        "Incidents",
        ("path", "what", "whose", "onset (UTC)", "end (UTC)", "may be affected (UTC)", "backlog"),
        [_incident_cells(one) for one in answer["incidents"]],
    )
    yield (
        "Gauges at warn or page",
        ("place", "gauge", "state", "reading"),
        [_gauge_cells(one) for one in answer["gauges"]],
    )
    yield (
        f"Silences and maintenance, also those to come until {utc(answer['silences_until'])}",
        ("of", "when (UTC)", "why", "who"),
        [_silence_cells(one) for one in answer["silences"]],
    )
    yield (
        "Leftovers",
        ("path", "things", "oldest since (UTC)"),
        [(one["path"], str(one["things"]), utc(one["oldest_since"])) for one in answer["leftovers"]],
    )
    yield (
        "Alerts that could not be delivered",
        ("sink", "waiting", "since (UTC)", "refused for good", "not to everybody", "last error"),
        [_undelivered_cells(one) for one in answer["undelivered"]],
    )


def _path_cells(one: ShiftPathAnswer) -> tuple[str, ...]:
    flags = [*([] if one["enabled"] else ["disabled"]), *(["silenced"] if one["silenced"] else [])]
    state, why = one["state"], one["why"]
    words = [why] if f" is {state}" in why else [f"{state}: {why}" if why else state]
    verdicts = (
        ", ".join(f"{count} {verdict}" for verdict, count in one["verdicts"].items()) or "none launched"
    )
    share = one["coverage_share"]
    missed = ", ".join(
        f"{each['slots']} {_CAUSES.get(each['cause'], each['cause'])}" for each in one["missed"]
    )
    return (
        one["path"],
        ", ".join([*words, *flags]),
        utc(one["last_success_at"], none="never"),
        verdicts,
        _NONE if share is None else f"{100 * share:.3g} %",
        missed or _NONE,
    )


def _incident_cells(one: ShiftIncidentAnswer) -> tuple[str, ...]:
    incident = one["incident"]
    sharper = incident["sharper"]
    blame = (
        (sharper["hop"], sharper["reason"])
        if sharper is not None
        else (incident["blame"], incident["reason"])
    )
    what = (
        f"{blame[0]}: {blame[1]}"
        if incident["kind"] == "target"
        else f"the prober can't see: {blame[0]}, {blame[1]}"
    )
    ended_at = incident["resolved_at"]
    end = (
        "open"
        if ended_at is None
        else utc(ended_at) + (", retired" if incident["state"] == "retired" else "")
    )
    until = incident["impact_until"]
    impact = _NONE
    if incident["kind"] == "target":
        last = utc(until) if until is not None else "now" if ended_at is None else "not known"
        impact = f"{utc(incident['impact_from'], none='not known')} to {last}"
    backlog = incident["backlog"]
    left = _NONE
    if backlog is not None and backlog["state"] != "none":
        left = f"{backlog['state']}: {backlog['missing']} missing, {backlog['late']} late"
        left += f", ends about {utc(backlog['ends_at'])}" if backlog["ends_at"] is not None else ""
    return (incident["path"], what, one["party"] or _NONE, utc(incident["onset_at"]), end, impact, left)


def _gauge_cells(one: GaugeAnswer) -> tuple[str, ...]:
    value, limit = one["value"], one["limit"]
    reading = amount(value, one["unit"]) if value is not None else "unknown"
    share = f" of {amount(limit, one['unit'])}" if limit is not None and value is not None else ""
    detail = f" ({one['detail']})" if one["detail"] else ""
    return (one["place"], one["name"], one["state"], f"{reading}{share}{detail}")


def _silence_cells(one: SilenceAnswer) -> tuple[str, ...]:
    when = (
        f"now, until {utc(one['ends_at'])}"
        if one["in_force"]
        else f"{utc(one['begins_at'])} to {utc(one['ends_at'])}"
    )
    return (one["about"], when, one["why"], one["who"])


def _undelivered_cells(one: UndeliveredAnswer) -> tuple[str, ...]:
    return (
        one["sink"],
        str(one["pending"]),
        utc(one["oldest_at"]),
        str(one["dead"]),
        str(one["partial"]),
        one["last_error"] or _NONE,
    )


def _cell(text: str) -> str:
    return text if text == _NONE else escaped(_line(text))


def _line(text: str) -> str:
    """A text of a remote or a person on one line."""
    return plain(" ".join(text.split()))


def _aligned(headings: tuple[str, ...], rows: list[tuple[str, ...]], output: Output) -> Iterator[str]:
    """Columns as wide as their widest cell."""
    cells = [headings, *(tuple(_line(cell) for cell in row) for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(headings))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells]
    yield output.paint(lines[0].rstrip(), Style.FAINT)
    yield from (line.rstrip() for line in lines[1:])


def utc(stamp: str | None, *, none: str = _NONE) -> str:
    """A time of an answer, to the minute; a dash for none."""
    return stamp[:16].replace("T", " ") if stamp is not None else none
