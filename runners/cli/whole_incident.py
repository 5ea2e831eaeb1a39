"""`incidents ID`: one incident whole, or the bundle for whoever runs the other side."""

from typing import TYPE_CHECKING

from runners.cli.options import Options

if TYPE_CHECKING:
    from canary.incident import Incident
    from runners.asking import Seen
    from runners.config.config import Config
    from runners.contracts import Store
    from runners.dossier import Dossier


def show_incident(options: Options, word: str, *, is_escalation: bool) -> int:
    """Print one incident; returns the exit status.

    Raises:
        typer.Exit: there is none of that id, or several; that was said.
    """
    from runners.asking import exit_of, view_paths
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock
    from runners.dossier import dossier, find_incidents

    config = options.load(needs_secrets=False)
    paths = {name: one.path for name, one in config.paths.items()}
    now = SystemClock().now()

    async def ask(
        store: "Store",
    ) -> "tuple[list[Incident], Dossier | None, tuple[Seen, ...]]":
        found = await find_incidents(store, word)
        whole = await dossier(store, found[0], paths, now) if len(found) == 1 else None
        return found, whole, await view_paths(store, list(paths.values()), [], now=now)

    several, found, seen = ask_store(options, config, ask)
    if len(several) > 1:
        ids = ", ".join(one.id for one in several[:5])
        raise options.fail(f"{word} ends the ids of {len(several)} incidents: {ids}", "Write the whole id.")
    if found is None:
        raise options.fail(
            f"there is no incident {word}",
            "Write its id or its last six characters; see intake-prober incidents.",
        )
    code = int(exit_of([one.view for one in seen]))
    if is_escalation:
        _escalate(options, config, found, code)
    else:
        _show(options, config, found, code)
    return code


def _escalate(options: Options, config: "Config", found: "Dossier", code: int) -> None:
    from runners.cli.escalation_words import escalation_markdown
    from runners.cli.output import plain
    from runners.clock import SystemClock
    from runners.escalation import escalation

    configured = config.paths.get(found.incident.path)
    answer = escalation(
        found,
        prober=config.prober.name,
        contact=config.prober.contact_url,
        target=configured.target if configured is not None else None,
        bisect_to=configured.bisect_to if configured is not None else None,
        mask=lambda text: plain(config.masker.mask(text)),
        own_addresses=config.own_addresses,
        now=SystemClock().now(),
        status=code,
    )
    if options.as_json:
        options.output.answer_json(answer)
        return
    for line in escalation_markdown(answer):
        options.output.answer(line)


def _show(options: Options, config: "Config", found: "Dossier", code: int) -> None:
    from runners.at_risk import risk_words
    from runners.cli.incident_words import backlog_words, timeline, whole_incident
    from runners.cli.incidents import print_incident
    from runners.clock import SystemClock

    incident = found.incident
    configured = config.paths.get(incident.path)
    runbook = configured.path.runbook if configured is not None else None
    if options.as_json:
        from canary.reason import CAUSES
        from runners.answers import canary_answer, incident_answer, stamp
        from runners.story_shapes import WholeIncidentAnswer

        answer: WholeIncidentAnswer = {
            "incident": incident_answer(incident, found.backlog, found.at_risk),
            "party": found.whose.value if found.whose is not None else None,
            "paths": list(found.paths),
            "only_sender": incident.only_sender,
            "failed_senders": sorted(incident.failed_senders),
            "working_senders": sorted(incident.working_senders),
            "timeline": [{"at": stamp(at), "what": what} for at, what in timeline(incident, found.timeline)],
            "failed": found.failed,
            "canaries": [canary_answer(one) for one in found.canaries],
            "remedy": CAUSES[found.stop.reason].remedy,
            "runbook": runbook,
            "exit": code,
        }
        options.output.answer_json(answer)
        return
    words = backlog_words(found.backlog, SystemClock().now()) if found.backlog is not None else ""
    risk = risk_words(incident, found.at_risk)
    print_incident(options.output, incident, None, backlog=words, risk=risk)
    for line in whole_incident(found, options.output, runbook=runbook):
        options.output.answer(line)
