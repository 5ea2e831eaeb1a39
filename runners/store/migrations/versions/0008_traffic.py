"""Real tickets: how many came in each hour, how long it was watched, and when the newest was created."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add counts and times; nothing else of a stranger's ticket is kept."""
    op.create_table(
        "traffic_mark",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("unbroken_at", sa.BigInteger(), nullable=False),
        sa.Column("skew_seconds", sa.Float(precision=53), nullable=False),
        sa.Column("is_begun", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_traffic_mark")),
    )
    op.create_table(
        "traffic_hour",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False),
        sa.Column("tickets", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(precision=53), nullable=False),
        sa.PrimaryKeyConstraint("place", "way", "hour_at", name=op.f("pk_traffic_hour")),
    )
    op.create_index(op.f("ix_traffic_hour_hour_at"), "traffic_hour", ["hour_at"])
    op.create_table(
        "traffic_newest",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("way", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place", "way", name=op.f("pk_traffic_newest")),
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
