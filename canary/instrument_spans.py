"""Every span, attribute and event of a canary's trace, and the log events."""

from dataclasses import dataclass
from enum import StrEnum

from canary.hop import LAUNCH_HOPS, Hop

SCOPE = "intake_prober"
"""The instrumentation scope of all spans and metrics."""


class SpanKind(StrEnum):
    """The kinds of OpenTelemetry that we use."""

    INTERNAL = "INTERNAL"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"


@dataclass(frozen=True, slots=True)
class Span:
    """One kind of span.

    Attributes:
        name: as exported; ``canary <path>`` is completed by the path.
        parent: the key of the span above it; None for the root.
        attributes: what it bears beside `EVERYWHERE`, by name.
    """

    name: str
    key: str
    parent: str | None
    kind: SpanKind
    meaning: str
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; ``type`` is its OpenTelemetry type."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a span, with the names of its attributes."""

    name: str
    attributes: tuple[str, ...]
    meaning: str


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("intake.canary.id", "string", "The canary."),
    Attribute("intake.path", "string", "Its path."),
    Attribute("intake.channel", "string", "email, portal or form."),
    Attribute("intake.verdict", "string", "What was concluded."),
    Attribute("intake.blame", "string", "The hop that it stopped at."),
    Attribute("intake.reason", "string", "Why, by the closed vocabulary."),
    Attribute("intake.deadline", "double", "Seconds from launch to the deadline."),
    Attribute("intake.horizon", "double", "Seconds from launch to the horizon."),
    Attribute("intake.seconds", "double", "Seconds from launch to the good ticket.content."),
    Attribute("intake.ticket.system", "string", "The ticketing system, by its name in the configuration."),
    Attribute("intake.ticket.id", "string", "The ticket's id there."),
    Attribute("intake.ticket.url", "string", "Where a person sees it."),
    Attribute("intake.slot", "string", "The scheduled time that it was launched for, RFC 3339."),
    Attribute("intake.incident.id", "string", "The incident that it belongs to."),
    Attribute("intake.link", "string", "What a link is for: incident_onset."),
    Attribute("user_agent.synthetic.type", "string", "Always test."),
    Attribute("intake.hop", "string", "The hop."),
    Attribute("intake.outcome", "string", "ok or failed; unknown, where it was waited for in vain."),
    Attribute("intake.evidence", "string", "observed, reported or inferred."),
    Attribute("intake.times", "string", "measured, or bounded by other hops."),
    Attribute("intake.observer", "string", "Host or pod of the process that saw it."),
    Attribute("error.type", "string", "The reason, only on failure."),
    Attribute("server.address", "string", "The server, by name."),
    Attribute("server.port", "int", "Its port."),
    Attribute("client.address", "string", "Of a relay, the host that it had the mail from."),
    Attribute("network.peer.address", "string", "The server's address."),
    Attribute("network.peer.port", "int", "The server's port, as connected."),
    Attribute("network.transport", "string", "tcp or udp."),
    Attribute("network.protocol.name", "string", "smtp, http, imap or dns."),
    Attribute("network.protocol.version", "string", "Of the protocol."),
    Attribute("dns.question.name", "string", "What was asked for."),
    Attribute("dns.answers", "string[]", "What was answered."),
    Attribute("intake.dns.type", "string", "The record type."),
    Attribute("intake.dns.rcode", "string", "The response code."),
    Attribute("tls.protocol.name", "string", "tls."),
    Attribute("tls.protocol.version", "string", "1.2 or 1.3."),
    Attribute("tls.cipher", "string", "The cipher suite."),
    Attribute("tls.server.subject", "string", "The certificate's subject."),
    Attribute("tls.server.not_after", "string", "When the certificate ends."),
    Attribute("intake.smtp.code", "int", "The reply code (RFC 5321 section 4.2)."),
    Attribute("intake.smtp.enhanced_code", "string", "The enhanced status code (RFC 3463)."),
    Attribute("intake.smtp.queue_id", "string", "The queue id in the reply to DATA."),
    Attribute("http.request.method", "string", "The method."),
    Attribute("http.response.status_code", "int", "The status."),
    Attribute("http.request.resend_count", "int", "How often it was sent again."),
    Attribute("url.full", "string", "The URL, its query cut off."),
    Attribute("url.template", "string", "The URL with its variable parts named."),
    Attribute("browser.document.url.full", "string", "Where the browser ended up."),
    Attribute("intake.artifact.screenshot", "string", "The id of a screenshot."),
    Attribute("intake.artifact.har", "string", "The id of a HAR file."),
    Attribute("intake.artifact.trace", "string", "The id of a Playwright trace."),
    Attribute("intake.artifact.console", "string", "The id of what the page said on its console."),
    Attribute("intake.artifact.trouble", "string", "Why evidence could not be kept."),
    Attribute("browser.version", "string", "The browser's version."),
    Attribute("intake.browser.memory", "int", "Bytes that driver and browser hold (PSS)."),
    Attribute("intake.browser.sandboxed", "boolean", "Whether Chromium's own sandbox is on."),
    Attribute("intake.page.dns", "double", "Seconds of the look-up, as the browser measured it."),
    Attribute("intake.page.connect", "double", "Seconds to connect, TLS in it."),
    Attribute("intake.page.tls", "double", "Seconds of the TLS handshake."),
    Attribute("intake.page.ttfb", "double", "Seconds to the first byte of the document."),
    Attribute("intake.page.dom_ready", "double", "Seconds to the end of DOMContentLoaded."),
    Attribute("intake.page.load", "double", "Seconds to the end of the load event."),
    Attribute("intake.page.lcp", "double", "Seconds to the largest contentful paint."),
    Attribute("intake.page.bytes", "int", "Bytes transferred, as far as the page may see."),
    Attribute("intake.page.requests", "int", "Requests so far."),
    Attribute("intake.page.requests_failed", "int", "Those that failed or were answered with an error."),
    Attribute("intake.page.requests_pending", "int", "Those that are under way."),
    Attribute("intake.page.failed", "string", "Failed requests, by host and cause."),
    Attribute("intake.page.third_parties", "string", "Hosts beside the portal's own."),
    Attribute("intake.page.slowest", "string", "What took longest."),
    Attribute("intake.page.console_errors", "int", "Errors on the console."),
    Attribute("intake.page.script_error", "string", "The first error of a script."),
    Attribute("intake.step.number", "int", "Which step of the path, from 1."),
    Attribute("intake.step.text", "string", "The step as the configuration has it, without secrets."),
    Attribute("intake.request.type", "string", "What the browser asked for: document, xhr, image, …."),
    Attribute("intake.request.failure", "string", "The browser's word for why there is no answer."),
    Attribute("intake.cleanup.kind", "string", "What was to be removed: ticket or mail."),
    Attribute("intake.cleanup.outcome", "string", "What the place said of it: done, accepted, failed, …."),
    Attribute("intake.ticket.lookups", "int", "How many looks it took."),
    Attribute("intake.remote.created_at", "string", "When it was created, by the remote's word."),
    Attribute("intake.mail.spf", "string", "What the receiving server said of SPF (RFC 8601)."),
    Attribute("intake.mail.dkim", "string", "What it said of DKIM."),
    Attribute("intake.mail.dmarc", "string", "What it said of DMARC."),
    Attribute("intake.mail.arc", "string", "What it said of ARC."),
    Attribute("intake.mailbox.folder", "string", "The folder in which the mail was found."),
    Attribute("intake.reply.matched_by", "string", "Where the answer bears the token."),
    Attribute("intake.bounce.action", "string", "What the reporting server did (RFC 3464 section 2.3.3)."),
    Attribute("intake.bounce.reporting_mta", "string", "Who reported the bounce."),
    Attribute("intake.relay.index", "int", "Which relay, from 1, oldest first."),
    Attribute("intake.relay.delay", "double", "Seconds since the relay before it, by their clocks."),
    Attribute("intake.relay.with", "string", "The protocol that it names."),
    Attribute("intake.relay.stamp", "string", "Its date as written."),
)

EVERYWHERE = ("intake.canary.id", "intake.path", "intake.channel")
"""What every span bears."""

_HOP = ("intake.hop", "intake.outcome", "intake.evidence", "intake.times", "intake.observer", "error.type")
_NETWORK = (
    "server.address",
    "server.port",
    "network.peer.address",
    "network.peer.port",
    "network.transport",
    "network.protocol.name",
    "network.protocol.version",
)
_DNS = ("dns.question.name", "dns.answers", "intake.dns.type", "intake.dns.rcode")
_TLS = (
    "tls.protocol.name",
    "tls.protocol.version",
    "tls.cipher",
    "tls.server.subject",
    "tls.server.not_after",
)
_SMTP = ("intake.smtp.code", "intake.smtp.enhanced_code", "intake.smtp.queue_id")
_HTTP = (
    "http.request.method",
    "http.response.status_code",
    "http.request.resend_count",
    "url.full",
    "url.template",
)
_PORTAL = (
    "url.full",
    "browser.document.url.full",
    "browser.version",
    "http.request.method",
    "http.response.status_code",
    "intake.ticket.id",
    "intake.browser.memory",
    "intake.browser.sandboxed",
    *(f"intake.artifact.{kind}" for kind in ("screenshot", "har", "trace", "console", "trouble")),
    *(
        f"intake.page.{part}"
        for part in ("dns", "connect", "tls", "ttfb", "dom_ready", "load", "lcp", "bytes")
    ),
    *(f"intake.page.{part}" for part in ("requests", "requests_failed", "requests_pending")),
    *(
        f"intake.page.{part}"
        for part in ("failed", "third_parties", "slowest", "console_errors", "script_error")
    ),
)
_TICKET = ("intake.ticket.lookups", "intake.remote.created_at")
_CLEANUP = ("intake.cleanup.kind", "intake.cleanup.outcome", "intake.ticket.system", "intake.ticket.id")


def _attributes_of(hop: Hop) -> tuple[str, ...]:
    """What a hop's span may bear, by the first and last word of the hop's name."""
    stage, _, step = hop.partition(".")
    by_stage = {
        "dns": _DNS,
        "smtp": _SMTP,
        "form": (*_HTTP, "intake.ticket.id"),
        "ticket": _HTTP + _TICKET,
        "portal": _PORTAL,
    }
    more = (_TLS if step == "tls" else ()) + (_CLEANUP if hop is Hop.TICKET_CLEANUP else ())
    return _HOP + _NETWORK + by_stage.get(stage, ()) + more


def _hop_span(hop: Hop) -> Span:
    is_awaited = hop in {Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED}
    return Span(
        name=str(hop),
        key="cleanup/<attempt>" if hop is Hop.TICKET_CLEANUP else str(hop),
        parent="canary",
        kind=SpanKind.CONSUMER if is_awaited else SpanKind.CLIENT,
        meaning="From the sending to the sight." if is_awaited else _meaning(hop),
        attributes=_attributes_of(hop),
    )


def _meaning(hop: Hop) -> str:
    if hop is Hop.TICKET_CLEANUP:
        return "One try to remove what the canary left; after the verdict."
    return "One hop of the launch." if hop in LAUNCH_HOPS else "One hop, as a watcher saw it."


SPANS: tuple[Span, ...] = (
    Span(
        name="canary <path>",
        key="canary",
        parent=None,
        kind=SpanKind.INTERNAL,
        meaning="From the launch to the first verdict other than pending.",
        attributes=(
            "intake.verdict",
            "intake.blame",
            "intake.reason",
            "intake.deadline",
            "intake.horizon",
            "intake.seconds",
            "intake.ticket.system",
            "intake.ticket.id",
            "intake.ticket.url",
            "intake.slot",
            "intake.incident.id",
            "user_agent.synthetic.type",
        ),
    ),
    *(_hop_span(hop) for hop in Hop),
    Span(
        name="relay",
        key="relay/<n>",
        parent=str(Hop.MAILBOX_ARRIVAL),
        kind=SpanKind.INTERNAL,
        meaning="One relay that the mail passed, clamped into its parent.",
        attributes=(
            "server.address",
            "client.address",
            "intake.relay.index",
            "intake.relay.delay",
            "intake.relay.with",
            "intake.relay.stamp",
        ),
    ),
    Span(
        name="portal.step",
        key="step/<hop>/<n>",
        parent="portal.<…>",
        kind=SpanKind.INTERNAL,
        meaning="One step of a portal's journey, clamped into its hop.",
        attributes=("intake.step.number", "intake.step.text"),
    ),
    Span(
        name="portal.request",
        key="request/<hop>/<n>",
        parent="portal.<…>",
        kind=SpanKind.CLIENT,
        meaning="One request of a portal's page, clamped into its hop; failed and slow ones before others.",
        attributes=(
            "http.request.method",
            "http.response.status_code",
            "url.full",
            "server.address",
            "server.port",
            "intake.request.type",
            "intake.request.failure",
        ),
    ),
    Span(
        name="canary.aftermath",
        key="aftermath",
        parent="canary",
        kind=SpanKind.INTERNAL,
        meaning="From the breach to late or lost.",
        attributes=(
            "intake.verdict",
            "intake.blame",
            "intake.reason",
            "intake.seconds",
            "intake.ticket.system",
            "intake.ticket.id",
            "intake.ticket.url",
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    Event("intake.deadline", (), "The deadline passed."),
    Event("intake.blind", ("cause",), "We could not see, and why."),
    Event("intake.retry", ("attempt", "error.type"), "A hop was tried again."),
    Event("intake.bounce", ("enhanced_code", "reporting_mta"), "The mail came back."),
    Event("intake.relay.clock_suspect", ("skew_seconds",), "A relay's clock contradicts its neighbours'."),
    Event(
        "browser.web_vital",
        ("browser.web_vital.name", "browser.web_vital.value"),
        "How a page was for whoever waited for it: lcp, milliseconds to the largest contentful paint.",
    ),
    Event("intake.duplicate_ticket", ("count",), "More than one ticket came of the canary."),
)
