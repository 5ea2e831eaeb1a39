"""Make accounts, mailboxes and ticketing systems of their documents, and note what contradicts itself."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from canary.gauge import CapacityLimits
from probes.servers import SecretSource, TlsMode
from runners.config.build_quarantine import build_mark
from runners.config.config import (
    AccountConfig,
    CapacityConfig,
    Google,
    MailboxConfig,
    MailServer,
    Microsoft,
    Oauth,
    Refresh,
    TicketingConfig,
    TokenCommand,
)
from runners.config.document_places import (
    AccountDocument,
    AuthDocument,
    MailboxDocument,
    ServerDocument,
    TicketingDocument,
    TicketingType,
)
from runners.config.reading import Loc
from runners.config.sources import Surroundings

if TYPE_CHECKING:
    from runners.config.document_ticketing import AnyTicketingDocument

_SMTP_PORTS = {TlsMode.STARTTLS: 587, TlsMode.IMPLICIT: 465, TlsMode.NONE: 25}
_IMAP_PORTS = {TlsMode.STARTTLS: 143, TlsMode.IMPLICIT: 993, TlsMode.NONE: 143}


def build_account(
    name: str, document: AccountDocument, around: Surroundings, trusted: tuple[str, ...]
) -> AccountConfig:
    """An account; ``trusted`` are the CA files that hold everywhere."""
    loc: Loc = ("accounts", name)
    smtp = _server(
        document.smtp, around, (*loc, "smtp"), ports=_SMTP_PORTS, address=document.address, trusted=trusted
    )
    imap = _server(
        document.imap, around, (*loc, "imap"), ports=_IMAP_PORTS, address=document.address, trusted=trusted
    )
    return AccountConfig(name, document.address, document.name, smtp, imap, document.side)


def build_mailbox(
    name: str, document: MailboxDocument, around: Surroundings, trusted: tuple[str, ...]
) -> MailboxConfig | None:
    """A support mailbox; None where its server is missing."""
    loc: Loc = ("mailboxes", name)
    imap = _server(
        document.imap, around, (*loc, "imap"), ports=_IMAP_PORTS, address=document.address, trusted=trusted
    )
    if imap is None:
        return None
    if document.imap.password is None and document.imap.auth is None and document.imap.username is None:
        around.note(
            (*loc, "imap"),
            "there is no password and no auth",
            "Add the credential of the mailbox.",
            at_key=True,
        )
    capacity = document.capacity
    if capacity.warn >= capacity.page:
        around.note(
            (*loc, "capacity"),
            "warn is not below page",
            "Warn before the page, such as 80% and 95%.",
            at_key=True,
        )
    declared = capacity.declared
    return MailboxConfig(
        name=name,
        address=document.address,
        imap=imap,
        folders=tuple(dict.fromkeys((document.folder, *document.folders))),
        junk_folders=tuple(document.junk),
        may_remove=document.remove,
        capacity=CapacityConfig(
            CapacityLimits(
                warn_share=capacity.warn,
                page_share=capacity.page,
                forecast=timedelta(seconds=capacity.forecast),
            ),
            declared.storage if declared is not None else None,
            declared.messages if declared is not None else None,
            capacity.exec,
        ),
        backlog_age_seconds=document.backlog.age,
        backlog_search=document.backlog.search,
    )


def build_ticketing(
    name: str, document: "AnyTicketingDocument", around: Surroundings, trusted: tuple[str, ...]
) -> TicketingConfig:
    """A ticketing system."""
    system = _ticketing(name, document, around, trusted)
    return replace(system, mark=build_mark(name, document, system, around))


def _ticketing(
    name: str, document: "AnyTicketingDocument", around: Surroundings, trusted: tuple[str, ...]
) -> TicketingConfig:
    loc: Loc = ("ticketing", name)
    system = TicketingConfig(
        name=name,
        type=document.type,
        url=document.url.rstrip("/"),
        token=None,
        username=None,
        password=None,
        queue=None,
        custom_field=None,
        cleanup=document.cleanup,
        tag=document.tag,
        cap_per_hour=document.cap.per_hour if document.cap is not None else None,
        cleanup_per_hour=document.cleanup_cap.per_hour if document.cleanup_cap is not None else None,
        ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
        vendor=around.written_type(loc),
    )
    if not isinstance(document, TicketingDocument):
        from runners.config.build_ticketing_http import build_generic

        return replace(system, generic=build_generic(name, document, around))
    _note_credential(document, around, loc)
    if document.custom_field is not None and document.type is not TicketingType.RT:
        around.note(
            (*loc, "custom_field"), f"{document.type} has no custom fields", "Leave it out.", at_key=True
        )
    return replace(
        system,
        token=around.optional_secret(document.token, (*loc, "token")),
        username=document.username,
        password=around.optional_secret(document.password, (*loc, "password")),
        queue=document.queue,
        custom_field=document.custom_field,
    )


def _note_credential(document: TicketingDocument, around: Surroundings, loc: Loc) -> None:
    """Note where the credential is missing, is none that the system takes, or is there twice."""
    named = {"username": document.username is not None, "password": document.password is not None}
    if document.type is TicketingType.HELPDESK:
        for key in (key for key, is_there in named.items() if is_there):
            around.note(
                (*loc, key),
                f"{document.type} is read with a token, not with a user name and password",
                "Leave it out and add token: {env: NAME}." if document.token is None else "Leave it out.",
                at_key=True,
            )
        if document.token is None and not any(named.values()):
            around.note(
                loc,
                f"there is no credential: {document.type} needs a token",
                "Add token: {env: NAME}.",
                at_key=True,
            )
    elif document.token is None and not all(named.values()):
        around.note(
            loc,
            f"there is no credential: {document.type} needs a token, or username and password",
            "Add a token, or both.",
            at_key=True,
        )
    elif document.token is not None and any(named.values()):
        around.note(loc, "there is a token and a user name or password", "Keep one of them.", at_key=True)


def _server(
    document: ServerDocument | None,
    around: Surroundings,
    loc: Loc,
    *,
    ports: dict[TlsMode, int],
    address: str | None,
    trusted: tuple[str, ...],
) -> MailServer | None:
    if document is None:
        return None
    login: SecretSource | Oauth | None = None
    username = document.username or address or ""
    if document.password is not None and document.auth is not None:
        around.note(loc, "there is a password and an auth", "Keep one of them.", at_key=True)
    if document.password is not None:
        login = around.secret(document.password, (*loc, "password"))
    elif document.auth is not None:
        login = _oauth(document.auth, around, (*loc, "auth"), username)
    elif document.username is not None:
        around.note(loc, "there is a username, but no password and no auth", "Add one of them.", at_key=True)
    if login is not None and not username:
        around.note(
            loc, "the key username is missing", "Add the name that belongs to the credential.", at_key=True
        )
    return MailServer(
        host=document.host,
        port=document.port if document.port is not None else ports[document.tls],
        tls=document.tls,
        username=username,
        login=login,
        ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
    )


def _oauth(document: AuthDocument, around: Surroundings, loc: Loc, username: str) -> Oauth | None:
    given = [name for name in AuthDocument.model_fields if getattr(document, name) is not None]
    if len(given) != 1:
        around.note(
            loc, "auth needs exactly one of google, microsoft, oauth, exec", "Name the provider.", at_key=True
        )
        return None
    if document.google is not None:
        google = document.google
        return Google(
            key=around.secret(google.service_account, (*loc, "google", "service_account")),
            subject=google.subject or username,
            token_url=google.token_url,
            scope=google.scope,
        )
    if document.microsoft is not None:
        microsoft, at = document.microsoft, (*loc, "microsoft")
        return Microsoft(
            tenant=microsoft.tenant,
            client_id=around.secret(microsoft.client_id, (*at, "client_id")),
            client_secret=around.secret(microsoft.client_secret, (*at, "client_secret")),
            scope=microsoft.scope,
            token_url=microsoft.token_url,
        )
    if document.oauth is not None:
        oauth, at = document.oauth, (*loc, "oauth")
        return Refresh(
            token_url=oauth.token_url,
            client_id=around.secret(oauth.client_id, (*at, "client_id")),
            client_secret=around.optional_secret(oauth.client_secret, (*at, "client_secret")),
            refresh_token=around.secret(oauth.refresh_token, (*at, "refresh_token")),
            scope=oauth.scope,
        )
    return TokenCommand(document.exec or ())
