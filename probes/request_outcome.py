"""What a request to a ticketing API came to, by the status of its answer."""

from collections.abc import Callable, Collection
from enum import StrEnum
from http import HTTPStatus


class RequestOutcome(StrEnum):
    """What a request to a ticketing API came to; ``error``: also that there was no answer."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    ERROR = "error"


Asked = Callable[[RequestOutcome], None]
"""Hears of every request what it came to."""


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


def meaning_of(status: int) -> str:
    """What an error says of us or of the system, and what to do; for people."""
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return "our credential is refused, also after it was read again. Renew it."
        case HTTPStatus.FORBIDDEN:
            return "our credential lacks a permission. See the adapter's list of permissions."
        case HTTPStatus.NOT_FOUND:
            return "there is no such place, or it is not shown to us. Correct `url`, or the permissions."
        case HTTPStatus.TOO_MANY_REQUESTS:
            return "we are throttled. Lower the rate, or ask for a higher limit."
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return "the system fails. Look at its own status."
        case _:
            return "it does not take our request. Compare its version with the adapter's page."
