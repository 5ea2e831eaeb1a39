"""One exchange over HTTP as it went over the wire, for whoever keeps a transcript."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Fields = Sequence[tuple[str, str]]
"""Header fields in their order; a name may come twice."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request, and what came of it. It holds secrets and strangers' words: never printed or kept as it is.

    Attributes:
        status: None where there was no answer.
        content: the answer's body, unpacked, as far as it was read.
        seconds: from the first byte sent to the end of the answer.
        failure: the kind of error where the answer was not read whole; empty where it was.
    """

    method: str
    url: str
    headers: Fields = field(repr=False)
    body: bytes = field(repr=False)
    status: int | None
    answer_headers: Fields = field(repr=False)
    content: bytes = field(repr=False)
    seconds: float
    failure: str = ""


Witness = Callable[[Exchange], None]
"""Hears of every exchange when it is over, also of one that failed. Must return at once and never raise."""
