"""Make of its document how long the store keeps what, and note what contradicts itself."""

from datetime import timedelta

from runners.config.document_retention import RetentionDocument
from runners.config.fields import duration_text
from runners.config.reading import Loc
from runners.config.sources import Surroundings
from runners.retention import KEPT, LEAST_CANARIES, LEAST_RECORDS, Retention

_LOC: Loc = ("prober", "retention")


def build_retention(document: RetentionDocument, around: Surroundings) -> Retention:
    """How long the store keeps what; the defaults where a mistake was noted."""
    if document.canaries < LEAST_CANARIES.total_seconds():
        around.note(
            (*_LOC, "canaries"),
            f"{duration_text(document.canaries)} is too short",
            "Write 90d or more: a ticket that comes so late is known for ours by its canary's token.",
        )
        return KEPT
    if document.observations > document.canaries:
        around.note(
            (*_LOC, "observations"),
            f"observations are kept longer ({duration_text(document.observations)}) than their canaries "
            f"({duration_text(document.canaries)})",
            "Raise canaries or lower observations.",
        )
        return KEPT
    for key, seconds in (("incidents", document.incidents), ("audit", document.audit)):
        if seconds < LEAST_RECORDS.total_seconds():
            around.note(
                (*_LOC, key),
                f"{duration_text(seconds)} is too short",
                "Write 90d or more: nothing else tells later what happened.",
            )
            return KEPT
    return Retention(
        observations=timedelta(seconds=document.observations),
        canaries=timedelta(seconds=document.canaries),
        incidents=timedelta(seconds=document.incidents),
        audit=timedelta(seconds=document.audit),
    )
