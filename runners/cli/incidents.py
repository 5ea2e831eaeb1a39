"""`incidents`: when customers could not reach support, how soon it was known, and who may be affected."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style
from runners.cli.selecting import LimitOption, PathOption, SinceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canary.incident import Incident
    from runners.asking import IncidentFound
    from runners.cli.exits import Exit
    from runners.contracts import Store


@command
def incidents(
    options: Options,
    incident: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="One incident whole, by its id or its last six characters."),
    ] = None,
    *,
    path: PathOption = None,
    since: SinceOption = None,
    limit: LimitOption = 20,
    escalation: Annotated[
        bool,
        typer.Option(
            "--escalation", help="Of one incident, the bundle for whoever runs the other side (Markdown)."
        ),
    ] = False,
) -> None:
    """List incidents, newest first: onset, detection, blame, impact window and backlog; or show one whole.

    Exit: as `status`, by how the paths are now: 0, 1 when one is broken, 3 when one is blind, stale or unproved.

    Example: intake-prober incidents --since 30d
    """
    if incident is not None:
        from runners.cli.whole_incident import show_incident

        raise typer.Exit(show_incident(options, incident, is_escalation=escalation))
    if escalation:
        raise options.fail(
            "--escalation is of one incident", "Name it: intake-prober incidents ID --escalation."
        )
    from runners.asking import ask_incidents, incidents_answer
    from runners.at_risk import risk_words
    from runners.cli.incident_words import backlog_words
    from runners.cli.selecting import paths_of, since_when
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock

    now = SystemClock().now()
    config = options.load(needs_secrets=False)
    paths = paths_of(options, config, path)
    begin = since_when(options, since, now)
    only = paths[0].name if path is not None else None

    async def ask(store: "Store") -> "tuple[Sequence[IncidentFound], Exit]":
        return await ask_incidents(store, paths, path=only, since=begin, limit=limit, now=now)

    found, code = ask_store(options, config, ask)
    if options.as_json:
        options.output.answer_json(incidents_answer(found, code))
    else:
        runbooks = {one.path.name: one.path.runbook for one in config.paths.values()}
        for one, backlog, at_risk in found:
            words = backlog_words(backlog, now) if backlog is not None else ""
            print_incident(
                options.output, one, runbooks.get(one.path), backlog=words, risk=risk_words(one, at_risk)
            )
        if not found:
            options.output.tell("No incidents.")
    raise typer.Exit(code)


def print_incident(
    output: Output, incident: "Incident", runbook: str | None, *, backlog: str = "", risk: str = ""
) -> None:
    """An incident in a few lines."""
    from canary.alert import bisected_words
    from canary.flapping import flap_words
    from canary.incident import IncidentKind
    from canary.quantity import duration
    from runners.cli.words import canaries, clock

    state = "open" if incident.is_open else "retired" if incident.is_retired else "resolved"
    style = Style.BAD if incident.is_open else Style.FAINT
    subject = "intake" if incident.kind is IncidentKind.TARGET else "the prober can't see"
    stop = incident.sharper or incident.stop
    known = duration((incident.opened_at - incident.onset_at).total_seconds())
    output.answer(
        f"{output.paint(f'{state:<8}', style)}  {incident.path}  {subject}: {stop.hop}, {stop.reason}  ({incident.id})"
    )
    output.answer(f"  onset {clock(incident.onset_at)}, known after {known}, {canaries(incident.failures)}")
    if incident.kind is IncidentKind.TARGET:
        end = (
            clock(incident.failed_until)
            if incident.failed_until is not None
            else "now"
            if incident.is_open
            else "a time that is not known"
        )
        if incident.impact_from is not None:
            output.answer(f"  whoever wrote between {clock(incident.impact_from)} and {end} may be affected")
        else:
            output.answer(
                f"  whoever wrote until {end} may be affected; since when is not known: no canary came through before"
            )
    if risk:
        output.answer(f"  {risk}")
    if (sender := incident.only_sender) is not None:
        output.answer(f"  only {sender}'s canaries fail; those of other senders come through")
    if incident.bisected is not None:
        output.answer(f"  {bisected_words(incident.bisected.verdict, incident.sharper or incident.stop)}")
    works_from, again = incident.works_from, incident.broke_again
    if flaps := flap_words(incident.relapses, works_from=works_from, broke_again=again):
        output.answer(f"  {flaps}")
    if backlog:
        output.answer(f"  {backlog}")
    if incident.resolved_at is not None:
        lasted = duration((incident.resolved_at - incident.onset_at).total_seconds())
        output.answer(f"  ended {clock(incident.resolved_at)}, {lasted} after the onset")
    if incident.is_open and runbook is not None:
        output.answer(f"  runbook {runbook}")
