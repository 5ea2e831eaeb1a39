"""Kubernetes objects as YAML, each below what a reader should know of it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from runners.deploy.commands import commands_of
from runners.deploy.secrets import PASSWORD, secrets_of
from runners.deploy.workload import Workload


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object, and the remarks above it."""

    remarks: Sequence[str]
    content: dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Without anchors, and with texts of several lines as they stand."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 -- whatever is dumped
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _binary(dumper: yaml.SafeDumper, content: bytes) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", base64.b64encode(content).decode())


_Dumper.add_representer(str, _text)
_Dumper.add_representer(bytes, _binary)


def render(heading: Sequence[str], manifests: Sequence[Manifest]) -> str:
    """The text of all of them; the same values give the same bytes."""
    parts = [_remarks(heading)]
    for one in manifests:
        dumped = yaml.dump(
            one.content,
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=1000,
            default_flow_style=False,
        )
        parts.append(f"---\n{_remarks(one.remarks)}{dumped}")
    return "".join(parts)


def heading(work: Workload, command: str) -> list[str]:
    """What stands above all objects: where they come from, and what must be there before them."""
    said = [
        f"Made by `intake-prober render {command}` of {work.config.file.name}; make it anew when that changes.",
        "Checked against Kubernetes' published schemas, 1.27 and newer; never tried on a cluster by us.",
        "The pods keep to the Pod Security Standard `restricted`.",
    ]
    if work.image is None:
        said.append(
            f"REPLACE the image {work.whole_image}: it is a placeholder. Build one of the Containerfile; --image."
        )
    said += _secret_remarks(work)
    said.append(f"Then: kubectl apply -f FILE   (the namespace {work.namespace} must be there)")
    return said


def _secret_remarks(work: Workload) -> list[str]:
    secrets = secrets_of(work.config)
    at = f"kubectl -n {work.namespace} create secret generic"
    said: list[str] = []
    if secrets.variables:
        names = [
            f"{name} (if the store wants a password)"
            if name in secrets.optional and name == PASSWORD
            else name
            for name in secrets.variables
        ]
        said += [
            f"The Secret {work.name}-env must be there, a key a variable: {', '.join(names)}",
            f"  {at} {work.name}-env --from-env-file=secrets.env   (lines NAME=value, without quotes)",
        ]
    if secrets.files:
        said += [
            f"The Secret {work.name}-files must be there, a key a file:",
            *(f"  {one.key} is {one.place}" for one in secrets.files),
            f"  {at} {work.name}-files " + " ".join(f"--from-file={one.key}=PATH" for one in secrets.files),
        ]
    said += [
        f"The image must bear the command {one[0]}, which prints a secret."
        for one in sorted(commands_of(work.config))
    ]
    return said


def _remarks(remarks: Sequence[str]) -> str:
    """Comments, each on its own line whatever a name in it holds."""
    lines = ("".join(letter if letter.isprintable() else "�" for letter in one) for one in remarks)
    return "".join(f"# {one}\n" for one in lines)
