"""The daemon's Deployment: probes that reach it, one writer of SQLite, replicas of PostgreSQL."""

from pathlib import Path

import pytest

from runners.deploy.deployment import DeploymentOptions, Scraping, render_deployment
from runners.deploy.refusal import CannotRender
from tests.unit.runners.deploy.scene import POSTGRESQL, container_of, only, pod_of, text_of, work_of


@pytest.mark.parametrize(
    ("web", "cause"),
    [
        ("", "127.0.0.1:8080, where the kubelet's probes don't reach"),
        ('web: {listen: "127.0.0.1:8080"}\n', "where the kubelet's probes don't reach"),
        ('web: {listen: "10.0.0.7:8080", token: {env: PAGE}}\n', "where the kubelet's probes don't reach"),
        ('web: {listen: "0.0.0.0:80", token: {env: PAGE}}\n', "port 80"),
        ('web: {listen: "0.0.0.0:0", token: {env: PAGE}}\n', "port 0"),
    ],
)
def test_page_that_the_kubelet_does_not_reach__is_refused(tmp_path: Path, web: str, cause: str) -> None:
    with pytest.raises(CannotRender, match=cause) as refused:
        render_deployment(work_of(tmp_path, text_of(web=web)), DeploymentOptions())

    assert "listen: 0.0.0.0:8080" in refused.value.remedy


def test_probes__ask_what_needs_no_token(tmp_path: Path) -> None:
    container = container_of(render_deployment(work_of(tmp_path, text_of()), DeploymentOptions()))

    assert container["ports"] == [{"name": "page", "containerPort": 8080, "protocol": "TCP"}]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "page"}
    assert container["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "page"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "page"}


def test_sqlite__has_one_pod_that_ends_before_the_next_begins(tmp_path: Path) -> None:
    work = work_of(tmp_path, text_of())
    spec = only(render_deployment(work, DeploymentOptions()), "Deployment")["spec"]

    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    with pytest.raises(CannotRender, match="2 replicas can't share a SQLite store"):
        render_deployment(work, DeploymentOptions(replicas=2))


def test_postgresql__has_replicas_apart_and_a_budget(tmp_path: Path) -> None:
    text = render_deployment(work_of(tmp_path, text_of(store=POSTGRESQL)), DeploymentOptions(replicas=3))

    spec = only(text, "Deployment")["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert pod_of(text)["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    assert only(text, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_page_of_a_prober_that_is_not_ready__is_still_reached(tmp_path: Path) -> None:
    service = only(render_deployment(work_of(tmp_path, text_of()), DeploymentOptions()), "Service")

    assert service["spec"]["publishNotReadyAddresses"] is True


def test_end__has_the_time_that_it_takes(tmp_path: Path) -> None:
    pod = pod_of(render_deployment(work_of(tmp_path, text_of()), DeploymentOptions()))

    assert pod["terminationGracePeriodSeconds"] == 60


@pytest.mark.parametrize("scraping", [Scraping.SERVICE_MONITOR, Scraping.ANNOTATIONS])
def test_scraping_by_nobody_who_is_let_in__is_refused(tmp_path: Path, scraping: Scraping) -> None:
    with pytest.raises(CannotRender, match="own namespace alone") as refused:
        render_deployment(work_of(tmp_path, text_of()), DeploymentOptions(scraping=scraping))

    assert "--reader" in refused.value.remedy


def test_annotations__name_the_pages_metrics_and_say_what_they_lack(tmp_path: Path) -> None:
    text = render_deployment(
        work_of(tmp_path, text_of()),
        DeploymentOptions(scraping=Scraping.ANNOTATIONS, readers=("monitoring",)),
    )

    annotations = only(text, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == "8080"
    assert "The annotations name no credential" in text
