"""Make what is sent by mail of its document, and note what contradicts itself."""

from collections.abc import Sequence
from types import MappingProxyType

from canary.hop import Channel, Hop
from probes.servers import TlsMode
from runners.config.built import Built, attachment
from runners.config.config import AccountConfig
from runners.config.document_email import EmailPathDocument, MailDocument, MxTls, Via
from runners.config.reading import Loc
from runners.config.sending import DkimConfig, EmailConfig, MailConfig
from runners.config.sources import Surroundings


def build_email(
    document: EmailPathDocument,
    accounts: Sequence[AccountConfig],
    around: Surroundings,
    loc: Loc,
    *,
    trusted: tuple[str, ...],
) -> Built:
    """What channel `email` makes of a path; ``accounts`` are those of its senders that could be read."""
    _check_sending(document, accounts, around, loc)
    sending = EmailConfig(
        to=document.to,
        via=document.via,
        mx_port=document.mx_port,
        mx_tls=document.mx_tls,
        ca_files=(*trusted, *around.authorities(document.ca, (*loc, "ca"))),
        helo_name=document.helo or "",
        dkim_selectors=tuple(document.dkim_selectors),
        bisect_to=document.bisect,
        mail=_mail(document.mail, around, (*loc, "mail")),
    )
    return Built(
        channel=Channel.EMAIL,
        sending=sending,
        senders=tuple(dict.fromkeys(document.sender)),
        without=_without(document, accounts),
        domain=document.to.rpartition("@")[2],
        target=document.to,
        mailbox=document.mailbox,
    )


def _without(document: EmailPathDocument, accounts: Sequence[AccountConfig]) -> frozenset[Hop]:
    """The optional hops for which nothing is configured."""
    servers = [account.smtp for account in accounts if account.smtp is not None]
    by_smtp = document.via is Via.SMTP
    has_tls = (
        any(one.tls is not TlsMode.NONE for one in servers) if by_smtp else document.mx_tls is not MxTls.NONE
    )
    has_auth = by_smtp and any(one.login is not None for one in servers)
    without = {
        Hop.SMTP_TLS: not has_tls,
        Hop.SMTP_AUTH: not has_auth,
        Hop.MAILBOX_ARRIVAL: document.mailbox is None,
    }
    return frozenset(hop for hop, is_left_out in without.items() if is_left_out)


def _check_sending(
    document: EmailPathDocument, accounts: Sequence[AccountConfig], around: Surroundings, loc: Loc
) -> None:
    for account in accounts:
        if account.address.lower() == document.to.lower():
            around.note(
                (*loc, "to"), f"account {account.name} would write to itself", "Write to the support address."
            )
        if document.via is Via.SMTP and account.smtp is None:
            around.note(
                (*loc, "from"),
                f"account {account.name} has no smtp, by which this path sends",
                f"Add accounts.{account.name}.smtp, or write via: mx.",
            )
    if document.via is Via.SMTP:
        for key in sorted(document.model_fields_set & {"mx_port", "mx_tls"}):
            around.note(
                (*loc, key),
                f"{key} has no effect without via: mx",
                "Remove it, or write via: mx.",
                at_key=True,
            )


def _mail(document: MailDocument, around: Surroundings, loc: Loc) -> MailConfig:
    _check_headers(document, around, loc)
    dkim = None
    if document.dkim is not None:
        key = around.secret(document.dkim.key, (*loc, "dkim", "key"))
        dkim = DkimConfig(document.dkim.domain, document.dkim.selector, key)
    return MailConfig(
        subject=document.subject,
        body=document.body,
        headers=MappingProxyType(dict(document.headers)),
        attachment=attachment(document.attachment, around, (*loc, "attachment")),
        dkim=dkim,
        subaddress=document.subaddress,
    )


def _check_headers(document: MailDocument, around: Surroundings, loc: Loc) -> None:
    if not document.headers:
        return
    from probes.message.compose import header_problem

    for name, value in document.headers.items():
        if problem := header_problem(name, value):
            message, _, remedy = problem.partition(". ")
            around.note((*loc, "headers", name), message, remedy, at_key=True)
