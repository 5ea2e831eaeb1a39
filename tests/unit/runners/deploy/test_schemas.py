"""Every rendered object is one by Kubernetes' published schemas, of the oldest version that is meant and of the newest."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest
from kubernetes_validate import utils

from runners.deploy.cronjob import render_cronjob
from runners.deploy.deployment import DeploymentOptions, Scraping, render_deployment
from tests.unit.runners.deploy.scene import PATHS, STORES, Object, objects, only, text_of, work_of

OLDEST = "1.27"
"""The first with CronJob.spec.timeZone as a settled field."""
VERSIONS = (OLDEST, kubernetes_validate.latest_version())
OF_SERVICE_MONITOR = {"port", "path", "interval", "authorization"}


@pytest.fixture(scope="module", autouse=True)
def _schemas_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        patch.setattr(utils, "all_versions", cache(utils.all_versions))
        yield


def check(one: Object, version: str) -> None:
    if one["kind"] == "ServiceMonitor":
        # The CRD's schema is not bundled: its fields as the Prometheus Operator's API reference has them.
        assert one["apiVersion"] == "monitoring.coreos.com/v1"
        assert set(one["spec"]) == {"selector", "endpoints"}
        [endpoint] = one["spec"]["endpoints"]
        assert set(endpoint) == OF_SERVICE_MONITOR
        assert set(endpoint["authorization"]) == {"type", "credentials"}
        assert set(endpoint["authorization"]["credentials"]) == {"name", "key"}
        return
    kubernetes_validate.validate(one, version, strict=True)


def rendered(folder: Path, *, store: str, paths: str, kind: str) -> str:
    work = work_of(folder, text_of(store=STORES[store], paths=PATHS[paths]))
    if kind == "cronjob":
        return render_cronjob(work, networks=("203.0.113.0/24",))
    options = DeploymentOptions(
        scraping=Scraping(kind), readers=("monitoring",), networks=("203.0.113.0/24",)
    )
    return render_deployment(work, options)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["cronjob", "service-monitor", "annotations"])
@pytest.mark.parametrize("paths", PATHS)
@pytest.mark.parametrize("store", STORES)
def test_object__is_one_by_the_published_schema(
    tmp_path: Path, store: str, paths: str, kind: str, version: str
) -> None:
    found = objects(rendered(tmp_path, store=store, paths=paths, kind=kind))

    assert {one["kind"] for one in found} >= {"ConfigMap", "NetworkPolicy"}
    for one in found:
        check(one, version)


@pytest.mark.parametrize("store", STORES)
def test_kinds__fit_the_store(tmp_path: Path, store: str) -> None:
    kinds = [
        one["kind"] for one in objects(rendered(tmp_path, store=store, paths="mail", kind="service-monitor"))
    ]

    assert ("PersistentVolumeClaim" in kinds) == (store == "sqlite")
    assert ("PodDisruptionBudget" in kinds) == (store == "postgresql")
    assert len(kinds) == len(set(kinds))


def test_wrong_object__would_be_found(tmp_path: Path) -> None:
    cronjob = only(rendered(tmp_path, store="sqlite", paths="mail", kind="cronjob"), "CronJob")
    cronjob["spec"]["concurencyPolicy"] = cronjob["spec"].pop("concurrencyPolicy")

    with pytest.raises(kubernetes_validate.ValidationError):
        check(cronjob, OLDEST)


def test_labels__are_those_by_which_the_pods_are_found(tmp_path: Path) -> None:
    text = rendered(tmp_path, store="postgresql", paths="mail", kind="service-monitor")
    labels = only(text, "Deployment")["spec"]["template"]["metadata"]["labels"]

    assert only(text, "Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert only(text, "Service")["spec"]["selector"] == labels
    assert only(text, "Service")["metadata"]["labels"] == labels
    assert only(text, "ServiceMonitor")["spec"]["selector"]["matchLabels"] == labels
    assert only(text, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert only(text, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
