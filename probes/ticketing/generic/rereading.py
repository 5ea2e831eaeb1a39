"""How a clean-up reads a ticket before and after it changes one: tried with the newest, for `check`. Changes nothing."""

from typing import Final

from probes.contracts import Check, CheckState
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.matching import must
from probes.ticketing.generic.misfits import empty_fields
from probes.ticketing.generic.settings import GenericSettings
from probes.ticketing.generic.templates import Words
from probes.ticketing.generic.tickets import Values, as_words

CLEAN: Final = "ticket.clean"
_GETS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def try_reading(settings: GenericSettings, calls: Calls, known: Values, words: Words) -> Check:
    """Read a ticket, whoever's, as a clean-up does; of its words nothing is said.

    Args:
        settings: how.
        calls: the way to the system.
        known: what looks have told of the ticket.
        words: what templates may say besides.

    Raises:
        Blind: it is refused, or answered with something else.
        SecretUnavailable: our credential can't be had.
    """
    read = settings.clean.read
    if read is None:
        return Check(
            settings.name,
            CLEAN,
            CheckState.OK,
            "the configuration does not say how a clean-up reads a ticket",
        )
    key = read.asking.key
    if read.asking.method not in _GETS:
        return Check(
            settings.name,
            CLEAN,
            CheckState.OK,
            f"{key}: not tried, for it is no GET: it could change a stranger's ticket",
        )
    said = {**words, "ticket": as_words(known)}
    answer, means = await calls.named(read.asking, said, accept=frozenset({Means.GONE}))
    seen = calls.seen(answer, read.asking) if means is not Means.GONE else None
    if seen is None or (read.gone is not None and read.gone.holds(seen.whole)):
        return Check(
            settings.name,
            CLEAN,
            CheckState.FAIL,
            f"{key}: the newest ticket is shown, and this request of it is answered that it is gone",
            "Correct its path, its `gone`, or the permissions of our user.",
        )
    must(read.must, seen, settings.name)
    inner = read.seen(seen)
    values = read.ticket.read(inner, said)
    if any(
        one[0] and one[1] and str(one[0]) != str(one[1])
        for one in ((known.get(name), values.get(name)) for name in ("id", "subject"))
        if MISSING not in one
    ):
        return Check(
            settings.name,
            CLEAN,
            CheckState.FAIL,
            f"{key}: asked for the newest ticket, it shows another one, or another subject",
            "Correct its path or filter, and its `row`: the system may not know the parameter.",
        )
    empty = empty_fields([(inner, values)], read.ticket, ("open",))
    if values.get("tags") is MISSING:
        empty.append(read.ticket.picks["tags"].key)
    if empty:
        return Check(
            settings.name,
            CLEAN,
            CheckState.WARN,
            f"{', '.join(empty)}: it comes to nothing in {key}, so that what clean-up did can't be seen",
            "Compare the pick with the answer; where nothing means open, or no tags, give it a default.",
        )
    return Check(settings.name, CLEAN, CheckState.OK, "the newest ticket was read as a clean-up reads it")
