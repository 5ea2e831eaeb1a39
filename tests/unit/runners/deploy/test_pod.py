"""The pod may do next to nothing, has what it needs, and ends in time."""

from pathlib import Path
from typing import Any

import pytest

from runners.deploy.cronjob import render_cronjob
from runners.deploy.deployment import DeploymentOptions, render_deployment
from runners.deploy.refusal import CannotRender
from tests.unit.runners.deploy.scene import (
    PATHS,
    POSTGRESQL,
    SQLITE,
    STORES,
    container_of,
    only,
    pod_of,
    text_of,
    work_of,
)

SHARED_MEMORY = "/dev/shm"  # noqa: S108 -- a volume of the pod


def mounts(text: str) -> dict[str, Any]:
    return {one["mountPath"]: one for one in container_of(text)["volumeMounts"]}


def volume(text: str, name: str) -> dict[str, Any]:
    [one] = [one for one in pod_of(text)["volumes"] if one["name"] == name]
    found: dict[str, Any] = one
    return found


@pytest.mark.parametrize("kind", ["cronjob", "deployment"])
@pytest.mark.parametrize("paths", PATHS)
@pytest.mark.parametrize("store", STORES)
def test_pod__keeps_to_the_restricted_pod_security_standard(
    tmp_path: Path, store: str, paths: str, kind: str
) -> None:
    work = work_of(tmp_path, text_of(store=STORES[store], paths=PATHS[paths]))
    text = render_cronjob(work) if kind == "cronjob" else render_deployment(work, DeploymentOptions())

    pod, container = pod_of(text), container_of(text)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "projected"}
    assert all(set(one) - {"name"} <= allowed for one in pod["volumes"])
    assert pod["automountServiceAccountToken"] is False


def test_only_what_must_be_written_to__is_not_read_only(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of(paths=PATHS["browser"])))

    written = {place for place, one in mounts(text).items() if "readOnly" not in one}
    assert written == {"/var/lib/intake-prober", "/tmp", SHARED_MEMORY}  # noqa: S108 -- volumes of the pod


def test_browser__has_shared_memory_within_its_limit_and_more_of_all(tmp_path: Path) -> None:
    mail = render_cronjob(work_of(tmp_path, text_of()))
    portal = render_cronjob(work_of(tmp_path, text_of(paths=PATHS["browser"])))

    assert SHARED_MEMORY not in mounts(mail)
    assert volume(portal, "shm")["emptyDir"] == {"medium": "Memory", "sizeLimit": "512Mi"}
    assert container_of(mail)["resources"]["limits"]["memory"] == "384Mi"
    assert container_of(portal)["resources"]["limits"]["memory"] == "2048Mi"
    assert "cpu" not in container_of(portal)["resources"]["limits"]


def test_relative_store__lies_beside_the_configuration_on_the_claim(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of(store=SQLITE)))

    assert mounts(text)["/var/lib/intake-prober/intake.yaml"]["subPath"] == "intake.yaml"
    assert mounts(text)["/var/lib/intake-prober"]["name"] == "state"
    assert volume(text, "state")["persistentVolumeClaim"] == {"claimName": "intake-prober-store"}
    assert only(text, "PersistentVolumeClaim")["metadata"]["name"] == "intake-prober-store"


def test_absolute_store__gets_its_volume_there(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of(store="sqlite:////data/intake.db")))

    assert mounts(text)["/data"]["name"] == "state"
    assert container_of(text)["workingDir"] == "/data"


@pytest.mark.parametrize(
    "store", ["sqlite:////usr/lib/intake.db", "sqlite:////intake.db", "sqlite:////dev/shm/intake.db"]
)
def test_store_in_a_folder_of_the_image__is_refused(tmp_path: Path, store: str) -> None:
    work = work_of(tmp_path, text_of(store=store))

    with pytest.raises(CannotRender, match="the image's own"):
        render_cronjob(work)


@pytest.mark.parametrize("kind", ["cronjob", "deployment"])
def test_textfile__is_refused_with_what_a_pod_can_do_instead(tmp_path: Path, kind: str) -> None:
    changes = {'listen: "127.0.0.1:9464"': "textfile: /var/lib/node-exporter/intake.prom"}
    work = work_of(tmp_path, text_of(changes=changes))

    with pytest.raises(CannotRender, match="textfile is for a node exporter") as refused:
        render_cronjob(work) if kind == "cronjob" else render_deployment(work, DeploymentOptions())

    assert "Pushgateway" in refused.value.remedy
    assert "OTLP" in refused.value.remedy


def test_tls_files_of_the_receiver__are_mounted_and_its_key_from_a_secret(tmp_path: Path) -> None:
    for name in ("ca.pem", "own.pem"):
        (tmp_path / name).write_text("-----BEGIN CERTIFICATE-----\n")
    pems = "ca: ca.pem, client_certificate: {certificate: own.pem, key: own.key}"
    changes = {'otlp: "http://collector:4318"': f'otlp: {{url: "https://collector:4318", {pems}}}'}
    text = render_cronjob(work_of(tmp_path, text_of(changes=changes)))

    at = {
        place: one["name"]
        for place, one in mounts(text).items()
        if place.startswith("/var/lib/intake-prober/")
    }
    assert at["/var/lib/intake-prober/ca.pem"] == at["/var/lib/intake-prober/own.pem"] == "config"
    assert at["/var/lib/intake-prober/own.key"] == "secrets"
    assert "own.key is /var/lib/intake-prober/own.key" in text


def test_server_as_the_store__needs_no_claim(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of(store=POSTGRESQL)))

    assert "emptyDir" in volume(text, "state")
    password = {"name": "intake-prober-env", "key": "PGPASSWORD", "optional": True}
    assert {"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": password}} in container_of(text)["env"]


def test_evidence_in_a_folder_of_its_own__has_a_volume(tmp_path: Path) -> None:
    changes = {"  name: fra-1\n": "  name: fra-1\n  artifacts: {directory: /evidence, size: 100MB}\n"}
    text = render_cronjob(work_of(tmp_path, text_of(paths=PATHS["browser"], changes=changes)))

    assert mounts(text)["/evidence"]["name"] == "written-1"
    assert volume(text, "written-1")["emptyDir"] == {"sizeLimit": "100000000"}


def test_files_of_the_configuration__go_with_it(tmp_path: Path) -> None:
    (tmp_path / "acme.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "logo.bin").write_bytes(b"\x00\xff")
    changes = {
        "  name: fra-1\n": "  name: fra-1\n  ca: acme.pem\n",
        "text: smoke": "file: logo.bin",
    }
    text = render_cronjob(work_of(tmp_path, text_of(paths=PATHS["browser"], changes=changes)))

    data = only(text, "ConfigMap")
    at = {place: one["subPath"] for place, one in mounts(text).items() if one["name"] == "config"}
    assert data["data"][at["/var/lib/intake-prober/acme.pem"]] == "-----BEGIN CERTIFICATE-----\n"
    assert data["binaryData"][at["/var/lib/intake-prober/logo.bin"]] == "AP8="
    assert data["data"]["intake.yaml"] == text_of(paths=PATHS["browser"], changes=changes)


def test_configuration_that_changes__makes_new_pods(tmp_path: Path) -> None:
    def checksum(text: str) -> str:
        deployment = only(render_deployment(work_of(tmp_path, text), DeploymentOptions()), "Deployment")
        found: str = deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    before, same = checksum(text_of()), checksum(text_of())
    after = checksum(text_of(changes={"deadline: 10m": "deadline: 9m"}))

    assert before == same != after


def test_configuration_that_no_config_map_takes__is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 1_100_000)
    work = work_of(tmp_path, text_of(paths=PATHS["browser"], changes={"text: smoke": "file: large.bin"}))

    with pytest.raises(CannotRender, match="a ConfigMap takes"):
        render_cronjob(work)


def test_image_that_was_not_named__is_a_placeholder_and_said_to_be_one(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of(), image=None))

    assert container_of(text)["image"] == "registry.example/intake-prober:1.2.3"
    assert "REPLACE the image registry.example/intake-prober:1.2.3" in text
    assert "REPLACE" not in render_cronjob(work_of(tmp_path, text_of()))
