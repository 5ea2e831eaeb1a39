"""Pauses: what a sink asked for, so that every process stays away; and the index of what waits takes what is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_WAITS = sa.text("state IN ('pending', 'again')")


def upgrade() -> None:
    """Add a row for each sink that asked for a pause; make the index of what waits anew."""
    op.create_table(
        "alert_pause",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_alert_pause")),
    )
    op.drop_index("ix_alert_outbox_pending", "alert_outbox")
    op.create_index(
        "ix_alert_outbox_pending",
        "alert_outbox",
        ["sink", "dedup_key", "seq"],
        sqlite_where=_WAITS,
        postgresql_where=_WAITS,
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
