"""The YAML document's alerts: when an incident opens, the sinks, who hears of what, and when again."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, SkipValidation, WithJsonSchema

from canary.alert import AlertKind, Severity
from canary.path import OpenRule
from canary.reason import Reason
from runners.alerts.hours import EXAMPLE, Hours, HoursError, parse_hours
from runners.config.block import Block
from runners.config.document_paths import LabelsDocument
from runners.config.document_places import Files
from runners.config.errors import did_you_mean
from runners.config.fields import (
    LISTED,
    Address,
    Duration,
    Line,
    Name,
    OpenSetting,
    SecretSetting,
    Url,
    mistake,
    shown,
    word,
)

LABELS: Final = (*LabelsDocument.model_fields, "channel")
"""Labels that a route can ask for."""
_PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
"""Of the service region US (PagerDuty, Send an Alert Event; read 2026-11-30)."""


def _open_rule(value: Any) -> OpenRule:  # noqa: ANN401 -- whatever YAML holds
    words = value.split(" of ") if isinstance(value, str) else []
    numbers = [int(one) for one in words if one.isascii() and one.isdigit() and len(one) < 4]  # noqa: PLR2004 -- 999
    if len(words) != 2 or len(numbers) != 2 or not 0 < numbers[0] <= numbers[1]:  # noqa: PLR2004 -- k of n
        raise mistake(f"{shown(value)} is not a rule", "Write how many failed of how many: 2 of 3.")
    return OpenRule(*numbers)


def _hours(value: Any) -> Hours:  # noqa: ANN401 -- whatever YAML holds
    if not isinstance(value, str):
        raise mistake(f"{shown(value)} is not a span of hours", f"Write {EXAMPLE}.")
    try:
        return parse_hours(value)
    except HoursError as error:
        raise mistake(str(error), error.remedy) from error


def _labels(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, dict):
        for name in value:
            if name not in LABELS:
                raise mistake(
                    f"{name} is not a label", did_you_mean(str(name), LABELS), at=(name,), at_key=True
                )
    return value


Rule = Annotated[
    OpenRule,
    BeforeValidator(_open_rule),
    WithJsonSchema(
        {"type": "string", "title": "rule", "pattern": "^[0-9]{1,3} of [0-9]{1,3}$", "examples": ["2 of 3"]}
    ),
]
HoursSetting = Annotated[
    Hours,
    BeforeValidator(_hours),
    WithJsonSchema({"type": "string", "title": "hours", "examples": [EXAMPLE]}),
]


class SinkKind(StrEnum):
    """Where alerts can go."""

    ALERTMANAGER = "alertmanager"
    EMAIL = "email"
    HEARTBEAT = "heartbeat"
    PAGERDUTY = "pagerduty"
    SLACK = "slack"
    WEBHOOK = "webhook"


PLANNED_SINKS: Final = ("apprise", "jsm", "statuspage")
"""Kinds that are spoken of and do not exist yet."""


class PagerDutyDocument(Block):
    """A service of PagerDuty (Events API v2)."""

    type: Literal[SinkKind.PAGERDUTY]
    routing_key: Annotated[SecretSetting, Field(description="The integration key, 32 characters.")]
    url: Annotated[Url, Field(description="Where events go; the service region EU has its own.")] = _PAGERDUTY


class SlackDocument(Block):
    """A channel of Slack."""

    type: Literal[SinkKind.SLACK]
    url: Annotated[SecretSetting, Field(description="The incoming webhook's URL: whoever has it can post.")]


class WebhookDocument(Block):
    """Any receiver, by signed JSON (Standard Webhooks; `intake-prober schema alert` prints the body's schema)."""

    type: Literal[SinkKind.WEBHOOK]
    url: Annotated[OpenSetting, Field(description="The receiver. Redirects are not followed.")]
    secret: Annotated[
        list[SecretSetting],
        LISTED,
        Field(description="whsec_ and base64 of 24 bytes or more; a list while it is rotated: each signs."),
    ]
    allow_private: Annotated[
        bool, Field(description="Whether the receiver may have an address that is not public.")
    ] = False
    ca: Annotated[Files, Field(description="PEM files of CAs to trust beside the system's.")] = []


class EmailSinkDocument(Block):
    """Mails, by an account that does not go through what is probed."""

    type: Literal[SinkKind.EMAIL]
    account: Annotated[Name, Field(description="The account whose `smtp` sends them: not one that probes.")]
    to: Annotated[list[Address], LISTED, Field(description="Who gets them: not by the mail that is probed.")]


class AlertmanagerDocument(Block):
    """Prometheus Alertmanager (API v2), for `serve`: alerts resolve by themselves when the prober dies."""

    type: Literal[SinkKind.ALERTMANAGER]
    urls: Annotated[
        list[Url], LISTED, Field(description="Every member of the cluster, not a balancer before them.")
    ]
    ca: Annotated[Files, Field(description="PEM files of CAs to trust beside the system's.")] = []


class HeartbeatDocument(Block):
    """Pings that say that the prober lives (healthchecks and its like); no alert goes there."""

    type: Literal[SinkKind.HEARTBEAT]
    url: Annotated[SecretSetting, Field(description="The ping URL, without /start and /fail.")]


AnySinkDocument = (
    PagerDutyDocument
    | SlackDocument
    | WebhookDocument
    | EmailSinkDocument
    | AlertmanagerDocument
    | HeartbeatDocument
)
# Read one by one by their type (runners.config.validate), so that a mistake has its own line.
SinkSetting = Annotated[AnySinkDocument, Field(discriminator="type"), SkipValidation]

SINK_DOCUMENTS: Final[dict[SinkKind, type[AnySinkDocument]]] = {
    SinkKind.PAGERDUTY: PagerDutyDocument,
    SinkKind.SLACK: SlackDocument,
    SinkKind.WEBHOOK: WebhookDocument,
    SinkKind.EMAIL: EmailSinkDocument,
    SinkKind.ALERTMANAGER: AlertmanagerDocument,
    SinkKind.HEARTBEAT: HeartbeatDocument,
}


class RouteDocument(Block):
    """What goes to some sinks. All routes that match count; a condition that is left out holds for everything.

    A page that no route takes at any hour goes to every sink.
    """

    sinks: Annotated[list[Name], LISTED, Field(description="Names of sinks; no heartbeat.")]
    severity: Annotated[Severity | None, word(Severity), Field(description="page or ticket.")] = None
    labels: Annotated[
        dict[str, Line],
        BeforeValidator(_labels),
        Field(description="What a path must have: team, domain, channel."),
    ] = {}
    paths: Annotated[list[Name], LISTED, Field(description="Any of these paths.")] = []
    kinds: Annotated[
        list[Annotated[AlertKind, word(AlertKind)]],
        LISTED,
        Field(description=f"Any of {', '.join(AlertKind)}."),
    ] = []
    hours: Annotated[
        list[HoursSetting],
        LISTED,
        Field(
            description="Any of these: [days] HH:MM-HH:MM [zone], by the wall clock; may go over midnight."
        ),
    ] = []


class RemindDocument(Block):
    """When people are told again of what still lasts."""

    first: Annotated[Duration, Field(description="After the opening of a page.")] = 1800.0
    then: Annotated[Duration, Field(description="After that, again and again.")] = 14400.0
    ticket: Annotated[Duration, Field(description="Of what is no page, again and again.")] = 86400.0


class AlertsVia(StrEnum):
    """Who sends alerts: the prober itself, or Prometheus by our rules. Both would page twice."""

    DIRECT = "direct"
    PROMETHEUS = "prometheus"


class PrometheusDocument(Block):
    """What `render prometheus-rules` and `render alertmanager` can't take from anywhere else."""

    team: Annotated[
        Line, Field(description="The team that answers for the prober itself: a label of alerts about it.")
    ] = ""
    dashboards: Annotated[Url | None, Field(description="The base of Grafana: alerts link to it.")] = None


class AlertsDocument(Block):
    """When an incident opens and ends, and where alerts go."""

    via: Annotated[
        AlertsVia | None, word(AlertsVia), Field(description="Default: direct with sinks, else prometheus.")
    ] = None
    open: Annotated[
        list[Rule], LISTED, Field(description="Breached among those that count: 2 of 3; a list: any of them.")
    ] = [OpenRule(2, 3)]
    resolve: Annotated[int, Field(ge=1, le=100, description="Confirmed in a row that end an incident.")] = 2
    at_once: Annotated[
        list[Annotated[Reason, word(Reason)]],
        Field(description="Reasons that open an incident with the first breach."),
    ] = []
    sinks: Annotated[dict[Name, SinkSetting], Field(description="Where alerts go, by name.")] = {}
    routes: Annotated[
        list[RouteDocument],
        Field(description="Who hears of what. Without: every sink of everything (a heartbeat of nothing)."),
    ] = []
    remind: Annotated[RemindDocument, Field(description="When people are told again.")] = (
        RemindDocument.model_construct()
    )
    pages_per_hour: Annotated[
        int, Field(ge=1, le=1000, description="Above so many pages in an hour, one says that there are more.")
    ] = 10
    runbooks: Annotated[
        Url | None,
        Field(
            description="Where docs/runbook is published: alerts link to REASON.md below it, those of rendered rules to"
            " alerts/ALERT.md. Default: the prober's own page, where web.url is set; rendered rules then link into the domain .invalid."
        ),
    ] = None
    namespace: Annotated[
        Name | None, Field(description="In the alerts' keys: of this deployment; default: prober.name.")
    ] = None
    prometheus: Annotated[PrometheusDocument, Field(description="What rendered rules say and link to.")] = (
        PrometheusDocument.model_construct()
    )
