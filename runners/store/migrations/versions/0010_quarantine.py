"""Quarantine: whether a canary's ticket bore the mark of the vendor's rule when it was first seen."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql")


def upgrade() -> None:
    """Add one row a canary; of those that were seen before nothing is known."""
    op.create_table(
        "quarantine_sight",
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("is_marked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_quarantine_sight_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("canary_id", name=op.f("pk_quarantine_sight")),
    )
    op.create_index(
        op.f("ix_quarantine_sight_path_is_marked_at"), "quarantine_sight", ["path", "is_marked", "at"]
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
