"""The YAML document's block of the web page: where it listens, and who may read it."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import ipaddress
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from runners.config.block import Block
from runners.config.fields import LISTED, Host, SecretSetting, Url, matching, mistake, shown, text_schema

_LISTEN = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(?P<port>[0-9]{1,5})", re.ASCII
)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")


def _listen(value: Any) -> tuple[str, int]:  # noqa: ANN401 -- whatever YAML holds
    match = _LISTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match["port"]) >= 1 << 16:
        raise mistake(
            f"{shown(value)} is no address to listen on",
            "Write address:port: 127.0.0.1:8080, [::1]:8080 or 0.0.0.0:8080.",
        )
    return match["host"].strip("[]"), int(match["port"])


def _network(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    try:
        return ipaddress.ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise mistake(
            f"{shown(value)} is not a network", "Write an address, or a network: 10.0.0.7 or 10.0.0.0/8."
        ) from None


Listen = Annotated[
    tuple[str, int],
    BeforeValidator(_listen),
    text_schema(
        "address:port", _LISTEN.pattern.replace("?P<host>", "").replace("?P<port>", ""), "127.0.0.1:8080"
    ),
]
Network = Annotated[
    ipaddress.IPv4Network | ipaddress.IPv6Network,
    BeforeValidator(_network),
    text_schema("network", "[0-9A-Fa-f:.]+(/[0-9]{1,3})?", "10.0.0.0/8"),
]
HeaderName = Annotated[
    str,
    matching(_HEADER, "the name of a header", "Use letters, digits and hyphens: X-Forwarded-User."),
    text_schema("text", _HEADER.pattern, "X-Forwarded-User"),
]


class ProxyDocument(Block):
    """A proxy in front of the page that signs people in, and says who they are."""

    header: Annotated[HeaderName, Field(description="The header that names whom the proxy signed in.")] = (
        "X-Forwarded-User"
    )
    sources: Annotated[
        list[Network],
        LISTED,
        Field(alias="from", description="The addresses of the proxy; from any other the header is ignored."),
    ]


class PageDocument(Block):
    """The read-only web page and its JSON (used by `serve`)."""

    listen: Annotated[
        Listen,
        Field(description="address:port. Any address other than loopback demands `token` or `proxy`."),
    ] = ("127.0.0.1", 8080)
    hosts: Annotated[
        list[Host],
        Field(description="Names by which the page is called, beside localhost and the address."),
    ] = []
    url: Annotated[
        Url | None,
        Field(
            description="Where people reach the page, for the links in alerts: https://intake.acme.example."
        ),
    ] = None
    token: Annotated[
        SecretSetting | None,
        Field(description="What a reader must show: at least 16 bytes, as `Authorization: Bearer`."),
    ] = None
    proxy: Annotated[ProxyDocument | None, Field(description="A proxy that signs readers in.")] = None
