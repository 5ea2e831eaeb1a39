"""Flapping: a path that fails again soon after an incident ended has to prove itself for longer. Pure.

Each end that turned out to be none doubles the run of confirmed canaries that the next end takes: a path that breaks and
recovers by turns is one incident that lasts, and not one a turn, each of which wakes somebody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

WITHIN = timedelta(days=1)
"""What failed longer ago has nothing to do with it: without a failure for so long, an incident ends as any other."""
FIRST_RUN = 10
"""Confirmed in a row that end an incident which came soon after another: more than any turn of ten canaries has."""
LONGEST_RUN = 40


def run_that_ends(resolve: int, *, relapses: int, calm_for: timedelta = timedelta(0)) -> int:
    """How many canaries confirmed in a row end an incident.

    Args:
        resolve: by the path's policy, where it does not flap.
        relapses: how many incidents went before it with hardly a pause.
        calm_for: from the launch of the last failed canary to that of the newest confirmed one.
    """
    if relapses == 0 or calm_for >= WITHIN:
        return resolve
    return max(resolve, min(LONGEST_RUN, FIRST_RUN << min(relapses - 1, LONGEST_RUN)))


def relapses_at(
    opened_at: datetime, ended_at: datetime | None, before: int, confirmed: Sequence[datetime], *, kept: int
) -> int:
    """How many incidents went before one that opens, each soon after the one before it.

    Args:
        opened_at: when it opens.
        ended_at: when the last one ended; None: there was none.
        before: the relapses of that one.
        confirmed: launches of the last confirmed canaries, earliest first.
        kept: how many of them are remembered: where all were launched since the end, so many came through.
    """
    if ended_at is None or opened_at - ended_at >= WITHIN:
        return 0
    is_calm = len(confirmed) >= kept and confirmed[0] > ended_at
    return 0 if is_calm else before + 1


def is_relapse(recovered: int, resolve: int, *, relapses: int) -> bool:
    """Whether a failure of an incident that proves itself is news: half of the run that ends it had come through.

    Args:
        recovered: canaries confirmed in a row before it.
        resolve: by the path's policy.
        relapses: of the incident.
    """
    return 2 * recovered >= run_that_ends(resolve, relapses=relapses)


def flap_words(relapses: int, *, works_from: datetime | None = None, broke_again: int = 0) -> str:
    """What people should know of an incident that came soon after another, without a full stop; empty of any other."""
    if relapses == 0:
        return ""
    before = "an incident ended" if relapses == 1 else f"{relapses} incidents ended, each"
    run = run_that_ends(1, relapses=relapses)
    ends = f"this one ends only after {run} confirmed canaries in a row, or a day without a failure"
    words = [f"it flaps: {before} less than a day before the next; {ends}"]
    if broke_again:
        times = "" if broke_again == 1 else f", {broke_again} times"
        words.append(f"it failed again after it had come through for a while{times}")
    if works_from is not None:
        words.append(f"every canary has come through since {works_from:%Y-%m-%d %H:%M} UTC")
    return "; ".join(words)
