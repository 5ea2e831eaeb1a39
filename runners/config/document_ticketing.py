"""The documents of a ticketing system, by type."""

from typing import Final

from runners.config.document_places import SystemDocument, TicketingDocument, TicketingType
from runners.config.document_ticketing_http import HttpTicketingDocument

AnyTicketingDocument = TicketingDocument | HttpTicketingDocument

TICKETING_DOCUMENTS: Final[dict[TicketingType, type[SystemDocument]]] = {
    TicketingType.HELPDESK: TicketingDocument,
    TicketingType.RT: TicketingDocument,
    TicketingType.HTTP: HttpTicketingDocument,
}
