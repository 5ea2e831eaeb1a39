"""What the form probe is told by the configuration."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from probes.message.request import RequestSettings
from probes.servers import ClientCertificate, Password, SecretSource
from probes.user_agent import ANONYMOUS

Pattern = re.Pattern[str]
Text = str | Pattern
"""What is looked for: plain text (a part of it, without case), or a regular expression (written ``/…/``)."""
FieldValue = str | SecretSource
"""A template (see `probes.message.request.WORDS`), or a secret."""
JsonTree = None | bool | int | float | str | Sequence["JsonTree"] | Mapping[str, "JsonTree"]
"""Any JSON; every string in it, but no key, is a template."""

IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
WEB_TO_CASE_URL: Final = "https://webto.salesforce.com/servlet/servlet.WebToCase?encoding=UTF-8"
"""The host that queues during an outage; an organisation's own host does not."""


class Encoding(StrEnum):
    """How the fields of an HTML form are written into the request (HTML, "form submission", ``enctype``)."""

    URLENCODED = "urlencoded"
    MULTIPART = "multipart"


@dataclass(frozen=True, slots=True)
class FormChoice:
    """Which form of the page is meant: all that is given must fit. Nothing given: the one that has the fields.

    Attributes:
        form_id, name: its attributes ``id`` and ``name``.
        action: where it posts to: a part of the address, as the page writes it or made absolute.
        index: which of those that fit, from 0 (-1: the last); None: there must be one only.
    """

    form_id: str | None = None
    name: str | None = None
    action: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """The submit button that is pressed, as its ``name=value`` is sent too; what is None need not fit."""

    name: str | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class HtmlForm:
    """A form of a web page: fetched, filled by field name, posted as the page would.

    Attributes:
        fields: by field name; the form's hidden fields and defaults stay as the page has them.
        button: None: the form's first one.
        upload: the name of the file field that takes the request's attachment; None: it is not sent.
        encoding: None: as the form says.
    """

    fields: Mapping[str, FieldValue]
    form: FormChoice = field(default_factory=FormChoice)
    button: Button | None = None
    upload: str | None = None
    encoding: Encoding | None = None


class JsonMethod(StrEnum):
    """How a JSON request is sent."""

    POST = "POST"
    PUT = "PUT"


@dataclass(frozen=True, slots=True)
class JsonApi:
    """A JSON interface: one request with this tree as its body."""

    tree: JsonTree
    method: JsonMethod = JsonMethod.POST


@dataclass(frozen=True, slots=True)
class WebToCase:
    """Salesforce's Web-to-Case: posted to `FormSettings.url`, by default `WEB_TO_CASE_URL`.

    Attributes:
        organization: the ``orgid``, 15 or 18 characters, begins with ``00D``.
        fields: by Salesforce's field names (``subject``, ``description``, ``email``, ``name``, ``00N…``).
    """

    organization: str
    fields: Mapping[str, FieldValue]


class ParseShape(StrEnum):
    """Whose inbound-parse webhook is spoken."""

    MAILGUN = "mailgun"
    SENDGRID = "sendgrid"
    POSTMARK = "postmark"


@dataclass(frozen=True, slots=True)
class InboundParse:
    """The shape in which a mail service posts a mail to a ticketing system.

    Attributes:
        recipient: the support address that the mail seems to have been sent to.
        key: what the post is signed with; None: it is not signed. mailgun: the webhook signing key (HMAC-SHA256);
            sendgrid: the private key of an ECDSA P-256 pair in PEM, whose public half the receiver knows;
            postmark signs nothing: its receivers know it by `http_login`.
    """

    shape: ParseShape
    recipient: str
    key: SecretSource | None = None


Submission = HtmlForm | JsonApi | WebToCase | InboundParse

JsonExpected = str | Pattern | bool | int | float | None
"""What a JMESPath expression must come to: equal to it, or text (or a number) that the expression matches."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What must hold of the last answer: all that is given. Nothing given: a status 2xx.

    A group named ``ticket`` in a regular expression is the ticket's number as the answer tells it.

    Attributes:
        statuses: empty: any 2xx.
        text: in the page as it is read (tags taken away), or in the body where it is no HTML.
        url: where the answer came from, after redirects.
        json: by JMESPath expression; a regular expression is searched in the value written as text.
        headers: by name; the value has the text in it, or matches.
    """

    statuses: frozenset[int] = frozenset()
    text: Text | None = None
    url: Text | None = None
    json: Mapping[str, JsonExpected] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class FormLimits:
    """Seconds, each for the whole of its phase, however many pieces it comes in.

    Attributes:
        connect_seconds: to a connection, or to a proxy's tunnel.
        write_seconds: to send the request.
        read_seconds: from then to the answer's header; also for the page with the form, whole.
        confirmation_seconds: for the rest of the answer and the pages that it leads to.
    """

    dns_seconds: float = 10.0
    connect_seconds: float = 10.0
    tls_seconds: float = 10.0
    write_seconds: float = 30.0
    read_seconds: float = 30.0
    confirmation_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class FormSettings:
    """One path by plain HTTP.

    Attributes:
        url: HTML: the page with the form; else where the request is posted.
        expect_hosts: the hosts that may be asked, lower case; whoever sends us elsewhere fails.
        headers: extra header fields; secrets among them are sent to the origin of ``url`` only.
        http_login: HTTP Basic authentication (RFC 7617), for the origin of ``url`` only.
        ca_files: PEM files of authorities that are trusted beside the system's.
        proxy: ``http://host:port`` or ``https://host:port``, a secret where it holds a password; None: none,
            whatever the environment says.
        http2: whether HTTP/2 is offered; the server chooses.
        propagate: whether requests to the origin of ``url`` carry the W3C trace context of the hop under way, so that
            a target that is instrumented goes on with the canary's trace.
        idempotency_header: the header field that bears the canary's token, so that a server can tell a second
            post of it; None: none. See `IDEMPOTENCY_HEADER`.
        pace_seconds: the least time between the page and the post, as a person needs it (HTML only).
        most_answer_bytes: how much of an answer is read.
        most_redirects: how many of them are followed, before the post and after it.
        user_agent: who asks; a field of this name in ``headers`` takes its place.
    """

    url: str
    expect_hosts: frozenset[str]
    submission: Submission
    confirmation: Confirmation = field(default_factory=Confirmation)
    request: RequestSettings = field(default_factory=RequestSettings)
    headers: Mapping[str, FieldValue] = field(default_factory=lambda: MappingProxyType({}))
    http_login: Password | None = None
    client_certificate: ClientCertificate | None = None
    ca_files: tuple[str, ...] = ()
    proxy: FieldValue | None = None
    http2: bool = False
    propagate: bool = False
    idempotency_header: str | None = None
    pace_seconds: float = 0.0
    limits: FormLimits = field(default_factory=FormLimits)
    most_answer_bytes: int = 2_000_000
    most_redirects: int = 10
    user_agent: str = ANONYMOUS

    @property
    def bears_attachment(self) -> bool:
        """Whether the request's attachment goes with it: by an HTML form's `upload`, or in a parsed mail."""
        match self.submission:
            case HtmlForm(upload=upload):
                return upload is not None
            case InboundParse():
                return True
            case JsonApi() | WebToCase():
                return False
