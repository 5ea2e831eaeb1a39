"""Which folders of a mailbox matter, and what it means when a canary is found in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from probes.mailbox.connection import Connection, Folder
from probes.mailbox.settings import MailboxSettings


class Role(StrEnum):
    """What a folder is for: mail arrives there, is held as spam, or was put away by somebody who had read it."""

    ARRIVAL = "arrival"
    JUNK = "junk"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of a mailbox by role; the one where mail arrives first is last to be read, so that it stays open."""

    roles: tuple[tuple[str, Role], ...]
    trash: str | None = None

    def role(self, folder: str) -> Role:
        """A folder's role."""
        return dict(self.roles).get(folder, Role.ELSEWHERE)


def find_places(connection: Connection, settings: MailboxSettings) -> Places:
    """Ask the server for its folders (LIST), and sort them by role."""
    return sort_folders(connection.folders(), settings)


def sort_folders(folders: Sequence[Folder], settings: MailboxSettings) -> Places:
    """The folders that matter, by the special use that the server marks (RFC 6154), else by the usual names."""
    arrival = [*settings.more_folders, settings.folder]
    junk = [one.name for one in folders if "junk" in one.uses]
    if not junk:
        usual = {name.lower() for name in settings.junk_folders}
        junk = [one.name for one in folders if one.name.lower() in usual]
    trash = [one.name for one in folders if "trash" in one.uses] or [
        one.name for one in folders if one.name.lower() in {"trash", "inbox.trash", "deleted items"}
    ]
    archive = [one.name for one in folders if "archive" in one.uses or "all" in one.uses]
    roles: dict[str, Role] = {}
    for role, names in ((Role.ELSEWHERE, [*archive, *trash]), (Role.JUNK, junk)):
        roles |= {name: role for name in names if name not in arrival}
    roles |= dict.fromkeys(arrival, Role.ARRIVAL)
    return Places(tuple(roles.items()), trash[0] if trash else None)
