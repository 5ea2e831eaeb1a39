"""Make paths of their documents, and note what contradicts itself or names what isn't there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from canary.hop import Channel, Hop, route
from canary.path import IncidentPolicy, Path, PathName, Proof, Reply, Slo
from runners.config.build_email import build_email
from runners.config.built import Built
from runners.config.config import AccountConfig, Every, PathConfig
from runners.config.cron import Cron, CronError, parse_cron
from runners.config.document_paths import PathDocument
from runners.config.errors import did_you_mean
from runners.config.fields import duration_text
from runners.config.reading import Loc
from runners.config.sources import Surroundings

if TYPE_CHECKING:
    from runners.config.document_channels import AnyPathDocument


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
    document: "AnyPathDocument",
    places: Places,
    around: Surroundings,
    *,
    policy: IncidentPolicy,
    trusted: tuple[str, ...],
) -> PathConfig | None:
    """A path; None, and mistakes noted, where it contradicts itself."""
    loc: Loc = ("paths", name)
    before = len(around.noted())
    names = document.sender if document.sender is not None else places.account_names
    accounts = [places.accounts[one] for one in names if one in places.accounts]
    built = _built(document, accounts, places, around, loc, trusted=trusted)
    without = built.without if _needs_reply(document) else built.without | {Hop.REPLY_RECEIVED}
    hops = route(built.channel, without=without)
    _check_promise(document, hops, around, loc)
    _check_proof(document, accounts, around, loc)
    schedule = _schedule(document, around, loc)
    if len(around.noted()) > before:
        return None
    return PathConfig(
        path=Path(
            name=PathName(name),
            channel=built.channel,
            route=hops,
            slo=Slo(document.deadline, document.horizon, document.objective),
            reply=document.reply,
            proof=document.proof,
            budgets=MappingProxyType({Hop(hop): limit for hop, limit in document.budgets.items()}),
            interval_seconds=_interval_seconds(schedule),
            usual_gap_seconds=schedule.usual_gap_seconds() if isinstance(schedule, Cron) else None,
            moments=schedule if isinstance(schedule, Cron) else None,
            ticketing=document.ticketing,
            mailbox=built.mailbox,
            requesters=frozenset(one.lower() for one in document.requesters),
            incidents=policy,
            is_enabled=document.enabled,
            team=document.labels.team,
            domain=(document.labels.domain or built.domain).lower(),
            runbook=document.runbook,
            quarantine_misses=document.quarantine_misses if document.require_quarantine else None,
        ),
        senders=built.senders,
        schedule=schedule,
        jitter_seconds=document.jitter or 0.0,
        target=built.target,
        sending=built.sending,
    )


def _built(
    document: "AnyPathDocument",
    accounts: Sequence[AccountConfig],
    places: Places,
    around: Surroundings,
    loc: Loc,
    *,
    trusted: tuple[str, ...],
) -> Built:
    match document.channel:
        case Channel.EMAIL:
            return build_email(document, accounts, around, loc, trusted=trusted)
        case Channel.PORTAL:
            from runners.config.build_portal import build_portal

            names = places.account_names
            return build_portal(document, accounts, around, loc, account_names=names, trusted=trusted)
        case Channel.FORM:
            from runners.config.build_form import build_form

            names = places.account_names
            return build_form(document, accounts, around, loc, account_names=names, trusted=trusted)
        case _:
            assert_never(document)


def _check_name(given: object, known: Collection[str], what: str, loc: Loc, around: Surroundings) -> None:
    if isinstance(given, str) and given not in known:
        around.note(loc, f"there is no {what} {given}", did_you_mean(given, known))


def _needs_reply(document: PathDocument) -> bool:
    return document.reply is not Reply.IGNORED or document.proof is Proof.REPLY


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
    if _needs_reply(document):
        key = "proof" if document.proof is Proof.REPLY else "reply"
        for account in accounts:
            if account.imap is None:
                around.note(
                    (*loc, key),
                    f"replies to account {account.name} can't be read: it has no imap",
                    f"Add accounts.{account.name}.imap.",
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
