"""Where things lie within a container: names as the configuration writes them, made into places there."""

from collections.abc import Iterable
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from runners.config.config import Config
from runners.deploy.refusal import CannotRender
from runners.deploy.sizing import needs_browser

FOLDER: Final = PurePosixPath("/var/lib/intake-prober")
"""Where the configuration lies: a relative store, spool, session or secret is beside it, and it may be written to."""
CONFIGURATION: Final = FOLDER / "intake.yaml"
_OF_THE_IMAGE: Final = tuple(
    PurePosixPath(one)
    for one in (
        "/bin", "/boot", "/dev", "/etc/pki", "/etc/ssl", "/lib", "/lib64", "/opt/intake-prober", "/proc", "/sbin", "/sys",
        "/tmp", "/usr",  # noqa: S108 -- named so that nothing is put there
    )
)  # fmt: skip
"""Folders that an image fills, with all below: a volume would hide what is there."""
_SHARED: Final = frozenset(
    PurePosixPath(one)
    for one in ("/", "/etc", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv", "/var")
) | {PurePosixPath("/var/lib"), PurePosixPath("/var/run"), PurePosixPath("/run/secrets")}
"""Folders that hold others' things: no volume takes their place, but a folder of ours may lie in them."""


def inside(name: str) -> PurePosixPath:
    """Where a name of the configuration lies in the container."""
    return PurePosixPath(normpath(str(FOLDER / name)).replace("//", "/"))


def is_ours(folder: PurePosixPath) -> bool:
    """Whether a volume may take the place of this folder."""
    return folder not in _SHARED and not any(folder.is_relative_to(one) for one in _OF_THE_IMAGE)


def state_folder(config: Config) -> PurePosixPath:
    """The folder that is written to: a SQLite store's, else the configuration's (the spool).

    Raises:
        CannotRender: a volume can't be there.
    """
    store = config.needs.store_name
    if store is None:
        return FOLDER
    folder = inside(store).parent
    if not is_ours(folder):
        raise CannotRender(
            f"prober.store lies in {folder}, which is the image's own",
            "Name a folder of its own: sqlite:////var/lib/intake-prober/intake.db.",
        )
    return folder


def written_beside(config: Config) -> tuple[PurePosixPath, ...]:
    """Further folders that are written to: the portals' evidence, where it does not lie in the state folder.

    Raises:
        CannotRender: a volume can't be there, or a textfile is to be written, which nobody would read.
    """
    if config.telemetry.textfile is not None:
        raise CannotRender(
            "telemetry.metrics.textfile is for a node exporter on the same host, and a pod shares no folder with it",
            "Name a Pushgateway (telemetry.metrics.pushgateway) or a receiver of OTLP (telemetry.otlp) instead.",
        )
    name = config.needs.artifacts_name
    if not needs_browser(config) or name is None:
        return ()
    folder = inside(name)
    if folder.is_relative_to(state_folder(config)):
        return ()
    if not is_ours(folder):
        raise CannotRender(
            f"prober.artifacts.directory is {folder}, which is the image's own",
            "Leave it out: the evidence then lies beside the store.",
        )
    return (folder,)


def topmost(folders: Iterable[PurePosixPath]) -> tuple[PurePosixPath, ...]:
    """Those that lie in no other of them, in order."""
    kept: list[PurePosixPath] = []
    for folder in sorted(set(folders)):
        if not any(folder.is_relative_to(one) for one in kept):
            kept.append(folder)
    return tuple(kept)
