"""What a ticketing system's quarantine rule sets, and whether it can be read there; which paths require it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from canary.observation import Depth
from canary.path import Proof
from canary.quarantine import Mark
from canary.ticket import TicketState
from runners.config.config import TicketingConfig
from runners.config.document_places import SystemDocument, TicketingType
from runners.config.reading import Loc
from runners.config.sources import Surroundings

if TYPE_CHECKING:
    from probes.ticketing.generic.settings import LookSettings
    from runners.config.document_channels import AnyPathDocument
    from runners.config.document_ticketing import AnyTicketingDocument


def build_mark(
    name: str, document: SystemDocument, system: TicketingConfig, around: Surroundings
) -> Mark | None:
    """What the rule sets; notes what the system's API never shows: it could only be missed, or never be."""
    said = document.quarantine
    if said is None:
        return None
    mark = Mark(said.tag if said.tag is not None or said.group is not None else document.tag, said.group)
    loc: Loc = ("ticketing", name, "quarantine")
    if mark.tag is not None and (why := _hides_tags(system)) is not None:
        around.note(loc, f"a quarantine by tag can't be read: {why[0]}", why[1], at_key=True)
    if mark.group is not None and not _shows(system, "group"):
        around.note(
            (*loc, "group"),
            "a quarantine by group can't be read: the look that sees a ticket first does not say where its group is",
            f"Add ticketing.{name}.ticket: {{group: …}}, or judge by a tag.",
        )
    return mark


def _hides_tags(system: TicketingConfig) -> tuple[str, str] | None:
    """Why no tag of a rule is ever seen there, and the remedy; None where it is."""
    by_group = "quarantine: {group: …}"
    match system.type:
        case TicketingType.HELPDESK:
            return (
                "django-helpdesk keeps no tags that a rule could set",
                f"Judge by the queue that canaries go to: {by_group} with the queue's number.",
            )
        case TicketingType.RT if system.custom_field is None:
            return (
                "Request Tracker keeps tags in a custom field, and none is named",
                f"Add custom_field, or judge by the queue: {by_group}.",
            )
        case TicketingType.HTTP if not _shows(system, "tags"):
            return (
                "the look that sees a ticket first does not say where its tags are",
                f"Add ticketing.{system.name}.ticket: {{tags: …}}, or judge by the group: {by_group}.",
            )
        case _:
            return None


def _shows(system: TicketingConfig, field: str) -> bool:
    """Whether the looks that see a ticket first read a field."""
    if system.generic is None:
        return True
    looks = [one for one in system.generic.settings.looks if one.state is TicketState.TICKET]
    first = [one for one in looks if Depth.POLL in one.depths] or looks
    return all(_picks(one, field) for one in first)


def _picks(look: "LookSettings", field: str) -> bool:
    return field in look.ticket.picks or any(field in one.ticket.picks for one in look.reads)


def check_required(
    paths: Mapping[str, "AnyPathDocument"],
    systems: Mapping[str, "AnyTicketingDocument"],
    around: Surroundings,
) -> None:
    """Note each path that requires a quarantine of which nothing could be seen.

    A ticketing system that isn't there, or could not be read, is told elsewhere.
    """
    for name, one in paths.items():
        loc: Loc = ("paths", name)
        if not one.require_quarantine:
            if "quarantine_misses" in one.model_fields_set:
                around.note(
                    (*loc, "quarantine_misses"),
                    "it does nothing without require_quarantine",
                    "Add require_quarantine: true, or leave it out.",
                    at_key=True,
                )
            continue
        if one.proof is Proof.REPLY or one.ticketing is None:
            around.note(
                (*loc, "require_quarantine"),
                "no ticket of this path is read, so that its quarantine can't be seen",
                "Leave it out, or name the ticketing system and prove by it.",
            )
        elif one.ticketing in systems and systems[one.ticketing].quarantine is None:
            around.note(
                (*loc, "require_quarantine"),
                f"it is not said what the quarantine rule of {one.ticketing} sets",
                f"Add ticketing.{one.ticketing}.quarantine: {{tag: …}} or {{group: …}}; the rule: intake-prober render quarantine {one.ticketing}.",
            )
