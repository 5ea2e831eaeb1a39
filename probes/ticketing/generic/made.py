"""The id of a ticket that was made to try our rights, out of the answer; and what it means where there is none."""

from probes.contracts import Blind
from probes.http_wire import Answer
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.misfits import instead_of
from probes.ticketing.generic.picking import seen_of
from probes.ticketing.generic.settings import CreateSettings


def made_by(create: CreateSettings, answer: Answer, system: str) -> str:
    """The id that the answer tells.

    Raises:
        Blind: it tells none; the text says whether anything is likely to be made.
    """
    seen = seen_of(answer)
    number = text_of(create.id.found(seen), create.id.key)
    if number:
        return number
    where = f"{system}: {create.id.key}: {answer.what} was answered {answer.status}"
    if not answer.content.strip():
        raise Blind(
            f"{where} without content, so that most likely no ticket was made. Look at our key first: many systems"
            " take a wrong one, or a guest's, for nobody and say so nowhere; then at what the request must say."
        )
    raise Blind(
        f"{where}, which does not tell the id of the ticket that was made. Correct the pick.{instead_of(create.id, seen)}"
    )
