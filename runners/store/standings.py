"""What was told of each concern; stored with the messages that tell more, and with the incident that they tell of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.engine import Connection

from canary.alert import Subject
from canary.incident import IncidentId
from canary.review import Standing
from runners.alert_contracts import AlertStep
from runners.contracts import SettlementConflict
from runners.store import codec, outbox
from runners.store.alert_tables import alert_standing
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import incident

_VERSIONS = (
    select(alert_standing.c.subject, alert_standing.c.version)
    .where(alert_standing.c.subject.in_(bindparam("b_subjects", expanding=True)))
    .order_by(alert_standing.c.subject)
    .with_for_update()
)


def standings(connection: Connection) -> dict[Subject, tuple[Standing | None, int]]:
    """What was told of each subject, and its version; None of one that is over."""
    return {
        Subject(row.subject): (
            codec.loads(Standing, row.body) if row.body is not None else None,
            row.version,
        )
        for row in connection.execute(select(alert_standing))
    }


def store(connection: Connection, steps: Sequence[AlertStep], *, at: datetime) -> None:
    """Store what reviews came to: the standings, the messages, and the groups of incidents.

    Raises:
        SettlementConflict: a standing is no longer at the version that was reviewed.
    """
    if not steps:
        return
    stored: dict[str, int] = {}
    for chunk in chunks(sorted({one.subject for one in steps})):
        stored |= {row.subject: row.version for row in connection.execute(_VERSIONS, {"b_subjects": chunk})}
    for one in sorted(steps, key=lambda one: one.subject):
        if stored.get(one.subject, 0) != one.version:
            raise SettlementConflict(f"the standing of {one.subject} is no longer at version {one.version}")
        _keep(connection, one, at)
        stored[one.subject] = one.version + 1
    outbox.enqueue_alerts(connection, [alert for one in steps for alert in one.alerts], at=at)
    _note_groups(connection, steps)


def groups(connection: Connection, incident_ids: Sequence[IncidentId]) -> Mapping[IncidentId, str]:
    """The group of each incident that has one."""
    found: dict[IncidentId, str] = {}
    for chunk in chunks(sorted(set(incident_ids))):
        rows = connection.execute(
            select(incident.c.id, incident.c.group_id).where(
                incident.c.id.in_(chunk), incident.c.group_id.is_not(None)
            )
        )
        found |= {IncidentId(row.id): row.group_id for row in rows}
    return found


def _keep(connection: Connection, step: AlertStep, at: datetime) -> None:
    values: dict[str, Any] = {
        "version": step.version + 1,
        "updated_at": at,
        "body": codec.dumps(step.standing) if step.standing is not None else None,
    }
    if step.version:
        connection.execute(
            update(alert_standing).where(alert_standing.c.subject == step.subject).values(**values)
        )
        return
    statement = insert_or_nothing(connection.dialect.name, alert_standing).returning(alert_standing.c.subject)
    if not list(connection.scalars(statement, [{"subject": step.subject, **values}])):
        raise SettlementConflict(f"the standing of {step.subject} is no longer at version 0")


def _note_groups(connection: Connection, steps: Sequence[AlertStep]) -> None:
    for one in steps:
        if one.standing is not None and one.standing.concern.incidents:
            connection.execute(
                update(incident)
                .where(incident.c.id.in_(one.standing.concern.incidents), incident.c.group_id.is_(None))
                .values(group_id=one.standing.episode)
            )
