"""Run every check at once, each within a limit, and hand each finding over as it comes; try what is our own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

from canary.path import PathName
from canary.quarantine import Quarantine, quarantine_words
from probes.contracts import Check, CheckState, Clock
from probes.masking import Masker
from probes.servers import SecretUnavailable
from runners.advice import advise
from runners.alert_advice import advise_on_alerts
from runners.config.config import Config
from runners.config.secrets import read_signing_keys
from runners.contracts import StoreError
from runners.export_contracts import ExportState

LIMIT_SECONDS = 60.0
"""How long one source of checks may take: a login and a few commands, each with limits of its own."""
OVERDUE_TRACES = timedelta(hours=1)
"""What waits for longer waits for a receiver that is down, or for a prober that does not run."""
AT_ONCE = 8
"""How many sources are asked at the same time."""


@dataclass(frozen=True, slots=True)
class CheckSource:
    """Something that can be tried without sending a canary.

    Attributes:
        place: what is tried, as it is named in the configuration.
        check: tries it; what a remote can cause is a finding, never an exception.
    """

    place: str
    check: Callable[[], Awaitable[Sequence[Check]]]


async def run_checks(
    sources: Sequence[CheckSource],
    *,
    clock: Clock,
    masker: Masker,
    found: Callable[[Check], None],
    placed: Callable[[str], str] = str,
    limit_seconds: float = LIMIT_SECONDS,
    in_order: bool = False,
) -> tuple[Check, ...]:
    """Try all sources; returns every check, sorted by place and name. Cancellable, repeatable.

    Args:
        sources: what to try.
        clock: limits each of them.
        masker: masks findings.
        found: hears each check as soon as it is known; must return at once.
        placed: adds to a finding where in the configuration it stands.
        limit_seconds: how long one source may take.
        in_order: whether a check is handed over only after those of all sources before its own.
    """
    checks: list[Check] = []
    done: dict[int, Sequence[Check]] = {}
    gate = asyncio.Semaphore(AT_ONCE)
    told = 0

    async def attempt(number: int, source: CheckSource) -> None:
        nonlocal told
        async with gate:
            tried = await _tried(source, clock=clock, limit_seconds=limit_seconds)
        done[number] = [_masked(check, masker, placed) for check in tried]
        checks.extend(done[number])
        for one in () if in_order else done[number]:
            found(one)
        while in_order and told in done:
            for one in done[told]:
                found(one)
            told += 1

    async with asyncio.TaskGroup() as group:
        for number, source in enumerate(sources):
            group.create_task(attempt(number, source))
    return tuple(sorted(checks, key=attrgetter("place", "name")))


def own_sources(config: Config) -> tuple[CheckSource, ...]:
    """What can be tried without any target: the configuration, the signing keys and our own files."""

    async def advice() -> Sequence[Check]:
        return (*advise(config), *advise_on_alerts(config))

    async def keys() -> Sequence[Check]:
        return [await _keys(config)]

    async def files() -> Sequence[Check]:
        from runners.own_files import check_own_files

        return check_own_files(config)

    return (
        CheckSource("configuration", advice),
        CheckSource("prober", keys),
        CheckSource("prober", files),
    )


def store_source(config: Config, *, clock: Clock) -> CheckSource:
    """Opens the store as a run would: it is made, or brought to this program's revision."""

    async def attempt() -> Sequence[Check]:
        from runners.cli.words import leftovers_wait
        from runners.store import open_store

        began = clock.monotonic()
        try:
            async with open_store(config.prober.store_url, clock=clock, prober=config.prober.name) as store:
                leftovers = await store.leftovers()
                quarantines = await store.quarantines(list(config.paths))
                exports = await store.exports() if _sends_traces(config) else ExportState()
        except StoreError as error:
            finding, _, remedy = str(error).partition(". ")
            return [Check("store", "open", CheckState.FAIL, finding, remedy)]
        seconds = clock.monotonic() - began
        found = [Check("store", "open", CheckState.OK, "can be read and written", seconds=seconds)]
        if leftovers:
            remedy = "See `intake-prober audit`; `intake-prober sweep` tries again."
            finding = f"{leftovers_wait(len(leftovers))} for removal"
            found.append(Check("store", "leftovers", CheckState.WARN, finding, remedy))
        found += _exports(exports, clock.now())
        found += _quarantines(config, quarantines)
        return found

    return CheckSource("store", attempt)


def _sends_traces(config: Config) -> bool:
    return config.telemetry.otlp_traces is not None


def _quarantines(config: Config, found: Mapping[PathName, Quarantine]) -> Sequence[Check]:
    """Paths whose last canaries were not kept from agents, and those whose rule was seen to work."""
    checks = []
    for name, one in config.paths.items():
        words = quarantine_words(found[name], one.path.quarantine_misses)
        remedy = f"Set the rule up: `intake-prober render quarantine {one.path.ticketing}`."
        if words:
            checks.append(Check(name, "quarantine", CheckState.WARN, words, remedy))
        elif found[name].marked_at is not None:
            checks.append(Check(name, "quarantine", CheckState.OK, "its last ticket bore the rule's mark"))
    return checks


def _exports(state: ExportState, now: datetime) -> Sequence[Check]:
    """Traces that wait for long, or that nobody will take."""
    is_overdue = state.oldest_at is not None and now - state.oldest_at > OVERDUE_TRACES
    if not state.dead and not is_overdue:
        return []
    said = f"; last word: {state.last_error}" if state.last_error else ""
    finding = f"{state.pending} parts of traces wait, {state.dead} were refused for good{said}"
    return [Check("store", "traces", CheckState.WARN, finding, "Look at the receiver in telemetry.otlp.")]


def exit_of(checks: Sequence[Check]) -> int:
    """2 if one failed; warnings are all right."""
    return 2 if any(one.state is CheckState.FAIL for one in checks) else 0


async def _keys(config: Config) -> Check:
    try:
        keys = await read_signing_keys(config.prober.signing_keys)
    except SecretUnavailable as error:
        return Check("prober", "signing_keys", CheckState.FAIL, str(error), "See docs/configuration.md.")
    verify = f", {len(keys) - 1} more verify" if len(keys) > 1 else ""
    return Check("prober", "signing_keys", CheckState.OK, f"the first signs{verify}")


async def _tried(source: CheckSource, *, clock: Clock, limit_seconds: float) -> Sequence[Check]:
    began = clock.monotonic()
    try:
        async with clock.timeout(limit_seconds):
            return await source.check()
    except TimeoutError:
        return [
            Check(
                place=source.place,
                name="answer",
                state=CheckState.FAIL,
                finding=f"no answer within {limit_seconds:g} s",
                remedy="Look whether it can be reached from here, and at its load.",
                seconds=clock.monotonic() - began,
            )
        ]


def _masked(check: Check, masker: Masker, placed: Callable[[str], str]) -> Check:
    finding = masker.detail(check.finding)
    return Check(
        place=check.place,
        name=check.name,
        state=check.state,
        finding=finding if check.state is CheckState.OK else placed(finding),
        remedy=masker.detail(check.remedy),
        seconds=check.seconds,
    )
