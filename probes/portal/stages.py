"""What the parts of a journey share: the way to pass a hop, and how far the canary is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from canary.reason import Reason
from probes.hops import Passage
from probes.reasons import Fault

Stage = Callable[..., AbstractAsyncContextManager[Passage]]
"""`probes.hops.hop` of one canary: takes the hop's name and its ``limit`` in seconds."""


@dataclass(slots=True)
class Progress:
    """How far one journey is.

    Attributes:
        used_kept_session: whether it still rests on an earlier canary's log-in.
        has_left: whether the submit was clicked: from then on a ticket may come.
        has_logged_in: whether it logged in itself.
    """

    used_kept_session: bool = False
    has_left: bool = False
    has_logged_in: bool = False

    def begins_again(self, fault: Fault) -> bool:
        """Whether the journey is to begin again, with a log-in of its own."""
        ran_out = self.used_kept_session and fault.reason is Reason.SESSION_EXPIRED
        return ran_out and not self.has_left

    def gives_up(self, fault: Fault) -> bool:
        """Whether the launch ends with a fault before anything can have left."""
        return not self.has_left and not self.begins_again(fault)
