"""What a prober is given of Secrets: variables by reference, files by mount. Their values are never seen here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from runners.config.config import Config
from runners.deploy.places import CONFIGURATION, FOLDER, inside, is_ours, state_folder, topmost

_NOT_IN_A_KEY: Final = re.compile(r"[^-._A-Za-z0-9]")
_MOST_CHARACTERS: Final = 253
PASSWORD: Final = "PGPASSWORD"  # noqa: S105 -- the variable's name
"""libpq's variable for the password of the store, which no configuration holds."""
READ_ONLY: Final = 0o440
"""The owner is root and the group is the pod's (fsGroup): the prober reads its secrets, and changes none."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file with a secret: its key in the Secret, and where it lies in the container."""

    key: str
    place: PurePosixPath


@dataclass(frozen=True, slots=True)
class Mount:
    """A place in the container that comes from a volume.

    Attributes:
        sub_path: one file of the volume alone; None: the whole volume, which follows a Secret that changes.
    """

    volume: str
    place: PurePosixPath
    sub_path: str | None = None
    is_read_only: bool = True

    def manifest(self) -> dict[str, Any]:
        """As a container's `volumeMounts` has it."""
        found: dict[str, Any] = {"name": self.volume, "mountPath": str(self.place)}
        if self.sub_path is not None:
            found["subPath"] = self.sub_path
        if self.is_read_only:
            found["readOnly"] = True
        return found


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a prober is given of Secrets.

    Attributes:
        variables: names of variables, which are the keys too.
        optional: those among them that need not be in the Secret.
    """

    variables: tuple[str, ...]
    optional: frozenset[str]
    files: tuple[SecretFile, ...]

    def environment(self, secret: str) -> list[dict[str, Any]]:
        """The variables as a container's `env` has them."""
        return [
            {
                "name": name,
                "valueFrom": {
                    "secretKeyRef": {
                        "name": secret,
                        "key": name,
                        **({"optional": True} if name in self.optional else {}),
                    }
                },
            }
            for name in self.variables
        ]


def secrets_of(config: Config) -> Secrets:
    """All that the configuration names, and the password of a PostgreSQL store."""
    variables = set(config.needs.variables)
    optional = frozenset[str]()
    if config.needs.store_name is None and PASSWORD not in variables:
        variables.add(PASSWORD)
        optional = frozenset({PASSWORD})
    places = sorted({inside(one.name) for one in config.needs.secret_files})
    return Secrets(tuple(sorted(variables)), optional, tuple(_keyed(places)))


def _keyed(places: Sequence[PurePosixPath]) -> list[SecretFile]:
    names = [_key(one.name) for one in places]
    return [
        SecretFile(name if names.count(name) == 1 else _key(str(place).lstrip("/").replace("/", ".")), place)
        for name, place in zip(names, places, strict=True)
    ]


def _key(text: str) -> str:
    return _NOT_IN_A_KEY.sub("_", text)[-_MOST_CHARACTERS:]


def secret_volumes(
    config: Config, files: Sequence[SecretFile], *, secret: str, beside: Sequence[PurePosixPath]
) -> tuple[list[dict[str, Any]], list[Mount]]:
    """The volumes of the files, and where they are mounted.

    A folder with nothing but secrets is mounted whole, so that a secret that is changed arrives without a restart;
    where it holds something else, each file is mounted by itself.

    Args:
        config: tells which folders are written to.
        files: all files with secrets.
        secret: the Secret's name.
        beside: the places of other files that are mounted.
    """
    if not files:
        return [], []
    others = {state_folder(config), FOLDER, CONFIGURATION, *beside}
    whole = topmost(one.place.parent for one in files if _is_apart(one.place.parent, others))
    volumes: list[dict[str, Any]] = []
    mounts: list[Mount] = []
    for number, folder in enumerate(whole, 1):
        name = f"secrets-{number}"
        own = [one for one in files if one.place.is_relative_to(folder)]
        items = [{"key": one.key, "path": str(one.place.relative_to(folder))} for one in own]
        volumes.append(_projected(name, secret, items))
        mounts.append(Mount(name, folder))
    single = [one for one in files if not any(one.place.is_relative_to(folder) for folder in whole)]
    if single:
        volumes.append(_projected("secrets", secret, [{"key": one.key, "path": one.key} for one in single]))
        mounts += [Mount("secrets", one.place, one.key) for one in single]
    return volumes, mounts


def _is_apart(folder: PurePosixPath, others: set[PurePosixPath]) -> bool:
    return is_ours(folder) and not any(
        one.is_relative_to(folder) or folder.is_relative_to(one) for one in others
    )


def _projected(name: str, secret: str, items: list[dict[str, str]]) -> dict[str, Any]:
    source: Mapping[str, Any] = {"secret": {"name": secret, "items": items}}
    return {"name": name, "projected": {"defaultMode": READ_ONLY, "sources": [source]}}
