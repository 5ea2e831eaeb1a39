"""The documents of a ticketing system, by type."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from runners.config.document_places import SystemDocument, TicketingDocument, TicketingType
from runners.config.document_ticketing_http import HttpTicketingDocument
from runners.config.document_ticketing_looks import LookDocument
from runners.config.fields import Name
from runners.config.presets import preset_names


class PresetTicketingDocument(HttpTicketingDocument):
    """A ticketing system that comes as a file, with your keys over it: `runners.config.presets`."""

    type: Annotated[  # type: ignore[assignment]  # the file makes `http` of it
        str,
        WithJsonSchema({"type": "string", "enum": list(preset_names())}),
        Field(description="Which system."),
    ]
    find: Annotated[dict[Name, LookDocument], Field(description="The looks for tickets, by name.")] = {}


AnyTicketingDocument = TicketingDocument | HttpTicketingDocument
"""What is built: a preset is `type: http` by then."""
WrittenTicketingDocument = AnyTicketingDocument | PresetTicketingDocument
"""What may stand in a file."""

TICKETING_DOCUMENTS: Final[dict[TicketingType, type[SystemDocument]]] = {
    TicketingType.HELPDESK: TicketingDocument,
    TicketingType.RT: TicketingDocument,
    TicketingType.HTTP: HttpTicketingDocument,
}
