"""The catalogue: every metric, span, attribute, event and log event, from which all renderers take their names.

Metrics are in `canary.instrument_metrics`, spans in `canary.instrument_spans`, logs in `canary.instrument_logs`;
this is the door to all of them.
"""

from canary import instrument_metrics as metrics
from canary.instrument_logs import LOG_EVENTS, LOG_FIELDS, LogEvent
from canary.instrument_metrics import METRICS, Instrument, Kind, Source, by_name
from canary.instrument_spans import (
    ATTRIBUTES,
    EVENTS,
    EVERYWHERE,
    SCOPE,
    SPANS,
    Attribute,
    Event,
    Span,
    SpanKind,
)

__all__ = [
    "ATTRIBUTES",
    "EVENTS",
    "EVERYWHERE",
    "LOG_EVENTS",
    "LOG_FIELDS",
    "METRICS",
    "SCOPE",
    "SPANS",
    "Attribute",
    "Event",
    "Instrument",
    "Kind",
    "LogEvent",
    "Source",
    "Span",
    "SpanKind",
    "by_name",
    "metrics",
]
