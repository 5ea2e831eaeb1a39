"""Faults: the typed switches by which the intake is made to misbehave.

A switch is a field of `Faults`; its default is a healthy intake. `FaultBoard` holds the switches that are in
force now and tells who asked to hear of changes. Every fault is something that a real mail server or helpdesk
was seen to do.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints


class MailboxFull(StrEnum):
    """What happens to a mail for a mailbox that has no room."""

    QUEUE = "queue"
    DEFER = "defer"
    REJECT = "reject"
    BOUNCE = "bounce"
    DROP = "drop"


class AfterData(StrEnum):
    """What became of a mail whose final dot was never answered."""

    DELIVERED = "delivered"
    LOST = "lost"


class RecipientFault(StrEnum):
    """Why RCPT is refused."""

    UNKNOWN = "unknown"


class SmtpPlace(StrEnum):
    """Which listeners the `smtp_*` switches reach."""

    BOTH = "both"
    MX = "mx"
    SUBMISSION = "submission"


class CertificateKind(StrEnum):
    """Which certificate a listener shows."""

    VALID = "valid"
    EXPIRED = "expired"
    WRONG_NAME = "wrong_name"


class BounceForm(StrEnum):
    """How a mail that was accepted comes back."""

    RFC3464 = "rfc3464"
    TEXT = "text"


class SenderRewrite(StrEnum):
    """How a forwarder changes the sender of a mail."""

    GROUP = "group"
    SRS = "srs"


class QuotaForm(StrEnum):
    """How the IMAP server speaks of quota."""

    RFC9208 = "rfc9208"
    RFC2087 = "rfc2087"
    NONE = "none"


class Captcha(StrEnum):
    """Whose widget asks whether the customer is human."""

    RECAPTCHA = "recaptcha"
    HCAPTCHA = "hcaptcha"
    TURNSTILE = "turnstile"


class Spinner(StrEnum):
    """What became of a request whose spinner turns for ever."""

    SENT = "sent"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Faults:
    """All switches. A default is the healthy state.

    Attributes:
        mailbox_full: What a full mailbox does: `queue` (250, held until there is room, then delivered in order),
            `defer` (452 4.2.2 at RCPT), `reject` (552 5.2.2 at RCPT), `bounce` (250, then an RFC 3464 report to
            the sender), `drop` (250 and lost).
        queue_drain_per_second: Rate at which held mail is delivered once there is room; 0 is unlimited.
        queue_frozen: Held mail stays held although there is room.
        smtp_at: Which listeners the `smtp_*` switches reach.
        smtp_refuse: The listener is closed: connection refused.
        smtp_banner_silent: Connections are accepted and never greeted.
        smtp_silent_after_data: The final dot is never answered; the mail is `delivered` or `lost`.
        smtp_cut_in_data: The connection is cut while the mail is being sent; nothing is kept.
        smtp_cut_after_data: The mail is accepted and delivered, and the connection cut instead of a reply.
        smtp_recipient: `unknown`: 550 5.1.1 at RCPT.
        smtp_sender_policy: 550 5.7.1 at MAIL.
        smtp_spf: 550 5.7.23 at MAIL (RFC 7372 section 3.2).
        smtp_sending_limit: 550 5.4.5 at MAIL: the account has sent too much today.
        smtp_defer: 451 4.3.0 at the final dot.
        smtp_greylist_seconds: 451 4.7.1 at RCPT until that long after the first try of a (sender, recipient).
        smtp_auth_refused: 535 5.7.8 to every login.
        smtp_starttls_missing: STARTTLS is not offered, and login is offered without it.
        smtp_bearer_tokens: OAuth2 tokens that submission accepts for XOAUTH2; null: none but the password.
            A session whose token is withdrawn gets 421 4.7.0 at its next command.
        certificate_mx: Certificate of the MX listener.
        certificate_submission: Certificate of both submission listeners.
        certificate_imap: Certificate of both IMAP listeners.
        delivery_to: Address that the `delivery_*`, rewrite and mangle switches reach; `*` is everybody.
        delivery_drop: Accepted mail is lost.
        delivery_delay_seconds: Accepted mail is delivered that much later.
        delivery_to_junk: Mail is delivered to the Junk folder.
        delivery_duplicate: Mail is delivered twice.
        delivery_bounce: Accepted mail is lost and comes back to its sender: as an RFC 3464 report or as mere text.
        mangle_subject: The subject arrives altered: cut short and marked.
        mangle_charset: UTF-8 bodies arrive as if they had been read as Latin-1.
        truncate_body_bytes: The body is cut after so many bytes of its content.
        drop_attachments: Attachments are removed.
        rewrite_sender: `group`: From and Sender become the target address, the original goes to Reply-To;
            `srs`: only the envelope sender (Return-Path) is rewritten.
        clock_skew_seconds: How far the mail servers' clocks are ahead (Received fields and INTERNALDATE).
        imap_account: Address that the `imap_*` switches which act after login reach; null is everybody.
        imap_refuse: The listeners are closed.
        imap_silent: Connections are accepted and never answered.
        imap_silent_in_idle: From IDLE on the server is a black hole.
        imap_bye_in_idle: IDLE is ended by BYE and a close.
        imap_close_in_idle: IDLE is ended by a close without a word.
        imap_split_lines: Untagged lines come in two segments with a gap.
        imap_early_exists: The IDLE continuation waits for a mail and comes in one segment with its EXISTS.
        imap_uidvalidity_bump: Added to the UIDVALIDITY of every folder.
        imap_login_refused: NO [AUTHENTICATIONFAILED] to every login.
        imap_no_idle: IDLE is not offered and not understood.
        imap_quota: `rfc9208` (QUOTA=RES-STORAGE, QUOTA=RES-MESSAGE), `rfc2087` (QUOTA alone), `none`.
        imap_oauth_only: Only XOAUTH2 is accepted.
        imap_bearer_tokens: OAuth2 tokens accepted for XOAUTH2; null: none but the password. A session whose
            token is withdrawn is closed with BYE.
        desk_behind_faults: The helpdesk itself meets the `smtp_*` and `imap_*` switches, too.
        desk_poller_paused: The helpdesk doesn't fetch mail.
        desk_api_status: Every API call is answered with this HTTP status (401, 403, 404, 429, 500, 503).
        desk_api_retry_after_seconds: Retry-After of that answer.
        desk_api_html: The API answers 200 with an HTML page.
        desk_api_hang: The API accepts calls and does not answer.
        desk_api_delay_seconds: The API answers that much later.
        desk_api_garbled: The API answers JSON that lacks the fields.
        desk_acknowledge: The helpdesk acknowledges mails; false: it stays silent.
        desk_duplicates: Tickets that are made of one mail.
        desk_outgoing_refused: The helpdesk can't send: a round aborts before the mail is deleted, so every
            poll makes one more ticket of it.
        desk_clock_skew_seconds: How far the helpdesk's clock is ahead (Date header and ticket times).
        desk_title_rewrite: Form in which titles are stored, with `{subject}` for the mail's subject.
        portal_slow_seconds: Every page of the portal, not its scripts and pictures, comes that much later.
        portal_redirect_to_form: Every page sends the customer to the contact form, on another host (2018).
        portal_redirect_loop: Every page sends the customer to itself.
        portal_maintenance: Every page is a maintenance page with status 200.
        portal_down: Every page is answered with this HTTP status (500, 502, 503).
        portal_login_required: Pages are shown after log-in only. No fault; many portals are like that.
        portal_totp: Log-in asks for a one-time password, too (RFC 6238). No fault, either.
        portal_login_refused: Log-in fails, with the right password, too.
        portal_session_expires: The form is sent in vain: the session is over, and the log-in page comes.
        portal_form_changed: The title's field has another name and another label.
        portal_form_disabled: The button that sends the form can't be pressed.
        portal_banner: A cookie banner lies over the form until it is accepted.
        portal_captcha: The form has a captcha, and is refused as long as nobody has solved it.
        portal_script_error: The form is sent by a script, and that script fails.
        portal_spinner: After the button a spinner turns for ever; the request was `sent` or stays `unsent`.
        portal_validation_error: The form comes back with an error shown at a field.
        portal_double_submit: The page sends each request twice.
        portal_loses_answer: The ticket is made, and the connection cut instead of an answer. Chromium itself
            then sends the request again, a POST too: each time that it does makes one more ticket.
        portal_error_after_submit: The ticket is made, and status 500 answered.
        portal_drops_request: The page of a new ticket comes, and no ticket.
        portal_confirmation_missing: The ticket is made, and the home page comes without a word of it.
        form_slow_seconds: Every page of the contact form comes that much later.
        form_down: Every page of the contact form is answered with this HTTP status.
        form_rejects: The contact form comes back with an error shown, status 200.
        form_loses_answer: The contact form makes the ticket and cuts the connection instead of an answer.
        form_error_after_submit: The contact form makes the ticket and answers status 500.
        form_drops_request: The contact form says thanks and makes no ticket.
    """

    mailbox_full: MailboxFull = MailboxFull.QUEUE
    queue_drain_per_second: float = 0.0
    queue_frozen: bool = False
    smtp_at: SmtpPlace = SmtpPlace.BOTH
    smtp_refuse: bool = False
    smtp_banner_silent: bool = False
    smtp_silent_after_data: AfterData | None = None
    smtp_cut_in_data: bool = False
    smtp_cut_after_data: bool = False
    smtp_recipient: RecipientFault | None = None
    smtp_sender_policy: bool = False
    smtp_spf: bool = False
    smtp_sending_limit: bool = False
    smtp_defer: bool = False
    smtp_greylist_seconds: float = 0.0
    smtp_auth_refused: bool = False
    smtp_starttls_missing: bool = False
    smtp_bearer_tokens: tuple[str, ...] | None = None
    certificate_mx: CertificateKind = CertificateKind.VALID
    certificate_submission: CertificateKind = CertificateKind.VALID
    certificate_imap: CertificateKind = CertificateKind.VALID
    delivery_to: str = "support@acme.test"
    delivery_drop: bool = False
    delivery_delay_seconds: float = 0.0
    delivery_to_junk: bool = False
    delivery_duplicate: bool = False
    delivery_bounce: BounceForm | None = None
    mangle_subject: bool = False
    mangle_charset: bool = False
    truncate_body_bytes: int | None = None
    drop_attachments: bool = False
    rewrite_sender: SenderRewrite | None = None
    clock_skew_seconds: float = 0.0
    imap_account: str | None = None
    imap_refuse: bool = False
    imap_silent: bool = False
    imap_silent_in_idle: bool = False
    imap_bye_in_idle: bool = False
    imap_close_in_idle: bool = False
    imap_split_lines: bool = False
    imap_early_exists: bool = False
    imap_uidvalidity_bump: int = 0
    imap_login_refused: bool = False
    imap_no_idle: bool = False
    imap_quota: QuotaForm = QuotaForm.RFC9208
    imap_oauth_only: bool = False
    imap_bearer_tokens: tuple[str, ...] | None = None
    desk_behind_faults: bool = False
    desk_poller_paused: bool = False
    desk_api_status: int | None = None
    desk_api_retry_after_seconds: int | None = None
    desk_api_html: bool = False
    desk_api_hang: bool = False
    desk_api_delay_seconds: float = 0.0
    desk_api_garbled: bool = False
    desk_acknowledge: bool = True
    desk_duplicates: int = 1
    desk_outgoing_refused: bool = False
    desk_clock_skew_seconds: float = 0.0
    desk_title_rewrite: str | None = None
    portal_slow_seconds: float = 0.0
    portal_redirect_to_form: bool = False
    portal_redirect_loop: bool = False
    portal_maintenance: bool = False
    portal_down: int | None = None
    portal_login_required: bool = False
    portal_totp: bool = False
    portal_login_refused: bool = False
    portal_session_expires: bool = False
    portal_form_changed: bool = False
    portal_form_disabled: bool = False
    portal_banner: bool = False
    portal_captcha: Captcha | None = None
    portal_script_error: bool = False
    portal_spinner: Spinner | None = None
    portal_validation_error: bool = False
    portal_double_submit: bool = False
    portal_loses_answer: bool = False
    portal_error_after_submit: bool = False
    portal_drops_request: bool = False
    portal_confirmation_missing: bool = False
    form_slow_seconds: float = 0.0
    form_down: int | None = None
    form_rejects: bool = False
    form_loses_answer: bool = False
    form_error_after_submit: bool = False
    form_drops_request: bool = False

    def as_json(self) -> dict[str, object]:
        """All switches with their values, as JSON takes them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def in_force(self) -> dict[str, object]:
        """The switches that differ from a healthy intake; of bearer tokens only how many there are."""
        healthy = HEALTHY.as_json()
        changed = {name: value for name, value in self.as_json().items() if value != healthy[name]}
        return {
            name: f"{len(value)} tokens" if isinstance(value, list) else value
            for name, value in changed.items()
        }


HEALTHY = Faults()


class UnknownFault(ValueError):
    """A switch that doesn't exist, or a value that it can't take."""


def parse(wanted: Mapping[str, object], base: Faults) -> Faults:
    """Return `base` with the wanted switches set.

    Raises:
        UnknownFault: A name is unknown or a value is of the wrong kind; nothing is changed then.
    """
    hints = get_type_hints(Faults)
    unknown = sorted(set(wanted) - set(hints))
    if unknown:
        raise UnknownFault(f"unknown switches {unknown}. Known: {sorted(hints)}")
    converted: dict[str, Any] = {name: _convert(name, value, hints[name]) for name, value in wanted.items()}
    return replace(base, **converted)


def from_json(text: str) -> Faults:
    """Read all switches as `as_json` wrote them.

    Raises:
        UnknownFault: The text holds no valid switches.
    """
    return parse(json.loads(text), HEALTHY)


def _convert(name: str, value: object, kind: object) -> object:
    if isinstance(kind, UnionType):
        if value is None:
            return None
        kind = next(choice for choice in get_args(kind) if choice is not NoneType)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        choices = [str(member) for member in kind]
        if value not in choices:
            raise UnknownFault(f"{name}: {value!r} is not one of {choices}")
        return kind(str(value))
    if get_origin(kind) is tuple and isinstance(value, list | tuple):
        return tuple(str(item) for item in value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    raise UnknownFault(f"{name}: {value!r} is not of the kind {getattr(kind, '__name__', kind)}")


class FaultBoard:
    """The switches in force now, and who wants to hear of a change."""

    def __init__(self) -> None:
        self._now = HEALTHY
        self._listeners: list[Callable[[Faults], None]] = []

    @property
    def now(self) -> Faults:
        """The switches in force."""
        return self._now

    def set(self, wanted: Mapping[str, object]) -> None:
        """Set some switches; the others stay.

        Raises:
            UnknownFault: See `parse`; nothing is changed then.
        """
        self._change(parse(wanted, self._now))

    def clear(self) -> None:
        """Make the intake healthy again."""
        self._change(HEALTHY)

    def on_change(self, listener: Callable[[Faults], None]) -> None:
        """Call the listener after each change, with the new switches."""
        self._listeners.append(listener)

    def _change(self, faults: Faults) -> None:
        self._now = faults
        for listener in self._listeners:
            listener(faults)
