"""The YAML document's ticketing system of `type: http`: one that is known by configuration alone."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Any, Literal

from pydantic import Field

from runners.config.block import Block
from runners.config.document_about import AboutDocument
from runners.config.document_places import SystemDocument, TicketingType
from runners.config.document_ticketing_looks import (
    CleanDocument,
    DivertedDocument,
    LookDocument,
    ProofDocument,
    ReadDocument,
    TicketMapDocument,
)
from runners.config.document_ticketing_picks import HttpRequestDocument, LimitSetting, PickSetting
from runners.config.fields import (
    LISTED,
    Duration,
    Host,
    Line,
    Name,
    OpenSetting,
    Rated,
    SecretSetting,
    Share,
    word,
)

Words = Annotated[list[Line], LISTED]


class BasicDocument(Block):
    """HTTP's Basic scheme."""

    username: Annotated[Line, Field(description="The user; a template.")]
    password: Annotated[Line, Field(description="The password; a template: `{{ secret.key }}`.")]


class ClientCredentialsDocument(Block):
    """OAuth 2.0 client credentials (RFC 6749 section 4.4)."""

    token_url: Annotated[Line, Field(description="The token endpoint: a path below `url`, or an address.")]
    client_id: Annotated[OpenSetting, Field(description="The client's id.")]
    client_secret: Annotated[SecretSetting, Field(description="The client's secret.")]
    scope: Annotated[Line | None, Field(description="What is asked for.")] = None
    more: Annotated[dict[str, Line], Field(description="Further parameters, such as audience.")] = {}
    style: Annotated[
        Literal["form", "basic"], Field(description="Where id and secret go: in the form, or as Basic.")
    ] = "form"


class JwtDocument(Block):
    """A signed assertion, made anew for each log-in: `{{ auth.jwt }}`."""

    alg: Annotated[Line, Field(description="How it is signed: RS256, ES256, HS256, …")] = "RS256"
    key: Annotated[SecretSetting, Field(description="The private key in PEM, or the shared secret.")]
    claims: Annotated[dict[str, Any], Field(description="iss, sub, aud, …; iat and exp are added.")] = {}
    headers: Annotated[dict[str, Line], Field(description="Header parameters, such as kid.")] = {}
    lifetime: Annotated[Duration, Field(description="From now to exp.")] = 180.0


class ExchangeDocument(HttpRequestDocument):
    """A request of a log-in. Its templates may say `secret.…` and what was taken before as `auth.…`."""

    take: Annotated[
        dict[Name, PickSetting],
        Field(
            description="What is taken of the answer; `lifetime` (seconds; `as: ms` for milliseconds) and `url` have a meaning."
        ),
    ] = {}


class HttpAuthDocument(Block):
    """How we are known: what every call bears, and the log-in by which it is had."""

    basic: Annotated[BasicDocument | None, Field(description="User name and password.")] = None
    bearer: Annotated[Line | None, Field(description="A token for `Authorization: Bearer`; a template.")] = (
        None
    )
    headers: Annotated[dict[str, Line], Field(description="Header fields with a credential; templates.")] = {}
    query: Annotated[dict[str, Line], Field(description="Parameters with a credential; templates.")] = {}
    oauth: Annotated[
        ClientCredentialsDocument | None, Field(description="OAuth 2.0 client credentials, sent as bearer.")
    ] = None
    jwt: Annotated[JwtDocument | None, Field(description="A signed assertion.")] = None
    exchange: Annotated[
        list[ExchangeDocument], LISTED, Field(description="The log-in: one request, or several in order.")
    ] = []
    lifetime: Annotated[
        Duration | None, Field(description="Of a log-in that does not tell it; default: until it is refused.")
    ] = None
    end: Annotated[HttpRequestDocument | None, Field(description="The log-out.")] = None
    hosts: Annotated[
        list[Host],
        LISTED,
        Field(
            description="Where a log-in may send us on to by `take: {url: …}`, which needs it: these hosts, and those below them."
        ),
    ] = []


class VarDocument(HttpRequestDocument):
    """A value that is asked for once and kept: `{{ vars.NAME }}`."""

    pick: Annotated[PickSetting, Field(description="The value in the answer.")]
    of: Annotated[
        PickSetting | None, Field(description="The address it belongs to: another sender's is not taken.")
    ] = None
    per: Annotated[Literal["requesters"] | None, Field(description="One for each sender.")] = None
    keep: Annotated[Duration, Field(description="How long it is kept.")] = 86400.0


class ChannelsDocument(Block):
    """Our channels, each with the system's words for it."""

    email: Words | None = None
    portal: Words | None = None
    form: Words | None = None


class WindowDocument(Block):
    """A window of requests: told by answers, or counted here."""

    remaining: Annotated[PickSetting | None, Field(description="Requests left.")] = None
    limit: Annotated[
        LimitSetting | None,
        Field(
            description="Requests in a window; where no answer tells, a number: `700`, with `lasts` or `daily`."
        ),
    ] = None
    used: Annotated[
        PickSetting | None, Field(description="Requests made, where `remaining` is not told.")
    ] = None
    reset: Annotated[
        PickSetting | None, Field(description="When it begins anew: seconds, a stamp, or a date.")
    ] = None
    source: Annotated[
        PickSetting | None,
        Field(alias="from", description="A text that holds several of them, with `regex`."),
    ] = None
    regex: Annotated[
        Line | None,
        Field(description="Its parts: groups `(?P<remaining>…)`, `limit`, `used`, `reset`."),
    ] = None
    lasts: Annotated[
        Duration | None, Field(description="How long it is, where no answer tells its reset; default: 1m.")
    ] = None
    daily: Annotated[bool, Field(description="It begins anew at midnight, UTC.")] = False
    at_most: Annotated[Rated | None, Field(description="Instead: so many, counted here: `300/m`.")] = None


class ThrottleDocument(Block):
    """What is left to others, and how long we stay away."""

    after: Annotated[
        PickSetting | None,
        Field(description="How long, in seconds, where it is not in Retry-After; `as: ms` for milliseconds."),
    ] = None
    default: Annotated[Duration, Field(description="How long, where the answer does not say.")] = 30.0
    reserve: Annotated[Share, Field(description="This share of every window is left to others.")] = 0.2
    share: Annotated[
        Share,
        Field(description="All processes on one store together take no more than this share of a window."),
    ] = 1.0
    account: Annotated[
        Line | None,
        Field(
            description="Whose windows they are: systems with the same word are counted together. Default: the host of `url`."
        ),
    ] = None


class FailureDocument(Block):
    """What an answer means; the first that matches wins."""

    status: Annotated[list[int], LISTED, Field(description="A status, or several; default: any.")] = []
    pick: Annotated[
        PickSetting | None, Field(description="What is looked at; alone: that there is something.")
    ] = None
    equals: Annotated[list[Any], LISTED, Field(description="It is this, or one of these.")] = []
    matches: Annotated[Line | None, Field(description="It matches this regular expression.")] = None
    means: Annotated[
        Literal[
            "ok", "auth", "forbidden", "throttled", "gone", "conflict", "maintenance", "bad_request", "broken"
        ],
        Field(description="What that means."),
    ]


class CreateDocument(HttpRequestDocument):
    """How a ticket is made: templates may say `subject`, `body`, `requester`."""

    id: Annotated[PickSetting, Field(description="The new ticket's id in the answer.")]


class HttpTicketingDocument(SystemDocument):
    """A ticketing system that is known by configuration alone: docs/guides/ticketing-http.md."""

    type: Annotated[
        Literal[TicketingType.HTTP], word(TicketingType), Field(description="http: by configuration alone.")
    ]
    about: Annotated[AboutDocument | None, Field(description="What is known of it; for readers only.")] = None
    timeout: Annotated[Duration, Field(description="How long one call may take.")] = 20.0
    secrets: Annotated[
        dict[Name, SecretSetting], Field(description="Secrets, by the name that templates call them by.")
    ] = {}
    given: Annotated[
        dict[Name, Any],
        Field(
            description="Values of yours, for templates: `given.NAME`; such as a project, or a state's number."
        ),
    ] = {}
    headers: Annotated[
        dict[str, Line], Field(description="Header fields of every call, also of the log-in; templates.")
    ] = {}
    auth: Annotated[HttpAuthDocument, Field(description="How we are known.")] = (
        HttpAuthDocument.model_construct()
    )
    vars: Annotated[dict[Name, VarDocument], Field(description="Values that are asked for once.")] = {}
    ticket: Annotated[TicketMapDocument, Field(description="Where a ticket's fields are in a row.")] = (
        TicketMapDocument.model_construct()
    )
    read: Annotated[
        list[ReadDocument],
        LISTED,
        Field(
            description="Further requests for a row that may be ours, for each look of `find` without its own."
        ),
    ] = []
    find: Annotated[dict[Name, LookDocument], Field(description="The looks for tickets, by name.")]
    diverted: Annotated[
        dict[Name, DivertedDocument], Field(description="The looks for what is held aside, by name.")
    ] = {}
    channel: Annotated[ChannelsDocument, Field(description="The system's words for our channels.")] = (
        ChannelsDocument.model_construct()
    )
    sight: Annotated[
        list[ProofDocument] | None,
        LISTED,
        Field(
            description="Proves that we see: one request or several, before a look without a ticket of ours is believed."
        ),
    ] = None
    clean: Annotated[CleanDocument, Field(description="How tickets are removed.")] = (
        CleanDocument.model_construct()
    )
    budget: Annotated[
        dict[Name, WindowDocument],
        Field(description="Windows of requests; RateLimit-* and X-RateLimit-* are known."),
    ] = {}
    throttle: Annotated[ThrottleDocument, Field(description="What is left to others.")] = (
        ThrottleDocument.model_construct()
    )
    failures: Annotated[
        list[FailureDocument], Field(description="What answers mean, before the usual table.")
    ] = []
    create: Annotated[CreateDocument | None, Field(description="How a ticket is made by the API.")] = None
