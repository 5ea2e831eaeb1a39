"""What a browser did within one hop of a portal: the steps of the journey, and what its pages asked for."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PageStep:
    """One step of the journey.

    Attributes:
        number: from 1, as in the configuration.
        text: as people write it, without what is typed in secret: ``fill {label: Subject}``.
        is_done: False: it could not be done.
    """

    number: int
    text: str
    began_at: datetime
    ended_at: datetime
    is_done: bool = True


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One request of the page.

    Attributes:
        number: in the order in which the hop's requests began, from 1.
        url: without its query.
        kind: the browser's word for what it is for: ``document``, ``xhr``, ``image``, ….
        ended_at: None: it was still under way when the hop ended.
        status: of the answer; None: there was none.
        failure: the browser's word for why (``net::ERR_…``), or empty.
        is_error: it failed, or was answered with an error, other than harmlessly.
    """

    number: int
    method: str
    url: str
    kind: str
    began_at: datetime
    ended_at: datetime | None = None
    status: int | None = None
    failure: str = ""
    is_error: bool = False
