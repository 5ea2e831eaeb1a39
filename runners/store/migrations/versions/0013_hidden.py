"""Hidden: whom a walk proves nothing of, since a row that can't be read may be their ticket."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add ids of canaries to walks; of those that are under way, none is hidden yet."""
    op.add_column("look_walk", sa.Column("hidden", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
