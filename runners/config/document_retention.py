"""The YAML document of what is kept for how long."""

from typing import Annotated

from pydantic import Field

from runners.config.block import Block
from runners.config.fields import Duration


class RetentionDocument(Block):
    """How long the store keeps what. The figures of each day are kept for ever."""

    observations: Annotated[
        Duration,
        Field(description="What was seen of settled, clean canaries; at most as long as `canaries`."),
    ] = 30 * 86400.0
    canaries: Annotated[
        Duration,
        Field(
            description="Settled, clean canaries, readings, alerts and silences that are over; at least `90d`."
        ),
    ] = 90 * 86400.0
    incidents: Annotated[
        Duration,
        Field(description="Incidents that are over, with all that happened to them; at least `90d`."),
    ] = 400 * 86400.0
    audit: Annotated[
        Duration,
        Field(description="The audit of what was closed or deleted; at least `90d`."),
    ] = 400 * 86400.0
