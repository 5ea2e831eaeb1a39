"""Tickets of what looks have caught: each made by itself, so that an odd one hides none of the others."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from canary.requester import Standing, standing
from canary.ticket import Attachment, Ticket, TicketState
from probes.contracts import Blind
from probes.servers import SecretUnavailable
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.files import Files
from probes.ticketing.generic.gathering import Found, stays_away
from probes.ticketing.generic.oddness import odd_is_blind
from probes.ticketing.generic.settings import GenericSettings, LookSettings
from probes.ticketing.generic.tickets import Making, Values, files_of, merged, searched, word_of

_REMEMBERED: Final = 2000


class Maker:
    """Makes tickets of rows, with the digests of their files where anybody wants those.

    Attributes:
        values: of the tickets that were made, by their ids: for the requests that remove them.
    """

    def __init__(self, settings: GenericSettings, files: Files) -> None:
        self._settings = settings
        self._files = files
        self._values: dict[str, Values] = {}

    @property
    def values(self) -> Mapping[str, Values]:
        """What is known of the tickets that were made, by id."""
        return self._values

    async def tickets(
        self, found: Sequence[Found], senders: Collection[str]
    ) -> tuple[Sequence[Ticket], Blind | SecretUnavailable | None]:
        """The tickets of all looks, each of all that they tell of it; and why any could not be made and is left out.

        Args:
            found: what the looks have caught.
            senders: of the canaries that are looked for.
        """
        tickets: list[Ticket] = []
        error: Blind | SecretUnavailable | None = None
        for look, values in _told_of_each(found):
            try:
                if stays_away(error) and self._wants_files(values, senders):
                    continue
                with odd_is_blind(self._settings.name):
                    tickets.append(await self.ticket(look, values, senders))
            except (Blind, SecretUnavailable) as odd:
                error = odd if error is None or stays_away(odd) else error
        return tickets, error

    async def ticket(self, look: LookSettings, values: Values, senders: Collection[str] = ()) -> Ticket:
        """The ticket of a row.

        Raises:
            Blind: a value is not of its kind, or we are to stay away from its files.
            SecretUnavailable: our credential for them can't be had.
        """
        is_aside = look.state is TicketState.DIVERTED
        making = Making(
            self._settings.name,
            self._settings.channels,
            look.state,
            prefix=f"{look.name}/" if is_aside else "",
        )
        ticket = making.ticket(values, await self._attachments(values, senders))
        if len(self._values) >= _REMEMBERED:
            self._values.clear()
        self._values[ticket.ref.id] = values
        return ticket

    async def _attachments(self, values: Values, senders: Collection[str]) -> tuple[Attachment, ...] | None:
        files = files_of(values)
        if files is None:
            return None
        is_wanted = self._wants_files(values, senders)
        return tuple(
            [
                Attachment(
                    name, await self._files.digest(url, name) if is_wanted and url is not None else None
                )
                for name, url in files
            ]
        )

    def _wants_files(self, values: Values, senders: Collection[str]) -> bool:
        """Whether a ticket's files are worth a request: a stranger, who may send anything, is no canary."""
        if not self._settings.reads_files or not files_of(values):
            return False
        requester = word_of(values, "requester").lower()
        if requester in self._settings.targets:
            return True  # a group that takes over the From
        own = {*senders, *self._settings.own_addresses}
        return any(standing(requester, sender=one) is not Standing.STRANGER for one in own)


def _told_of_each(found: Sequence[Found]) -> Iterable[tuple[LookSettings, Values]]:
    """The values of each ticket, once: where several looks show it, what one does not tell is taken of the others.

    A row that could not be read on, because too many were or because we may not, is shown all the same; another look
    often shows it whole.
    """
    told: dict[tuple[str, str], tuple[LookSettings, Values]] = {}
    for one in found:
        aside = one.look.name if one.look.state is TicketState.DIVERTED else ""
        for values in one.caught.rows:
            name = (aside, str(values["id"]))
            if name not in told:
                told[name] = (one.look, values)
                continue
            look, before = told[name]
            poorer, richer = sorted((values, before), key=_richness)
            told[name] = (look, merged(poorer, richer))
    return told.values()


def _richness(values: Values) -> tuple[int, int]:
    """How much a row tells: how much text, since lists often show its beginning alone, and in how many fields."""
    fields = sum(one is not None and one is not MISSING for one in values.values())
    return len(searched(values)), fields
