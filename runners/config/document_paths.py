"""The YAML document's paths: what is sent, from whom to whom, how often, and what is promised."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from canary.hop import Channel, Hop
from canary.path import Proof, Reply
from runners.config.block import Block
from runners.config.document_places import Files, Port
from runners.config.errors import did_you_mean
from runners.config.fields import (
    LISTED,
    Address,
    Duration,
    Host,
    Line,
    Name,
    SecretSetting,
    Share,
    Text,
    Url,
    mistake,
    shown,
    word,
)


class Via(StrEnum):
    """By which way a canary mail leaves."""

    SMTP = "smtp"
    MX = "mx"


class MxTls(StrEnum):
    """Whether a mail to the MX must be encrypted."""

    REQUIRED = "required"
    OPPORTUNISTIC = "opportunistic"
    NONE = "none"


class Subaddress(StrEnum):
    """Where the sub-address of the canary stands, so that answers come back to it."""

    NONE = "none"
    REPLY_TO = "reply_to"
    FROM = "from"


class AttachmentDocument(Block):
    """An attachment of the canary mail; its digest is compared with the ticket's."""

    name: Annotated[Line, Field(description="Its file name.")]
    file: Annotated[Line | None, Field(description="The file that is attached.")] = None
    text: Annotated[Text | None, Field(description="Or the text that is attached.")] = None


class DkimDocument(Block):
    """A DKIM signature of our own (RFC 6376), for `via: mx`."""

    domain: Annotated[Line, Field(description="The signing domain (d=).")]
    selector: Annotated[Line, Field(description="The selector (s=).")]
    key: Annotated[SecretSetting, Field(description="The private key (PEM).")]


class MailDocument(Block):
    """What the canary mail looks like."""

    subject: Annotated[
        Line | None, Field(description="The subject's text; marker and token come before it.")
    ] = None
    body: Annotated[Text | None, Field(description="The body's text; the token is added.")] = None
    headers: Annotated[dict[Line, Line], Field(description="Further header fields.")] = {}
    attachment: Annotated[AttachmentDocument | None, Field(description="An attachment.")] = None
    dkim: Annotated[DkimDocument | None, Field(description="Sign with DKIM.")] = None
    subaddress: Annotated[
        Subaddress,
        word(Subaddress),
        Field(description="Where name+TOKEN@domain stands, if the sender's mailbox takes sub-addresses."),
    ] = Subaddress.NONE


class LabelsDocument(Block):
    """Labels by which alerts are routed."""

    team: Annotated[Line, Field(description="The team that answers for the path.")] = ""
    domain: Annotated[Line | None, Field(description="The mail domain; default: that of `to`.")] = None


def _reply(value: Any) -> Reply:  # noqa: ANN401 -- whatever YAML holds
    if value is True:
        return Reply.EXPECTED
    if value is False:
        return Reply.IGNORED
    if value == "required":
        return Reply.REQUIRED
    raise mistake(f"{shown(value)} is not known here", "Write true (wait for it), required, or false.")


def _hop_budgets(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, dict):
        for name in value:
            if name not in set(Hop):
                raise mistake(f"{name} is not a hop", did_you_mean(name, list(Hop)), at=(name,), at_key=True)
    return value


class PathDocument(Block):
    """One way by which a customer's request reaches support."""

    @model_validator(mode="before")
    @classmethod
    def _only_email(cls, value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
        channel = value.get("channel") if isinstance(value, dict) else None
        if isinstance(channel, str) and channel in {Channel.PORTAL, Channel.FORM}:
            raise mistake(
                f"channel {channel} comes with a later release",
                "This one has channel email.",
                at=("channel",),
            )
        if isinstance(channel, str) and channel != Channel.EMAIL:
            raise mistake(
                f"{shown(channel)} is not a channel", did_you_mean(channel, list(Channel)), at=("channel",)
            )
        return value

    channel: Annotated[
        Literal[Channel.EMAIL], word(Channel), Field(description="How the request is submitted.")
    ]
    enabled: Annotated[
        bool, Field(description="false: nothing is launched; what is out is settled and cleaned.")
    ] = True
    sender: Annotated[
        list[Name], LISTED, Field(alias="from", description="Accounts that take turns as the customer.")
    ]
    to: Annotated[Address, Field(description="The support address that customers write to.")]
    via: Annotated[
        Via, word(Via), Field(description="smtp: the account's own server. mx: straight to the target's MX.")
    ] = Via.SMTP
    mx_port: Annotated[Port, Field(description="The MX's port; 25 is closed in most clouds.")] = 25
    mx_tls: Annotated[MxTls, word(MxTls), Field(description="Whether TLS is needed at the MX.")] = (
        MxTls.OPPORTUNISTIC
    )
    ca: Annotated[Files, Field(description="PEM files of CAs to trust at the MX.")] = []
    helo: Annotated[Host | None, Field(description="How we greet; default: the sender's domain.")] = None
    dkim_selectors: Annotated[
        list[Host], Field(description="DKIM selectors of the target's domain, which `check` looks up.")
    ] = []
    mailbox: Annotated[
        Name | None, Field(description="The support mailbox, where the prober may read it.")
    ] = None
    ticketing: Annotated[
        Name | None, Field(description="The ticketing system where the ticket must appear.")
    ] = None
    reply: Annotated[
        Reply,
        BeforeValidator(_reply),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "const": "required"}]}),
        Field(description="Whether the acknowledgement is waited for; required: its absence is a breach."),
    ] = Reply.IGNORED
    proof: Annotated[
        Proof,
        word(Proof),
        Field(description="api: the ticket itself. reply: only the acknowledgement (weaker)."),
    ] = Proof.API
    every: Annotated[Duration | None, Field(description="Launch so often.")] = None
    jitter: Annotated[
        Duration | None, Field(description="Launch up to this much after the slot, by chance.")
    ] = None
    cron: Annotated[
        Line | None,
        Field(
            description="Launch at these times: minute hour day month weekday [zone].",
            examples=["*/10 8-20 * * mon-fri Europe/Berlin"],
        ),
    ] = None
    deadline: Annotated[Duration, Field(description="From launch to the intact ticket.")]
    horizon: Annotated[Duration, Field(description="From launch until a breached canary is given up.")] = (
        86400.0
    )
    objective: Annotated[
        Share, Field(description="The share of canaries that must be confirmed in 30 days.")
    ] = 0.99
    budgets: Annotated[
        dict[str, Duration],
        BeforeValidator(_hop_budgets),
        Field(description="What a hop may take before it is slow."),
    ] = {}
    requesters: Annotated[
        list[Address],
        Field(description="Addresses of forwarders that a ticket of ours may bear as its requester."),
    ] = []
    bisect: Annotated[
        Address | None,
        Field(
            description="The vendor's inbound address, for a second canary after a breach (used by a later release)."
        ),
    ] = None
    mail: Annotated[MailDocument, Field(description="What the canary mail looks like.")] = MailDocument()
    runbook: Annotated[Url | None, Field(description="What to read when it breaks.")] = None
    labels: Annotated[LabelsDocument, Field(description="Labels by which alerts are routed.")] = (
        LabelsDocument()
    )
