"""What `/metrics` shows, in the eyes of promtool and of a real Prometheus that scrapes it."""

import asyncio
from collections.abc import Iterator

import pytest

from canary.instruments import metrics
from runners.store import open_store
from runners.telemetry.exposition import exposition
from runners.telemetry.families import Snapshot
from tests.contracts.store_cases import FORM, MAIL, make_canary
from tests.fakes.clock import FakeClock
from tests.fakes.full_store import fill, snapshots
from tests.real.metrics_pages import served
from tests.real.servers.process import wait_until
from tests.real.servers.prometheus import Prometheus, checked, running_prometheus


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """All that a SQLite store can tell."""
    file = tmp_path_factory.mktemp("store") / "intake.db"

    async def main() -> Snapshot:
        async with open_store(f"sqlite:///{file}", clock=FakeClock(), prober="fra-1") as store:
            await fill(store)
            return await snapshots(store).current()

    return asyncio.run(main())


@pytest.fixture(scope="module")
def prometheus(full: Snapshot) -> Iterator[Prometheus]:
    """One that scraped the full snapshot."""
    with served(lambda: full) as target, running_prometheus(target) as server:
        wait_until(
            lambda: bool(server.query(metrics.BUILD_INFO.prometheus)), what="scraped page", child=server.child
        )
        yield server


def test_full_snapshot__is_as_promtool_wants_it(full: Snapshot) -> None:
    assert checked(exposition(full)[1]) == ""


def test_what_promtool_does_not_want__is_told_by_it() -> None:
    assert "no help text" in checked(b"# TYPE some_thing counter\nsome_thing 1\n")


def test_counter__is_scraped_by_path_channel_and_verdict(prometheus: Prometheus) -> None:
    verdicts = prometheus.query(metrics.CANARY_VERDICTS.prometheus)

    labels = (("channel", "email"), ("path", MAIL))
    assert verdicts == {
        (*labels, ("verdict", "breached")): 2,
        (*labels, ("verdict", "confirmed")): 1,
        (*labels, ("verdict", "inconclusive")): 1,
        (*labels, ("verdict", "lost")): 1,
    }


def test_buckets__are_cumulative_and_a_quantile_falls_between_their_bounds(prometheus: Prometheus) -> None:
    name = metrics.CANARY_DURATION.prometheus

    assert list(prometheus.query(f'{name}_bucket{{le="30.0"}}').values()) == [0]
    assert list(prometheus.query(f'{name}_bucket{{le="60.0"}}').values()) == [1]
    assert list(prometheus.query(f'{name}_bucket{{le="+Inf"}}').values()) == [1]
    [middle] = prometheus.query(f"histogram_quantile(0.5, {name}_bucket)").values()
    assert 30 < middle <= 60


def test_exemplar__leads_to_the_trace_of_its_canary(prometheus: Prometheus) -> None:
    found = prometheus.exemplars(f"{metrics.CANARY_DURATION.prometheus}_bucket")

    assert found == [{"trace_id": make_canary(0).trace_id}]


def test_info_of_paths_and_places__is_joined_one_to_one(prometheus: Prometheus) -> None:
    paths = prometheus.query(metrics.PATH_INFO.prometheus)
    joined = prometheus.query(
        f"{metrics.INCIDENT_OPEN.prometheus} * on (path) group_left (team, domain) {metrics.PATH_INFO.prometheus}"
    )
    places = prometheus.query(
        f"{metrics.MAILBOX_USED_RATIO.prometheus} * on (place) group_left (kind, team) {metrics.PLACE_INFO.prometheus}"
    )

    assert {dict(labels)["path"] for labels in paths} == {MAIL, FORM}
    [incident] = joined
    assert dict(incident)["team"] == "post"
    assert {dict(labels)["kind"] for labels in places} == {"mailbox"}
    assert len(places) == 2


def test_blindness__is_scraped_by_cause(prometheus: Prometheus) -> None:
    blind = prometheus.query(f"{metrics.PROBER_BLIND.prometheus} == 1")

    assert blind == {(("cause", "dns"), ("prober", "fra-1")): 1}
