"""Make what a portal and a form have in common of their documents, and note what contradicts itself."""

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from probes.message.compose import AttachedFile
from probes.message.request import RequestSettings, filled
from probes.servers import ClientCertificate, Password, SecretSource
from runners.config.built import attachment
from runners.config.config import AccountConfig
from runners.config.document_web import FIELD_NAME, RequestDocument, WebPathDocument
from runners.config.fields import SecretKind, SecretRef, duration_text
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_OWN = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
    }
    | {"transfer-encoding", "upgrade", "proxy-authorization", "proxy-connection"}
)
"""What the protocol itself says."""
_WITH_TOKEN = MappingProxyType(dict.fromkeys(("subject", "body", "token"), ""))
_SECRET_HEADERS = frozenset({"authorization", "cookie"})


def senders_of(
    document: WebPathDocument, names: Collection[str], around: Surroundings, loc: Loc
) -> tuple[str, ...]:
    """The accounts whose requests they are: those that are named, or the only one there is."""
    if document.sender is not None:
        return tuple(dict.fromkeys(document.sender))
    if len(names) > 1:
        remedy = f"Name the account whose requests they are: {', '.join(sorted(names))}."
        around.note((*loc, "from"), "the key from is missing", remedy, at_key=True)
    return tuple(names)


def expected_hosts(document: WebPathDocument, host: str) -> frozenset[str]:
    """The hosts where we may end up, lower case; ``host`` is that of the URL."""
    return frozenset(one.lower() for one in document.expect_host or (host,))


def ascii_host(url: str, around: Surroundings, loc: Loc) -> str:
    """The host of a URL in ASCII form (RFC 5891), lower case."""
    import idna

    host = (urlsplit(url).hostname or "").lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        around.note(loc, "the host is no domain name", "Correct it, or write it in its ASCII form (xn--…).")
        return host


def build_request(
    document: RequestDocument, accounts: Sequence[AccountConfig], around: Surroundings, loc: Loc
) -> RequestSettings:
    """What the request says."""
    default = RequestSettings()
    found = attachment(document.attachment, around, (*loc, "attachment"))
    names = {one.address.lower(): one.display_name for one in accounts if one.display_name is not None}
    return RequestSettings(
        display_names=MappingProxyType(names),
        subject=document.subject if document.subject is not None else default.subject,
        body=document.body if document.body is not None else default.body,
        attachment=AttachedFile(found.name, found.content) if found is not None else None,
    )


def build_headers(
    headers: Mapping[str, str | SecretRef], around: Surroundings, loc: Loc
) -> Mapping[str, str | SecretSource]:
    """Extra header fields, each a text or a secret."""
    built: dict[str, str | SecretSource] = {}
    lower: set[str] = set()
    for name, value in headers.items():
        at = (*loc, name)
        if not FIELD_NAME.fullmatch(name):
            around.note(
                at, f"{name} is not the name of a header field", "Write it like X-Synthetic.", at_key=True
            )
        elif name.lower() in _OWN:
            around.note(
                at, f"the header field {name} is set by the protocol itself", "Leave it out.", at_key=True
            )
        elif name.lower() in lower:
            around.note(at, f"the header field {name} stands here twice", "Keep one of them.", at_key=True)
        lower.add(name.lower())
        if isinstance(value, str) and name.lower() not in _SECRET_HEADERS:
            if not value.isascii():
                around.note(at, "a header field is ASCII", "Write it without other letters.")
            built[name] = value
        else:
            ref = SecretRef(SecretKind.LITERAL, (value,)) if isinstance(value, str) else value
            built[name] = around.secret(ref, at)
    return MappingProxyType(built)


def http_login(document: WebPathDocument, around: Surroundings, loc: Loc) -> Password | None:
    """The log-in by HTTP authentication."""
    login = document.http_login
    if login is None:
        return None
    return Password(login.username, around.secret(login.password, (*loc, "http_login", "password")))


def client_certificate(
    document: WebPathDocument, url: str, around: Surroundings, loc: Loc
) -> ClientCertificate | None:
    """The certificate by which the server knows us."""
    given = document.client_certificate
    if given is None:
        return None
    at = (*loc, "client_certificate")
    parts = urlsplit(given.origin or url)
    if parts.scheme != "https":
        place = (*at, "origin") if given.origin else at
        around.note(place, "a certificate is shown to https:// only", "Write https:// in url, or an origin.")
    if given.origin is not None and (parts.path not in {"", "/"} or parts.query):
        around.note((*at, "origin"), "an origin has no path", "Write https://host or https://host:port.")
    return ClientCertificate(
        origin=f"{parts.scheme}://{parts.netloc}",
        certificate=around.certificate(given.certificate, (*at, "certificate")),
        key=around.private_key(given.key, (*at, "key")),
    )


def bears_token(template: str) -> bool:
    """Whether a word is filled in that holds the token, by which the ticket is found."""
    return filled(template, _WITH_TOKEN) != template


def confirming(text: str | re.Pattern[str], around: Surroundings, loc: Loc) -> str | re.Pattern[str]:
    """The text; notes an expression that everything matches: it would confirm what never was."""
    if isinstance(text, re.Pattern) and text.search("") is not None:
        around.note(
            loc, "every text matches this, so it confirms nothing", "Write what only the confirmation has."
        )
    return text


def check_limits(
    limits: Mapping[str, float], document: WebPathDocument, around: Surroundings, loc: Loc
) -> None:
    """Note each limit that was given and that the deadline never lets come; ``limits`` are by their keys."""
    for key, seconds in limits.items():
        if seconds > document.deadline:
            most = duration_text(document.deadline)
            around.note(
                (*loc, *key.split(".")),
                f"{key} {duration_text(seconds)} is longer than the deadline {most}",
                f"Raise deadline or lower {key}.",
            )
