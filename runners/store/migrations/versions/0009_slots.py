"""Know what came of a slot's claim: that of a process that is gone is taken over."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what came of a claim, and an index of those of which nothing did yet.

    Claims that were made before, or by an older program beside this one, are called older for good: whether they were
    launched is not in their row, so they are neither taken over nor launched again.
    """
    op.add_column("slot", sa.Column("came_of", sa.String(length=32), server_default="older"))
    op.create_index(
        "ix_slot_open",
        "slot",
        ["path", "claimed_at"],
        unique=False,
        sqlite_where=sa.text("came_of IS NULL"),
        postgresql_where=sa.text("came_of IS NULL"),
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
