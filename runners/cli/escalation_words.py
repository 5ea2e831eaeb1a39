"""The escalation as Markdown, to be pasted into a vendor's ticket or mail."""

from collections.abc import Iterator

from runners.markdown import code, escaped, table
from runners.story_shapes import (
    EscalationAnswer,
    EvidenceAnswer,
    ExchangeAnswer,
    PassedRelayAnswer,
    TimesAnswer,
)

_EXCHANGE_FACTS = {
    "http.request.method": "",
    "url.full": "",
    "http.response.status_code": "HTTP ",
    "network.peer.address": "at ",
    "intake.smtp.queue_id": "queue id ",
}
"""What of an exchange stands in its line, and what stands before it."""


def escalation_markdown(answer: EscalationAnswer) -> Iterator[str]:
    """The lines of the bundle."""
    yield f"# Support requests fail: {escaped(answer['path'])}, since {_utc(answer['times']['onset_at'])}"
    yield ""
    contact = f"; contact: <{answer['contact']}>" if answer["contact"] is not None else ""
    yield (
        f"From the synthetic prober {code(answer['prober'])}, which opens support requests as a customer does and follows "
        f"them to their tickets{contact}. Reference: {code(answer['incident'])}. All times are UTC."
    )
    yield ""
    yield escaped(answer["summary"])
    yield ""
    yield "## Times"
    yield from table(("what", "when (UTC)"), _times(answer["times"]))
    yield ""
    yield f"## Failed requests: {len(answer['canaries'])} of {answer['failed']}"
    if not answer["canaries"]:
        yield "They are no longer kept."
    else:
        yield "Message-IDs and subjects are cut at the `…`: search by what stands before it."
        yield ""
        yield from table(
            ("launched (UTC)", "begin of Message-ID or subject", "queue id", "stopped at", "became"),
            (_row(one) for one in answer["canaries"]),
        )
    for one in answer["canaries"]:
        yield ""
        yield from _canary(one)
    if (bisect := answer["bisect"]) is not None:
        said = bisect["says"]
        yield ""
        yield "## Past the mail platform"
        yield escaped(f"{said[0].upper()}{said[1:]}.")
        if bisect["canary"] is not None:
            yield ""
            yield from _canary(bisect["canary"])
    yield ""
    yield "## What we tried"
    yield from (f"- {escaped(one)}" for one in answer["tried"])
    yield ""
    yield "## What we ask of you"
    yield from (f"{number}. {escaped(one)}" for number, one in enumerate(answer["asked"], 1))


def _times(times: TimesAnswer) -> Iterator[tuple[str, str]]:
    until = times["impact_until"]
    yield "last request known to have come through before", _utc(times["last_proof_before"], none="not known")
    yield "onset: launch of the first that failed", _utc(times["onset_at"])
    yield "detected", _utc(times["detected_at"])
    yield "customers may be affected from", _utc(times["impact_from"], none="not known")
    end = _utc(until) if until is not None else "not over" if times["resolved_at"] is None else "not known"
    yield "customers may be affected until", end
    yield "ended", _utc(times["resolved_at"], none="not over")
    yield "written", _utc(times["written_at"])


def _row(one: EvidenceAnswer) -> tuple[str, ...]:
    ticket = one["ticket"]
    seen_at = one["ticket_seen_at"]
    came = f", ticket {escaped(ticket['id'])}" if ticket is not None else ""
    late = f" seen {_utc(seen_at)}" if seen_at is not None else ""
    return (
        _utc(one["launched_at"]),
        code(one["message_id"] or one["subject"]),
        code(one["queue_id"] or "") or "-",
        escaped(f"{one['blame']}: {one['reason']}" if one["blame"] is not None else "-"),
        f"{one['verdict']}{came}{late}",
    )


def _canary(one: EvidenceAnswer) -> Iterator[str]:
    yield f"### {_utc(one['launched_at'], day=True)}, {code(one['id'])}"
    if one["dropped"]:
        yield "What was seen of it hop by hop is no longer kept."
        return
    if one["message_id"] is not None:
        yield f"- Message-ID {code(one['message_id'])}, subject {code(one['subject'])}"
        yield f"- from {code(one['sender'])} to the domain {code(one['recipient_domain'] or 'not known')}"
        yield f"- queue id {code(one['queue_id'] or '') or 'not told'}, reply: {code(one['reply'] or '') or 'none'}"
    else:
        yield f"- subject {code(one['subject'])}, as {code(one['sender'])}"
    if one["ticket"] is not None:
        yield f"- ticket {code(one['ticket']['id'])} in {escaped(one['ticket']['system'])}, seen {_utc(one['ticket_seen_at'], none='at a time that is not known')}"
    if one["exchanges"]:
        yield ""
        yield from table(
            ("began (UTC)", "what", "came to", "with", "said"), (_exchange(each) for each in one["exchanges"])
        )
    if one["relays"]:
        yield ""
        yield "Received, oldest first, by the relays' own clocks:"
        yield ""
        yield from (f"{number}. {_relay(each)}" for number, each in enumerate(one["relays"], 1))
    if kept := [each["received"] for each in one["relays"] if each["received"]]:
        yield ""
        yield "The same fields as they stand in the mail, addresses cut:"
        yield ""
        yield from (f"- {code(each)}" for each in kept)


def _exchange(one: ExchangeAnswer) -> tuple[str, ...]:
    words = [
        f"{before}{one['facts'][name]}" for name, before in _EXCHANGE_FACTS.items() if name in one["facts"]
    ]
    again = f" (try {one['attempt']})" if one["attempt"] > 1 else ""
    reason = f": {one['reason']}" if one["reason"] is not None else ""
    return (
        _utc(one["began_at"], moment=True),
        f"{one['hop']}{again}",
        escaped(f"{one['outcome']}{reason}"),
        code(", ".join([*([one["place"]] if one["place"] else []), *words])) or "-",
        escaped(one["detail"]) or "-",
    )


def _relay(one: PassedRelayAnswer) -> str:
    words = [
        f"from {code(one['from_host'])}" if one["from_host"] else "",
        f"by {code(one['by_host'])}",
        f"with {escaped(one['protocol'])}" if one["protocol"] else "",
        f"id {code(one['queue_id'])}" if one["queue_id"] else "",
        f"at {_utc(one['at'])}" if one["at"] is not None else "",
        f"(+{one['delay_seconds']:g} s)" if one["delay_seconds"] is not None else "",
        "(its clock contradicts its neighbours')" if one["clock_suspect"] else "",
    ]
    return " ".join(word for word in words if word)


def _utc(stamp: str | None, *, none: str = "-", day: bool = False, moment: bool = False) -> str:
    """A time of an answer, to the second; ``moment``: the time of day to the millisecond."""
    if stamp is None:
        return none
    date, _, time = stamp.rstrip("Z").partition("T")
    if moment:
        return time[:12]
    return f"{date} {time[:8]} UTC" if day else f"{date} {time[:8]}"
