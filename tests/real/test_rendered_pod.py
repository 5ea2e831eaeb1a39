"""A rendered pod, played without a cluster: its mounts, user, variables and arguments, on a read-only tree.

No container engine runs here and no kubelet. What is theirs to do (images, Secrets, probes on time) is not shown; that the
program needs no more than the pod gives is.
"""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import psutil
import pytest
import yaml

from runners.cli.app import main
from tests.processes import run
from tests.real.intake import Tree, merged, standard
from tests.real.own_tree import PROGRAM, OwnTree
from tests.real.test_serve import free_port, until
from tests.sandbox import Sandbox, start_sandbox
from tests.unit.runners.deploy.scene import Object, container_of, only, pod_of

LIMIT_SECONDS = 120.0
TEMPORARY = "/tmp"  # noqa: S108 -- a volume of the pod
ANOTHER_ADDRESS = "127.0.0.2"
"""The kubelet asks by the pod's address, which is none of the page's names."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@dataclass(frozen=True)
class Prepared:
    """A configuration without a secret in it, and the secrets by where they are to be had."""

    file: Path
    variables: dict[str, str]
    files: dict[str, str]


def prepared(folder: Path, sandbox: Sandbox, changes: Tree) -> Prepared:
    """The sandbox's configuration as an operator writes it."""
    endpoints = sandbox.endpoints
    (folder / "acme.pem").write_bytes(Path(endpoints.ca_file).read_bytes())
    server = {"password": {"env": "CANARY_PASSWORD"}}
    tree = merged(
        merged(
            standard(folder, endpoints),
            {
                "prober": {
                    "store": "sqlite:///intake.db",
                    "signing_keys": [{"file": "intake.key"}],
                    "ca": "acme.pem",
                },
                "accounts": {"canary": {"smtp": server, "imap": server}},
                "mailboxes": {"support": {"imap": {"password": {"file": "/run/support/password"}}}},
                "ticketing": {"desk": {"token": {"env": "DESK_TOKEN"}}},
            },
        ),
        changes,
    )
    file = folder / "intake.yaml"
    file.write_text(yaml.safe_dump(json.loads(json.dumps(tree)), sort_keys=False))  # without anchors
    return Prepared(
        file,
        variables={
            "CANARY_PASSWORD": endpoints.account("canary").password,
            "DESK_TOKEN": endpoints.desk_token,
            "INTAKE_PAGE_TOKEN": "a token of the tests, long enough",
        },
        files={
            "intake.key": "a key of the tests, 32 bytes long at least",
            "password": endpoints.account("support").password,
        },
    )


def render(one: Prepared, *words: str) -> str:
    """What `render` prints."""
    ended = run(main, ["--config", str(one.file), "render", *words], seconds=LIMIT_SECONDS)
    assert ended.status == 0, ended.notes
    return ended.said


class Node:
    """Does with a pod what a kubelet would."""

    def __init__(
        self, folder: Path, secrets: Prepared, text: str, *, tree: Callable[[], OwnTree] = OwnTree
    ) -> None:
        self.folder = folder
        self.secrets = secrets
        self.text = text
        self._tree = tree
        self.state = folder / "state"
        self.user = pod_of(text)["securityContext"]["runAsUser"]

    def command(self, words: list[str] | None = None) -> list[str]:
        """The container's command on its tree; or another one there."""
        tree = self._tree()
        for folder in ("/var/lib", "/run"):
            tree.empty(PurePosixPath(folder))
        # What is mounted comes from below the system's own temporary folder, so that is covered last.
        for mount in sorted(
            container_of(self.text)["volumeMounts"], key=lambda one: one["mountPath"] == TEMPORARY
        ):
            self._mount(tree, mount)
        tree.seal()
        container = container_of(self.text)
        return tree.command(
            words or [str(PROGRAM), *container["args"]],
            user=self.user,
            environment=self._environment(),
            folder=container["workingDir"],
        )

    def _environment(self) -> dict[str, str]:
        found = {}
        for one in container_of(self.text)["env"]:
            reference = one.get("valueFrom", {}).get("secretKeyRef")
            found[one["name"]] = (
                one["value"] if reference is None else self.secrets.variables[reference["key"]]
            )
        return found

    def _mount(self, tree: OwnTree, mount: dict[str, Any]) -> None:
        [volume] = [one for one in pod_of(self.text)["volumes"] if one["name"] == mount["name"]]
        place = PurePosixPath(mount["mountPath"])
        source = self._volume(volume)
        if source is None:
            tree.empty(place, mode="1777")
            return
        if "subPath" in mount:
            source /= mount["subPath"]
            tree.lines.append(f"touch {place}")
        else:
            tree.lines.append(f"mkdir -p {place}")
        tree.bind(source, place, is_read_only=mount.get("readOnly", False))

    def _volume(self, volume: Object) -> Path | None:
        """The volume's folder, as its group may enter and read it; None: memory."""
        if "emptyDir" in volume:
            return None
        folder = self.folder / str(volume["name"])
        folder.mkdir(exist_ok=True)
        folder.chmod(0o770)
        match volume:
            case {"persistentVolumeClaim": _}:
                pass
            case {"configMap": _}:
                content = only(self.text, "ConfigMap")
                for key, text in content["data"].items():
                    (folder / key).write_text(text)
                for key, encoded in content.get("binaryData", {}).items():
                    (folder / key).write_bytes(base64.b64decode(encoded))
            case _:
                [source] = volume["projected"]["sources"]
                for item in source["secret"]["items"]:
                    file = folder / item["path"]
                    file.unlink(missing_ok=True)
                    file.write_text(self.secrets.files[item["key"]])
                    file.chmod(volume["projected"]["defaultMode"])
        for one in (folder, *folder.rglob("*")):
            subprocess.run(["chgrp", str(self.user), str(one)], check=True)
        return folder


def test_rendered_cronjob__on_a_read_only_tree__launches_what_is_due_and_is_confirmed(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    one = prepared(tmp_path, sandbox, {"paths": {"support-email": {"every": "1h"}}})
    node = Node(tmp_path, one, render(one, "cronjob"))

    ended = subprocess.run(node.command(), capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    assert ended.returncode == 0, ended.stderr
    assert "confirmed" in ended.stdout
    written = {file.name for file in node.state.iterdir()}
    assert {"intake.db", "intake.yaml"} <= written


def test_tree_of_the_rendered_pod__may_be_written_to_in_the_named_folders_alone(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    one = prepared(tmp_path, sandbox, {"paths": {"support-email": {"every": "1h"}}})
    node = Node(tmp_path, one, render(one, "cronjob"))
    mine = ("/var/lib/intake-prober", TEMPORARY)
    others = ("/", "/etc", "/usr", "/var/lib", "/run", "/run/support", "/mnt/code")

    script = "; ".join(f"touch {place}/x 2>/dev/null && echo {place}" for place in (*mine, *others))
    ended = subprocess.run(
        node.command(["sh", "-c", f"{script}; id -u; cat /proc/self/status /proc/self/mounts"]),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
    )

    said = ended.stdout.splitlines()
    assert said[:3] == [*mine, str(node.user)]
    assert "CapEff:\t0000000000000000" in said
    assert "CapBnd:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    [root] = [one.split() for one in said if one.split()[1:2] == ["/"]]
    assert "ro" in root[3].split(",")


def test_rendered_deployment__on_a_read_only_tree__is_alive_and_ready_by_the_pods_address_without_a_token(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    port = free_port()
    web = {"listen": f"0.0.0.0:{port}", "token": {"env": "INTAKE_PAGE_TOKEN"}}
    one = prepared(tmp_path, sandbox, {"paths": {"support-email": {"every": "5s"}}, "web": web})
    node = Node(tmp_path, one, render(one, "deployment"))
    probes = container_of(node.text)
    with subprocess.Popen(
        node.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            with httpx.Client(base_url=f"http://{ANOTHER_ADDRESS}:{port}", timeout=20.0) as kubelet:
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    until(partial(_answers, kubelet, probes[probe]["httpGet"]["path"], process))
                refused = kubelet.get("/status.json")
                token = {"Authorization": f"Bearer {one.variables['INTAKE_PAGE_TOKEN']}"}
                until(partial(_confirmed, kubelet, token))
            [serving] = psutil.Process(process.pid).children()
            serving.terminate()
            assert process.wait(pod_of(node.text)["terminationGracePeriodSeconds"]) == 0
        finally:
            process.kill()
            said, _ = process.communicate(timeout=LIMIT_SECONDS)

    assert refused.status_code == 401
    assert "Traceback" not in said
    assert all(secret not in said for secret in (*one.variables.values(), *one.files.values()))


def _answers(kubelet: httpx.Client, path: str, process: subprocess.Popen[str]) -> bool:
    assert process.poll() is None, "it ended"
    try:
        return kubelet.get(path).status_code == 200
    except httpx.HTTPError:
        return False


def _confirmed(kubelet: httpx.Client, token: dict[str, str]) -> bool:
    answer = json.loads(kubelet.get("/canaries.json", headers=token).text)
    return any(one["verdict"] == "confirmed" for one in answer["canaries"])
