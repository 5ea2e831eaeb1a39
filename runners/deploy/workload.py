"""A prober in Kubernetes, whatever starts it: names, labels, its configuration, and the files beside that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runners.config.config import Config
from runners.deploy.comments import without_comments
from runners.deploy.places import inside
from runners.deploy.refusal import CannotRender

PLACEHOLDER: Final = "registry.example/intake-prober"
_MOST_BYTES: Final = 1_000_000
"""A ConfigMap holds 1 MiB (Kubernetes, "ConfigMaps", read 2026-11-30)."""
_KEY: Final = "intake.yaml"


@dataclass(frozen=True, slots=True)
class Workload:
    """What every object is about.

    Attributes:
        name: of the objects, at most 52 letters: a CronJob adds eleven to its Jobs.
        image: the image to run; None: a placeholder, which the text says.
        text: the configuration without its comments.
        files: what the files beside it hold, by the names that the configuration gives them.
        version: of this program, the placeholder's tag.
    """

    name: str
    namespace: str
    image: str | None
    text: str
    files: Mapping[str, bytes]
    version: str
    config: Config

    @property
    def has_server(self) -> bool:
        """Whether the store is a server, which several replicas may share."""
        return self.config.needs.store_name is None

    @property
    def whole_image(self) -> str:
        """The image, or the placeholder."""
        return self.image if self.image is not None else f"{PLACEHOLDER}:{self.version}"

    @property
    def labels(self) -> dict[str, str]:
        """By which the objects find the pods."""
        return {"app.kubernetes.io/name": "intake-prober", "app.kubernetes.io/instance": self.name}

    @property
    def checksum(self) -> str:
        """Changes with the configuration: the pods are then made anew."""
        digest = hashlib.sha256(self.text.encode())
        for name, content in sorted(self.files.items()):
            digest.update(f"\0{name}\0".encode() + content)
        return digest.hexdigest()

    def metadata(self, suffix: str = "") -> dict[str, Any]:
        """Of an object."""
        return {"name": f"{self.name}{suffix}", "namespace": self.namespace, "labels": self.labels}

    def keys(self) -> dict[str, str]:
        """The key in the ConfigMap of each file beside the configuration."""
        return {name: f"file-{number}" for number, name in enumerate(sorted(self.files), 1)}

    def config_map(self) -> dict[str, Any]:
        """The ConfigMap.

        Raises:
            CannotRender: it would be too large, or a file in it holds a private key.
        """
        size = len(self.text.encode()) + sum(map(len, self.files.values()))
        if size > _MOST_BYTES:
            raise CannotRender(
                f"the configuration and its files have {size} bytes, and a ConfigMap takes {_MOST_BYTES}",
                "Put large attachments into the image.",
            )
        keys = self.keys()
        data: dict[str, str] = {_KEY: self.text}
        binary: dict[str, bytes] = {}
        for name, content in sorted(self.files.items()):
            if b"PRIVATE KEY-----" in content:
                raise CannotRender(
                    f"the file {name} holds a private key, and a ConfigMap keeps no secret",
                    "Leave the certificate alone in it, and name the key as {file: PATH}.",
                )
            text = _as_text(content)
            if text is None:
                binary[keys[name]] = content
            else:
                data[keys[name]] = text
        found: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": self.metadata("-config"),
            "data": data,
        }
        if binary:
            found["binaryData"] = binary
        return found


def workload(
    config: Config,
    *,
    text: str,
    files: Mapping[str, bytes],
    name: str,
    namespace: str,
    image: str | None,
    version: str,
) -> Workload:
    """A prober in Kubernetes.

    Raises:
        CannotRender: a secret stands in the configuration as text.
    """
    refuse_literals(config)
    return Workload(name, namespace, image, without_comments(text), dict(files), version, config)


def refuse_literals(config: Config) -> None:
    """Refuse a configuration that holds a secret: what is rendered is kept where anybody may read it.

    Raises:
        CannotRender: a secret stands in it as text.
    """
    if config.needs.literals:
        keys = ", ".join(sorted(config.needs.literals))
        raise CannotRender(
            f"secrets stand in the configuration as text: {keys}",
            "Write {env: NAME} or {file: PATH}: nothing is rendered with a secret in it.",
        )


def files_beside(config: Config) -> dict[str, str]:
    """The files that go with the configuration, by name, and where each lies here; none that is also a secret."""
    secret = {inside(one.name) for one in config.needs.secret_files}
    return {one.name: str(one.path) for one in sorted(config.needs.files) if inside(one.name) not in secret}


def _as_text(content: bytes) -> str | None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if all(one.isprintable() or one in "\n\t" for one in text) else None
