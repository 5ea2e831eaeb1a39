"""What the parts of a journey share: the way to pass a hop, and how far the canary is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

from canary.reason import Reason
from probes.hops import Passage
from probes.reasons import Fault

Stage = Callable[..., AbstractAsyncContextManager[Passage]]
"""`probes.hops.hop` of one canary: takes the hop's name and its ``limit`` in seconds."""

_OF_A_STALE_SESSION: Final = frozenset(
    {
        Reason.SESSION_EXPIRED,
        Reason.CREDENTIALS_REJECTED,
        Reason.REDIRECTED,
        Reason.REDIRECT_LOOP,
        Reason.PAGE_ERROR,
        Reason.SERVER_ERROR,
        Reason.SCRIPT_ERROR,
        Reason.FORM_CHANGED,
        Reason.FORM_DISABLED,
        Reason.PAGE_STUCK,
    }
)
"""How portals treat a log-in that they no longer know: some say so, others refuse, break, or lead in a circle."""


@dataclass(slots=True)
class Progress:
    """How far one journey is.

    Attributes:
        used_kept_session: whether it still rests on an earlier canary's log-in.
        has_left: whether the submit was clicked.
        has_logged_in: whether it logged in itself.
        has_sent_token: whether some other step of the path has sent the portal what it could make a ticket of.
    """

    used_kept_session: bool = False
    has_left: bool = False
    has_logged_in: bool = False
    has_sent_token: Callable[[], bool] = lambda: False

    @property
    def may_have_left(self) -> bool:
        """Whether a ticket may come."""
        return self.has_left or self.has_sent_token()

    def begins_again(self, fault: Fault) -> bool:
        """Whether the journey is to begin again, with a log-in of its own."""
        may_be_stale = self.used_kept_session and fault.reason in _OF_A_STALE_SESSION
        return may_be_stale and not self.may_have_left

    def gives_up(self, fault: Fault) -> bool:
        """Whether the launch ends with a fault before anything can have left."""
        return not self.may_have_left and not self.begins_again(fault)
