"""A canary as a waterfall: each hop with its bar, its time, its evidence; relays below; blame in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from canary.blame import HopResult
from canary.hop import LAUNCH_HOPS, Hop
from canary.observation import Evidence, Observation, Outcome, Relay
from canary.quantity import duration
from canary.reason import CAUSES, Side
from canary.verdict import Judgement, Verdict
from runners.cli.output import Output, Style, plain
from runners.cli.run_words import kept_words
from runners.cli.words import clock
from runners.contracts import Record
from runners.runbook import runbook_place

BAR_CHARACTERS = 32
_NAME_CHARACTERS = max(len(hop) for hop in Hop)
_MOST_CHARACTERS = 100
"""Of what a hop that went well has to say; `--json` has the whole."""
_ARTIFACT = "intake.artifact."
_TROUBLE = "intake.artifact.trouble"
_STYLES = {
    Outcome.OK: Style.GOOD,
    Outcome.FAILED: Style.BAD,
    Outcome.UNKNOWN: Style.WARN,
    Outcome.SKIPPED: Style.FAINT,
}


def waterfall(
    record: Record,
    observations: Sequence[Observation],
    output: Output,
    *,
    runbook: str | None = None,
    artifacts: Path | None = None,
    is_kept: bool = False,
) -> Iterator[str]:
    """The lines of a canary's waterfall.

    Args:
        record: the canary.
        observations: of it.
        output: paints.
        runbook: the path's own page.
        artifacts: where evidence is kept; None: it is not said where.
        is_kept: whether its ticket stays until its end.
    """
    canary, judgement = record.canary, record.judgement
    verdict = output.paint(record.verdict, Style.STRONG)
    took = (
        f" in {duration(judgement.seconds)}"
        if judgement is not None and judgement.seconds is not None
        else ""
    )
    yield f"{canary.path}  canary {canary.id}  {verdict}{took}"
    yield f"launched {clock(canary.launched_at)} as {canary.sender}, deadline {clock(canary.deadline_at)}, trace {canary.trace_id}"
    if judgement is None:
        yield "It has not been judged yet."
    if record.is_thinned:
        yield "What was seen of it hop by hop was dropped for its age (prober.retention.observations)."
    results = judgement.hops if judgement is not None else ()
    end = _end(results, observations, canary.launched_at)
    for result in results:
        yield _hop_line(output, result, canary.launched_at, end)
        yield from _try_lines(result, observations)
        for relay in _relays(result.hop, observations):
            yield _relay_line(relay)
    cleanups = [one for one in observations if one.hop is Hop.TICKET_CLEANUP]
    for seen in cleanups:
        yield f"  {seen.hop:<{_NAME_CHARACTERS}}  {seen.outcome}  {plain(seen.detail)}".rstrip()
    yield from _evidence(observations, artifacts)
    if judgement is not None:
        yield from blame_words(output, judgement, runbook=runbook)
    if is_kept:
        yield output.paint(plain(f"Its ticket is {kept_words(record)}."), Style.WARN)


def blame_words(output: Output, judgement: Judgement, *, runbook: str | None) -> Iterator[str]:
    """What is concluded, in words."""
    for hop in judgement.slow:
        yield output.paint(f"{hop} was slower than its budget.", Style.WARN)
    for flaw in judgement.flaws:
        yield output.paint(f"Flaw: {flaw.hop}, {flaw.reason}. {CAUSES[flaw.reason].remedy}", Style.WARN)
    if judgement.ticket is not None:
        where = f" {judgement.ticket.url}" if judgement.ticket.url is not None else ""
        yield f"Ticket {judgement.ticket.id} in {judgement.ticket.system}{where}"
    if judgement.stop is None:
        return
    stop = judgement.stop
    if judgement.verdict is Verdict.INCONCLUSIVE or stop.side is not Side.TARGET:
        yield output.paint(
            f"The prober could not see past {stop.hop}: {stop.reason}. The target is not blamed.", Style.WARN
        )
    else:
        yield output.paint(f"Broken at {stop.hop}: {stop.reason}.", Style.BAD)
    yield CAUSES[stop.reason].remedy
    yield f"See {runbook_place(stop.reason)}" + (f" and {runbook}" if runbook is not None else "")


def _end(
    results: Sequence[HopResult], observations: Sequence[Observation], launched_at: datetime
) -> datetime:
    """The right end of the bars."""
    ends = [one.ended_at for one in results if one.ended_at is not None]
    ends += [one.ended_at for one in observations if one.outcome is Outcome.OK]
    return max([*ends, launched_at + timedelta(milliseconds=1)])


def _hop_line(output: Output, result: HopResult, launched_at: datetime, end: datetime) -> str:
    outcome = output.paint(f"{result.outcome:<7}", _STYLES[result.outcome])
    evidence = "" if result.evidence in {None, Evidence.OBSERVED} else f"{result.evidence}"
    words = [
        f"  {result.hop:<{_NAME_CHARACTERS}}",
        _bar(result, launched_at, end),
        f"{_took(result):>9}",
        outcome,
        evidence,
    ]
    if result.reason is not None:
        words.append(result.reason)
    if result.detail:
        detail = plain(result.detail)
        is_long = result.outcome is Outcome.OK and len(detail) > _MOST_CHARACTERS
        words.append(f"{detail[: _MOST_CHARACTERS - 1]}…" if is_long else detail)
    return "  ".join(word for word in words if word).rstrip()


def _try_lines(result: HopResult, observations: Sequence[Observation]) -> Iterator[str]:
    """The tries of a launch hop that went wrong, besides the one that its line shows: one may have left a mail."""
    if result.hop not in LAUNCH_HOPS:
        return
    bad = [
        one
        for one in observations
        if one.hop is result.hop
        and one.outcome in {Outcome.FAILED, Outcome.UNKNOWN}
        and (one.outcome, one.reason, one.ended_at) != (result.outcome, result.reason, result.ended_at)
    ]
    for seen in sorted(bad, key=lambda one: (one.attempt, one.order)):
        ended = clock(seen.ended_at).partition(" ")[2]
        words = [
            f"      └ try {seen.attempt} at {ended}: {seen.outcome}",
            seen.reason or "",
            plain(seen.detail),
        ]
        yield "  ".join(word for word in words if word)


def _evidence(observations: Sequence[Observation], artifacts: Path | None) -> Iterator[str]:
    """Where the pictures and files of a failure are, and why some are not."""
    for seen in observations:
        files = [
            str(value)
            for name, value in seen.facts.items()
            if name.startswith(_ARTIFACT) and name != _TROUBLE
        ]
        if files and artifacts is not None:
            folder = artifacts / files[0].rpartition("/")[0]
            yield plain(f"Evidence: {folder}/ ({', '.join(one.rpartition('/')[2] for one in files)})")
        if (trouble := seen.facts.get(_TROUBLE)) is not None:
            yield plain(f"Evidence: {trouble}")


def _took(result: HopResult) -> str:
    if result.seconds is not None:
        return duration(result.seconds)
    if result.began_at is None or result.ended_at is None:
        return "-"
    return duration(max(0.0, (result.ended_at - result.began_at).total_seconds()))


def _bar(result: HopResult, launched_at: datetime, end: datetime) -> str:
    """Where the hop lies between launch and end; an inferred one has no time of its own."""
    if result.began_at is None or result.ended_at is None:
        return " " * BAR_CHARACTERS
    whole = (end - launched_at).total_seconds()
    first = _position(result.began_at - launched_at, whole)
    last = max(first, _position(result.ended_at - launched_at, whole))
    mark = "░" if result.outcome is Outcome.UNKNOWN else "█"
    return (" " * first + mark * (last - first + 1)).ljust(BAR_CHARACTERS)


def _position(since: timedelta, whole_seconds: float) -> int:
    share = since.total_seconds() / whole_seconds
    return min(BAR_CHARACTERS - 1, max(0, int(share * BAR_CHARACTERS)))


def _relays(hop: Hop, observations: Sequence[Observation]) -> Sequence[Relay]:
    for seen in observations:
        if seen.hop is hop and seen.relays:
            return seen.relays
    return ()


def _relay_line(relay: Relay) -> str:
    came = f"from {relay.from_host} " if relay.from_host else ""
    by = f"by {relay.by_host}"
    protocol = f" with {relay.protocol}" if relay.protocol else ""
    delay = f"  +{duration(relay.delay_seconds)}" if relay.delay_seconds is not None else ""
    suspect = "  (its clock contradicts its neighbours')" if relay.is_clock_suspect else ""
    return plain(f"      └ {came}{by}{protocol}{delay}{suspect}")
