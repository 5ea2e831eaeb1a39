"""Claims: a slot belongs to whoever inserts its row."""

from datetime import datetime

from sqlalchemy.engine import Connection

from canary.slot import Slot
from runners.store.sql import inserted
from runners.store.tables import slot


def claim(connection: Connection, one: Slot, *, holder: str, at: datetime) -> bool:
    """Insert (path, slot time); True for exactly one caller."""
    return inserted(connection, slot, path=one.path, slot_at=one.at, holder=holder, claimed_at=at)
