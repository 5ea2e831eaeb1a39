"""Find a canary by the end of its id without reading all ids."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add an index of the last six of an id's sixteen letters: they are random, and what lists show."""
    op.create_index("ix_canary_end", "canary", [sa.text("substr(id, 11)")], unique=False)


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")
