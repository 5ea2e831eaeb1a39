"""`incidents`: when customers could not reach support, how soon it was known, and who may be affected."""

from typing import TYPE_CHECKING

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style
from runners.cli.selecting import LimitOption, PathOption, SinceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary.incident import Incident
    from runners.cli.exits import Exit
    from runners.contracts import Store


@command
def incidents(
    options: Options, path: PathOption = None, since: SinceOption = None, limit: LimitOption = 20
) -> None:
    """List incidents, newest first: onset, detection, blame and impact window.

    Example: intake-prober incidents --since 30d
    """
    from runners.asking import ask_incidents, incidents_answer
    from runners.cli.selecting import paths_of, since_when
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock

    config = options.load(needs_secrets=False)
    paths = paths_of(options, config, path)
    now = SystemClock().now()
    begin = since_when(options, since, now)
    only = paths[0].name if path is not None else None

    async def ask(store: "Store") -> "tuple[Sequence[Incident], Exit]":
        return await ask_incidents(store, paths, path=only, since=begin, limit=limit, now=now)

    found, code = ask_store(options, config, ask)
    if options.as_json:
        options.output.answer_json(incidents_answer(found, code))
    else:
        runbooks = {one.path.name: one.path.runbook for one in config.paths.values()}
        for incident in found:
            print_incident(options.output, incident, runbooks.get(incident.path))
        if not found:
            options.output.tell("No incidents.")
    raise typer.Exit(code)


def print_incident(output: Output, incident: "Incident", runbook: str | None) -> None:
    """An incident in a few lines."""
    from canary.incident import IncidentKind
    from runners.cli.words import clock, duration

    state = "open" if incident.is_open else "retired" if incident.is_retired else "resolved"
    style = Style.BAD if incident.is_open else Style.FAINT
    subject = "intake" if incident.kind is IncidentKind.TARGET else "the prober can't see"
    stop = incident.sharper or incident.stop
    known = duration((incident.opened_at - incident.onset_at).total_seconds())
    output.answer(
        f"{output.paint(f'{state:<8}', style)}  {incident.path}  {subject}: {stop.hop}, {stop.reason}  ({incident.id})"
    )
    output.answer(f"  onset {clock(incident.onset_at)}, known after {known}, {incident.failures} canaries")
    if incident.kind is IncidentKind.TARGET:
        begin = clock(incident.impact_from) if incident.impact_from is not None else "not known"
        end = (
            clock(incident.impact_until)
            if incident.impact_until is not None
            else "now"
            if incident.is_open
            else "not known"
        )
        output.answer(f"  whoever wrote between {begin} and {end} may be affected")
    if incident.resolved_at is not None:
        lasted = duration((incident.resolved_at - incident.onset_at).total_seconds())
        output.answer(f"  ended {clock(incident.resolved_at)}, {lasted} after the onset")
    if incident.is_open and runbook is not None:
        output.answer(f"  runbook {runbook}")
