"""Canaries: recorded, launched under a lease, found again and forgotten."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.engine import Connection, Row

from canary.canary import Canary, Token
from canary.hop import Channel
from canary.instruments import metrics
from canary.path import PathName
from canary.signature import ID_LENGTH, CanaryId
from canary.trace import TraceId, span_id
from canary.verdict import Judgement, Verdict
from runners.contracts import SHOWN_CHARACTERS, CanaryQuery, Record, StoreError
from runners.store import claims, codec
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import canary, incident, judgement, lease

_LAUNCH = "launch"
WATCH = "watch"
_MOST_FOUND = 100
_FEW = 1000
_AFTER_ANY_ID = "{"
"""Sorts after every character of an id."""


def record(connection: Connection, several: Sequence[Canary], *, holder: str, lease_until: datetime) -> None:
    """Keep canaries with their launch leases and count them; one that was kept before changes nothing.

    Raises:
        StoreError: another canary has the id or token of one.
        SlotConflict: the slot of one is its holder's no longer, or has a canary.
    """
    insert_new = insert_or_nothing(connection.dialect.name, canary).returning(canary.c.id)
    new = set(connection.scalars(insert_new, [_row_of(one) for one in several]))
    before = [one for one in several if one.id not in new]
    kept = known(connection, [one.id for one in before])
    for one in before:
        if kept.get(one.id) != one:
            raise StoreError(f"store: another canary has the id {one.id} or its token. Launch again.")
    if not new:
        return
    claims.launched(connection, [one for one in several if one.id in new], holder=holder)
    connection.execute(
        insert(lease),
        [
            {"canary_id": one, "kind": kind, "holder": holder, "until_at": lease_until}
            for one in sorted(new)
            for kind in (_LAUNCH, WATCH)
        ],
    )
    tally = Tally(max(one.launched_at for one in several))
    for one in several:
        if one.id in new:
            tally.count(metrics.CANARY_LAUNCHED, {"path": one.path, "channel": one.channel})
    tally.write(connection)


def _row_of(one: Canary) -> dict[str, Any]:
    return {
        "id": one.id,
        "path": one.path,
        "channel": one.channel,
        "token": one.token,
        "marker": one.marker,
        "sender": one.sender,
        "launched_at": one.launched_at,
        "deadline_at": one.deadline_at,
        "horizon_at": one.horizon_at,
        "trace_id": one.trace_id,
        "span_id": span_id(one.id, "canary"),
        "prober": one.prober,
        "slot_at": one.slot_at,
        "by_hand": one.by_hand,
        "launch_ended_at": None,
        "verdict": Verdict.PENDING,
        "settled_at": None,
        "is_clean": False,
        "cleaned_at": None,
        "is_thinned": False,
    }


def launch_ended(connection: Connection, canary_ids: Sequence[CanaryId], *, at: datetime) -> None:
    """Note that launches ended and drop their leases."""
    for chunk in chunks(sorted(canary_ids)):
        connection.execute(_END_LAUNCHES, {"b_ids": chunk, "b_at": at})
        connection.execute(_DROP_LEASES, {"b_ids": chunk})


# Rows are locked in the order of their ids, as whoever settles or cleans the same canaries does.
_IN_ORDER = (
    select(canary.c.id)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(canary.c.id)
    .with_for_update()
)
_END_LAUNCHES = (
    update(canary)
    .where(canary.c.id.in_(_IN_ORDER), canary.c.launch_ended_at.is_(None))
    .values(launch_ended_at=bindparam("b_at"))
)
_DROP_LEASES = delete(lease).where(
    lease.c.canary_id.in_(bindparam("b_ids", expanding=True)), lease.c.kind == _LAUNCH
)


def renew(
    connection: Connection, canary_ids: Sequence[CanaryId], *, holder: str, lease_until: datetime
) -> None:
    """Move the end of this holder's launch leases."""
    for chunk in chunks(canary_ids):
        connection.execute(
            update(lease)
            .where(lease.c.canary_id.in_(chunk), lease.c.kind == _LAUNCH, lease.c.holder == holder)
            .values(until_at=lease_until)
        )


def abandoned(connection: Connection, now: datetime) -> list[Canary]:
    """Canaries whose launch has no end and whose lease ran out, oldest first."""
    return [canary_of(row) for row in connection.execute(_ABANDONED, {"b_now": now})]


_ABANDONED = (
    select(canary)
    .join(lease, and_(lease.c.canary_id == canary.c.id, lease.c.kind == _LAUNCH))
    .where(canary.c.launch_ended_at.is_(None), lease.c.until_at <= bindparam("b_now"))
    .order_by(canary.c.launched_at, canary.c.id)
)


def outstanding(connection: Connection, now: datetime) -> list[Record]:
    """Canaries that are pending, or breached before their horizon, or not clean; oldest first."""
    return _records(connection, _OUTSTANDING, {"b_now": now})


def of_ids(connection: Connection, canary_ids: Sequence[CanaryId]) -> list[Record]:
    """The records of canaries, oldest first."""
    found: list[Record] = []
    for chunk in chunks(canary_ids):
        found += _records(connection, _RECORDS.where(canary.c.id.in_(chunk)))
    return sorted(found, key=lambda one: (one.canary.launched_at, one.canary.id))


def find(connection: Connection, id_or_token: str) -> list[Record]:
    """Canaries whose id begins or ends with the text, or whose token or trace id is it; newest first, at most a hundred."""
    word = id_or_token.strip().lower()
    if not word or not word.isascii() or not word.isalnum():
        return []
    # A whole word is the usual case and has an index each.
    found = _records(connection, _WHOLE, {"b_word": word}) or [
        *_beginning_with(connection, word),
        *_ending_with(connection, word),
    ]
    several = {one.canary.id: one for one in found}.values()
    return sorted(several, key=lambda one: (one.canary.launched_at, one.canary.id), reverse=True)[
        :_MOST_FOUND
    ]


def _beginning_with(connection: Connection, word: str) -> list[Record]:
    """The newest canaries whose id begins with the word; the order of ids is not that of time."""
    values = {"b_word": word, "b_after": word + _AFTER_ANY_ID}
    some = connection.execute(_BEGINNING, values).all()
    if len(some) < _FEW:
        newest_first = [
            one.id for one in sorted(some, key=lambda one: (one.launched_at, one.id), reverse=True)
        ]
    else:
        newest_first = list(connection.scalars(_MANY_BEGINNING, values))
    return of_ids(connection, [CanaryId(one) for one in newest_first[:_MOST_FOUND]])


def _ending_with(connection: Connection, word: str) -> list[Record]:
    if not SHOWN_CHARACTERS <= len(word) <= ID_LENGTH:
        return []
    ids = connection.scalars(_ENDING, {"b_end": word[-SHOWN_CHARACTERS:]})
    return of_ids(connection, [CanaryId(one) for one in ids if one.endswith(word)])


def history(connection: Connection, query: CanaryQuery) -> list[Record]:
    """The canaries that a query asks for, newest launch first."""
    statement = _RECORDS.order_by(canary.c.launched_at.desc(), canary.c.id.desc()).limit(query.limit)
    if query.path is not None:
        statement = statement.where(canary.c.path == query.path)
    if query.verdict is not None:
        statement = statement.where(canary.c.verdict == query.verdict.value)
    if query.since is not None:
        statement = statement.where(canary.c.launched_at >= query.since)
    if query.before is not None:
        at, last = query.before
        # The first condition alone is what the index can use.
        same = and_(canary.c.launched_at == at, canary.c.id < last)
        statement = statement.where(canary.c.launched_at <= at, or_(canary.c.launched_at < at, same))
    return _records(connection, statement)


def launched_since(connection: Connection, since: datetime, *, sender: str, paths: Sequence[PathName]) -> int:
    """How many canaries a sender launched down any of the paths since then."""
    launched = select(func.count()).where(
        canary.c.launched_at >= since, canary.c.sender == sender, canary.c.path.in_(paths)
    )
    return connection.scalar(launched) or 0


def known(connection: Connection, canary_ids: Sequence[CanaryId]) -> dict[CanaryId, Canary]:
    """Those of the given ids that are there."""
    found: dict[CanaryId, Canary] = {}
    for chunk in chunks(canary_ids):
        rows = connection.execute(select(canary).where(canary.c.id.in_(chunk)))
        found.update({CanaryId(row.id): canary_of(row) for row in rows})
    return found


def path_names(connection: Connection) -> list[PathName]:
    """Every path of which a canary is kept or an incident is open, by name."""
    names = set(connection.scalars(_PATHS_WITH_INCIDENTS))
    last = ""
    # One step of the index a path: DISTINCT would read it for all of a million canaries.
    while (name := connection.scalar(_NEXT_PATH, {"b_last": last})) is not None:
        names.add(name)
        last = name
    return sorted(PathName(name) for name in names)


_PATHS_WITH_INCIDENTS = select(incident.c.path).where(incident.c.resolved_at.is_(None))
_NEXT_PATH = select(func.min(canary.c.path)).where(canary.c.path > bindparam("b_last"))


def canary_of(row: Row[Any]) -> Canary:
    """The canary of a row that has the columns of its table."""
    return Canary(
        id=CanaryId(row.id),
        path=PathName(row.path),
        channel=Channel(row.channel),
        token=Token(row.token),
        marker=row.marker,
        sender=row.sender,
        launched_at=row.launched_at,
        deadline_at=row.deadline_at,
        horizon_at=row.horizon_at,
        trace_id=TraceId(row.trace_id),
        prober=row.prober,
        slot_at=row.slot_at,
        by_hand=row.by_hand,
    )


_RECORDS = select(canary, judgement.c.body.label("judgement_body")).outerjoin(
    judgement, judgement.c.canary_id == canary.c.id
)
_WHOLE = _RECORDS.where(
    or_(
        canary.c.id == bindparam("b_word"),
        canary.c.token == bindparam("b_word"),
        canary.c.trace_id == bindparam("b_word"),
    )
)
"""In no order: with one, SQLite walks all canaries in it rather than three indexes."""
_IS_BEGINNING = and_(canary.c.id >= bindparam("b_word"), canary.c.id < bindparam("b_after"))
_BEGINNING = select(canary.c.id, canary.c.launched_at).where(_IS_BEGINNING).limit(_FEW)
"""In no order, for the same reason."""
_MANY_BEGINNING = (
    select(canary.c.id)
    .where(_IS_BEGINNING)
    .order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    .limit(_MOST_FOUND)
)
"""Of so many that one is soon met whichever way the database goes; judgements are joined to those alone."""
_ENDING = select(canary.c.id).where(
    # As the index of migration 0004 says it: a number that is bound would not be known for the same.
    func.substr(canary.c.id, literal_column(str(ID_LENGTH - SHOWN_CHARACTERS + 1))) == bindparam("b_end")
)
OUTSTANDING_IDS = union_all(
    # One index each; an OR of the three would read all canaries of all time.
    select(canary.c.id).where(canary.c.is_clean == false()),
    select(canary.c.id).where(canary.c.verdict == Verdict.PENDING.value),
    select(canary.c.id).where(
        canary.c.verdict == Verdict.BREACHED.value, canary.c.horizon_at > bindparam("b_now")
    ),
)
"""The ids of what is outstanding at ``b_now``; some come more than once."""
_OUTSTANDING = _RECORDS.where(canary.c.id.in_(OUTSTANDING_IDS)).order_by(canary.c.launched_at, canary.c.id)


def _records(
    connection: Connection, statement: Select[Any], values: Mapping[str, object] | None = None
) -> list[Record]:
    return [
        Record(
            canary=canary_of(row),
            judgement=codec.loads(Judgement, row.judgement_body) if row.judgement_body is not None else None,
            launch_ended=row.launch_ended_at is not None,
            is_clean=row.is_clean,
            is_thinned=row.is_thinned,
        )
        for row in connection.execute(statement, values)
    ]
