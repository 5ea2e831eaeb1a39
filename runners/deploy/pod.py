"""The pod of a prober: one container that may do next to nothing, with what it needs mounted."""

from pathlib import PurePosixPath
from typing import Any, Final

from runners.deploy.places import CONFIGURATION, inside, state_folder, written_beside
from runners.deploy.secrets import Mount, secret_volumes, secrets_of
from runners.deploy.sizing import needs_browser, size_of
from runners.deploy.workload import Workload

USER: Final = 10001
"""The image's user and group: no account of any host."""
_TEMPORARY: Final = PurePosixPath("/tmp")  # noqa: S108 -- a volume of the pod's own
_SHARED_MEMORY: Final = PurePosixPath("/dev/shm")  # noqa: S108 -- likewise


def pod_spec(
    work: Workload, arguments: list[str], *, restart: str, end_seconds: int, **of_container: object
) -> dict[str, Any]:
    """The specification of a pod that runs `intake-prober` with these arguments.

    Args:
        work: what it is about.
        arguments: after the options that all commands have.
        restart: the pod's `restartPolicy`.
        end_seconds: how long it may take to end after SIGTERM.
        of_container: further keys of the container: ports, probes.
    """
    volumes, mounts = _volumes(work)
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": restart,
        "terminationGracePeriodSeconds": end_seconds,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "intake-prober",
                "image": work.whole_image,
                "imagePullPolicy": "IfNotPresent",
                "command": ["intake-prober"],
                "args": ["--config", str(CONFIGURATION), "--log-format", "json", *arguments],
                "workingDir": str(state_folder(work.config)),
                "env": _environment(work),
                **of_container,
                "resources": _resources(work),
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [one.manifest() for one in mounts],
            }
        ],
        "volumes": volumes,
    }


def claim(work: Workload, gib: int) -> dict[str, Any]:
    """The claim of the volume with a SQLite store."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": work.metadata("-store"),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": f"{gib}Gi"}},
        },
    }


def _environment(work: Workload) -> list[dict[str, Any]]:
    own = {"HOME": str(_TEMPORARY)}
    secrets = secrets_of(work.config)
    return [
        *({"name": name, "value": value} for name, value in own.items() if name not in secrets.variables),
        *secrets.environment(f"{work.name}-env"),
    ]


def _resources(work: Workload) -> dict[str, Any]:
    size = size_of(work.config)
    temporary = f"{size.temporary_mib}Mi"
    return {
        # No limit of CPU: whoever is throttled measures himself, and blames the target.
        "requests": {
            "cpu": f"{size.cpu_millis}m",
            "memory": f"{size.memory_mib}Mi",
            "ephemeral-storage": temporary,
        },
        "limits": {"memory": f"{size.most_memory_mib}Mi", "ephemeral-storage": f"{2 * size.temporary_mib}Mi"},
    }


def _volumes(work: Workload) -> tuple[list[dict[str, Any]], list[Mount]]:
    config, size = work.config, size_of(work.config)
    state = (
        {"emptyDir": {"sizeLimit": "64Mi"}}
        if work.has_server
        else {"persistentVolumeClaim": {"claimName": f"{work.name}-store"}}
    )
    volumes: list[dict[str, Any]] = [{"name": "state", **state}]
    mounts = [Mount("state", state_folder(config), is_read_only=False)]
    for number, folder in enumerate(written_beside(config), 1):
        limit = config.prober.artifacts.most_bytes if config.prober.artifacts is not None else 0
        volumes.append({"name": f"written-{number}", "emptyDir": {"sizeLimit": str(limit)}})
        mounts.append(Mount(f"written-{number}", folder, is_read_only=False))
    volumes.append({"name": "tmp", "emptyDir": {"sizeLimit": f"{size.temporary_mib}Mi"}})
    mounts.append(Mount("tmp", _TEMPORARY, is_read_only=False))
    if needs_browser(config):
        shared = {"medium": "Memory", "sizeLimit": f"{size.shared_memory_mib}Mi"}
        volumes.append({"name": "shm", "emptyDir": shared})
        mounts.append(Mount("shm", _SHARED_MEMORY, is_read_only=False))
    volumes.append({"name": "config", "configMap": {"name": f"{work.name}-config"}})
    mounts.append(Mount("config", CONFIGURATION, "intake.yaml"))
    keys = work.keys()
    beside = [Mount("config", inside(name), keys[name]) for name in sorted(work.files)]
    mounts += beside
    more, at = secret_volumes(
        config,
        secrets_of(config).files,
        secret=f"{work.name}-files",
        beside=[one.place for one in beside],
    )
    return volumes + more, mounts + at
