"""`audit`: what was closed, deleted or removed, and what is still to be."""

from typing import TYPE_CHECKING

from runners.cli.options import Options, command
from runners.cli.selecting import LimitOption, SinceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runners.contracts import AuditEntry, Leftover, Record, Store


@command
def audit(options: Options, since: SinceOption = None, limit: LimitOption = 50) -> None:
    """List every ticket and mail that the prober closed, deleted or removed, newest first, and what a trial opened.

    Example: intake-prober audit --since 24h
    """
    from runners.answers import kept_of
    from runners.cli.output import plain
    from runners.cli.run_words import kept_words
    from runners.cli.selecting import since_when
    from runners.cli.storing import ask_store
    from runners.cli.words import clock
    from runners.clock import SystemClock

    config = options.load(needs_secrets=False)
    now = SystemClock().now()
    begin = since_when(options, since, now)

    async def ask(store: "Store") -> "tuple[Sequence[AuditEntry], Sequence[Leftover], Sequence[Record]]":
        entries, leftovers = await store.audit(since=begin, limit=limit), await store.leftovers()
        waiting = {one.canary_id for one in leftovers}
        return entries, leftovers, kept_of(await store.outstanding(now), waiting)

    entries, leftovers, kept = ask_store(options, config, ask)
    if options.as_json:
        from runners.answer_shapes import AuditAnswer
        from runners.answers import audit_line_answer, kept_answer, leftover_answer

        answer: AuditAnswer = {
            "audit": [audit_line_answer(one) for one in entries],
            "leftovers": [leftover_answer(one) for one in leftovers],
            "kept": [kept_answer(one) for one in kept],
            "exit": 0,
        }
        options.output.answer_json(answer)
        return
    for entry in entries:
        words = (
            clock(entry.at),
            entry.kind,
            entry.place,
            entry.what,
            entry.action,
            entry.outcome,
            entry.canary_id,
        )
        options.output.answer(plain("  ".join((*words, entry.detail))).rstrip())
    for leftover in leftovers:
        what = f"{leftover.kind} {leftover.what or '(not seen yet)'} in {leftover.place}"
        tries = f"{leftover.attempts} tries, next {clock(leftover.next_at)}"
        options.output.answer(
            plain(
                f"left over since {clock(leftover.since)}: {what}, canary {leftover.canary_id}, {tries}  {leftover.detail}"
            ).rstrip()
        )
    for record in kept:
        options.output.answer(plain(kept_words(record)))
    if not entries and not leftovers and not kept:
        options.output.tell("Nothing was removed, and nothing is left over.")
