"""What rows tell against the configuration that reads them: stamps that can't be, and fields that are never there."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from canary.observation import Depth
from canary.ticket import TicketState
from probes.contracts import Blind
from probes.ticketing.generic.expressions import MISSING, Expression
from probes.ticketing.generic.picking import Pick, Seen
from probes.ticketing.generic.settings import LookSettings, ReadSettings
from probes.ticketing.generic.stamps import launched_in
from probes.ticketing.generic.tickets import TicketMap, Values, check_fields, created_of
from probes.ticketing.settings import LOOK_BACK_SECONDS

Row = tuple[Seen, Values]
LOOK_BACK: Final = timedelta(seconds=LOOK_BACK_SECONDS)
"""How far before the launch of a canary a run asks for tickets."""
_SLACK: Final = timedelta(seconds=60)
"""What a stamp may be off without being wrong: slow calls, whole minutes."""
_HOUR_SECONDS: Final = 3600.0
_MOST_HOURS: Final = 14
"""The farthest zone from UTC."""
_SOME: Final = 3
_MOST_NAMES: Final = 20
_NAME: Final = re.compile(r"[A-Za-z_$@][\w$@.:-]{0,39}")
_TEXTS: Final = ("subject", "body", "message_id")
_OLDEST: Final = datetime.min.replace(tzinfo=UTC)


def newest_first(rows: Sequence[Row]) -> list[Row]:
    """The rows by their stamps; those without one last."""
    return sorted(rows, key=lambda one: created_of(one[1]) or _OLDEST, reverse=True)


def age_of(rows: Sequence[Row], now: datetime) -> float | None:
    """How many seconds ago the newest of them was made; None where no row tells it."""
    stamps = [one for one in (created_of(values) for _, values in rows) if one is not None]
    return (now - max(stamps)).total_seconds() if stamps else None


def youngest(looks: Sequence[LookSettings], rows: Sequence[Seen], now: datetime) -> timedelta | None:
    """How old the youngest of some tickets is at most, by the looks' own picks and by its token; None: not known of any.

    Args:
        looks: whose picks are tried.
        rows: of another request than theirs.
        now: by the system's clock.
    """
    texts = (json.dumps(one.row, ensure_ascii=False, default=str) for one in rows)
    made = [one for one in map(launched_in, texts) if one is not None]
    picks = {
        (pick := one.ticket.picks["created_at"]).key: pick
        for one in looks
        if "created_at" in one.ticket.picks
    }
    for pick in picks.values():
        for row in rows:
            try:
                found = pick.of(row)
            except Blind:
                continue
            made += [found] if isinstance(found, datetime) else []
    return now - max(made) if made else None


def is_whole_hours_off(rows: Sequence[Row], now: datetime, *, newest_is_known: bool) -> bool:
    """Whether what was asked for as new is whole hours old by its stamp: a zone is wrong somewhere.

    Where the newest of them is not known, all that are must be off: some by chance could be.
    """
    slack = _SLACK.total_seconds()
    ages = sorted(
        (now - one).total_seconds() for _, values in rows if (one := created_of(values)) is not None
    )
    if not ages or (not newest_is_known and len(ages) < _SOME):
        return False

    def is_off(age: float) -> bool:
        hours, rest = divmod(age + slack, _HOUR_SECONDS)
        return 1 <= hours <= _MOST_HOURS and rest <= LOOK_BACK_SECONDS + 2 * slack

    return is_off(ages[0]) if newest_is_known else all(is_off(one) for one in ages)


def left_out_by(narrow: Sequence[Row], wide: Sequence[Row], span: timedelta, now: datetime) -> float | None:
    """The age in seconds of the newest row of a wide question that a narrow one should have shown, too; None: none."""
    shown = {values["id"] for _, values in narrow}
    ages = [
        (now - stamp).total_seconds()
        for _, values in wide
        if values["id"] not in shown and (stamp := created_of(values)) is not None
    ]
    within = [one for one in ages if -_SLACK.total_seconds() <= one <= (span - _SLACK).total_seconds()]
    return max(0.0, min(within)) if within else None


def tells_text(reads: Iterable[ReadSettings]) -> bool:
    """Whether further requests tell text in which a token may be found."""
    return any(name in one.ticket.picks for one in reads for name in _TEXTS)


def unread_texts(looks: Sequence[LookSettings]) -> list[str]:
    """Keys of deadline looks that don't see the text which a poll look reads on for."""
    usual = [one for one in looks if one.state is TicketState.TICKET]
    deadline = [one for one in usual if Depth.DEADLINE in one.depths]
    poll = [one for one in usual if Depth.POLL in one.depths]
    if not any(tells_text(one.reads) for one in poll) or any(
        tells_text(one.reads) or "body" in one.ticket.picks for one in deadline
    ):
        return []
    return [one.asking.key for one in deadline]


def empty_fields(rows: Sequence[Row], ticket: TicketMap, names: Iterable[str]) -> list[str]:
    """Keys of picks that come to nothing in all rows, and have no default; a form that a text lacks is no matter."""
    return [
        pick.key
        for name in names
        if rows and (pick := ticket.picks.get(name)) is not None and pick.default is MISSING
        if all(_is_nothing(values.get(name, MISSING)) and _is_unformed(pick, seen) for seen, values in rows)
    ]


def missed_fields(look: LookSettings, rows: Sequence[Row], *, tags_count: bool) -> dict[str, tuple[str, str]]:
    """Picks that come to nothing in all rows of a look: by key what is found, and the remedy.

    Args:
        look: whose rows.
        rows: what it shows.
        tags_count: whether clean-up is verified by the tags.
    """
    found: dict[str, tuple[str, str]] = {}
    names = {"open", "tags"} if tags_count else {"open"}
    later = set().union(*(one.ticket.picks for one in look.reads))
    for name in sorted(names - later):
        for key in empty_fields(rows, look.ticket, (name,)):
            expression = look.ticket.picks[name].expression
            if name == "tags":
                words = "there are none", "clean-up is verified by them"
                remedy = "Correct the pick; where most tickets have none, give it default: []."
            else:
                words = "it comes to nothing", "so each is taken for open"
                remedy = "Correct the pick; where nothing means open, give it default: true."
            if name == "open" and expression is not None and "!" in expression.source:
                remedy = "In JMESPath `!` binds tighter than `.`: write !(status.final)."
            found[key] = f"{key}: {words[0]} in all {len(rows)} tickets: {words[1]}", remedy
    return found


def named_fields(rows: Sequence[Row], ticket: TicketMap, system: str) -> None:
    """As `check_fields`, and names what there is instead: fields only, of the first row.

    Raises:
        Blind: a field is in none of the rows.
    """
    try:
        check_fields([values for _, values in rows], ticket, system)
    except Blind as error:
        for pick in ticket.picks.values():
            if f"{pick.key}:" in str(error):
                raise Blind(f"{error}{instead_of(pick, rows[0][0])}", status=error.status) from None
        raise


def instead_of(pick: Pick, seen: Seen) -> str:
    """What there is where a pick finds nothing: names of fields only, of one row; empty where that can't be said."""
    beside = pick.expression.beside(seen.row) if pick.expression is not None else []
    names = [one for one in beside if _NAME.fullmatch(one)]
    return f" There are: {', '.join(names[:_MOST_NAMES])}." if names else ""


def _is_nothing(value: object) -> bool:
    return value is None or value is MISSING or value == ""


def _is_unformed(pick: Pick, seen: Seen) -> bool:
    """Whether there is nothing also before a form (`regex`) is looked for in it."""
    expression: Expression | None = pick.expression
    if pick.regex is None or expression is None:
        return True
    return expression.of(seen.row) is MISSING
