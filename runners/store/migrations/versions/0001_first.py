"""Lay down all tables: canaries, incidents, telemetry, places and cleaning."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql")
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything in an empty database."""
    _create_canaries()
    _create_incidents()
    _create_telemetry()
    _create_places()
    _create_cleaning()
    _guard_audit()


def downgrade() -> None:
    """There is nothing below."""
    raise NotImplementedError("a store is never taken back: restore a backup")


def _create_canaries() -> None:
    op.create_table(
        "canary",
        sa.Column("id", _ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("marker", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("launched_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("horizon_at", sa.BigInteger(), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("prober", sa.Text(), nullable=False),
        sa.Column("slot_at", sa.BigInteger(), nullable=True),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("launch_ended_at", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.Column("is_clean", sa.Boolean(), nullable=False),
        sa.Column("cleaned_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary")),
        sa.UniqueConstraint("token", name=op.f("uq_canary_token")),
    )
    op.create_index(op.f("ix_canary_launched_at"), "canary", ["launched_at"], unique=False)
    op.create_index(op.f("ix_canary_path_launched_at"), "canary", ["path", "launched_at"], unique=False)
    op.create_index(op.f("ix_canary_path_settled_at"), "canary", ["path", "settled_at"], unique=False)
    op.create_index(
        op.f("ix_canary_path_verdict_settled_at"), "canary", ["path", "verdict", "settled_at"], unique=False
    )
    op.create_index(op.f("ix_canary_trace_id"), "canary", ["trace_id"], unique=False)
    op.create_index(
        "ix_canary_unclean",
        "canary",
        ["launched_at"],
        unique=False,
        sqlite_where=sa.text("is_clean = 0"),
        postgresql_where=sa.text("is_clean = false"),
    )
    op.create_index(op.f("ix_canary_verdict_launched_at"), "canary", ["verdict", "launched_at"], unique=False)
    op.create_table(
        "lease",
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_lease_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("canary_id", "kind", name=op.f("pk_lease")),
    )
    op.create_table(
        "slot",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("slot_at", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", "slot_at", name=op.f("pk_slot")),
    )
    op.create_table(
        "missed_slot",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("slot_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("path", "slot_at", name=op.f("pk_missed_slot")),
    )
    op.create_table(
        "observation",
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hop", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_observation_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("canary_id", "key", name=op.f("pk_observation")),
    )
    op.create_table(
        "judgement",
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("blame", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("side", sa.String(length=16), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_judgement_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("canary_id", name=op.f("pk_judgement")),
    )
    op.create_table(
        "artifact",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("hop", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_artifact_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact")),
    )
    op.create_index(op.f("ix_artifact_canary_id"), "artifact", ["canary_id"], unique=False)


def _create_incidents() -> None:
    op.create_table(
        "path_progress",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_path_progress")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("onset_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("blame", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index(
        "ix_incident_open",
        "incident",
        ["path"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_index(op.f("ix_incident_opened_at"), "incident", ["opened_at"], unique=False)
    op.create_index(op.f("ix_incident_path_opened_at"), "incident", ["path", "opened_at"], unique=False)
    op.create_table(
        "incident_transition",
        sa.Column("id", _COUNT, autoincrement=True, nullable=False),
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("transition", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
            name=op.f("fk_incident_transition_incident_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_transition")),
    )
    op.create_index(
        op.f("ix_incident_transition_incident_id_id"),
        "incident_transition",
        ["incident_id", "id"],
        unique=False,
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("begins_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_path_ends_at"), "silence", ["path", "ends_at"], unique=False)


def _create_telemetry() -> None:
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", name=op.f("pk_counter")),
    )
    op.create_table(
        "histogram",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=False),
        sa.Column("sum", sa.Float(precision=53), nullable=False),
        sa.Column("min", sa.Float(precision=53), nullable=True),
        sa.Column("max", sa.Float(precision=53), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("traced_value", sa.Float(precision=53), nullable=True),
        sa.Column("traced_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels", "bucket", name=op.f("pk_histogram")),
    )
    op.create_table(
        "export_outbox",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("part", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_export_outbox_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "canary_id", "part", name=op.f("pk_export_outbox")),
    )
    op.create_index(
        "ix_export_outbox_pending",
        "export_outbox",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "alert_outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("dedup_key", sa.String(length=255), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transition", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_outbox")),
        sa.UniqueConstraint("sink", "dedup_key", "seq", name=op.f("uq_alert_outbox_sink_dedup_key_seq")),
    )
    op.create_index(
        "ix_alert_outbox_pending",
        "alert_outbox",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def _create_places() -> None:
    op.create_table(
        "gauge",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=True),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Float(precision=53), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("oldest_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("place", "name", "resource", "read_at", name=op.f("pk_gauge")),
    )
    op.create_table(
        "latest_gauge",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("resource", sa.String(length=16), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place", "name", "resource", name=op.f("pk_latest_gauge")),
    )
    op.create_table(
        "control",
        sa.Column("prober", sa.Text(), nullable=False),
        sa.Column("control", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("worked", sa.Boolean(), nullable=False),
        sa.Column("worked_at", sa.BigInteger(), nullable=True),
        sa.Column("excused_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("prober", "control", name=op.f("pk_control")),
    )


def _create_cleaning() -> None:
    op.create_table(
        "leftover",
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["canary_id"], ["canary.id"], name=op.f("fk_leftover_canary_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("canary_id", "kind", "place", "what", name=op.f("pk_leftover")),
    )
    op.create_index(
        "ix_leftover_remaining",
        "leftover",
        ["since_at"],
        unique=False,
        sqlite_where=sa.text("is_gone = 0"),
        postgresql_where=sa.text("is_gone = false"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _COUNT, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("prober", sa.Text(), nullable=False),
        sa.Column("canary_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint(
            "canary_id", "at", "kind", "place", "what", "action", "outcome", name=op.f("uq_audit_line")
        ),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_place_at"), "audit", ["place", "at"], unique=False)


def _guard_audit() -> None:
    """Refuse to change or delete a line of the audit, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_refuses_{verb.lower()} BEFORE {verb} ON audit"
                " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
    )
