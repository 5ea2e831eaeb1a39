"""The files that are ours alone: whether the spool can be written, and whether strangers can read what is secret."""

import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from probes.contracts import Check, CheckState
from runners.config.config import Config
from runners.config.secrets import FileSecret

_OTHERS = stat.S_IRGRP | stat.S_IROTH
_BESIDE_A_STORE = ("", "-wal", "-shm")
"""What SQLite keeps beside a database holds the same rows."""


def spool_file(config: Config) -> Path:
    """Where is kept what was seen while the store is away: the first of these folders that this user may write.

    Beside the configuration, else beside a store that is a file, else where the program was started. Where the store
    is a server there may be no other folder of ours; a configuration below ``/etc`` is mostly root's.
    """
    folders = [config.file.absolute().parent]
    store = store_file(config.prober.store_url)
    folders += [store.absolute().parent] if store is not None else []
    folders.append(Path.cwd())
    folder = next((one for one in folders if why_not_writable(one) is None), folders[0])
    return folder / f".{config.prober.name}.spool"


def store_file(address: str) -> Path | None:
    """The file of a SQLite store; None where the store is a server, or the address is none."""
    try:
        url = make_url(address)
    except ArgumentError:
        return None
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def why_not_writable(folder: Path) -> str | None:
    """Why no file can be made in a folder, in the system's words; None: it can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def check_own_files(config: Config) -> Sequence[Check]:
    """What `check` says of them; opens the spool's folder and looks at modes, no more."""
    return [_spool(config), *_modes(config)]


def _spool(config: Config) -> Check:
    file = spool_file(config)
    why = why_not_writable(file.parent)
    if why is None:
        return Check("prober", "spool", CheckState.OK, f"{file} can be made: 16 MiB wait there for the store")
    return Check(
        "prober",
        "spool",
        CheckState.FAIL,
        f"the spool {file} can't be made: {why}; what is seen while the store is away would be lost",
        f"Give this user write permission to {file.parent}, or start it in a folder that it may write.",
    )


def _modes(config: Config) -> Iterator[Check]:
    store = store_file(config.prober.store_url)
    if store is not None:
        for ending in _BESIDE_A_STORE:
            yield from _mode("store", "mode", Path(f"{store}{ending}"), "tokens of canaries")
    for source in config.prober.signing_keys:
        if isinstance(source, FileSecret):
            yield from _mode("prober", "signing_keys.mode", source.path, "the key that signs canaries")


def _mode(place: str, name: str, file: Path, what: str) -> Iterator[Check]:
    try:
        mode = file.stat().st_mode
    except OSError:
        return
    if mode & _OTHERS:
        finding = f"{file} can be read by others ({stat.S_IMODE(mode):04o}), and holds {what}"
        yield Check(place, name, CheckState.WARN, finding, f"chmod 600 {file}")
