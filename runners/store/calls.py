"""Calls of vendors' windows of requests: one row an account, locked by whoever takes, so that all take one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from canary.call_share import Grant, Stretch, Want, take
from canary.hush import Hush
from runners.store.codec import dumps, loads
from runners.store.sql import insert_or_nothing
from runners.store.tables import call_account


@dataclass(frozen=True, slots=True)
class _Kept:
    stretches: tuple[Stretch, ...] = ()
    hush: Hush | None = None


_NOTHING = dumps(_Kept())
_OF = select(call_account.c.stretches).where(call_account.c.account == bindparam("b_account"))
_LOCKED = _OF.with_for_update()
_KEEP = (
    update(call_account)
    .where(call_account.c.account == bindparam("b_account"))
    .values(stretches=bindparam("b_stretches"), changed_at=bindparam("b_at"))
)


def of_account(connection: Connection, *, account: str) -> Sequence[Stretch]:
    """What was taken of each window of an account."""
    return _read(connection.scalar(_OF, {"b_account": account})).stretches


def hush_of(connection: Connection, *, account: str) -> Hush | None:
    """When the systems of an account last asked to be left alone."""
    return _read(connection.scalar(_OF, {"b_account": account})).hush


def keep_hush(connection: Connection, *, account: str, hush: Hush) -> None:
    """Keep that one asked for it; of two the one that lasts longer stands."""
    kept = _locked(connection, account, hush.asked_at)
    _keep(connection, account, replace(kept, hush=hush.later(kept.hush, hush.asked_at)), hush.asked_at)


def take_calls(
    connection: Connection, *, account: str, wants: Sequence[Want], now: datetime
) -> Sequence[Grant]:
    """Take calls of an account's windows; one grant a want, in their order."""
    kept = _locked(connection, account, now)
    known = kept.stretches
    grants = []
    for want in wants:
        mine = [one for one in known if one.name == want.name]
        left, grant = take(mine, want, now=now)
        known = (*(one for one in known if one.name != want.name), *left)
        grants.append(grant)
    _keep(connection, account, replace(kept, stretches=known), now)
    return grants


def _locked(connection: Connection, account: str, now: datetime) -> _Kept:
    nothing = {"account": account, "changed_at": now, "stretches": _NOTHING}
    connection.execute(insert_or_nothing(connection.dialect.name, call_account), nothing)
    return _read(connection.scalar(_LOCKED, {"b_account": account}))


def _keep(connection: Connection, account: str, kept: _Kept, now: datetime) -> None:
    connection.execute(_KEEP, {"b_account": account, "b_stretches": dumps(kept), "b_at": now})


def _read(text: str | None) -> _Kept:
    return _Kept() if text is None else loads(_Kept, text)
