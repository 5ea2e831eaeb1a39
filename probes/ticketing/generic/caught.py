"""What a look has caught, what of it is known, and where it was left off."""

from dataclasses import dataclass, field
from datetime import datetime

from probes.contracts import Blind
from probes.servers import SecretUnavailable
from probes.ticketing.generic.paging import Page
from probes.ticketing.generic.tickets import Values
from probes.ticketing.generic.unread import Unread


@dataclass(slots=True)
class Caught:
    """What a look has caught.

    Attributes:
        rows: values of the rows that bear a token.
        is_complete: all pages were read, and each row that may be ours.
        left: where it was left off, if there is more that a later look can go on with.
        error: what hid the rest of it; what was caught before is there all the same.
        others: rows that are nobody's canary: by id when they were created, and by which word of the system's.
        unread: rows whose text could not be read, by id; ``is_complete`` says nothing of them.
        gone: ids of rows that a further request calls gone, in a look that is made for a clean-up.
        unmet: id of the row that an earlier look read last, until this one meets it.
    """

    rows: list[Values] = field(default_factory=list)
    is_complete: bool = True
    left: "Left | None" = None
    error: Blind | SecretUnavailable | None = None
    others: dict[str, tuple[datetime | None, str]] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    unmet: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """Where a look was left off: the last page that it read, so that what moves meanwhile is met again.

    Attributes:
        page: to go on with; the one after it, where a look reads a single page.
        newest: when the newest ticket of the last page was created, by the system's clock; None: not known for sure.
        last: id of the last row that was read; ``is_shown``: on the page to go on with.
    """

    page: Page
    newest: datetime | None
    last: str | None = None
    is_shown: bool = True


class Unresumed(Blind):
    """The page that an earlier look was left off at is refused: its cursor or link may have ended."""
