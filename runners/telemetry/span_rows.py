"""A span as it is kept until it is sent: plain values, in the words of OpenTelemetry."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from canary.instrument_spans import SpanKind
from canary.observation import Fact
from probes.masking import shortened

Value = Fact | Sequence[str]
"""What an attribute may be."""
Attributes = Mapping[str, Value]

DESCRIPTION_CHARACTERS: Final = 256
_TEXT_CHARACTERS: Final = 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_IN_SECONDS: Final = 1_000_000_000


def _nothing() -> Attributes:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    at_ns: int
    attributes: Attributes = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A span of another trace that this one has to do with."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class SpanRow:
    """One span.

    Attributes:
        key: what its id derives from (`canary.trace.span_id`).
        begin_ns, end_ns: nanoseconds of our wall clock since 1970.
        parent: the key of the span above it; None for the root.
        error: the description of its error; None: it has none.
    """

    key: str
    name: str
    kind: SpanKind
    begin_ns: int
    end_ns: int
    parent: str | None = None
    attributes: Attributes = field(default_factory=_nothing)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TraceBatch:
    """One part of a trace, as it is sent in one request.

    Attributes:
        version: of the program that made it; the version of the scope.
        resource: what the spans came from.
    """

    canary_id: str
    trace_id: str
    spans: tuple[SpanRow, ...]
    version: str = ""
    resource: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def redacted(self, redact: Callable[[str], str]) -> "TraceBatch":
        """The same with every text as it may be shown: attributes, events, descriptions; never names and ids."""
        return replace(self, spans=tuple(_redacted(one, redact) for one in self.spans))


def nanoseconds(at: datetime) -> int:
    """Since 1970, in UTC, exact to the microsecond."""
    return (at - _EPOCH) // _MICROSECOND * 1000


def lasting(seconds: float) -> int:
    """A duration in nanoseconds; never negative."""
    return max(0, round(seconds * _IN_SECONDS))


def stamp(at: datetime) -> str:
    """A time as people and programs read it, RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _redacted(one: SpanRow, redact: Callable[[str], str]) -> SpanRow:
    return SpanRow(
        key=one.key,
        name=one.name,
        kind=one.kind,
        begin_ns=one.begin_ns,
        end_ns=one.end_ns,
        parent=one.parent,
        attributes=_texts(one.attributes, redact),
        events=tuple(
            SpanEvent(event.name, event.at_ns, _texts(event.attributes, redact)) for event in one.events
        ),
        links=one.links,
        error=None if one.error is None else shortened(redact(one.error), DESCRIPTION_CHARACTERS),
    )


def _texts(attributes: Attributes, redact: Callable[[str], str]) -> Attributes:
    return {
        # Nearly all are texts: asked here, that they are costs no call.
        name: redact(value)[:_TEXT_CHARACTERS] if type(value) is str else _text(value, redact)
        for name, value in attributes.items()
    }


def _text(value: Value, redact: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return redact(value)[:_TEXT_CHARACTERS]
    if isinstance(value, Sequence):
        return [redact(one)[:_TEXT_CHARACTERS] for one in value]
    return value
