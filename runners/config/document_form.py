"""The YAML document's paths of channel `form`: what is posted by plain HTTP, and how it is confirmed."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import math
import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from canary.hop import Channel
from runners.config.block import Block
from runners.config.document_web import FIELD_NAME, WebPathDocument
from runners.config.fields import (
    LISTED,
    Address,
    Duration,
    Line,
    SecretSetting,
    Size,
    Url,
    matching,
    mistake,
    shown,
    text_schema,
    word,
)
from runners.config.phrases import FieldSetting, HeaderSetting, Phrase, check_words, parse_phrase

_ORGANIZATION = re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_IDEMPOTENCY_KEY = "Idempotency-Key"
_LOWEST_STATUS, _HIGHEST_STATUS = 100, 599


class FormType(StrEnum):
    """What is posted."""

    HTML = "html"
    JSON = "json"
    WEB_TO_CASE = "web_to_case"
    INBOUND_PARSE = "inbound_parse"


class Encoding(StrEnum):
    """How the fields of an HTML form are written."""

    URLENCODED = "urlencoded"
    MULTIPART = "multipart"


class Method(StrEnum):
    """How JSON is sent."""

    POST = "POST"
    PUT = "PUT"


class Shape(StrEnum):
    """Whose inbound-parse webhook is spoken."""

    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"
    POSTMARK = "postmark"


def _check_tree(value: Any, at: tuple[str | int, ...]) -> None:  # noqa: ANN401 -- whatever YAML holds
    match value:
        case str():
            check_words(value, at=at)
        case float() if not math.isfinite(value):
            raise mistake(f"{shown(value)} is no number of JSON", "Write a smaller one.", at=at)
        case list():
            for index, one in enumerate(value):
                _check_tree(one, (*at, index))
        case dict():
            for key, one in value.items():
                _check_tree(one, (*at, key))
        case _:
            return


def _tree(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    _check_tree(value, ())
    return value


def _json_expected(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, dict | list):
        raise mistake(
            f"{shown(value)} can't be compared", "Write a text, /regex/, number, true, false or null."
        )
    return parse_phrase(value) if isinstance(value, str) else value


def _idempotency(value: Any) -> str:  # noqa: ANN401 -- whatever YAML holds
    if value is True:
        return _IDEMPOTENCY_KEY
    if not isinstance(value, str) or not FIELD_NAME.fullmatch(value):
        raise mistake(f"{shown(value)} is no header field", f"Write true ({_IDEMPOTENCY_KEY}) or its name.")
    return value


class FormChoiceDocument(Block):
    """Which form of the page is meant: all that is given must fit."""

    id: Annotated[Line | None, Field(description="Its attribute id.")] = None
    name: Annotated[Line | None, Field(description="Its attribute name.")] = None
    action: Annotated[Line | None, Field(description="A part of the address that it posts to.")] = None
    nth: Annotated[
        int | None, Field(ge=-1, le=1000, description="Which of those that fit, from 0; -1: the last.")
    ] = None


class ButtonDocument(Block):
    """The submit button that is pressed."""

    name: Annotated[Line | None, Field(description="Its name.")] = None
    value: Annotated[Line | None, Field(description="Its value.")] = None


class WebToCaseDocument(Block):
    """Salesforce's Web-to-Case."""

    organization: Annotated[
        str,
        matching(
            _ORGANIZATION, "an organization's id", "It has 15 or 18 letters and digits and begins with 00D."
        ),
        text_schema("id", _ORGANIZATION.pattern, "00D000000000062"),
        Field(description="The organization's id (orgid): 00D…"),
    ]


class InboundParseDocument(Block):
    """The shape in which a mail service posts a mail to a ticketing system."""

    shape: Annotated[Shape, word(Shape), Field(description="Whose webhook is spoken.")]
    to: Annotated[Address, Field(description="The support address that the mail seems to have been sent to.")]
    key: Annotated[
        SecretSetting | None,
        Field(
            description="Signs the post. mailgun: the signing key; sendgrid: a private key (PEM, ECDSA P-256)."
        ),
    ] = None


class FormConfirmDocument(Block):
    """What must hold of the last answer: all that is given. Nothing given: a status 2xx."""

    status: Annotated[
        list[Annotated[int, Field(ge=_LOWEST_STATUS, le=_HIGHEST_STATUS)]],
        LISTED,
        Field(description="One of these; default: any 2xx."),
    ] = []
    text: Annotated[Phrase | None, Field(description="In the page as it is read, or in the body.")] = None
    tree: Annotated[
        dict[
            Line,
            Annotated[
                str | re.Pattern[str] | bool | int | float | None,
                BeforeValidator(_json_expected),
                WithJsonSchema({"type": ["string", "number", "boolean", "null"]}),
            ],
        ],
        Field(
            alias="json", description="By JMESPath expression: the value, or text or `/regex/` that it has."
        ),
    ] = {}
    url: Annotated[Phrase | None, Field(description="Where the answer came from, after redirects.")] = None
    header: Annotated[dict[Line, Phrase], Field(description="By name of a header field.")] = {}


class FormLimitsDocument(Block):
    """How long each phase may take at most."""

    dns: Annotated[Duration, Field(description="`dns`.")] = 10.0
    connect: Annotated[Duration, Field(description="`form.connect`, or a proxy's tunnel.")] = 10.0
    tls: Annotated[Duration, Field(description="`form.tls`.")] = 10.0
    write: Annotated[Duration, Field(description="Sending the request.")] = 30.0
    read: Annotated[
        Duration, Field(description="From then to the answer's header; the page with the form.")
    ] = 30.0
    confirmation: Annotated[
        Duration, Field(description="The rest of the answer, and the pages it leads to.")
    ] = 30.0


class FormPathDocument(WebPathDocument):
    """A contact form, an API or a webhook, by plain HTTP."""

    channel: Annotated[Literal[Channel.FORM], Field(description="How the request is submitted.")]
    type: Annotated[FormType, word(FormType), Field(description="What is posted.")] = FormType.HTML
    url: Annotated[
        Url | None,
        Field(
            description="html: the page with the form; else where it is posted. web_to_case: default Salesforce's."
        ),
    ] = None
    fields: Annotated[dict[Line, FieldSetting], Field(description="html, web_to_case: by field name.")] = {}
    form: Annotated[
        FormChoiceDocument | None, Field(description="html: which form; default: the one with the fields.")
    ] = None
    button: Annotated[
        ButtonDocument | None, Field(description="html: which submit button; default: the first.")
    ] = None
    upload: Annotated[
        Line | None, Field(description="html: the name of the file field that takes `request.attachment`.")
    ] = None
    encoding: Annotated[
        Encoding | None, word(Encoding), Field(description="html: instead of what the form says.")
    ] = None
    tree: Annotated[
        Any,
        BeforeValidator(_tree),
        WithJsonSchema({"title": "any JSON"}),
        Field(alias="json", description="json: the body; its texts are templates."),
    ] = None
    method: Annotated[Method, word(Method), Field(description="json: how it is sent.")] = Method.POST
    web_to_case: Annotated[WebToCaseDocument | None, Field(description="Salesforce's Web-to-Case.")] = None
    inbound_parse: Annotated[InboundParseDocument | None, Field(description="A mail service's webhook.")] = (
        None
    )
    confirm: Annotated[
        FormConfirmDocument,
        Field(
            description="What confirms the request; default: a status 2xx, or Salesforce's header Is-Processed."
        ),
    ] = FormConfirmDocument.model_construct()
    proxy: Annotated[
        HeaderSetting | None,
        Field(description="http://host:port; a secret where it holds a password. Default: none."),
    ] = None
    http2: Annotated[bool, Field(description="Offer HTTP/2.")] = False
    idempotency_key: Annotated[
        str | None,
        BeforeValidator(_idempotency),
        WithJsonSchema({"anyOf": [{"type": "boolean", "const": True}, {"type": "string", "minLength": 1}]}),
        Field(description="Send the canary's token as Idempotency-Key (true), or in the field of this name."),
    ] = None
    pace: Annotated[
        Duration | None, Field(description="html: the least time between the page and the post.")
    ] = None
    limits: Annotated[FormLimitsDocument, Field(description="How long each phase may take.")] = (
        FormLimitsDocument.model_construct()
    )
    most_answer: Annotated[Size, Field(description="How much of an answer is read.")] = 2_000_000
    redirects: Annotated[int, Field(ge=0, le=50, description="How many redirects are followed.")] = 10


OF_TYPE: dict[FormType, frozenset[str]] = {
    FormType.HTML: frozenset({"fields", "form", "button", "upload", "encoding", "pace"}),
    FormType.JSON: frozenset({"tree", "method"}),
    FormType.WEB_TO_CASE: frozenset({"fields", "web_to_case"}),
    FormType.INBOUND_PARSE: frozenset({"inbound_parse"}),
}
"""The settings that have an effect with one type only, by their names here."""
