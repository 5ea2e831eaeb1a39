"""The escalation: what whoever runs the other side needs to find our requests in their logs, and nothing secret.

A token signs its canary: whoever has it could make a ticket that looks like a proof. So every one is cut before its
signature, wherever it stands; what is left is unique, and servers' logs find a mail by the beginning of its Message-ID.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, assert_never, cast

from canary.alert import Party, bisected_words, said_of
from canary.blame import Stop
from canary.canary import Canary
from canary.hop import LAUNCH_HOPS, Channel, Hop
from canary.incident import Incident, IncidentKind
from canary.observation import Fact, Observation, Relay
from canary.signature import unsigned
from canary.verdict import Verdict
from probes.masking import MASK
from runners.answers import stamp
from runners.contracts import Record
from runners.dossier import Dossier
from runners.story_shapes import (
    EscalationAnswer,
    EvidenceAnswer,
    ExchangeAnswer,
    PassedRelayAnswer,
    PastMailPlatformAnswer,
    TimesAnswer,
)

T = TypeVar("T")

_QUEUE_ID = "intake.smtp.queue_id"
_FACTS = frozenset(
    {
        "browser.document.url.full",
        "dns.question.name",
        "http.request.method",
        "http.response.status_code",
        "intake.smtp.code",
        "intake.smtp.enhanced_code",
        _QUEUE_ID,
        "intake.bounce.reporting_mta",
        "intake.ticket.id",
        "network.peer.address",
        "network.peer.port",
        "server.address",
        "server.port",
        "tls.protocol.version",
        "tls.server.not_after",
        "tls.server.subject",
        "url.full",
    }
)
"""What the other side can use. The rest of an observation's facts is about us."""


def escalation(
    found: Dossier,
    *,
    prober: str,
    contact: str | None,
    target: str | None,
    bisect_to: str | None,
    mask: Callable[[str], str],
    own_addresses: Collection[str],
    now: datetime,
    status: int,
) -> EscalationAnswer:
    """What is told to whoever runs the other side.

    Args:
        found: the incident.
        prober: its name.
        contact: where to ask back; None: it isn't said.
        target: the support address that canaries of the path are sent to; None where they are not sent to one.
        bisect_to: the address past the mail platform; None where none is configured.
        mask: masks secrets.
        own_addresses: lower case; all other addresses are left out.
        now: aware UTC.
        status: the command's exit.
    """
    incident, stop = found.incident, found.stop
    whose = found.whose or Party.MAIL_OR_TICKETING
    domain = _domain(target)
    answer: EscalationAnswer = {
        "prober": prober,
        "contact": contact,
        "incident": incident.id,
        "path": incident.path,
        "channel": found.path.channel.value if found.path is not None else None,
        "party": whose.value,
        "blame": stop.hop.value,
        "reason": stop.reason.value,
        "summary": _summary(found, whose, domain),
        "times": _times(found, now),
        "failed": found.failed,
        "canaries": [
            _evidence(one, found.observations.get(one.canary.id, ()), domain) for one in found.canaries
        ],
        "bisect": _bisect(found, bisect_to),
        "tried": _tried(found),
        "asked": _asked(whose, incident),
        "exit": status,
    }

    def clean(text: str) -> str:
        return _ADDRESS.sub(lambda found: _own_or_masked(found[0], own_addresses), mask(unsigned(text)))

    return _cleaned(answer, clean)


def _domain(address: str | None) -> str | None:
    return address.rpartition("@")[2] if address is not None else None


_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'@…]{1,64}@[\w-]+(?:\.[\w-]+)+")
"""An address, wherever it stands; a Message-ID that was cut before its @ is none."""


def _own_or_masked(address: str, own: Collection[str]) -> str:
    """A stranger's address is nobody's business at a vendor's, not even its hash: there are few local parts."""
    local, _, domain = address.lower().partition("@")
    if local == MASK and any(domain == one.rpartition("@")[2] for one in own):
        return address  # cut where it was seen, as of the relays' fields: that leaves our side, or the target's, alone
    return address if {f"{local}@{domain}", f"{local.partition('+')[0]}@{domain}"} & set(own) else "***"


def _cleaned(value: T, clean: Callable[[str], str]) -> T:
    """The same with every text in it cleaned: whatever was forgotten above is not forgotten here."""
    match value:
        case str():
            return cast("T", clean(value))
        case dict():
            return cast("T", {key: _cleaned(one, clean) for key, one in value.items()})
        case list():
            return cast("T", [_cleaned(one, clean) for one in value])
        case _:
            return value


def _summary(found: Dossier, whose: Party, domain: str | None) -> str:
    incident, stop = found.incident, found.stop
    what = {
        Channel.EMAIL: f"by e-mail to {domain or 'the support address'}",
        Channel.PORTAL: "through the support portal",
        Channel.FORM: "through the contact form",
    }[found.path.channel if found.path is not None else Channel.EMAIL]
    lasts = f"until {_utc(incident.failed_until or incident.resolved_at)}"
    if incident.kind is IncidentKind.BLIND:
        return (
            f"Since {_utc(incident.onset_at)} the prober can't tell whether support requests {what} are received: "
            f"it does not see past {stop.hop} ({stop.reason}). "
            + (
                f"Your interface answers our requests with an error of its own{_by_status(stop)}."
                if whose is Party.TICKETING_API
                else "As far as we can see this is ours."
            )
        )
    known = {
        Verdict.LATE: "came too late",
        Verdict.BREACHED: "have not come",
        Verdict.LOST: "never came",
    }
    counts = Counter(one.verdict for one in found.canaries)
    fates = ", ".join(f"{counts[one]} {words}" for one, words in known.items() if counts[one])
    pending = f" {found.pending} more {'is' if found.pending == 1 else 'are'} still on the way." * bool(
        found.pending
    )
    of = f" Of the {len(found.canaries)} shown here {fates}." if fates else ""
    return (
        f"From {_utc(incident.onset_at)} {lasts}, {found.failed} of our {found.judged} test requests {what} failed at "
        f"{stop.hop}, reason {stop.reason}.{of}{pending} As far as we can see it lies with {whose.value}. Customers who wrote in that time "
        "are affected in the same way."
    )


def _by_status(stop: Stop) -> str:
    return f" (HTTP {stop.answered})" if stop.answered is not None else ""


def _times(found: Dossier, now: datetime) -> TimesAnswer:
    incident = found.incident
    return {
        "onset_at": stamp(incident.onset_at),
        "detected_at": stamp(incident.opened_at),
        "last_proof_before": _maybe(incident.impact_from),
        "impact_from": _maybe(incident.impact_from),
        "impact_until": _maybe(incident.impact_until),
        "resolved_at": _maybe(incident.resolved_at),
        "written_at": stamp(now),
    }


def _evidence(record: Record, seen: Sequence[Observation], domain: str | None) -> EvidenceAnswer:
    canary, judgement = record.canary, record.judgement
    stop = judgement.stop if judgement is not None else None
    is_mail = canary.channel is Channel.EMAIL
    accepted = [one for one in seen if one.hop is Hop.SMTP_ACCEPT]
    return {
        "id": canary.id,
        "verdict": record.verdict.value,
        "launched_at": stamp(canary.launched_at),
        "deadline_at": stamp(canary.deadline_at),
        "blame": stop.hop.value if stop is not None else None,
        "reason": stop.reason.value if stop is not None else None,
        "message_id": canary.message_id if is_mail else None,
        "subject": canary.subject_prefix,
        "sender": canary.sender,
        "recipient_domain": domain if is_mail else None,
        "queue_id": next((str(one.facts[_QUEUE_ID]) for one in accepted if _QUEUE_ID in one.facts), None),
        "reply": next((one.detail for one in reversed(accepted) if one.detail), None),
        "exchanges": [_exchange(one) for one in seen if one.hop in LAUNCH_HOPS or _is_told(one)],
        "relays": [_relay(relay) for one in seen for relay in one.relays],
        "ticket": {"system": ref.system, "id": ref.id, "url": ref.url}
        if judgement is not None and (ref := judgement.ticket) is not None
        else None,
        "ticket_seen_at": _maybe(_seen_at(canary, record)),
        "dropped": record.is_thinned,
    }


def _bisect(found: Dossier, to: str | None) -> PastMailPlatformAnswer | None:
    """What the canary came to that was sent past the mail platform; None: none was sent."""
    verdict, sent = found.bisect_verdict, found.bisect
    if verdict is None:
        return None
    return {
        "verdict": verdict.value,
        "says": bisect_words(verdict, found.stop),
        "canary": _evidence(sent, found.observations.get(sent.canary.id, ()), _domain(to))
        if sent is not None
        else None,
    }


def bisect_words(verdict: Verdict, stop: Stop) -> str:
    """What a bisect canary of that verdict says of the incident, as part of a sentence."""
    said = said_of(verdict)
    if said is not None:
        return bisected_words(said, stop)
    what = (
        "is still on its way"
        if verdict is Verdict.PENDING
        else "tells nothing: we could not see what came of it"
    )
    return f"a canary that was sent past the mail platform {what}"


def _is_told(seen: Observation) -> bool:
    """Whether a watcher saw something, as a bounce or a mail in the spam folder; looks in vain are counted elsewhere."""
    return not seen.is_look_in_vain and seen.hop is not Hop.TICKET_CLEANUP


def _seen_at(canary: Canary, record: Record) -> datetime | None:
    judgement = record.judgement
    if judgement is None or judgement.seconds is None:
        return None
    return canary.launched_at + timedelta(seconds=judgement.seconds)


def _exchange(seen: Observation) -> ExchangeAnswer:
    facts: Mapping[str, Fact] = {name: fact for name, fact in seen.facts.items() if name in _FACTS}
    return {
        "hop": seen.hop.value,
        "outcome": seen.outcome.value,
        "attempt": seen.attempt,
        "place": seen.place,
        "began_at": stamp(seen.began_at),
        "ended_at": stamp(seen.ended_at),
        "reason": seen.reason.value if seen.reason is not None else None,
        "detail": seen.detail,
        "facts": dict(facts),
    }


def _relay(relay: Relay) -> PassedRelayAnswer:
    return {
        "by_host": relay.by_host,
        "from_host": relay.from_host,
        "protocol": relay.protocol,
        "queue_id": relay.queue_id,
        "at": _maybe(relay.remote_at),
        "delay_seconds": relay.delay_seconds,
        "clock_suspect": relay.is_clock_suspect,
        "received": relay.raw or None,
    }


def _tried(found: Dossier) -> list[str]:
    """What we did ourselves, by what was seen."""
    incident = found.incident
    tried = [
        f"We launched {found.launched} test requests since {_utc(incident.onset_at)}; {found.failed} of them failed."
    ]
    if incident.only_sender is not None:
        working = ", ".join(sorted(incident.working_senders))
        tried.append(f"Only those from {incident.only_sender} fail; those from {working} come through.")
    elif len(incident.failed_senders) > 1:
        tried.append(f"They fail from each of these senders: {', '.join(sorted(incident.failed_senders))}.")
    if found.bisect_verdict is not None:
        said = bisect_words(found.bisect_verdict, found.stop)
        tried.append(f"{said[0].upper()}{said[1:]}.")
    seen = [one for some in found.observations.values() for one in some]
    attempts = Counter({one.hop: one.attempt for one in sorted(seen, key=lambda one: one.attempt)})
    tried += [
        f"{hop} was tried up to {most} times for one request, with the same content."
        for hop, most in sorted(attempts.items())
        if most > 1
    ]
    for place in sorted({one.place for one in seen if one.is_look_in_vain and one.place}):
        looks = [one for one in seen if one.is_look_in_vain and one.place == place]
        complete = [one.ended_at for one in looks if one.look is not None and one.look.can_say_absence]
        if complete:
            tried.append(
                f"We looked in {place}, last {_utc(max(complete))}, completely: what is missing was not there."
            )
        else:
            tried.append(
                f"We looked in {place}, last {_utc(max(one.ended_at for one in looks))}, but could not see all."
            )
    return tried


def _asked(whose: Party, incident: Incident) -> list[str]:
    """What whoever is to blame can find out or do."""
    mail = [
        "Find these mails in your logs by queue id, Message-ID and time, and tell us where each of them is now.",
        "Tell us whether mails were dropped, held, put aside or returned, and from when to when.",
    ]
    tickets = [
        "Find these requests by sender, subject and time, and tell us whether you suspended or lost them.",
        "Tell us how the requests of customers from the impact window can be recovered.",
    ]
    match whose:
        case Party.PROBER:
            return [
                "Nothing: as far as we can see this is ours. Tell us if you changed what we may do or see."
            ]
        case Party.TICKETING_API:
            wanted = [
                "Find our requests in your logs by time and status, and tell us why they were answered with an error.",
                "Tell us whether requests of customers became tickets in that time.",
            ]
        case Party.DNS:
            wanted = [
                "Compare the zone with what it should be (MX, addresses, delegation), and tell us what changed when."
            ]
        case Party.MAIL_PLATFORM:
            wanted = mail
        case Party.WEBSITE:
            wanted = [
                "Find these requests in your access and error logs by time, address and status, and tell us what failed.",
                "Tell us whether what customers sent in the impact window was kept anywhere.",
            ]
        case Party.TICKETING:
            wanted = tickets
        case Party.MAIL_OR_TICKETING | Party.MAIL_AND_TICKETING:
            wanted = [*mail, *tickets]
        case _:
            assert_never(whose)
    end = (
        "Tell us when it is repaired; we measure it from outside."
        if incident.is_open
        else "Tell us the cause."
    )
    if incident.works_from is not None:
        end = "Tell us the cause, and whether it is repaired: it came and went before, and comes through now."
    return [*wanted, end]


def _maybe(at: datetime | None) -> str | None:
    return stamp(at) if at is not None else None


def _utc(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else "now"
