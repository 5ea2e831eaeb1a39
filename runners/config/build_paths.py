"""Make paths of their documents, and note what contradicts itself or names what isn't there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from canary.hop import Channel, Hop, route
from canary.path import IncidentPolicy, Path, PathName, Proof, Reply, Slo
from probes.servers import TlsMode
from runners.config.config import (
    AccountConfig,
    AttachmentConfig,
    DkimConfig,
    Every,
    MailConfig,
    PathConfig,
)
from runners.config.cron import Cron, CronError, parse_cron
from runners.config.document_paths import MailDocument, MxTls, PathDocument, Via
from runners.config.errors import did_you_mean
from runners.config.fields import duration_text
from runners.config.reading import Loc
from runners.config.sources import Surroundings


@dataclass(frozen=True, slots=True)
class Places:
    """What a path may refer to: all names that the file has, and the accounts that could be read."""

    account_names: Collection[str]
    mailbox_names: Collection[str]
    ticketing_names: Collection[str]
    accounts: Mapping[str, AccountConfig]


def check_references(name: str, raw: Mapping[str, object], places: Places, around: Surroundings) -> None:
    """Note every name of a path that isn't there; works on the bare values, so that other mistakes don't hide it."""
    loc: Loc = ("paths", name)
    senders = raw.get("from")
    listed = senders if isinstance(senders, list) else [senders]
    for index, sender in enumerate(listed):
        at: Loc = (*loc, "from", index) if isinstance(senders, list) else (*loc, "from")
        _check_name(sender, places.account_names, "account", at, around)
    _check_name(raw.get("mailbox"), places.mailbox_names, "mailbox", (*loc, "mailbox"), around)
    _check_name(raw.get("ticketing"), places.ticketing_names, "ticketing system", (*loc, "ticketing"), around)


def build_path(
    name: str,
    document: PathDocument,
    places: Places,
    around: Surroundings,
    *,
    policy: IncidentPolicy,
    trusted: tuple[str, ...],
) -> PathConfig | None:
    """A path; None, and mistakes noted, where it contradicts itself."""
    loc: Loc = ("paths", name)
    before = len(around.noted())
    accounts = [places.accounts[one] for one in document.sender if one in places.accounts]
    hops = _route(document, accounts)
    _check_promise(document, hops, around, loc)
    _check_proof(document, accounts, around, loc)
    _check_sending(document, accounts, around, loc)
    schedule = _schedule(document, around, loc)
    mail = _mail(document.mail, around, (*loc, "mail"))
    ca_files = (*trusted, *around.files(document.ca, (*loc, "ca")))
    if len(around.noted()) > before:
        return None
    return PathConfig(
        path=Path(
            name=PathName(name),
            channel=Channel.EMAIL,
            route=hops,
            slo=Slo(document.deadline, document.horizon, document.objective),
            reply=document.reply,
            proof=document.proof,
            budgets=MappingProxyType({Hop(hop): limit for hop, limit in document.budgets.items()}),
            interval_seconds=_interval_seconds(schedule),
            ticketing=document.ticketing,
            mailbox=document.mailbox,
            requesters=frozenset(one.lower() for one in document.requesters),
            incidents=policy,
            is_enabled=document.enabled,
            team=document.labels.team,
            domain=(document.labels.domain or document.to.rpartition("@")[2]).lower(),
            runbook=document.runbook,
        ),
        senders=tuple(dict.fromkeys(document.sender)),
        to=document.to,
        via=document.via,
        mx_port=document.mx_port,
        mx_tls=document.mx_tls,
        ca_files=ca_files,
        helo_name=document.helo or "",
        dkim_selectors=tuple(document.dkim_selectors),
        schedule=schedule,
        jitter_seconds=document.jitter or 0.0,
        bisect_to=document.bisect,
        mail=mail,
    )


def _check_name(given: object, known: Collection[str], what: str, loc: Loc, around: Surroundings) -> None:
    if isinstance(given, str) and given not in known:
        around.note(loc, f"there is no {what} {given}", did_you_mean(given, known))


def _route(document: PathDocument, accounts: list[AccountConfig]) -> tuple[Hop, ...]:
    """The path's hops: the optional ones only where something is configured for them."""
    servers = [account.smtp for account in accounts if account.smtp is not None]
    by_smtp = document.via is Via.SMTP
    has_tls = (
        any(one.tls is not TlsMode.NONE for one in servers) if by_smtp else document.mx_tls is not MxTls.NONE
    )
    has_auth = by_smtp and any(one.login is not None for one in servers)
    needs_reply = document.reply is not Reply.IGNORED or document.proof is Proof.REPLY
    without = {
        Hop.SMTP_TLS: not has_tls,
        Hop.SMTP_AUTH: not has_auth,
        Hop.MAILBOX_ARRIVAL: document.mailbox is None,
        Hop.REPLY_RECEIVED: not needs_reply,
    }
    return route(Channel.EMAIL, without=[hop for hop, is_left_out in without.items() if is_left_out])


def _check_promise(document: PathDocument, hops: tuple[Hop, ...], around: Surroundings, loc: Loc) -> None:
    if document.deadline > document.horizon:
        around.note(
            (*loc, "deadline"),
            f"deadline {duration_text(document.deadline)} is longer than horizon {duration_text(document.horizon)}",
            "Raise horizon or lower deadline.",
        )
    for name, limit in document.budgets.items():
        at: Loc = (*loc, "budgets", name)
        if Hop(name) not in hops:
            around.note(
                at,
                f"this path has no hop {name}",
                f"It has {', '.join(hops)}.",
                at_key=True,
            )
        elif limit > document.deadline:
            around.note(
                at,
                f"the budget {duration_text(limit)} is longer than the deadline {duration_text(document.deadline)}",
                "Lower the budget: a slow hop is told before the deadline.",
            )


def _check_proof(
    document: PathDocument, accounts: list[AccountConfig], around: Surroundings, loc: Loc
) -> None:
    if document.proof is Proof.API and document.ticketing is None:
        around.note(
            loc,
            "the key ticketing is missing",
            "Name the ticketing system, or write proof: reply if it can't be read.",
            at_key=True,
        )
    if (
        document.proof is Proof.REPLY
        and "reply" in document.model_fields_set
        and document.reply is Reply.IGNORED
    ):
        around.note((*loc, "reply"), "reply is false, but it is the path's proof", "Remove reply, or proof.")
    if document.proof is Proof.REPLY or document.reply is not Reply.IGNORED:
        key = "proof" if document.proof is Proof.REPLY else "reply"
        for account in accounts:
            if account.imap is None:
                around.note(
                    (*loc, key),
                    f"replies to account {account.name} can't be read: it has no imap",
                    f"Add accounts.{account.name}.imap.",
                )


def _check_sending(
    document: PathDocument, accounts: list[AccountConfig], around: Surroundings, loc: Loc
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


def _schedule(document: PathDocument, around: Surroundings, loc: Loc) -> Every | Cron | None:
    schedule: Every | Cron | None = None
    if document.every is not None and document.cron is not None:
        around.note((*loc, "cron"), "there are both every and cron", "Keep one of them.", at_key=True)
    elif document.every is not None:
        schedule = Every(document.every)
    elif document.cron is not None:
        try:
            schedule = parse_cron(document.cron)
        except CronError as error:
            around.note((*loc, "cron"), str(error), error.remedy)
            return None
    interval = _interval_seconds(schedule)
    if document.jitter is not None and (interval is None or document.jitter >= interval):
        around.note(
            (*loc, "jitter"), "the jitter is not shorter than the interval", "Lower it, or add every."
        )
    return schedule


def _interval_seconds(schedule: Every | Cron | None) -> float | None:
    match schedule:
        case None:
            return None
        case Every():
            return schedule.interval_seconds
        case Cron():
            return schedule.longest_gap_seconds()


def _mail(document: MailDocument, around: Surroundings, loc: Loc) -> MailConfig:
    attachment = None
    if document.attachment is not None:
        given = document.attachment
        at: Loc = (*loc, "attachment")
        if (given.file is None) == (given.text is None):
            around.note(at, "an attachment needs either file or text", "Keep one of them.", at_key=True)
        content = (
            (given.text or "").encode() if given.file is None else around.content(given.file, (*at, "file"))
        )
        attachment = AttachmentConfig(given.name, content)
    _check_headers(document, around, loc)
    dkim = None
    if document.dkim is not None:
        key = around.secret(document.dkim.key, (*loc, "dkim", "key"))
        dkim = DkimConfig(document.dkim.domain, document.dkim.selector, key)
    return MailConfig(
        subject=document.subject,
        body=document.body,
        headers=MappingProxyType(dict(document.headers)),
        attachment=attachment,
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
