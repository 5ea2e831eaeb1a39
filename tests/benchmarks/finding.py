"""How soon a ticket that can be found is found, with how many connections and look-ups: 1, 10 and 200 outstanding."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from tests.benchmarks.report import Table
from tests.benchmarks.scene import LOOK_SECONDS, Observer, Ours, counting_look_ups
from tests.sandbox import Sandbox

OUTSTANDING = {1: 12, 10: 3, 200: 1}
"""How many rounds of each."""


def tables(sandbox: Sandbox) -> Iterator[Table]:
    rows = []
    for outstanding, rounds in OUTSTANDING.items():
        delays: list[float] = []
        look_seconds: list[float] = []
        busiest, imap, desk = 0, 0, 0
        seconds = 0.0
        for _ in range(rounds):
            ours = Ours(sandbox, outstanding)  # before the round is timed
            with counting_look_ups() as look_ups, observing(sandbox) as observer:
                result = ours.run()
            ours.close()
            by_token = {one.canary.token: one.canary for one in result.records}
            found = ours.seen.found_at
            delays += [
                found[canary.id] - observer.there_at[token]
                for token, canary in by_token.items()
                if token in observer.there_at
            ]
            first = min(ours.seen.launched_at.values())
            last = max(found.values())
            within = [one for one in look_ups if first <= one.at <= last]
            look_seconds += [one.seconds for one in within]
            seconds += last - first
            busiest = max(busiest, most_in_a_second([one.at for one in within]))
            imap, desk = max(imap, observer.most_imap), max(desk, observer.most_desk)
        rows.append(
            (
                str(outstanding),
                f"{median(delays):.2f} s",
                f"{max(delays):.2f} s",
                f"{median(look_seconds):.2f} s",
                f"{len(look_seconds) / seconds:.2f}",
                str(busiest),
                str(imap),
                str(desk),
            )
        )
    yield Table(
        "From the moment that a ticket can be found to the moment that it is found",
        (
            "outstanding",
            "median delay",
            "longest delay",
            "one look-up (median)",
            "look-ups a second",
            "most within a second",
            "IMAP connections at most",
            "API connections at most",
        ),
        rows,
        "A ticket can be found when its row is committed in the helpdesk's database, read every"
        f" {1000 * LOOK_SECONDS:.0f} ms beside the run. Aim: median at most 0.5 s and one look-up; at most one look-up a second.",
    )


def most_in_a_second(moments: list[float]) -> int:
    """The most look-ups that began within any second (a tenth less, for the clock's own jitter)."""
    return max((sum(at <= other < at + 0.9 for other in moments) for at in moments), default=0)


@contextmanager
def observing(sandbox: Sandbox) -> Iterator[Observer]:
    observer, over = Observer(sandbox), threading.Event()

    def watch() -> None:
        looks = 0
        while not over.wait(LOOK_SECONDS):
            observer.look()
            looks += 1
            if looks % 10 == 0:
                observer.count()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield observer
    finally:
        over.set()
        thread.join()
