"""The YAML document's paths: what each has, whatever its channel: how often, what is promised, what proves it."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from canary.hop import Channel, Hop
from canary.path import Proof, Reply
from canary.quarantine import USUAL_MISSES
from runners.config.block import Block
from runners.config.errors import did_you_mean
from runners.config.fields import Address, Duration, Line, Name, Share, Text, Url, mistake, shown, word


class AttachmentDocument(Block):
    """An attachment of the request; its digest is compared with the ticket's."""

    name: Annotated[Line, Field(description="Its file name.")]
    file: Annotated[Line | None, Field(description="The file that is attached.")] = None
    text: Annotated[Text | None, Field(description="Or the text that is attached.")] = None


class LabelsDocument(Block):
    """Labels by which alerts are routed."""

    team: Annotated[Line, Field(description="The team that answers for the path.")] = ""
    domain: Annotated[
        Line | None, Field(description="The domain; default: that of `to`, or the host of `url`.")
    ] = None


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
    """One way by which a customer's request reaches support. This is what all channels have."""

    channel: Annotated[Channel, Field(description="How the request is submitted.")]
    enabled: Annotated[
        bool, Field(description="false: nothing is launched; what is out is settled and cleaned.")
    ] = True
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
    require_quarantine: Annotated[
        bool,
        Field(description="Whether launches stop where tickets are first seen without the quarantine mark."),
    ] = False
    quarantine_misses: Annotated[int, Field(ge=1, le=100, description="After so many canaries in a row.")] = (
        USUAL_MISSES
    )
    runbook: Annotated[Url | None, Field(description="What to read when it breaks.")] = None
    labels: Annotated[LabelsDocument, Field(description="Labels by which alerts are routed.")] = (
        LabelsDocument.model_construct()
    )
