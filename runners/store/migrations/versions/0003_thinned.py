"""Know of which canaries the observations were dropped, so that nobody looks through all of them again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark, and an index of those that still have what was seen of them."""
    op.add_column(
        "canary", sa.Column("is_thinned", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_index(
        "ix_canary_unthinned",
        "canary",
        ["launched_at"],
        unique=False,
        sqlite_where=sa.text("is_thinned = 0"),
        postgresql_where=sa.text("is_thinned = false"),
    )


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
