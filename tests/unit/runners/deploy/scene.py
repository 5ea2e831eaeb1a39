"""Configurations to render, and what is rendered, read back as a cluster would."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from runners.config.config import Config
from runners.deploy.workload import Workload, files_beside, workload
from tests.unit.runners.config.examples import FULL, read
from tests.unit.runners.config.examples_web import FORM, PORTAL, SCRIPT

SQLITE = "sqlite:///intake.db"
POSTGRESQL = "postgresql+psycopg://intake@db.acme.example/intake"
STORES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
PATHS = {"mail": "", "browser": PORTAL + FORM}
WEB = 'web: {listen: "0.0.0.0:8080", token: {env: INTAKE_PAGE_TOKEN}}\n'
SINKS = "alerts: {sinks: {chat: {type: slack, url: {env: SLACK_URL}}}}\n"
IMAGE = "registry.example/intake-prober:1.2.3"

Object = dict[str, Any]


def text_of(
    *, store: str = SQLITE, paths: str = "", web: str = WEB, changes: Mapping[str, str] | None = None
) -> str:
    """A configuration as a text; each of the changes must find its place."""
    text = FULL.replace(SQLITE, store).replace("alerts:", f"{paths}alerts:", 1) + web
    for old, new in (changes or {}).items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def config_of(folder: Path, text: str) -> Config:
    """The configuration, read as `render` reads it: without any secret."""
    (folder / "steps.py").write_text(SCRIPT)
    return read(folder, text, needs_secrets=False, allow_literal_secrets=True)


def work_of(folder: Path, text: str, *, image: str | None = IMAGE, name: str = "intake-prober") -> Workload:
    """The workload of a configuration."""
    config = config_of(folder, text)
    return workload(
        config,
        text=text,
        files={one: Path(path).read_bytes() for one, path in files_beside(config).items()},
        name=name,
        namespace="probing",
        image=image,
        version="1.2.3",
    )


def objects(rendered: str) -> list[Object]:
    """The objects of a text."""
    return [one for one in yaml.load_all(rendered, yaml.CSafeLoader) if one is not None]


def only(rendered: str, kind: str) -> Object:
    """The one object of a kind."""
    [one] = [one for one in objects(rendered) if one["kind"] == kind]
    return one


def pod_of(rendered: str) -> Object:
    """The specification of the pod, whatever starts it."""
    [one] = [one["spec"] for one in objects(rendered) if one["kind"] in {"CronJob", "Deployment"}]
    found: Object = one["jobTemplate"]["spec"]["template"] if "jobTemplate" in one else one["template"]
    pod: Object = found["spec"]
    return pod


def container_of(rendered: str) -> Object:
    """The one container."""
    [one] = pod_of(rendered)["containers"]
    found: Object = one
    return found
