"""The YAML document's paths of channel `portal`, and the browser that walks them."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from canary.hop import Channel
from runners.config.block import Block
from runners.config.cron import CronError, known_zone
from runners.config.document_steps import LocatorDocument, StepDocument
from runners.config.document_web import WebPathDocument
from runners.config.fields import (
    LISTED,
    Duration,
    Line,
    Pause,
    Url,
    matching,
    mistake,
    shown,
    text_schema,
    word,
)

_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_VIEWPORT = re.compile(r"([0-9]{2,5})x([0-9]{2,5})")
_SMALLEST, _LARGEST = 100, 10_000


class Session(StrEnum):
    """What of a log-in is kept for the next canary."""

    NONE = "none"
    MEMORY = "memory"
    FILE = "file"


def _viewport(value: Any) -> tuple[int, int]:  # noqa: ANN401 -- whatever YAML holds
    match = _VIEWPORT.fullmatch(value) if isinstance(value, str) else None
    if match is None or not all(_SMALLEST <= int(one) <= _LARGEST for one in match.groups()):
        raise mistake(f"{shown(value)} is not a viewport", "Write width and height in pixels: 1280x900.")
    return int(match[1]), int(match[2])


def _time_zone(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    if isinstance(value, str):
        try:
            return known_zone(value)
        except CronError as error:
            raise mistake(str(error), error.remedy) from error
    return value


class PortalLimitsDocument(Block):
    """How long each hop, and each step, may take at most."""

    dns: Annotated[Duration, Field(description="`dns`.")] = 10.0
    load: Annotated[Duration, Field(description="`portal.load`.")] = 60.0
    login: Annotated[Duration, Field(description="`portal.login`.")] = 60.0
    form: Annotated[Duration, Field(description="`portal.form`.")] = 60.0
    submit: Annotated[Duration, Field(description="`portal.submit`.")] = 60.0
    confirmation: Annotated[Duration, Field(description="`portal.confirmation`.")] = 60.0
    step: Annotated[Duration, Field(description="Each step, within its hop.")] = 30.0


class PortalPathDocument(WebPathDocument):
    """A customer's journey through a support portal, in a headless browser."""

    channel: Annotated[Literal[Channel.PORTAL], Field(description="How the request is submitted.")]
    url: Annotated[Url, Field(description="Where a customer begins.")]
    login: Annotated[
        list[StepDocument], Field(description="The steps of the log-in; default: none is needed.")
    ] = []
    session: Annotated[
        Session,
        word(Session),
        Field(
            description="Whether a log-in is used again: none, memory, or file (encrypted with the signing key)."
        ),
    ] = Session.NONE
    dismiss: Annotated[
        list[LocatorDocument],
        LISTED,
        Field(description="What is clicked away wherever it comes up: cookie banners, tours."),
    ] = []
    steps: Annotated[
        list[StepDocument],
        LISTED,
        Field(description="The journey: one `submit`, then at least one `confirm`."),
    ]
    pace: Annotated[
        Pause,
        Field(description="The least time from the form's first step to the submit, as a person needs it."),
    ] = 2.0
    limits: Annotated[PortalLimitsDocument, Field(description="How long each hop may take.")] = (
        PortalLimitsDocument.model_construct()
    )
    locale: Annotated[
        str | None,
        matching(_LOCALE, "a locale", "Write language and country: de-DE."),
        text_schema("locale", _LOCALE.pattern, "de-DE"),
        Field(description="The browser's language."),
    ] = None
    time_zone: Annotated[
        Line | None, BeforeValidator(_time_zone), Field(description="The browser's time zone: Europe/Berlin.")
    ] = None
    user_agent: Annotated[Line | None, Field(description="What the browser calls itself.")] = None
    viewport: Annotated[
        tuple[int, int],
        BeforeValidator(_viewport),
        WithJsonSchema(
            {
                "type": "string",
                "title": "viewport",
                "pattern": f"^{_VIEWPORT.pattern}$",
                "examples": ["1280x900"],
            }
        ),
        Field(description="The size of the page in pixels."),
    ] = (1280, 900)
