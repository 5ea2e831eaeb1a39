"""Take turns: two processes that push the same group of figures never overtake each other."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add who has which turn, and until when."""
    op.create_table(
        "turn",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turn")),
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
