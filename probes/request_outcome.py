"""What a request to a ticketing API came to, by the status of its answer."""

from collections.abc import Collection
from enum import StrEnum
from http import HTTPStatus


class RequestOutcome(StrEnum):
    """What a request to a ticketing API came to; ``error``: also that there was no answer."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    ERROR = "error"


def outcome_of(status: int, accept: Collection[int] = ()) -> RequestOutcome:
    """The outcome; ``accept``: statuses of errors that whoever asks understands."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return RequestOutcome.UNAUTHORISED
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RequestOutcome.RATE_LIMITED
        case _:
            is_good = status < HTTPStatus.BAD_REQUEST or status in accept
            return RequestOutcome.OK if is_good else RequestOutcome.ERROR
