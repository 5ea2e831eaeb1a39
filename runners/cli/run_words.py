"""What `run` and `sweep` say in words, besides a line a canary: what was closed, what is kept, and what is still out."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from canary.verdict import Verdict
from probes.contracts import RemovalState
from runners.answers import kept_of
from runners.cli.words import canaries, clock, leftovers_wait
from runners.contracts import SHOWN_CHARACTERS, AuditEntry, Record, RemovalKind

if TYPE_CHECKING:
    from runners.oneshot import RunResult

_MOST_TOLD: Final = 3


def kept_words(record: Record) -> str:
    """A ticket that is not removed yet, for its canary is not at its end."""
    ticket = record.judgement.ticket if record.judgement is not None else None
    what = f"ticket {ticket.id} in {ticket.system}" if ticket is not None else "what it sent"
    until = clock(record.canary.horizon_at)
    return f"kept until {until}: {what}, canary {record.canary.id}, {record.verdict}: it is watched until then, and then removed as `cleanup` of its system says"


def kept_lines(result: "RunResult") -> Iterator[str]:
    """Tickets that stay open until their canary's end: of canaries that a run launched, of all that a sweep saw."""
    kept = _kept(result)
    yield from (kept_words(one) for one in kept[:_MOST_TOLD])
    if len(kept) > _MOST_TOLD:
        yield f"{len(kept) - _MOST_TOLD} more tickets are kept: `intake-prober audit` lists them"


def sweep_line(result: "RunResult", deleting: Collection[str]) -> str:
    """What a sweep settled, removed and left, in one line.

    Args:
        result: what it came to.
        deleting: places whose tickets are deleted; those of others are closed.
    """
    parts = []
    settled = sum(one.verdict is not Verdict.PENDING for one in result.records)
    if settled:
        parts.append(f"{canaries(settled)} settled")
    parts += _removed(result.removed, deleting)
    kept = {one.canary.id for one in _kept(result)}
    if kept:
        parts.append("1 ticket is kept" if len(kept) == 1 else f"{len(kept)} tickets are kept")
    waiting = [one for one in result.waiting if one.canary.id not in kept]
    if waiting:
        until = clock(max(one.waits_until for one in waiting))
        wait = "waits until" if len(waiting) == 1 else "wait, the last until"
        parts.append(f"{canaries(len(waiting))} still {wait} {until}")
    if result.leftovers:
        parts.append(f"{leftovers_wait(len(result.leftovers))} to be removed")
    return "; ".join(parts) if parts else "Nothing was left to settle or to remove."


def interrupted_words(result: "RunResult") -> str:
    """What happens now that it was interrupted: what is out, and who goes on with it."""
    out = [one for one in result.waiting if one.verdict is Verdict.PENDING]
    if not out and not result.leftovers and not result.waiting:
        return "interrupted: no canary is out, and nothing is left to be removed"
    parts = []
    if out:
        known = ", ".join(
            f"{one.canary.path} {one.canary.id[-SHOWN_CHARACTERS:]}" for one in out[:_MOST_TOLD]
        )
        more = f" and {len(out) - _MOST_TOLD} more" if len(out) > _MOST_TOLD else ""
        is_one = len(out) == 1
        parts.append(
            f"{canaries(len(out))} {'is' if is_one else 'are'} out without a verdict ({known}{more}):"
            f" {'its ticket' if is_one else 'their tickets'} may still come"
        )
    others = len(result.waiting) - len(out)
    if others:
        parts.append(
            f"{canaries(others)} of which more may come {'is' if others == 1 else 'are'} still watched"
        )
    if result.leftovers:
        parts.append(f"{leftovers_wait(len(result.leftovers))} to be removed")
    return (
        f"interrupted: {'; '.join(parts)}. Nothing is lost: the next run, or `intake-prober sweep` half a minute from now,"
        " judges what is out and removes what is ours"
    )


def _kept(result: "RunResult") -> list[Record]:
    return kept_of(result.waiting, {one.canary_id for one in result.leftovers})


def _removed(removed: Sequence[AuditEntry], deleting: Collection[str]) -> Iterator[str]:
    """How many things were removed, and which, by what became of them."""
    gone = [one for one in removed if one.outcome == RemovalState.ABSENT and one.what]
    done: dict[tuple[str, str], list[AuditEntry]] = {}
    for one in removed:
        if one.outcome == RemovalState.DONE:
            is_closed = one.kind is RemovalKind.TICKET and one.place not in deleting
            done.setdefault((one.kind, "closed" if is_closed else "deleted"), []).append(one)
    for (kind, word), entries in done.items():
        yield f"{_several(len(entries), kind)} {word}: {_which(entries)}"
    if gone:
        counts = Counter(str(one.kind) for one in gone)
        many = " and ".join(_several(count, kind) for kind, count in counts.items())
        yield f"{many} {'was' if len(gone) == 1 else 'were'} gone already: {_which(gone)}"


def _several(count: int, kind: str) -> str:
    return f"1 {kind}" if count == 1 else f"{count} {kind}s"


def _which(entries: Sequence[AuditEntry]) -> str:
    """The first of them, each with its place."""
    told = [
        f"{one.what} in {one.place}" if one.what else f"one in {one.place}" for one in entries[:_MOST_TOLD]
    ]
    more = f" and {len(entries) - _MOST_TOLD} more" if len(entries) > _MOST_TOLD else ""
    return f"{', '.join(told)}{more}"
