"""The YAML document's paths of channel `email`: from which mail servers, to whom, and what the canary mail looks like."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from canary.hop import Channel
from runners.config.block import Block
from runners.config.document_paths import AttachmentDocument, PathDocument
from runners.config.document_places import Files, Port
from runners.config.fields import LISTED, Address, Host, Line, Name, SecretSetting, Text, word


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


class EmailPathDocument(PathDocument):
    """A mail to the support address."""

    channel: Annotated[Literal[Channel.EMAIL], Field(description="How the request is submitted.")]
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
    bisect: Annotated[
        Address | None,
        Field(
            description="The vendor's inbound address: `serve` sends one canary there when an incident opens past the mail server."
        ),
    ] = None
    mail: Annotated[MailDocument, Field(description="What the canary mail looks like.")] = (
        MailDocument.model_construct()
    )
