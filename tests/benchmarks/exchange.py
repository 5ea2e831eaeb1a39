"""What a canary costs beside the bare exchange: wall time and CPU of this process, one at a time and 50 outstanding."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

from tests.benchmarks import bare
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.scene import Cost, Ours, costing
from tests.sandbox import Sandbox

ROUNDS = {1: 9, 50: 5}
AIMS = {1: 1.3, 50: 1.5}


def tables(sandbox: Sandbox) -> Iterator[Table]:
    for canaries, rounds in ROUNDS.items():
        ours, theirs = [], []
        prober = Ours(sandbox, canaries)
        prober.run()  # the first of each loads what both need
        bare.exchange(sandbox.endpoints, canaries)
        for _ in range(rounds):
            theirs.append(_cost(partial(bare.exchange, sandbox.endpoints, canaries)))
            ours.append(_cost(prober.run))
        prober.close()
        yield _table(canaries, rounds, ours, theirs)


def _cost(work: Callable[[], object]) -> Cost:
    with costing() as cost:
        work()
    return cost[0]


def _table(canaries: int, rounds: int, ours: list[Cost], theirs: list[Cost]) -> Table:
    rows = []
    for name, of in (("wall", lambda one: one.wall_seconds), ("CPU", lambda one: one.cpu_seconds)):
        mine, other = median(map(of, ours)) / canaries, median(map(of, theirs)) / canaries
        rows.append((name, f"{other:.3f} s", f"{mine:.3f} s", ratio(mine, other), f"{AIMS[canaries]}"))
    outstanding = "one at a time" if canaries == 1 else f"{canaries} outstanding"
    return Table(
        f"A canary beside the bare exchange, {outstanding}",
        ("per canary", "bare script", "intake-prober", "ratio", "aim"),
        rows,
        f"Medians of {rounds} rounds of each, alternating, in one process; send, see, look up, acknowledge, close, remove. Both are loaded and configured before.",
    )
