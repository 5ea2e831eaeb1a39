"""`status`: the paths at a glance."""

from typing import TYPE_CHECKING, Annotated

import typer

from runners.cli.options import Options, command
from runners.cli.output import Output, Style
from runners.cli.selecting import SinceOption

if TYPE_CHECKING:
    from canary.gauge import Gauge
    from runners.contracts import Leftover, PathFacts, Store
    from runners.states import PathState, PathView


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

    Exit: 0, 1 when a path is broken now, 3 when none is but one is blind or stale.

    Example: intake-prober status --json
    """
    if since is not None:
        from runners.cli.handing_over import show_handover

        raise typer.Exit(show_handover(options, since, as_markdown=markdown))
    if markdown:
        raise options.fail(
            "--markdown is of a hand-over", "Say since when: intake-prober status --since 12h --markdown."
        )
    from runners.cli.storing import ask_store, exit_of, view_paths

    config = options.load(needs_secrets=False)
    paths = [one.path for one in config.paths.values()]

    async def ask(store: "Store") -> "tuple[list[tuple[PathView, PathFacts]], list[Gauge], list[Leftover]]":
        gauges = list(await store.latest_gauges())
        return await view_paths(store, paths, gauges), gauges, list(await store.leftovers())

    views, gauges, leftovers = ask_store(options, config, ask)
    code = exit_of([view for view, _ in views])
    if options.as_json:
        from runners.answer_shapes import StatusAnswer
        from runners.answers import gauge_answer, path_answer

        answer: StatusAnswer = {
            "paths": [path_answer(view, facts) for view, facts in views],
            "gauges": [gauge_answer(one) for one in gauges],
            "leftovers": len(leftovers),
            "exit": int(code),
        }
        options.output.answer_json(answer)
    else:
        _print(options.output, views, gauges, len(leftovers))
    raise typer.Exit(code)


def _print(
    output: Output, views: "list[tuple[PathView, PathFacts]]", gauges: "list[Gauge]", leftovers: int
) -> None:
    from canary.gauge import GaugeState
    from runners.cli.words import ago, gauge_words, verdict_marks
    from runners.clock import SystemClock

    now = SystemClock().now()
    width = max((len(view.path.name) for view, _ in views), default=4)
    for view, facts in views:
        state = output.paint(f"{view.state:<8}", _style(view.state))
        off = "" if view.path.is_enabled else "  (disabled)"
        proof = f"last proof {ago(facts.last_success_at, now)}"
        weaker = "" if view.path.proof == "api" else "  (proof: reply)"
        marks = verdict_marks([verdict for _, verdict in facts.verdicts])
        output.answer(f"{view.path.name:<{width}}  {state}  {proof:<24}  {marks:<10}{weaker}{off}".rstrip())
        if view.why:
            output.answer(f"{'':<{width}}  {view.why}")
        if view.incident is not None:
            incident = view.incident
            output.answer(
                f"{'':<{width}}  since {ago(incident.onset_at, now)}, {incident.failures} canaries; see intake-prober incidents"
            )
    for gauge in gauges:
        if gauge.state is not GaugeState.OK:
            output.answer(output.paint(gauge_words(gauge), Style.WARN))
    if leftovers:
        output.answer(
            output.paint(f"{leftovers} leftovers wait for removal; see intake-prober audit", Style.WARN)
        )


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
