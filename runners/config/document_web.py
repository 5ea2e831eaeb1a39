"""The YAML document's paths of both web channels: what a portal and a form have in common."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import re
from typing import Annotated, Final

from pydantic import Field

from runners.config.block import Block
from runners.config.document_paths import AttachmentDocument, PathDocument
from runners.config.document_places import Files
from runners.config.fields import LISTED, Host, Line, Name, SecretSetting, Text, Url
from runners.config.phrases import HeaderSetting

FIELD_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""The name of a header field (RFC 9110 section 5.6.2)."""


class RequestDocument(Block):
    """What the canary's request says."""

    subject: Annotated[
        Line | None, Field(description="The subject's text; marker and token come before it.")
    ] = None
    body: Annotated[Text | None, Field(description="The body's text; the token is added.")] = None
    attachment: Annotated[
        AttachmentDocument | None, Field(description="An attachment, where the path takes one.")
    ] = None


class HttpLoginDocument(Block):
    """A user name and password for HTTP authentication."""

    username: Annotated[Line, Field(description="The user name.")]
    password: Annotated[SecretSetting, Field(description="The password.")]


class ClientCertificateDocument(Block):
    """A certificate by which the web server lets the synthetic user through."""

    origin: Annotated[
        Url | None, Field(description="Where it is shown: https://host[:port]; default: that of `url`.")
    ] = None
    certificate: Annotated[Line, Field(description="The PEM file.")]
    key: Annotated[SecretSetting, Field(description="Its private key (PEM), not encrypted.")]


class WebPathDocument(PathDocument):
    """A path by a web page or a web service."""

    sender: Annotated[
        list[Name] | None,
        LISTED,
        Field(alias="from", description="Accounts whose requests they are; default: the only one there is."),
    ] = None
    expect_host: Annotated[
        list[Host] | None,
        LISTED,
        Field(
            description="The hosts where we may end up: anywhere else is a failure. Default: that of `url`."
        ),
    ] = None
    request: Annotated[RequestDocument, Field(description="What the request says.")] = (
        RequestDocument.model_construct()
    )
    propagate: Annotated[
        bool,
        Field(
            description="Send the canary's trace context (traceparent) to the target's own origin, which goes on with the trace."
        ),
    ] = False
    headers: Annotated[
        dict[Line, HeaderSetting],
        Field(description="Extra header fields, such as one by which a bot defence knows us."),
    ] = {}
    http_login: Annotated[HttpLoginDocument | None, Field(description="For HTTP authentication.")] = None
    client_certificate: Annotated[
        ClientCertificateDocument | None, Field(description="For TLS client authentication.")
    ] = None
    ca: Annotated[Files, Field(description="PEM files of CAs to trust beside the system's.")] = []
