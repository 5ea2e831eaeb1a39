"""Who may speak with the prober, and whom it may speak to, as far as a NetworkPolicy can say it."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from runners.deploy.egress import Way, dns_ports, unknown_ways, ways
from runners.deploy.workload import Workload


def network_policy(
    work: Workload, *, page_port: int | None, readers: Sequence[str], networks: Sequence[str]
) -> dict[str, Any]:
    """The policy of the prober's pods.

    Args:
        work: what it is about.
        page_port: where the page listens; None: nobody needs to come in.
        readers: namespaces that may read the page, beside its own.
        networks: where it may go, beside DNS, in CIDR notation; empty: anywhere.
    """
    egress: list[dict[str, Any]] = [
        {
            "ports": [
                {"protocol": protocol, "port": port}
                for port in dns_ports(work.config)
                for protocol in ("UDP", "TCP")
            ]
        }
    ]
    ports = sorted({one.port for one in ways(work.config)})
    if ports:
        out: dict[str, Any] = {"ports": [{"protocol": "TCP", "port": one} for one in ports]}
        if networks:
            out["to"] = [{"ipBlock": {"cidr": one}} for one in networks]
        egress.append(out)
    ingress: list[dict[str, Any]] = []
    if page_port is not None:
        peers: list[dict[str, Any]] = [{"podSelector": {}}]
        peers += [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": one}}} for one in readers
        ]
        ingress.append({"from": peers, "ports": [{"protocol": "TCP", "port": page_port}]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": work.metadata(),
        "spec": {
            "podSelector": {"matchLabels": work.labels},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def policy_remarks(work: Workload, *, networks: Sequence[str]) -> list[str]:
    """What a reader of the policy should know."""
    said = [
        "A NetworkPolicy knows addresses, not names: DNS and these ports are let out,"
        + (" to the given networks." if networks else " to any address (narrow it with --cidr)."),
    ]
    said += [f"  {port}: {about}" for port, about in _by_port(ways(work.config))]
    said += [
        f"  not known here, add its port if it is another one: {one}" for one in unknown_ways(work.config)
    ]
    return said


def _by_port(found: Sequence[Way]) -> list[tuple[int, str]]:
    grouped = groupby(found, key=lambda one: one.port)
    return [(port, ", ".join(one.about for one in group)) for port, group in grouped]
