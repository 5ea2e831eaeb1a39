"""The tables of alerts: what was told, what is to be sent, what is silenced; and the figures of days."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from runners.store.columns import Instant, Words, metadata

alert_standing = Table(
    "alert_standing",
    metadata,
    Column("subject", Words, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("body", Text),
)
"""What was told of each subject; without a body once it is over: the version lives on, so that no old one fits."""

alert_outbox = Table(
    "alert_outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("sink", Text, nullable=False),
    Column("dedup_key", Words, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("transition", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("written_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("holder", Text),
    Column("held_until", Instant),
    Column("delivered_at", Instant),
    Column("error", Words),
    UniqueConstraint("sink", "dedup_key", "seq"),
)
Index(None, alert_outbox.c.written_at)

alert_pause = Table(
    "alert_pause",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("noted_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)
"""Until when a sink asked all of us to stay away."""

day = Table(
    "day",
    metadata,
    Column("path", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("verdict", String(16), primary_key=True),
    Column("canaries", BigInteger, nullable=False),
)
"""First verdicts by the UTC day of the launch, and what breached ones became; kept when canaries are forgotten."""

day_seconds = Table(
    "day_seconds",
    metadata,
    Column("path", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("measured", BigInteger, nullable=False),
)
"""End-to-end seconds of confirmed and late canaries, by the buckets of `CANARY_DURATION`."""

silence = Table(
    "silence",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("path", Text, nullable=False),
    Column("begins_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("why", Words, nullable=False),
    Column("who", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index(None, silence.c.path, silence.c.ends_at)
