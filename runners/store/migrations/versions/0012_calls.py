"""Calls: what all processes together took of vendors' windows of requests, so that their share is one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add counts of calls by account and window; nothing of any credential or ticket."""
    op.create_table(
        "call_account",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("stretches", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_call_account")),
    )
    op.create_index(op.f("ix_call_account_changed_at"), "call_account", ["changed_at"])


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
