"""The tables of the store, as the newest migration leaves them.

Times are whole microseconds since 1970 in UTC: exact, the same in both databases, and in order. What only the domain
reads is one JSON text a row (`runners.store.codec`); what is searched, counted or joined has a column of its own.
Partial indexes (`PARTIAL_INDEXES`) stand in the migrations alone: to declare one here would load every dialect. So does
the one of an expression (`EXPRESSION_INDEXES`): Alembic can't compare it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from runners.store.columns import Count, Id, Instant, Words, metadata

PARTIAL_INDEXES = frozenset(
    {
        "ix_canary_unclean",
        "ix_canary_unthinned",
        "ix_incident_open",
        "ix_leftover_remaining",
        "ix_slot_open",
        "ix_export_outbox_pending",
        "ix_alert_outbox_pending",
    }
)
EXPRESSION_INDEXES = frozenset({"ix_canary_end"})


def _of_canary(*, is_key: bool = True) -> Column[str]:
    return Column(
        "canary_id",
        Id,
        ForeignKey("canary.id", ondelete="CASCADE"),
        primary_key=is_key,
        nullable=False,
    )


canary = Table(
    "canary",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("marker", Text, nullable=False),
    Column("sender", Words, nullable=False),
    Column("launched_at", Instant, nullable=False),
    Column("deadline_at", Instant, nullable=False),
    Column("horizon_at", Instant, nullable=False),
    Column("trace_id", String(32), nullable=False),
    Column("span_id", String(16), nullable=False),
    Column("prober", Text, nullable=False),
    Column("slot_at", Instant),
    Column("by_hand", Boolean, nullable=False),
    Column("launch_ended_at", Instant),
    Column("verdict", String(16), nullable=False),
    Column("settled_at", Instant),
    Column("is_clean", Boolean, nullable=False),
    Column("cleaned_at", Instant),
    Column("seconds", Float(53)),
    Column("is_thinned", Boolean, nullable=False),
)
Index(None, canary.c.path, canary.c.launched_at)
Index(None, canary.c.path, canary.c.verdict, canary.c.settled_at)
Index(None, canary.c.path, canary.c.settled_at)
Index(None, canary.c.verdict, canary.c.launched_at)
Index(None, canary.c.launched_at)
Index(None, canary.c.trace_id)

lease = Table(
    "lease",
    metadata,
    _of_canary(),
    Column("kind", String(16), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until_at", Instant, nullable=False),
)

slot = Table(
    "slot",
    metadata,
    Column("path", Text, primary_key=True),
    Column("slot_at", Instant, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("claimed_at", Instant, nullable=False),
    # Its canary's id, or that it is known to be missed; null as long as nothing came of the claim.
    Column("came_of", String(32), server_default="older"),
)

missed_slot = Table(
    "missed_slot",
    metadata,
    Column("path", Text, primary_key=True),
    Column("slot_at", Instant, primary_key=True),
    Column("cause", Text, nullable=False),
    Column("noted_at", Instant, nullable=False),
)

observation = Table(
    "observation",
    metadata,
    _of_canary(),
    Column("key", Words, primary_key=True),
    Column("hop", String(32), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

judgement = Table(
    "judgement",
    metadata,
    _of_canary(),
    Column("verdict", String(16), nullable=False),
    Column("blame", String(32)),
    Column("reason", String(80)),
    Column("side", String(16)),
    Column("settled_by", Text, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

path_progress = Table(
    "path_progress",
    metadata,
    Column("path", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

incident = Table(
    "incident",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("path", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("onset_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("blame", String(32), nullable=False),
    Column("reason", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("group_id", String(64)),
)
Index(None, incident.c.path, incident.c.opened_at)
Index(None, incident.c.opened_at)

incident_transition = Table(
    "incident_transition",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=True),
    Column("incident_id", String(64), ForeignKey("incident.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("transition", String(16), nullable=False),
    Column("body", Text, nullable=False),
)
Index(None, incident_transition.c.incident_id, incident_transition.c.id)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Words, primary_key=True),
    Column("value", Float(53), nullable=False),
    Column("created_at", Instant, nullable=False),
)

histogram = Table(
    "histogram",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Words, primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("measured", BigInteger, nullable=False),
    Column("sum", Float(53), nullable=False),
    Column("min", Float(53)),
    Column("max", Float(53)),
    Column("trace_id", String(32)),
    Column("traced_value", Float(53)),
    Column("traced_at", Instant),
    Column("created_at", Instant, nullable=False),
)
"""A row a bucket that something fell into; a series that was only begun has its first one, empty."""

gauge = Table(
    "gauge",
    metadata,
    Column("place", Words, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("resource", String(16), primary_key=True),
    Column("read_at", Instant, primary_key=True),
    Column("value", Float(53)),
    Column("unit", Text, nullable=False),
    Column("capacity", Float(53)),
    Column("state", String(16), nullable=False),
    Column("detail", Words, nullable=False),
    Column("oldest_at", Instant),
)

latest_gauge = Table(
    "latest_gauge",
    metadata,
    Column("place", Words, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("resource", String(16), primary_key=True),
    Column("read_at", Instant, nullable=False),
)

control = Table(
    "control",
    metadata,
    Column("prober", Text, primary_key=True),
    Column("control", Words, primary_key=True),
    Column("tried_at", Instant, nullable=False),
    Column("worked", Boolean, nullable=False),
    Column("worked_at", Instant),
    Column("excused_at", Instant),
)

leftover = Table(
    "leftover",
    metadata,
    _of_canary(),
    Column("kind", String(16), primary_key=True),
    Column("place", Words, primary_key=True),
    Column("what", Words, primary_key=True),
    Column("path", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("detail", Words, nullable=False),
    Column("url", Words),
    Column("is_gone", Boolean, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Count, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("prober", Text, nullable=False),
    Column("canary_id", Id, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("place", Words, nullable=False),
    Column("what", Words, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Words, nullable=False),
    UniqueConstraint("canary_id", "at", "kind", "place", "what", "action", "outcome", name="uq_audit_line"),
)
Index(None, audit.c.at)
Index(None, audit.c.place, audit.c.at)

export_outbox = Table(
    "export_outbox",
    metadata,
    Column("kind", String(16), primary_key=True),
    _of_canary(),
    Column("part", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("holder", Text),
    Column("held_until", Instant),
    Column("body", Text),
    Column("error", Words),
)
"""Parts of traces that wait to be sent, or that nobody takes; one that was sent is gone."""

turn = Table(
    "turn",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until_at", Instant, nullable=False),
)

traffic_mark = Table(
    "traffic_mark",
    metadata,
    Column("place", Words, primary_key=True),
    Column("since_at", Instant, nullable=False),
    Column("until_at", Instant, nullable=False),
    Column("unbroken_at", Instant, nullable=False),
    Column("skew_seconds", Float(53), nullable=False),
    Column("is_begun", Boolean, nullable=False),
)
"""How far each ticketing system was watched for real tickets, by its own clock."""

traffic_hour = Table(
    "traffic_hour",
    metadata,
    Column("place", Words, primary_key=True),
    Column("way", String(16), primary_key=True),
    Column("hour_at", Instant, primary_key=True),
    Column("tickets", BigInteger, nullable=False),
    Column("seconds", Float(53), nullable=False),
)
"""How many real tickets came in an hour by each way; the row without a way has how long the hour was watched."""
Index(None, traffic_hour.c.hour_at)

traffic_newest = Table(
    "traffic_newest",
    metadata,
    Column("place", Words, primary_key=True),
    Column("way", String(16), primary_key=True),
    Column("created_at", Instant, nullable=False),
)

quarantine_sight = Table(
    "quarantine_sight",
    metadata,
    _of_canary(),
    Column("path", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("is_marked", Boolean, nullable=False),
)
"""Whether a canary's ticket bore the mark of the vendor's quarantine rule when it was first seen."""
Index(None, quarantine_sight.c.path, quarantine_sight.c.is_marked, quarantine_sight.c.at)

artifact = Table(
    "artifact",
    metadata,
    Column("id", String(64), primary_key=True),
    _of_canary(is_key=False),
    Column("hop", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("location", Words, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("taken_at", Instant, nullable=False),
)
Index(None, artifact.c.canary_id)

look_walk = Table(
    "look_walk",
    metadata,
    Column("place", Words, primary_key=True),
    Column("look", Text, primary_key=True),
    Column("started_at", Instant, primary_key=True),
    Column("began_at", Instant, nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("moved_at", Instant, nullable=False),
    Column("is_over", Boolean, nullable=False),
    Column("until_at", Instant),
    Column("page", Text),
    Column("asked", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Column("hidden", Text, nullable=False, server_default=""),
)
"""Where looks go on that take several; ``asked``, ``seen`` and ``hidden`` are ids of canaries, a word each."""
Index(None, look_walk.c.moved_at)

call_account = Table(
    "call_account",
    metadata,
    Column("account", Words, primary_key=True),
    Column("changed_at", Instant, nullable=False),
    Column("stretches", Text, nullable=False),
)
"""What all processes took of a vendor's windows of requests: one row an account, so that one lock decides (decision 0023)."""
Index(None, call_account.c.changed_at)
