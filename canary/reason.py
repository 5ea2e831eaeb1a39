"""The closed vocabulary of causes; each with the side it lies on, its finality and a remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Whose fault a reason is. ``either`` is undecided until a control has answered."""

    TARGET = "target"
    PROBER = "prober"
    EITHER = "either"


class Reason(StrEnum):
    """Why a hop went wrong. The value is also the span's ``error.type`` and the metrics' ``reason`` label."""

    # names and connections
    DNS_NO_RECORD = "dns_no_record"
    DNS_NULL_MX = "dns_null_mx"
    DNS_UNANSWERED = "dns_unanswered"
    REFUSED = "refused"
    CONNECT_TIMEOUT = "connect_timeout"
    NO_ROUTE = "no_route"
    CONNECTION_LOST = "connection_lost"
    ANSWER_TIMEOUT = "answer_timeout"
    PROTOCOL_ERROR = "protocol_error"
    CERTIFICATE_INVALID = "certificate_invalid"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_WRONG_NAME = "certificate_wrong_name"
    TLS_UNAVAILABLE = "tls_unavailable"
    TLS_FAILED = "tls_failed"
    # mail
    MAILBOX_FULL = "mailbox_full"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    SENDER_REFUSED = "sender_refused"
    SENDING_LIMIT = "sending_limit"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    MISROUTED = "misrouted"
    # tickets
    NOT_SEEN = "not_seen"
    DIVERTED = "diverted"
    DUPLICATE = "duplicate"
    REPLAYED = "replayed"
    BACKLOG_GROWING = "backlog_growing"
    SUBJECT_CHANGED = "subject_changed"
    BODY_TRUNCATED = "body_truncated"
    BODY_CHANGED = "body_changed"
    CHARSET_MANGLED = "charset_mangled"
    ATTACHMENT_MISSING = "attachment_missing"
    ATTACHMENT_CHANGED = "attachment_changed"
    WRONG_REQUESTER = "wrong_requester"
    REQUESTER_REWRITTEN = "requester_rewritten"
    WRONG_CHANNEL = "wrong_channel"
    # web
    SERVER_ERROR = "server_error"
    PAGE_TIMEOUT = "page_timeout"
    PAGE_ERROR = "page_error"
    PAGE_STUCK = "page_stuck"
    REDIRECTED = "redirected"
    REDIRECT_LOOP = "redirect_loop"
    SCRIPT_ERROR = "script_error"
    FORM_CHANGED = "form_changed"
    FORM_DISABLED = "form_disabled"
    FORM_REJECTED = "form_rejected"
    ELEMENT_COVERED = "element_covered"
    SESSION_EXPIRED = "session_expired"
    NOT_SUBMITTED = "not_submitted"
    SUBMITTED_TWICE = "submitted_twice"
    CONFIRMATION_MISSING = "confirmation_missing"
    CHALLENGED = "challenged"
    # the prober itself
    CREDENTIALS_REJECTED = "credentials_rejected"
    RATE_LIMITED = "rate_limited"
    TICKET_API_UNREADABLE = "ticket_api_unreadable"
    MAILBOX_UNREADABLE = "mailbox_unreadable"
    OWN_MAILBOX_FULL = "own_mailbox_full"
    NETWORK_UNAVAILABLE = "network_unavailable"
    BROWSER_MISSING = "browser_missing"
    BROWSER_CRASHED = "browser_crashed"
    BROWSER_UNRESPONSIVE = "browser_unresponsive"
    JOURNEY_INVALID = "journey_invalid"
    STORE_UNAVAILABLE = "store_unavailable"
    PROBER_STOPPED = "prober_stopped"
    CLOCK_STEPPED = "clock_stepped"
    NOT_LOOKED = "not_looked"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Cause:
    """What is always true of a reason.

    Attributes:
        side: whose fault it is; only ``target`` can become a breach.
        is_final: whether it ends a canary at once when a hop of its launch, or a bounce, says so.
        remedy: one sentence for the reader at 3 a.m.
    """

    side: Side
    is_final: bool
    remedy: str


def _target(remedy: str, *, final: bool = False) -> Cause:
    return Cause(Side.TARGET, final, remedy)


def _either(remedy: str) -> Cause:
    return Cause(Side.EITHER, is_final=False, remedy=remedy)


def _prober(remedy: str, *, final: bool = False) -> Cause:
    return Cause(Side.PROBER, final, remedy)


CAUSES: dict[Reason, Cause] = {
    Reason.DNS_NO_RECORD: _target("Look at the target domain's MX and A records: dig MX <domain>."),
    Reason.DNS_NULL_MX: _target(
        "The domain says that it takes no mail (null MX): correct its MX.", final=True
    ),
    Reason.DNS_UNANSWERED: _either("Ask another resolver for the same name; compare with the dns control."),
    Reason.REFUSED: _target("The server is up but nothing listens on the port: look at the service."),
    Reason.CONNECT_TIMEOUT: _either(
        "Look whether our own network reaches the port; compare with the control."
    ),
    Reason.NO_ROUTE: _either("Look at our own route and firewall; compare with the control."),
    Reason.CONNECTION_LOST: _either(
        "The answer was lost: look at the server's log for the queue id or the time."
    ),
    Reason.ANSWER_TIMEOUT: _target(
        "The server accepted and then stayed silent: look at its load and milters."
    ),
    Reason.PROTOCOL_ERROR: _target(
        "The server's answer was not of the protocol: look at what listens there."
    ),
    Reason.CERTIFICATE_INVALID: _target("Renew or complete the server's certificate chain.", final=True),
    Reason.CERTIFICATE_EXPIRED: _target("Renew the server's certificate.", final=True),
    Reason.CERTIFICATE_WRONG_NAME: _target("Issue a certificate for the name that clients use.", final=True),
    Reason.TLS_UNAVAILABLE: _target("The server no longer offers STARTTLS: restore it.", final=True),
    Reason.TLS_FAILED: _target("The TLS handshake failed: look at the server's TLS settings."),
    Reason.MAILBOX_FULL: _target("Empty or enlarge the mailbox; then watch the backlog drain."),
    Reason.RECIPIENT_UNKNOWN: _target(
        "The support address is unknown to its mail platform: restore it.", final=True
    ),
    Reason.SENDER_REFUSED: _prober(
        "Our sender was refused by policy: look at its SPF, DKIM, DMARC, block lists.", final=True
    ),
    Reason.SENDING_LIMIT: _prober(
        "Our sending account is at its limit: lower the rate or add a sender.", final=True
    ),
    Reason.REJECTED: _target("The other side refuses the request for good: read its answer.", final=True),
    Reason.DEFERRED: _target("The mail platform defers mail: read its answer and its queue."),
    Reason.BOUNCED: _target("The mail came back: read the reporting system's diagnostic.", final=True),
    Reason.MISROUTED: _target("The mail went to another folder (spam): correct the filter."),
    Reason.NOT_SEEN: _target("It was looked for and is not there: look at the hop before it."),
    Reason.DIVERTED: _target("The ticketing system holds it aside: release it and correct the rule named."),
    Reason.DUPLICATE: _target("More than one ticket was made of one request: look for what repeats it."),
    Reason.REPLAYED: _target("Somebody sent our token again: nothing to repair; watch for abuse."),
    Reason.BACKLOG_GROWING: _target("The fetcher does not keep up or is stopped: look at it."),
    Reason.SUBJECT_CHANGED: _target("The subject was changed on the way: look at gateways and ticket rules."),
    Reason.BODY_TRUNCATED: _target("The body was cut: look at size limits of gateway and ticketing system."),
    Reason.BODY_CHANGED: _target("The body was changed: look at gateways that rewrite content."),
    Reason.CHARSET_MANGLED: _target("Characters were mangled: look at the charset handling of the fetcher."),
    Reason.ATTACHMENT_MISSING: _target("The attachment was dropped: look at allowed types and size limits."),
    Reason.ATTACHMENT_CHANGED: _target("The attachment was altered: look at scanners on the way."),
    Reason.WRONG_REQUESTER: _target("The ticket belongs to somebody else: look at the requester mapping."),
    Reason.REQUESTER_REWRITTEN: _target(
        "A forwarder rewrote the sender: list it under `requesters` to let us clean."
    ),
    Reason.WRONG_CHANNEL: _target("The ticket came by another channel than the canary: look at routing."),
    Reason.SERVER_ERROR: _target("The web server fails: read its log at this time."),
    Reason.PAGE_TIMEOUT: _target("The page did not become usable in time: look at the slow requests listed."),
    Reason.PAGE_ERROR: _target("The page shows an error: see the screenshot."),
    Reason.PAGE_STUCK: _target("The page keeps loading and never gets there: look at the requests listed."),
    Reason.REDIRECTED: _target("Customers are sent elsewhere: see the place it went."),
    Reason.REDIRECT_LOOP: _target("The page redirects in a circle: look at the rules of proxy and login."),
    Reason.SCRIPT_ERROR: _target("A script of the page failed: read its error, and the last deployment."),
    Reason.FORM_CHANGED: _target(
        "What a customer needs is not on the page: see the screenshot; if it moved, change the steps."
    ),
    Reason.FORM_DISABLED: _target("The form is there and can't be used: see what it waits for."),
    Reason.FORM_REJECTED: _target("The form refuses what was always right: read the message that it shows."),
    Reason.ELEMENT_COVERED: _target(
        "Something lies over the form: see the screenshot; a banner goes under `dismiss`."
    ),
    Reason.SESSION_EXPIRED: _target("The portal logged the customer out on the way: look at its sessions."),
    Reason.NOT_SUBMITTED: _target("The form was sent and nothing left the page: look at its scripts."),
    Reason.SUBMITTED_TWICE: _target("The page sent the request more than once: look at its scripts."),
    Reason.CONFIRMATION_MISSING: _target(
        "The request was sent and no confirmation is shown: see the screenshot."
    ),
    Reason.CHALLENGED: _prober(
        "A bot defence challenged us: let the canary's account or header through.", final=True
    ),
    Reason.CREDENTIALS_REJECTED: _prober(
        "Our credential was refused: renew it; `intake-prober check` tries it, a portal's `portal try`.",
        final=True,
    ),
    Reason.RATE_LIMITED: _prober("We are throttled: lower the rate or ask for a higher limit."),
    Reason.TICKET_API_UNREADABLE: _prober(
        "The ticketing API does not answer as it should: tickets may still come."
    ),
    Reason.MAILBOX_UNREADABLE: _prober("We can't read the mailbox: try `intake-prober check`."),
    Reason.OWN_MAILBOX_FULL: _prober("The canary's own mailbox is full: empty it."),
    Reason.NETWORK_UNAVAILABLE: _prober("Our own network or resolver fails: the controls fail too."),
    Reason.BROWSER_MISSING: _prober(
        "The browser is missing: `intake-prober check` says what installs it.", final=True
    ),
    Reason.BROWSER_CRASHED: _prober("Our browser died: look at memory limits.", final=True),
    Reason.BROWSER_UNRESPONSIVE: _prober("Our browser hangs: look at load and memory here.", final=True),
    Reason.JOURNEY_INVALID: _prober(
        "Our own steps or script failed: try them with `intake-prober portal try`.", final=True
    ),
    Reason.STORE_UNAVAILABLE: _prober(
        "Our store can't be written: look at the disk and the database.", final=True
    ),
    Reason.PROBER_STOPPED: _prober(
        "The prober was stopped while it launched: nothing to repair at the target.", final=True
    ),
    Reason.CLOCK_STEPPED: _prober(
        "Our clock was stepped while the canary was out: look at time synchronisation."
    ),
    Reason.NOT_LOOKED: _prober("Nobody looked in time: run the prober more often, or `serve`."),
    Reason.UNEXPECTED: _prober("A fault of the prober: see its log, and report it.", final=True),
}
"""One entry a reason; a test holds the table complete."""
