"""`render deployment`: the daemon, its page, and who reads its metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from runners.config.page import PageConfig
from runners.config.secrets import EnvSecret, FileSecret
from runners.deploy.manifests import Manifest, heading, render
from runners.deploy.network_policy import network_policy, policy_remarks
from runners.deploy.places import inside
from runners.deploy.pod import claim, pod_spec
from runners.deploy.refusal import CannotRender
from runners.deploy.secrets import secrets_of
from runners.deploy.sizing import disk_gib
from runners.deploy.timing import end_seconds
from runners.deploy.workload import Workload

_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- what a page in a pod must listen on
_LISTEN: Final = "Write web: {listen: 0.0.0.0:8080, token: {env: INTAKE_PAGE_TOKEN}}."
_FIRST_FREE_PORT: Final = 1024
_PORT_NAME: Final = "page"


class Scraping(StrEnum):
    """How Prometheus is told of the page's /metrics."""

    NONE = "none"
    SERVICE_MONITOR = "service-monitor"
    ANNOTATIONS = "annotations"


@dataclass(frozen=True, slots=True)
class DeploymentOptions:
    """What is asked for beside the workload.

    Attributes:
        replicas: None: one with SQLite, two with PostgreSQL.
        readers: namespaces that may read the page, beside its own.
        networks: where it may go, beside DNS, in CIDR notation; empty: anywhere.
    """

    replicas: int | None = None
    scraping: Scraping = Scraping.NONE
    readers: Sequence[str] = ()
    networks: Sequence[str] = ()


def render_deployment(work: Workload, options: DeploymentOptions) -> str:
    """The manifests.

    Raises:
        CannotRender: they can't be made of this configuration.
    """
    if options.scraping is not Scraping.NONE and not options.readers:
        raise CannotRender(
            "Prometheus is to read /metrics, and the NetworkPolicy would let in the prober's own namespace alone",
            "Name the namespace that Prometheus runs in, be it the prober's own: --reader monitoring.",
        )
    port = _page_port(work.config.web)
    replicas = _replicas(work, options.replicas)
    manifests = [Manifest([], work.config_map())]
    if not work.has_server:
        manifests.append(Manifest(_CLAIM_REMARKS, claim(work, disk_gib(work.config))))
    manifests += [
        Manifest(
            [*policy_remarks(work, networks=options.networks), _INGRESS],
            network_policy(work, page_port=port, readers=options.readers, networks=options.networks),
        ),
        Manifest(_remarks(work, options.scraping), _deployment(work, port, replicas, options.scraping)),
        Manifest([_NOT_READY], _service(work)),
    ]
    if replicas > 1:
        manifests.append(Manifest([], _budget(work)))
    if options.scraping is Scraping.SERVICE_MONITOR:
        manifests.append(Manifest([_MONITOR], _service_monitor(work)))
    return render(heading(work, "deployment"), manifests)


_CLAIM_REMARKS: Final = (
    "SQLite: one process writes, so there is one replica, and it ends before the next one begins (Recreate).",
    "No network file system: its locks lie. Deleting the claim deletes the history.",
)
_INGRESS: Final = (
    "Let in: whoever reads the page, of this namespace and of those that are named. The kubelet's probes come from the"
    " node, which network plugins let in."
)
_NOT_READY: Final = "Addresses that are not ready too: a page that says why the prober is not ready must be reached just then."
_MONITOR: Final = "Needs the Prometheus Operator; its CRD's schema is not among Kubernetes' own, so only its fields were checked."


def _page_port(web: PageConfig) -> int:
    if web.host not in _ANY_ADDRESS:
        raise CannotRender(
            f"web.listen is {web.host}:{web.port}, where the kubelet's probes don't reach the page", _LISTEN
        )
    if web.port < _FIRST_FREE_PORT:
        raise CannotRender(f"web.listen has port {web.port}, which only root may open, or none", _LISTEN)
    return web.port


def _replicas(work: Workload, asked: int | None) -> int:
    if work.has_server:
        return 2 if asked is None else asked
    if asked is not None and asked > 1:
        raise CannotRender(
            f"{asked} replicas can't share a SQLite store",
            "Name a PostgreSQL in prober.store, or leave --replicas out.",
        )
    return 1


def _remarks(work: Workload, scraping: Scraping) -> list[str]:
    said = [
        "A new configuration makes new pods (checksum/config). No limit of CPU: whoever is throttled blames the target.",
        f"Its end takes {end_seconds()} s at most: launches under way, watches given back, alerts delivered.",
        "Probes need no token: /healthz says that the process lives, /readyz that it does its work.",
    ]
    if work.has_server:
        said.append(
            "Replicas share the store and need no leader. Migrations run under a lock; where the changelog says so, scale to"
            " 0 before a new version."
        )
    if scraping is Scraping.ANNOTATIONS:
        said.append(
            "The annotations name no credential: give Prometheus' own scrape configuration web.token as authorization."
        )
    return said


def _deployment(work: Workload, port: int, replicas: int, scraping: Scraping) -> dict[str, Any]:
    annotations = {"checksum/config": work.checksum}
    if scraping is Scraping.ANNOTATIONS:
        annotations |= {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": str(port),
            "prometheus.io/path": "/metrics",
        }
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    spec = pod_spec(
        work,
        ["serve"],
        restart="Always",
        end_seconds=end_seconds(),
        ports=[{"name": _PORT_NAME, "containerPort": port, "protocol": "TCP"}],
        # Migrations may take minutes on a large store, before anything listens.
        startupProbe=_probe("/healthz", period_seconds=5, failures=120),
        livenessProbe=_probe("/healthz", period_seconds=20, failures=3),
        readinessProbe=_probe("/readyz", period_seconds=10, failures=3),
    )
    if replicas > 1:
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": work.labels},
            }
        ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": work.metadata(),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "strategy": rolling if work.has_server else {"type": "Recreate"},
            "selector": {"matchLabels": work.labels},
            "template": {"metadata": {"labels": work.labels, "annotations": annotations}, "spec": spec},
        },
    }


def _probe(path: str, *, period_seconds: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": _PORT_NAME},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }


def _service(work: Workload) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": work.metadata(),
        "spec": {
            "selector": work.labels,
            "publishNotReadyAddresses": True,
            "ports": [{"name": _PORT_NAME, "port": 80, "targetPort": _PORT_NAME, "protocol": "TCP"}],
        },
    }


def _budget(work: Workload) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": work.metadata(),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": work.labels}},
    }


def _service_monitor(work: Workload) -> dict[str, Any]:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": work.metadata(),
        "spec": {
            "selector": {"matchLabels": work.labels},
            "endpoints": [
                {
                    "port": _PORT_NAME,
                    "path": "/metrics",
                    "interval": "30s",
                    "authorization": {"type": "Bearer", "credentials": _token(work)},
                }
            ],
        },
    }


def _token(work: Workload) -> dict[str, str]:
    """Where the page's token is, for Prometheus."""
    match work.config.web.token:
        case EnvSecret(name=name):
            return {"name": f"{work.name}-env", "key": name}
        case FileSecret(path=path):
            [named] = {inside(one.name) for one in work.config.needs.secret_files if one.path == path}
            [key] = [one.key for one in secrets_of(work.config).files if one.place == named]
            return {"name": f"{work.name}-files", "key": key}
        case _:
            raise CannotRender(
                "a ServiceMonitor needs the page's token from a Secret, and web.token is none of {env} or {file}",
                "Add web.token: {env: INTAKE_PAGE_TOKEN}, or leave --service-monitor out.",
            )
