"""`status`: the paths at a glance."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style
from runners.cli.selecting import SinceOption

if TYPE_CHECKING:
    from datetime import datetime

    from runners.asking import Status
    from runners.contracts import Store
    from runners.states import PathState


@command
def status(
    options: Options,
    *,
    since: SinceOption = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="With --since: the hand-over as Markdown.")
    ] = False,
) -> None:
    """Show each path's state, its last proof and what is wrong; with --since, the hand-over of a shift.

    Exit: 0, 1 when a path is broken now, 3 when none is but one is blind, stale or was never proved.

    Example: intake-prober status --json
    """
    if since is not None:
        from runners.cli.handing_over import show_handover

        raise typer.Exit(show_handover(options, since, as_markdown=markdown))
    if markdown:
        raise options.fail(
            "--markdown is of a hand-over", "Say since when: intake-prober status --since 12h --markdown."
        )
    from runners.asking import ask_status, status_answer
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock
    from runners.config.places import gauged_places

    config = options.load(needs_secrets=False)
    paths = [one.path for one in config.paths.values()]
    now = SystemClock().now()

    async def ask(store: "Store") -> "Status":
        return await ask_status(
            store,
            paths,
            now=now,
            places=gauged_places(config),
            sinks=config.alerts.sink_names,
            windows=config.maintenance,
        )

    found = ask_store(options, config, ask)
    if options.as_json:
        options.output.answer_json(status_answer(found))
    else:
        _print(options.output, found, now)
    raise typer.Exit(found.exit)


def _print(output: Output, status: "Status", now: "datetime") -> None:
    from canary.gauge import GaugeState
    from runners.cli.words import ago, canaries, clock, gauge_words, leftovers_wait, verdict_marks
    from runners.undelivered import undelivered_words

    until = {one.about: clock(one.ends_at) for one in status.silences if one.is_in_force(now)}

    width = max((len(one.view.path.name) for one in status.paths), default=4)
    for one in status.paths:
        view, facts = one.view, one.facts
        state = output.paint(f"{view.state:<8}", _style(view.state))
        off = "" if view.path.is_enabled else "  (disabled)"
        quiet = f"  (silenced until {until[view.path.name]})" if view.path.name in until else ""
        proof = f"last proof {ago(facts.last_success_at, now)}"
        weaker = "" if view.path.proof == "api" else "  (proof: reply)"
        marks = verdict_marks([verdict for _, verdict in facts.verdicts])
        output.answer(
            f"{view.path.name:<{width}}  {state}  {proof:<24}  {marks:<10}{weaker}{off}{quiet}".rstrip()
        )
        for why in filter(None, (view.why, view.quarantine)):
            output.answer(f"{'':<{width}}  {why}")
        if view.incident is not None:
            incident = view.incident
            output.answer(
                f"{'':<{width}}  since {clock(incident.onset_at)}, {ago(incident.onset_at, now)}, "
                f"{canaries(incident.failures)}; see intake-prober incidents {incident.id[-6:]}"
            )
    for gauge in status.gauges:
        if gauge.state is not GaugeState.OK:
            output.answer(output.paint(gauge_words(gauge), Style.WARN))
    if leftovers := status.leftovers:
        output.answer(
            output.paint(f"{leftovers_wait(leftovers)} for removal; see intake-prober audit", Style.WARN)
        )
    for silence in status.silences:
        if not silence.is_in_force(now):
            why = f": {silence.why}" if silence.why else ""
            times = f"{clock(silence.begins_at)} until {clock(silence.ends_at)}"
            output.answer(f"{silence.about} will be silenced from {times}{why}")
    for sink in status.undelivered:
        said = f"alerts for {sink['sink']} are not delivered: {undelivered_words(sink)}"
        output.answer(output.paint(said, Style.WARN))


def _style(state: "PathState") -> Style:
    match state.value:
        case "ok":
            return Style.GOOD
        case "broken":
            return Style.BAD
        case "unknown":
            return Style.FAINT
        case _:
            return Style.WARN
