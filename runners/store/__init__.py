"""What is kept: canaries, observations, judgements, incidents, counters and the audit, in SQLite or PostgreSQL."""

from runners.store.faults import NoStoreYet
from runners.store.store import SqlStore, open_store

__all__ = ["NoStoreYet", "SqlStore", "open_store"]
