"""The YAML document's block of the prober itself."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from runners.config.block import Block
from runners.config.document_browser import ArtifactsDocument, BrowserDocument
from runners.config.document_places import Files
from runners.config.document_retention import RetentionDocument
from runners.config.fields import LISTED, Line, Marker, Name, SecretSetting, Url, mistake, shown

# As probes.selfcheck reads it, whose imports are too heavy for every start; a test holds them equal.
_CONTROL = re.compile(
    r"(?P<kind>https://|dns:|smtp:)(?P<host>\[[0-9a-fA-F:.]+\]|[^:/\s\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?"
)


def _control(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    match = _CONTROL.fullmatch(value) if isinstance(value, str) else None
    port = match["port"] if match is not None else None
    if match is None or (port and (match["kind"] == "dns:" or not 0 < int(port) < 1 << 16)):
        raise mistake(
            f"{shown(value)} is not a control",
            "Write https://host, dns:name or smtp:host[:port], of the protocol and port of the hop it excuses.",
        )
    return value


def _resolver(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if value != "system" and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
        raise mistake(f"{shown(value)} is not a resolver", "Write system, or address:port (127.0.0.1:53).")
    return value


Control = Annotated[
    str,
    BeforeValidator(_control),
    WithJsonSchema(
        {"type": "string", "pattern": "^(https://|dns:|smtp:).+", "examples": ["dns:example.org"]}
    ),
]
Resolver = Annotated[
    str,
    BeforeValidator(_resolver),
    WithJsonSchema(
        {
            "type": "string",
            "title": "resolver",
            "pattern": "^(system|.+:[0-9]+)$",
            "examples": ["127.0.0.1:53"],
        }
    ),
]


class ProberDocument(Block):
    """This prober."""

    name: Annotated[
        Name, Field(description="Which prober: in metrics, mails and tickets. One a schedule, not a pod.")
    ] = "prober"
    store: Annotated[
        Line,
        Field(description="sqlite:///FILE (beside this file, if relative) or postgresql+psycopg://…."),
    ] = "sqlite:///intake.db"
    signing_keys: Annotated[
        list[SecretSetting], LISTED, Field(description="At least 16 bytes each: the first signs, all verify.")
    ]
    marker: Annotated[Marker, Field(description="The word that begins the subject of all canaries.")] = (
        "intakecanary"
    )
    ca: Annotated[Files, Field(description="PEM files of CAs to trust everywhere beside the system's.")] = []
    controls: Annotated[
        list[Control],
        Field(description="Independent places of the same protocol and port as the hops that they excuse."),
    ] = []
    resolver: Annotated[Resolver, Field(description="system, or address:port.")] = "system"
    contact: Annotated[
        Url | None, Field(description="In the User-Agent: where to complain about the prober.")
    ] = None
    browser: Annotated[
        BrowserDocument, Field(description="The one browser, for paths of channel portal.")
    ] = BrowserDocument.model_construct()
    artifacts: Annotated[
        ArtifactsDocument, Field(description="Where evidence of a portal's failures is kept.")
    ] = ArtifactsDocument.model_construct()
    retention: Annotated[RetentionDocument, Field(description="How long the store keeps what.")] = (
        RetentionDocument.model_construct()
    )
