"""Send traces: who holds a part and how long, what it was made of, and what was last said of it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what a sender needs; parts that wait keep waiting."""
    op.add_column("export_outbox", sa.Column("holder", sa.Text(), nullable=True))
    op.add_column("export_outbox", sa.Column("held_until", sa.BigInteger(), nullable=True))
    op.add_column("export_outbox", sa.Column("body", sa.Text(), nullable=True))
    op.add_column("export_outbox", sa.Column("error", sa.Text(), nullable=True))


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
