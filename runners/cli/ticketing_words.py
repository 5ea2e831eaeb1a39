"""What `ticketing try` came to, in lines of at most 80 columns."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from canary.requester import Standing
from canary.ticket import TicketState
from probes.contracts import Budget, FieldRead, Glance, View
from runners.cli.output import Output, Style, plain
from runners.cli.words import clock
from runners.ticketing_rights import Step, StepState
from runners.ticketing_trial import OurTicket, Understood, is_misunderstood, missing_of, skew_of
from runners.trial_answers import ours_in

_WIDTH: Final = 80
_INDENT: Final = " " * 6
_STYLES: Final = {
    StepState.OK: Style.GOOD,
    StepState.WARN: Style.WARN,
    StepState.FAIL: Style.BAD,
    StepState.BLIND: Style.BAD,
}
_REQUESTERS: Final = {
    Standing.REWRITTEN: "rewritten by a forwarder",
    Standing.STRANGER: "not the canary's address",
    Standing.UNREADABLE: "can't be read",
}
_CALLED: Final = {"created_at": "time"}


def read_lines(understood: Understood, output: Output) -> Iterator[str]:
    """What each look showed, the tickets of ours, clock and budget."""
    for glance in understood.glances:
        yield from _look(understood, glance, output)
    for ticket in understood.ours:
        yield from _ticket(ticket, output)
    if understood.foreign:
        several = "1 ticket bears" if understood.foreign == 1 else f"{understood.foreign} tickets bear"
        yield from _wrapped(
            f"{several} a token that no key of ours has signed: another prober's, or forged.", ""
        )
    skew = skew_of(understood.glances)
    told = "tells no time" if skew is None else f"is {skew:+.1f} s from ours"
    yield f"clock {told}"
    for one in understood.budgets:
        yield f"budget {_budget(one)}"


def result_lines(understood: Understood, name: str, steps: Sequence[Step], output: Output) -> Iterator[str]:
    """What it all came to: the last lines, which a terminal shows."""
    bad = [one for one in understood.glances if is_misunderstood(one)]
    blind = [one for one in understood.glances if one.fault and one.is_unreadable]
    if blind:
        words = f"{name} can't be read. {_first(blind, name)}"
        yield from _marked("fail", Style.BAD, words, output)
    if bad:
        missing = list(dict.fromkeys(field for one in bad for field in missing_of(one)))
        words = _missing(missing, bad, name) if missing else _first(bad, name)
        yield from _marked("fail", Style.BAD, f"{name}: {words.rstrip('.')}.", output)
    if blind or bad or any(one.state in {StepState.FAIL, StepState.BLIND} for one in steps):
        return
    if steps:
        yield from _marked("ok", Style.GOOD, f"{name}: what was opened there was closed again", output)
    elif not any(one.shown for one in understood.glances):
        words = (
            f"{name} answers, and shows no ticket: what of one would be understood is not known."
            " Give --create, or a longer --since."
        )
        yield from _marked("warn", Style.WARN, words, output)
    else:
        yield from _marked("ok", Style.GOOD, f"{name}: recent tickets are understood", output)


def step_lines(step: Step, output: Output) -> Iterator[str]:
    """A step of `--create`."""
    word = "fail" if step.state is StepState.BLIND else step.state.value
    remedy = f" {plain(step.remedy)}" if step.remedy else ""
    words = f"{step.name:<6}  {step.seconds:5.2f} s  {plain(step.finding).rstrip('.')}.{remedy}"
    yield from _marked(word, _STYLES[step.state], words, output)


def _look(understood: Understood, glance: Glance, output: Output) -> Iterator[str]:
    name = f"look {glance.name}" if glance.name else "look"
    if glance.note:
        yield from _wrapped(f"{name}: not made: {glance.note}", _INDENT)
        return
    if glance.fault and not glance.shown:
        yield from _wrapped(output.paint(f"{name}: not read", Style.BAD), _INDENT)
        yield from _wrapped(f"{_INDENT}{plain(glance.fault)}", _INDENT)
        return
    ours = ours_in(understood, glance)
    what = (
        "held aside" if glance.state is TicketState.DIVERTED else "ticket" if glance.shown == 1 else "tickets"
    )
    view = "strong" if glance.view is View.STRONG else f"eventual, {glance.lag_seconds:g} s behind"
    more = "" if glance.is_whole else "; there is more"
    older = f"; {glance.older} older left out" if glance.older else ""
    strangers = glance.shown - ours
    words = f"{name}: {glance.shown} {what}, {ours} of ours, {strangers} of others; {view}{older}{more}"
    yield from _wrapped(output.paint(words, Style.STRONG) if len(words) <= _WIDTH else words, _INDENT)
    whole = [one for one in glance.fields if one.of == glance.shown and one.read == one.of and not one.fault]
    if whole:
        yield from _wrapped(
            f"{_INDENT}read in all: {', '.join(_called(one.name) for one in whole)}", _INDENT * 2
        )
    missing = set(missing_of(glance))
    for one in glance.fields:
        if one not in whole:
            yield from _field(one, output, is_missing=one.name in missing)
    if glance.fault:
        yield from _wrapped(f"{_INDENT}{plain(glance.fault)}", _INDENT)


def _field(field: FieldRead, output: Output, *, is_missing: bool) -> Iterator[str]:
    style = Style.BAD if is_missing or field.fault else Style.WARN if not field.read else Style.FAINT
    yield f"{_INDENT}{output.paint(f'{_called(field.name):<11} {field.read} of {field.of}', style)}"
    if field.fault:
        yield from _wrapped(f"{_INDENT * 2}{plain(field.fault)}", _INDENT * 2)


def _ticket(ticket: OurTicket, output: Output) -> Iterator[str]:
    aside = " held aside" if ticket.state is TicketState.DIVERTED else ""
    is_open = "open" if ticket.is_open else "closed"
    channel = ticket.channel or "channel not told"
    yield output.paint(
        f"ours  {plain(ticket.id)}{aside}  {clock(ticket.created_at)}  {is_open}  {channel}", Style.STRONG
    )
    who = ticket.address or _REQUESTERS.get(ticket.requester, ticket.requester.value)
    tags = ", ".join(map(plain, ticket.tags)) or "none"
    parts = [f"{ticket.path} {ticket.canary_id}", f"requester {plain(who)}", f"tags {tags}", _files(ticket)]
    if ticket.findings is not None:
        parts.append(f"damaged: {', '.join(ticket.findings)}" if ticket.findings else "as it was sent")
    if ticket.cause:
        parts.append(f"cause {plain(ticket.cause)}")
    looks = ", ".join(filter(None, ticket.looks))
    if looks:
        parts.append(f"seen by {looks}")
    yield from _wrapped(f"{_INDENT}{'; '.join(parts)}", _INDENT)


def _files(ticket: OurTicket) -> str:
    match ticket.files:
        case None:
            return "files not looked for"
        case 0:
            return "no files"
        case count:
            return f"{count} {'file' if count == 1 else 'files'}, {ticket.files_read} compared"


def _budget(budget: Budget) -> str:
    left = "?" if budget.left is None else budget.left
    limit = "?" if budget.limit is None else budget.limit
    until = f" until {clock(budget.resets_at)}" if budget.resets_at is not None else ""
    return f"{plain(budget.name)}: {left} of {limit} left{until}"


def _first(glances: Sequence[Glance], name: str) -> str:
    faults = [
        fault for one in glances for fault in (one.fault, *(each.fault for each in one.fields)) if fault
    ]
    return plain(faults[0]).removeprefix(f"{name}: ")


def _missing(missing: Sequence[str], glances: Sequence[Glance], name: str) -> str:
    """What could be read nowhere, and the first reason for one of it."""
    faults = [each.fault for one in glances for each in one.fields if each.fault and each.name in missing]
    why = plain(faults[0]).removeprefix(f"{name}: ") if faults else "Correct the pick, or our rights"
    return f"in no ticket could be read: {', '.join(map(_called, missing))}. {why}"


def _called(name: str) -> str:
    return _CALLED.get(name, name)


def _marked(word: str, style: Style, words: str, output: Output) -> Iterator[str]:
    first, *more = textwrap.wrap(words, _WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False)
    yield f"{output.paint(f'{word:<4}', style)}  {first}"
    for one in more:
        yield f"{_INDENT}{one}"


def _wrapped(text: str, indent: str) -> Iterator[str]:
    if text.startswith("\x1b"):
        yield text
        return
    first = text[: len(text) - len(text.lstrip(" "))]
    yield from textwrap.wrap(
        text.strip(),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
