"""Say what was told to whom, send it, and keep days when canaries are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the standing of alerts, an outbox with leases, the groups of incidents, and daily figures."""
    _create_alerts()
    _create_days()
    op.add_column("incident", sa.Column("group_id", sa.String(length=64), nullable=True))
    op.add_column("canary", sa.Column("seconds", sa.Float(precision=53), nullable=True))


def downgrade() -> None:
    """Nothing goes back."""
    raise NotImplementedError("a store is never taken back: restore a backup")


def _create_alerts() -> None:
    op.create_table(
        "alert_standing",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_alert_standing")),
    )
    op.drop_table("alert_outbox")  # 0001 laid it down, and nothing has ever written to it
    op.create_table(
        "alert_outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transition", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_outbox")),
        sa.UniqueConstraint("sink", "dedup_key", "seq", name=op.f("uq_alert_outbox_sink_dedup_key_seq")),
    )
    op.create_index(
        "ix_alert_outbox_pending",
        "alert_outbox",
        ["sink", "dedup_key", "seq"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("ix_alert_outbox_written_at"), "alert_outbox", ["written_at"], unique=False)


def _create_days() -> None:
    op.create_table(
        "day",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("canaries", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", "day", "verdict", name=op.f("pk_day")),
    )
    op.create_table(
        "day_seconds",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", "day", "bucket", name=op.f("pk_day_seconds")),
    )
