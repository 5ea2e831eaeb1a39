"""The YAML document's maintenance windows: times that come again and again, in which alerts are held back."""

from typing import Annotated

from pydantic import Field

from runners.config.block import Block
from runners.config.fields import LISTED, Duration, Line, Name


class MaintenanceDocument(Block):
    """A window in which nobody wants to hear of some paths or places. Canaries go on, and incidents open as ever."""

    about: Annotated[
        list[Name],
        LISTED,
        Field(
            description="Paths, mailboxes or ticketing systems; with a place go all the paths through it.",
        ),
    ]
    cron: Annotated[
        Line,
        Field(
            description="When it begins: minute hour day month weekday [zone].",
            examples=["0 2 * * sun Europe/Berlin"],
        ),
    ]
    duration: Annotated[Duration, Field(alias="for", description="How long it lasts.")]
    why: Annotated[Line, Field(description="The reason, for whoever wonders.")]
