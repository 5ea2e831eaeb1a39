"""Turn what a mailbox showed of a canary into observations; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr

from canary.canary import Canary
from canary.hop import Channel, Hop
from canary.observation import Depth, Evidence, Fact, LookFacts, Observation, Outcome
from canary.reason import Reason
from probes.mailbox.folders import Places, Role
from probes.mailbox.mails import Mail
from probes.mailbox.ticket_number import ticket_number
from probes.message.bounce import Action, Bounce, bounce_reason, read_bounce
from probes.message.extract import Where, field
from probes.message.received import authentication_results, relays


@dataclass(frozen=True, slots=True)
class Look:
    """The frame of one look at one place.

    Attributes:
        began_at, ended_at: aware UTC, by our clock.
        facts: of the server that was asked.
    """

    place: str
    depth: Depth
    began_at: datetime
    ended_at: datetime
    facts: Mapping[str, Fact]


def is_of_canary(canary: Canary, mail: Mail) -> bool:
    """Whether a mail in the support mailbox is the canary itself, not somebody else's mail that bears its token.

    The signature of its token is verified already. Anyone may send a word that he has seen, so it must be ours by its
    sender, too; or by its Message-ID or header, where a forwarder rewrote the sender.
    """
    sender = parseaddr(field(mail.message, "From"))[1].lower()
    own_id = field(mail.message, "Message-ID").strip().lower() == canary.message_id.lower()
    own_header = canary.id in field(mail.message, "X-Intake-Canary").lower()
    return sender == canary.sender or own_id or own_header


def arrival(canary: Canary, mails: Sequence[Mail], places: Places, look: Look) -> Observation | None:
    """The hop `mailbox.arrival` by what the support mailbox shows, or None: it is not there."""
    ours = sorted(
        (one for one in mails if is_of_canary(canary, one)),
        key=lambda one: (
            places.role(one.folder) is Role.JUNK,
            one.internal_at is None,
            one.internal_at,
            one.uid,
        ),
    )
    if not ours:
        return None
    mail = ours[0]
    is_junk = places.role(mail.folder) is Role.JUNK
    authentication = authentication_results(mail.message)
    facts: dict[str, Fact] = {**look.facts, "intake.mailbox.folder": mail.folder}
    if authentication is not None:
        facts |= authentication.facts()
    return Observation(
        canary_id=canary.id,
        hop=Hop.MAILBOX_ARRIVAL,
        outcome=Outcome.FAILED if is_junk else Outcome.OK,
        evidence=Evidence.OBSERVED,
        began_at=look.began_at,
        ended_at=look.ended_at,
        reason=Reason.MISROUTED if is_junk else None,
        detail=f"it arrived in the folder {mail.folder}" if is_junk else "",
        place=look.place,
        remote_at=mail.internal_at,
        relays=relays(mail.message),
        facts=facts,
    )


def bounces(
    canary: Canary, mails: Sequence[Mail], look: Look, *, target: str | None = None
) -> list[Observation]:
    """The failures, or warnings of a delay, of `mailbox.arrival` that came back to the sender, oldest first.

    One that names other recipients than the target (None: not known) rules no ticket out. What was not sent as a
    mail has none: a report with its token is about a mail of the ticketing system's.
    """
    if canary.channel is not Channel.EMAIL:
        return []
    found = []
    for mail in _by_age(mails):
        bounce = read_bounce(mail.message) if mail.is_whole else None
        if bounce is not None and bounce.action in {Action.FAILED, Action.DELAYED}:
            found.append(_bounced(canary, mail, bounce, look, target))
    return found


def reply(canary: Canary, mails: Sequence[Mail], look: Look, *, needs_number: bool) -> Observation | None:
    """The hop `reply.received` by what the sender's mailbox shows, or None: no answer is there.

    A copy of the canary itself is no answer, nor is a report about its delivery.

    Args:
        canary: which one.
        mails: all that bear its token.
        look: the frame.
        needs_number: only an answer that quotes a ticket number counts: it is the path's only proof.
    """
    for mail in _by_age(mails):
        if (
            mail.where is Where.MESSAGE_ID
            or parseaddr(field(mail.message, "From"))[1].lower() == canary.sender
        ):
            continue
        if mail.is_whole and read_bounce(mail.message) is not None:
            continue
        number = ticket_number(mail.message)
        if number is None and needs_number:
            continue
        facts: dict[str, Fact] = {**look.facts, "intake.reply.matched_by": mail.where}
        if number is not None:
            facts["intake.ticket.id"] = number
        return Observation(
            canary_id=canary.id,
            hop=Hop.REPLY_RECEIVED,
            outcome=Outcome.OK,
            evidence=Evidence.OBSERVED,
            began_at=look.began_at,
            ended_at=look.ended_at,
            detail=f"it quotes ticket {number}" if number is not None else "",
            place=look.place,
            remote_at=mail.internal_at,
            relays=relays(mail.message),
            facts=facts,
        )
    return None


def in_vain(
    canary: Canary, hop: Hop, look: Look, *, is_complete: bool, missing: Sequence[str] = ()
) -> Observation:
    """A look that was able to see, and did not see the canary."""
    return Observation(
        canary_id=canary.id,
        hop=hop,
        outcome=Outcome.UNKNOWN,
        evidence=Evidence.OBSERVED,
        began_at=look.began_at,
        ended_at=look.ended_at,
        reason=Reason.NOT_SEEN,
        detail=f"these folders could not be opened: {', '.join(missing)}" if missing else "",
        place=look.place,
        look=LookFacts(depth=look.depth, is_complete=is_complete),
        facts=look.facts,
    )


def blind(canary: Canary, hop: Hop, look: Look, *, reason: Reason, detail: str) -> Observation:
    """A look that saw nothing at all."""
    return Observation(
        canary_id=canary.id,
        hop=hop,
        outcome=Outcome.UNKNOWN,
        evidence=Evidence.OBSERVED,
        began_at=look.began_at,
        ended_at=look.ended_at,
        reason=reason,
        detail=detail,
        place=look.place,
        look=LookFacts(depth=look.depth, is_complete=False, is_blind=True),
        facts=look.facts,
    )


def _bounced(canary: Canary, mail: Mail, bounce: Bounce, look: Look, target: str | None) -> Observation:
    said = f"{bounce.reporting_mta or 'a mail server'}: {bounce.diagnostic or bounce.action}"
    facts: dict[str, Fact] = {**look.facts, "intake.bounce.action": bounce.action}
    if bounce.status is not None:
        facts["intake.smtp.enhanced_code"] = bounce.status
    if bounce.reporting_mta:
        facts["intake.bounce.reporting_mta"] = bounce.reporting_mta
    return Observation(
        canary_id=canary.id,
        hop=Hop.MAILBOX_ARRIVAL,
        outcome=Outcome.FAILED if bounce.is_final else Outcome.UNKNOWN,
        evidence=Evidence.REPORTED,
        began_at=look.began_at,
        ended_at=look.ended_at,
        reason=bounce_reason(bounce),
        detail=said if bounce.is_final else f"delivery is delayed, says {said}",
        place=look.place,
        rules_out_ticket=bounce.is_permanent and (target is None or bounce.is_about(target)),
        remote_at=mail.internal_at,
        relays=relays(mail.message),
        facts=facts,
    )


def _by_age(mails: Sequence[Mail]) -> list[Mail]:
    return sorted(mails, key=lambda one: (one.internal_at is None, one.internal_at, one.uid))
