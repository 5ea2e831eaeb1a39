"""The YAML document's places: the accounts that we play, the mailboxes and the ticketing systems."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from canary.reason import Side
from probes.servers import TlsMode
from runners.config.block import Block
from runners.config.errors import did_you_mean
from runners.config.fields import (
    LISTED,
    Address,
    Command,
    Duration,
    Host,
    Line,
    OpenSetting,
    Rated,
    SecretSetting,
    Share,
    Size,
    Url,
    mistake,
    shown,
    word,
)

Port = Annotated[int, Field(ge=1, le=65535)]
Files = Annotated[list[Line], LISTED]
_GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


class GoogleDocument(Block):
    """Access by a Google service account with domain-wide delegation."""

    service_account: Annotated[SecretSetting, Field(description="The service account's key file (JSON).")]
    subject: Annotated[Address | None, Field(description="The mailbox to act as; default: `username`.")] = (
        None
    )
    token_url: Annotated[Url, Field(description="The token endpoint.")] = _GOOGLE_TOKENS
    scope: Annotated[Line, Field(description="What is asked for.")] = "https://mail.google.com/"


class MicrosoftDocument(Block):
    """Access by a Microsoft Entra application (client credentials)."""

    tenant: Annotated[Line, Field(description="The directory's id or domain.")]
    client_id: Annotated[OpenSetting, Field(description="The application's id.")]
    client_secret: Annotated[SecretSetting, Field(description="The application's secret.")]
    scope: Annotated[Line, Field(description="What is asked for.")] = "https://outlook.office365.com/.default"
    token_url: Annotated[Url | None, Field(description="The token endpoint; default: the tenant's own.")] = (
        None
    )


class OauthDocument(Block):
    """Access by a refresh token of any OAuth 2.0 provider."""

    token_url: Annotated[Url, Field(description="The token endpoint.")]
    client_id: Annotated[OpenSetting, Field(description="The client's id.")]
    client_secret: Annotated[
        SecretSetting | None, Field(description="The client's secret, if it has one.")
    ] = None
    refresh_token: Annotated[SecretSetting, Field(description="The refresh token.")]
    scope: Annotated[Line | None, Field(description="What is asked for.")] = None


class AuthDocument(Block):
    """OAuth 2.0 (SASL XOAUTH2) instead of a password: exactly one of these."""

    google: GoogleDocument | None = None
    microsoft: MicrosoftDocument | None = None
    oauth: OauthDocument | None = None
    exec: Annotated[
        Command | None,
        Field(description="A command that prints an access token, or JSON with access_token and expires_in."),
    ] = None


class ServerDocument(Block):
    """A mail server and how we are known to it."""

    host: Annotated[Host, Field(description="Its name, which its certificate must bear, or its address.")]
    port: Annotated[
        Port | None, Field(description="Default: 587 or 465 for smtp, 143 or 993 for imap, by tls.")
    ] = None
    tls: Annotated[
        TlsMode, word(TlsMode), Field(description="starttls, implicit, or none (the sandbox).")
    ] = TlsMode.STARTTLS
    username: Annotated[
        Line | None, Field(description="Default: the account's address, where there is a credential.")
    ] = None
    password: Annotated[SecretSetting | None, Field(description="The password.")] = None
    auth: Annotated[AuthDocument | None, Field(description="OAuth 2.0 instead of a password.")] = None
    ca: Annotated[Files, Field(description="PEM files of CAs to trust beside the system's.")] = []


class AccountDocument(Block):
    """The customer that we play: an address with its own mail servers."""

    address: Annotated[Address, Field(description="The sender's address.")]
    name: Annotated[Line | None, Field(description="The display name in From.")] = None
    smtp: Annotated[
        ServerDocument | None, Field(description="Its submission server; needed for `via: smtp`.")
    ] = None
    imap: Annotated[
        ServerDocument | None, Field(description="Its mailbox; needed for replies and to see bounces.")
    ] = None
    side: Annotated[
        Literal[Side.PROBER, Side.TARGET],
        word(Side),
        Field(
            description="Whose relay `smtp` is: ours (prober), or one of the chain that is probed (target)."
        ),
    ] = Side.PROBER


class DeclaredDocument(Block):
    """A mailbox's limit, for servers that don't tell it."""

    storage: Size | None = None
    messages: Annotated[int | None, Field(ge=1)] = None


def _declared(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    return {"storage": value} if isinstance(value, str) else value


class CapacityDocument(Block):
    """When a mailbox that fills warns and when it pages, and how its limit is known."""

    warn: Annotated[Share, Field(description="Warn from this share of the limit.")] = 0.80
    page: Annotated[Share, Field(description="Page from this share of the limit.")] = 0.95
    forecast: Annotated[Duration, Field(description="Page when it will be full within this time.")] = 86400.0
    declared: Annotated[
        DeclaredDocument | None,
        BeforeValidator(_declared),
        Field(description="The limit, where the server has no QUOTA: 2GiB, or storage and messages."),
    ] = None
    exec: Annotated[
        Command | None,
        Field(description="A command that prints used and limit in bytes, where the server tells none."),
    ] = None


class BacklogDocument(Block):
    """When unprocessed mail in the support mailbox is a backlog."""

    age: Annotated[Duration, Field(description="Warn when the oldest unprocessed message is older.")] = 900.0
    search: Annotated[
        Line | None, Field(description="The IMAP search for unprocessed messages; default UNSEEN.")
    ] = None


class MailboxDocument(Block):
    """A support mailbox that the prober may read."""

    imap: Annotated[ServerDocument, Field(description="Its server and the login.")]
    address: Annotated[
        Address | None, Field(description="The mailbox's own address, if not the login's.")
    ] = None
    folder: Annotated[Line, Field(description="Where new mail arrives.")] = "INBOX"
    folders: Annotated[
        list[Line],
        Field(description="Further folders where mail may lie; the junk folder is found by itself."),
    ] = []
    junk: Annotated[
        list[Line],
        Field(description="Spam folders, where the server marks none as such; usual names are known."),
    ] = []
    remove: Annotated[bool, Field(description="Whether canaries' mails are removed from it.")] = True
    capacity: Annotated[CapacityDocument, Field(description="Thresholds of mailbox.capacity.")] = (
        CapacityDocument.model_construct()
    )
    backlog: Annotated[BacklogDocument, Field(description="Threshold of mailbox.backlog.")] = (
        BacklogDocument.model_construct()
    )


class TicketingType(StrEnum):
    """Ticketing systems that can be read."""

    HELPDESK = "helpdesk"
    RT = "rt"
    HTTP = "http"


class Cleanup(StrEnum):
    """What becomes of a canary's ticket."""

    CLOSE = "close"
    DELETE = "delete"
    NONE = "none"


LATER_TICKETING = frozenset(
    {"front", "gorgias", "helpscout", "hubspot", "intercom", "jira", "jsm", "otobo", "zoho"}
)
"""Systems that are known by name, so that the message can say that they come later."""


class QuarantineDocument(Block):
    """What the vendor's own rule sets on a canary's ticket: `intake-prober render quarantine`, docs/guides/quarantine.md."""

    tag: Annotated[
        Line | None, Field(description="The tag that the rule sets; default, without `group`: `tag`.")
    ] = None
    group: Annotated[
        Line | None,
        Field(description="The group, queue or team that it puts the ticket in, as the API shows it."),
    ] = None


class SystemDocument(Block):
    """What all ticketing systems have in common."""

    @model_validator(mode="before")
    @classmethod
    def _known_type(cls, value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind in set(TicketingType):
            return value
        from runners.config.presets import preset_names

        if kind in LATER_TICKETING:
            raise mistake(
                f"ticketing type {kind} comes with a later release",
                f"This one has helpdesk (django-helpdesk), rt (Request Tracker 5), {', '.join(preset_names())} and http (any REST API, by configuration); or use `proof: reply` on the path.",
                at=("type",),
            )
        words = (*TicketingType, *preset_names(), *LATER_TICKETING)
        raise mistake(f"{shown(kind)} is not a ticketing type", did_you_mean(kind, words), at=("type",))

    url: Annotated[Url, Field(description="Where it is: the address of its front page.")]
    cleanup: Annotated[
        Cleanup, word(Cleanup), Field(description="close, delete, or none (never writes at the vendor).")
    ] = Cleanup.CLOSE
    cleanup_cap: Annotated[
        Rated | None, Field(description="At most this many tickets are closed or deleted.")
    ] = None
    tag: Annotated[Line, Field(description="The tag that marks canaries' tickets.")] = "synthetic"
    quarantine: Annotated[
        QuarantineDocument | None,
        Field(description="The vendor's rule that keeps canaries from agents: a ticket without it is told."),
    ] = None
    cap: Annotated[
        Rated | None, Field(description="At most this many scheduled launches of one sender to this system.")
    ] = None
    ca: Annotated[Files, Field(description="PEM files of CAs to trust beside the system's.")] = []


class TicketingDocument(SystemDocument):
    """A ticketing system that the prober knows."""

    type: Annotated[
        Literal[TicketingType.HELPDESK, TicketingType.RT],
        word(TicketingType),
        Field(description="Which system."),
    ]
    token: Annotated[SecretSetting | None, Field(description="An API token.")] = None
    username: Annotated[Line | None, Field(description="A user name, where there is no token.")] = None
    password: Annotated[SecretSetting | None, Field(description="That user's password.")] = None
    queue: Annotated[
        Line | None, Field(description="The queue where canaries arrive; default: all that can be seen.")
    ] = None
    custom_field: Annotated[
        Line | None,
        Field(
            description="Request Tracker's field that takes the tag; default: tickets are closed without one."
        ),
    ] = None
