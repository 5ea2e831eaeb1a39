"""The YAML document's browser for paths of channel `portal`, and where evidence of their failures is kept."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import re
from typing import Annotated, Final

from pydantic import Field

from runners.config.block import Block
from runners.config.fields import Duration, Line, Size, matching, text_schema

_PROXY = re.compile(r"(?:https?|socks5)://[^\s/?#@]+/?")


class BrowserDocument(Block):
    """The one browser of this prober; used by paths of channel `portal`."""

    executable: Annotated[
        Line | None, Field(description="The program; default: Playwright's own Chromium, else the system's.")
    ] = None
    recycle_after: Annotated[
        int, Field(ge=1, le=100_000, description="Canaries after which it is started anew.")
    ] = 100
    start: Annotated[Duration, Field(description="How long its start may take.")] = 30.0
    arguments: Annotated[list[Line], Field(description="Further arguments of its command line.")] = []
    proxy: Annotated[
        str | None,
        matching(
            _PROXY, "a proxy", "Write http://host:port or socks5://host:port, without user and password."
        ),
        text_schema("proxy", _PROXY.pattern, "http://proxy.acme.example:3128"),
        Field(description="The proxy; default: as the environment says."),
    ] = None


DIRECTORY: Final = "intake-artifacts"


class ArtifactsDocument(Block):
    """Where evidence of failures is kept, and how much of it."""

    directory: Annotated[
        Line | None,
        Field(
            description=f"The folder; default: {DIRECTORY} beside the store's file, else in the working directory."
        ),
    ] = None
    most: Annotated[int, Field(ge=1, le=1_000_000, description="At most so many failed canaries.")] = 100
    age: Annotated[Duration, Field(description="At most so old.")] = 14 * 86400.0
    size: Annotated[Size, Field(description="At most so large, in all.")] = 500_000_000
