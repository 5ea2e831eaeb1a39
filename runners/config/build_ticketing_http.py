"""Make of its document a ticketing system that is known by configuration alone."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from canary.call_share import Want
from canary.hop import Channel
from canary.observation import Depth
from probes.servers import SecretSource
from probes.ticketing.generic.budgets import BudgetSettings, Window
from probes.ticketing.generic.calling import MOMENT_SECONDS, CallSettings
from probes.ticketing.generic.conversions import As
from probes.ticketing.generic.failures import Means, Rule
from probes.ticketing.generic.settings import CreateSettings, GenericSettings, LookSettings, Per, VarSettings
from probes.ticketing.generic.templates import Vocabulary
from probes.ticketing.generic.tickets import TicketMap
from runners.config.build_ticketing_auth import build_auth, names_of
from runners.config.build_ticketing_looks import build_clean, build_look, build_map, build_proof, build_rights
from runners.config.build_ticketing_parts import Parts
from runners.config.document_places import Cleanup
from runners.config.document_ticketing_http import (
    ChannelsDocument,
    FailureDocument,
    HttpTicketingDocument,
    VarDocument,
    WindowDocument,
)
from runners.config.document_ticketing_looks import LookDocument
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_NAMES: Final = ("since", "until", "now", "marker", "tag", "requesters", "tokens")
_PARTS: Final = ("remaining", "limit", "used", "reset")
_LEAST_CALLS: Final = 2
"""Of a look: its list, and the proof that we see."""


@dataclass(frozen=True, slots=True)
class GenericConfig:
    """A system by configuration alone, with the secrets that its templates name."""

    settings: GenericSettings
    secrets: Mapping[str, SecretSource]
    timeout_seconds: float


def build_generic(name: str, document: HttpTicketingDocument, around: Surroundings) -> GenericConfig:
    """The adapter's settings; the marker and our own addresses are added where all is known."""
    loc: Loc = ("ticketing", name)
    url = document.url.rstrip("/")
    site = {"url": url, "origin": "/".join(url.split("/")[:3])}
    parts = Parts(around, {"site": site, "given": document.given})
    secrets = {one: around.secret(ref, (*loc, "secrets", one)) for one, ref in document.secrets.items()}
    only_secrets: Vocabulary = {"secret": frozenset(secrets)}
    headers = parts.templates(document.headers, (*loc, "headers"), only_secrets, are_headers=True)
    auth = build_auth(document.auth, parts, (*loc, "auth"), secrets, url=url)
    bare: Vocabulary = {
        **dict.fromkeys(_NAMES),
        "secret": frozenset(secrets),
        "auth": names_of(document.auth),
    }
    words: Vocabulary = {**bare, "vars": frozenset(document.vars)}
    ticket = build_map(document.ticket, parts, (*loc, "ticket"), words)
    clean = document.clean
    settings = GenericSettings(
        name=name,
        url=url,
        marker="",
        tag=document.tag,
        calls=CallSettings(
            name=name,
            url=url,
            headers=headers,
            auth=auth,
            failures=tuple(
                _rule(one, parts, (*loc, "failures", index)) for index, one in enumerate(document.failures)
            ),
            budget=BudgetSettings(
                windows=tuple(
                    _window(one_name, one, parts, (*loc, "budget", one_name))
                    for one_name, one in document.budget.items()
                ),
                reserve_share=document.throttle.reserve,
                own_share=document.throttle.share,
                account=document.throttle.account or urlsplit(url).netloc.rpartition("@")[2].lower(),
            ),
            throttle_after=parts.optional_pick(document.throttle.after, (*loc, "throttle", "after"), {}),
            throttle_seconds=document.throttle.default,
        ),
        looks=_looks(document, parts, loc, words, ticket=ticket),
        channels=_channels(document.channel),
        vars=tuple(
            _var(one_name, one, parts, (*loc, "vars", one_name), bare)
            for one_name, one in document.vars.items()
        ),
        clean=build_clean(clean, parts, (*loc, "clean"), bare, ticket=ticket),
        sight=tuple(
            build_proof(one, parts, (*loc, "sight", index), bare)
            for index, one in enumerate(document.sight or ())
        ),
        rights=build_rights(clean.rights, parts, (*loc, "clean", "rights"), {**bare, "ticket": None})
        if clean.rights is not None
        else None,
        create=_create(document, parts, loc, words),
    )
    _note_missing(document, settings, around, loc)
    _note_too_small(settings, around, loc)
    return GenericConfig(settings, secrets, document.timeout)


def _looks(
    document: HttpTicketingDocument, parts: Parts, loc: Loc, words: Vocabulary, *, ticket: TicketMap
) -> tuple[LookSettings, ...]:
    every = document.model_dump_json(include={"url", "given", "vars", "ticket", "read"})
    found = [
        build_look(name, one, parts, (*loc, "find", name), words, under=ticket, shared=(loc, document.read))
        for name, one in document.find.items()
    ]
    aside = [
        build_look(name, one, parts, (*loc, "diverted", name), words, under=None)
        for name, one in document.diverted.items()
    ]
    said = (*document.find.values(), *document.diverted.values())
    return tuple(
        replace(look, digest=_digest(every, one)) for look, one in zip((*found, *aside), said, strict=True)
    )


def _digest(every: str, look: LookDocument) -> str:
    """Of all that decides what a look asks for and what it reads; secrets are not in it."""
    return hashlib.sha256(f"{every}\n{look.model_dump_json()}".encode()).hexdigest()[:16]


def _note_too_small(settings: GenericSettings, around: Surroundings, loc: Loc) -> None:
    """Of a window that has less for us than a look takes, each look would be blind."""
    budget = settings.calls.budget
    for one in budget.windows if settings.sight else ():
        limit = one.at_most if one.at_most is not None else one.limit
        if limit is None or one.length_seconds <= MOMENT_SECONDS:
            continue
        if Want(one.name, limit, budget.share_of(limit, is_left_told=one.tells_left)).most < _LEAST_CALLS:
            around.note(
                (*loc, "budget", one.name, "limit" if one.at_most is None else "at_most"),
                f"of {limit} requests one is ours, and a look takes two at least: its list, and `sight`",
                "Allow more, over a longer time (`60/h`), or raise throttle.share.",
            )


def _note_missing(
    document: HttpTicketingDocument, settings: GenericSettings, around: Surroundings, loc: Loc
) -> None:
    """Note what no look and no clean-up could do without."""
    each = {one.name for one in settings.vars if one.per_requester}
    for look in settings.looks:
        named = sorted(part for name, part in look.asking.names if name == "vars" and part in each)
        if named and look.per is not Per.REQUESTERS:
            section = "find" if look.name in document.find else "diverted"
            around.note(
                (*loc, section, look.name),
                f"vars.{named[0]} is one for each sender, and this look is made once for all",
                "Add per: requesters.",
                at_key=True,
            )
    for depth in Depth:
        if not any(depth in one.when for one in document.find.values()):
            around.note(
                (*loc, "find"),
                f"no look is made when: {depth}",
                "Leave `when` out of one of them: it is then made in both.",
                at_key=True,
            )
    if document.cleanup is Cleanup.NONE:
        return
    steps = document.clean.close if document.cleanup is Cleanup.CLOSE else document.clean.delete
    if not steps:
        around.note(
            (*loc, "clean"),
            f"cleanup is {document.cleanup}, and clean.{document.cleanup} says no request that does it",
            "Add its requests, or set cleanup: none.",
            at_key=True,
        )
    if document.cleanup is Cleanup.CLOSE and not all(
        "open" in one.ticket.picks for one in settings.looks if one.name in document.find
    ):
        around.note(
            (*loc, "ticket"),
            "whether a ticket is still open is not said, so that it would be closed again and again",
            "Add ticket: {open: {pick: status, not_among: [closed]}}.",
            at_key=True,
        )


def _channels(document: ChannelsDocument) -> dict[str, frozenset[Channel]]:
    found: dict[str, frozenset[Channel]] = {}
    for channel in Channel:
        for word in getattr(document, channel.value) or ():
            found[word.lower()] = found.get(word.lower(), frozenset()) | {channel}
    return found


def _var(name: str, document: VarDocument, parts: Parts, loc: Loc, words: Vocabulary) -> VarSettings:
    is_each = document.per == "requesters"
    known = {**words, "requester": None} if is_each else words
    return VarSettings(
        name=name,
        asking=parts.asking(document, loc, known),
        pick=parts.pick(document.pick, (*loc, "pick"), known),
        of=parts.optional_pick(document.of, (*loc, "of"), known, usual=(As.ADDRESS,)),
        per_requester=is_each,
        keep_seconds=document.keep,
    )


def _create(
    document: HttpTicketingDocument, parts: Parts, loc: Loc, words: Vocabulary
) -> CreateSettings | None:
    if document.create is None:
        return None
    at = (*loc, "create")
    known: Vocabulary = {**words, "subject": None, "body": None, "requester": None}
    return CreateSettings(
        parts.asking(document.create, at, known),
        parts.pick(document.create.id, (*at, "id"), known, usual=(As.TEXT,)),
    )


def _rule(document: FailureDocument, parts: Parts, loc: Loc) -> Rule:
    pick = document.pick
    if pick is None and (document.equals or document.matches):
        parts.around.note(loc, "what is compared is not said", "Add pick:.", at_key=True)
    if pick is None and not document.status:
        parts.around.note(loc, "this would match every answer", "Add status: or pick:.", at_key=True)
    if pick is not None and document.matches is not None:
        pick = pick.model_copy(update={"regex": document.matches})
        parts.regex(document.matches, (*loc, "matches"))
    return Rule(
        means=Means(document.means),
        statuses=frozenset(document.status),
        pick=parts.optional_pick(pick, (*loc, "pick"), {}),
        equals=frozenset(str(one).lower() if isinstance(one, bool) else str(one) for one in document.equals)
        or None,
    )


def _window(name: str, document: WindowDocument, parts: Parts, loc: Loc) -> Window:
    picks = {
        part: parts.pick(one, (*loc, part), {})
        for part in _PARTS
        if (one := getattr(document, part)) is not None
        and not (part == "limit" and isinstance(one.const, int))
    }
    regex = parts.regex(document.regex, (*loc, "regex"))
    if (document.source is None) != (document.regex is None):
        parts.around.note(loc, "from and regex belong together", "Write both, or neither.", at_key=True)
    elif regex is not None and not set(regex.groupindex) & set(_PARTS):
        parts.around.note(
            (*loc, "regex"),
            "it has no part of a window",
            "Name a group: (?P<remaining>\\d+), limit, used, reset.",
        )
    limit = document.limit.const if document.limit is not None else None
    if not set(picks) - {"reset"} and (document.at_most, document.source, limit) == (None, None, None):
        parts.around.note(
            loc,
            "nothing tells of this window",
            "Add remaining: and reset:, or limit: 700, or at_most: 300/m.",
        )
    return Window(
        name=name,
        picks=picks,
        whole=parts.optional_pick(document.source, (*loc, "from"), {}),
        parts=regex,
        limit=limit if isinstance(limit, int) else None,
        at_most=document.at_most.count if document.at_most is not None else None,
        seconds=document.at_most.seconds if document.at_most is not None else 60.0,
        lasts_seconds=document.lasts,
        is_day=document.daily,
    )
