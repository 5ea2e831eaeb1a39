"""What a configuration needs of the place where it runs: variables, files, commands. Noted while it is read."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class NamedFile:
    """A file that the configuration names.

    Attributes:
        name: as it is written; a relative one is relative to the configuration's folder.
        path: where that is on this machine.
    """

    name: str
    path: Path


@dataclass(slots=True)
class Needs:
    """All that was named, without its order and without what is secret.

    Attributes:
        variables: of the environment, each with a secret.
        secret_files: each with a secret.
        files: each with what is none: authorities, certificates, attachments, scripts.
        commands: each prints a secret.
        literals: the keys where a secret stands as text.
        store_name: the file of a SQLite store as it is written; None: the store is a server.
        artifacts_name: the folder of the portals' evidence as it is written; None: the default.
    """

    variables: set[str] = field(default_factory=set)
    secret_files: set[NamedFile] = field(default_factory=set)
    files: set[NamedFile] = field(default_factory=set)
    commands: set[tuple[str, ...]] = field(default_factory=set)
    literals: set[str] = field(default_factory=set)
    store_name: str | None = None
    artifacts_name: str | None = None
