"""Sight: what shows that the prober sees again what it could not. Pure."""

from canary.blame import Stop
from canary.hop import Hop

_ORDER = {hop: number for number, hop in enumerate(Hop)}
"""Of the hops of any route: it names them as the vocabulary does."""


def is_sight_of(unseen: Stop | None, failed: Stop | None) -> bool:
    """Whether a breach shows that we see a place again: one that ended before it says nothing of it.

    A mail that is refused at once is a failure of the target, and no look took part in it: the interface that we can't
    read may be as unreadable as before.

    Args:
        unseen: where the last inconclusive canary left us.
        failed: where the breached one ended. None of either: it is not known, and what was judged was seen.
    """
    return unseen is None or failed is None or _ORDER[failed.hop] >= _ORDER[unseen.hop]
