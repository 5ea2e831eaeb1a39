"""`status --since`: the hand-over of a shift."""

from typing import TYPE_CHECKING

from runners.cli.options import Options

if TYPE_CHECKING:
    from runners.contracts import Store
    from runners.story_shapes import HandoverAnswer


def show_handover(options: Options, since: str, *, as_markdown: bool) -> int:
    """Print the hand-over; returns the exit status.

    Raises:
        typer.Exit: it can't be told; why was said.
    """
    from canary.gauge import fresh
    from runners.asking import exit_of, view_paths
    from runners.cli.selecting import since_when
    from runners.cli.storing import ask_store
    from runners.clock import SystemClock
    from runners.config.places import gauged_places
    from runners.handover import hand_over

    config = options.load(needs_secrets=False)
    now = SystemClock().now()
    begin = since_when(options, since, now)
    if begin is None or begin > now:
        raise options.fail(f"--since {since} is not in the past", "Write when the shift began: 12h.")

    places = gauged_places(config)

    async def ask(store: "Store") -> "HandoverAnswer":
        paths = [one.path for one in config.paths.values()]
        gauges = fresh(await store.latest_gauges(now=now), now=now, places=places)
        seen = await view_paths(store, paths, gauges, now=now)
        return await hand_over(
            store,
            [(one.view, one.facts) for one in seen],
            config.paths,
            prober=config.prober.name,
            since=begin,
            now=now,
            windows=config.maintenance,
            places=places,
            sinks=config.alerts.sink_names,
            status=int(exit_of([one.view for one in seen])),
        )

    answer = ask_store(options, config, ask)
    if options.as_json:
        options.output.answer_json(answer)
        return answer["exit"]
    from runners.cli.handover_words import handover_markdown, handover_text

    for line in handover_markdown(answer) if as_markdown else handover_text(answer, options.output):
        options.output.answer(line)
    return answer["exit"]
