"""Dispose of tickets one by one, so that each gets an answer and a refusal of us is not said again for each."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

from canary.ticket import Ticket
from probes.contracts import Blind, Disposal, Disposed, RemovalState
from probes.masking import Masker
from probes.servers import SecretUnavailable

_OF_US: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers that speak of us and not of the ticket: the next call would get the same."""


async def dispose_each(
    tickets: Sequence[Ticket],
    dispose: Callable[[Ticket, Disposal], Awaitable[Disposed]],
    how: Disposal,
    *,
    masker: Masker,
) -> Sequence[Disposed]:
    """One answer a ticket, in their order; what can't be done is an answer too. Cancellable and repeatable."""
    answers: list[Disposed] = []
    refusal: str | None = None
    for ticket in tickets:
        if refusal is not None:
            answers.append(Disposed(ticket.ref, RemovalState.FAILED, refusal))
            continue
        try:
            answers.append(await dispose(ticket, how))
        except Blind as error:
            detail = masker.detail(str(error))
            answers.append(Disposed(ticket.ref, RemovalState.FAILED, detail))
            refusal = detail if error.status in _OF_US else None
        except SecretUnavailable as error:
            refusal = masker.detail(str(error))
            answers.append(Disposed(ticket.ref, RemovalState.FAILED, refusal))
    return tuple(answers)
