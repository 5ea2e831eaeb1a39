"""Alembic's migrations; run by `runners.store.schema`."""
