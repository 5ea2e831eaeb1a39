"""Figures by each way out, taken by the real thing: a Pushgateway and its Prometheus, a node exporter, OTLP."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)

from canary.instruments import METRICS, metrics
from probes.masking import Masker
from runners.clock import SystemClock
from runners.config.telemetry import OtlpConfig
from runners.push_checks import differing_types
from runners.store import open_store
from runners.telemetry.exposition import exposition
from runners.telemetry.families import Snapshot
from runners.telemetry.otlp_metrics import OtlpMetrics
from runners.telemetry.pushgateway import Pushgateway
from runners.telemetry.routes import NotPushed
from runners.telemetry.textfile import Textfile
from tests.fakes import every_state
from tests.real.metrics_pages import Series, of_otlp, of_text, served
from tests.real.otlp_receiver import Receiver, receiving
from tests.real.servers.process import server_directory, wait_until
from tests.real.servers.prometheus import checked, running_prometheus
from tests.real.servers.pushgateway import Exporter, running_node_exporter, running_pushgateway
from tests.real.test_otlp import closed_port

OF_THE_GROUP = frozenset({"job", "instance", "prober"})


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Every state, as a one-shot run pushes it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'intake.db'}"

    async def main() -> Snapshot:
        clock = SystemClock()
        async with open_store(url, clock=clock, prober=every_state.PROBER) as store:
            await every_state.fill(store, clock.now())
            return await every_state.snapshots(store, clock).current()

    return asyncio.run(main())


@pytest.fixture(scope="module")
def gateway() -> Iterator[Exporter]:
    with running_pushgateway() as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def pushgateway(server: Exporter, prober: str = every_state.PROBER) -> Pushgateway:
    return Pushgateway(server.url, prober, clock=SystemClock(), masker=Masker())


def otlp(receiver: Receiver) -> OtlpMetrics:
    config = OtlpConfig(
        f"{receiver.url}/v1/metrics",
        resource={"service.name": "intake-prober", "service.instance.id": every_state.PROBER},
        timeout_seconds=2.0,
    )
    return OtlpMetrics(config, version="1.2.3", mask=Masker().mask)


def of_snapshot(snapshot: Snapshot, *, without: frozenset[str] = frozenset()) -> Series:
    return of_text(exposition(snapshot)[1].decode(), without=without)


def names_of(series: Series) -> set[str]:
    return {name for name, _ in series}


def test_three_ways__carry_the_same_names_labels_and_values(
    snapshot: Snapshot, gateway: Exporter, receiver: Receiver, tmp_path: Path
) -> None:
    file = tmp_path / "intake_prober.prom"

    async def main() -> None:
        await Textfile(file).push(snapshot)
        await pushgateway(gateway).push(snapshot)
        await otlp(receiver).push(snapshot)

    asyncio.run(main())

    expected = of_snapshot(snapshot)
    assert of_text(file.read_text()) == expected
    assert of_otlp(receiver.taken[-1].body) == pytest.approx(expected)
    assert of_text(gateway.page(), without=OF_THE_GROUP) == of_snapshot(snapshot, without=OF_THE_GROUP)
    assert {one.prometheus for one in METRICS} <= {
        name.removesuffix("_bucket") for name in names_of(expected)
    }


def test_textfile__is_as_promtool_wants_it_and_a_node_exporter_shows_it(snapshot: Snapshot) -> None:
    with server_directory("textfile") as folder:
        file = folder / "intake_prober.prom"
        asyncio.run(Textfile(file).push(snapshot))

        assert checked(file.read_bytes()) == ""
        with running_node_exporter(folder) as exporter:
            page = exporter.page()

    assert of_text(page) == of_snapshot(snapshot)
    assert "node_textfile_scrape_error 0" in page
    assert f'node_textfile_mtime_seconds{{file="{file}"}}' in page


def test_pushed_group__is_scraped_with_honor_labels_and_joins_as_any_other(
    snapshot: Snapshot, gateway: Exporter
) -> None:
    asyncio.run(pushgateway(gateway).push(snapshot))

    with running_prometheus(gateway.target, honor_labels=True) as prometheus:
        name = metrics.PATH_UP.prometheus
        wait_until(lambda: bool(prometheus.query(name)), what="scrape", child=prometheus.child)

        up = prometheus.query(f"max by (path) ({name})")
        [pushed] = prometheus.query('push_time_seconds{job="intake-prober"}')
        joined = prometheus.query(
            f"max by (path, reason) ({metrics.INCIDENT_OPEN.prometheus} == 1)"
            f" * on (path) group_left (team) max by (path, team) ({metrics.PATH_INFO.prometheus})"
        )
        every = {one.prometheus + ("_count" if one.bounds else "") for one in METRICS}
        missing = [one for one in sorted(every) if not prometheus.query(one)]

    assert up == {
        (("path", every_state.MAIL),): 0,
        (("path", every_state.PORTAL),): 1,
        (("path", every_state.FORM),): 1,
    }
    assert ("prober", every_state.PROBER) in pushed
    assert [dict(one)["reason"] for one in joined] == ["mailbox_full"]
    assert missing == []


def test_second_push__replaces_the_group_so_that_what_is_gone_vanishes(
    snapshot: Snapshot, gateway: Exporter
) -> None:
    smaller = Snapshot(snapshot.at, snapshot.families[-1:], is_whole=True)

    asyncio.run(pushgateway(gateway, "replaced/1").push(snapshot))
    asyncio.run(pushgateway(gateway, "replaced/1").push(smaller))

    mine = [line for line in gateway.page().splitlines() if 'prober="replaced/1"' in line]
    assert {line.partition("{")[0] for line in mine if line.startswith("intake_")} == {
        metrics.BUILD_INFO.prometheus
    }


def test_group_with_another_type__is_told_by_the_check_and_by_the_refusal(snapshot: Snapshot) -> None:
    name = metrics.PATH_UP.prometheus
    with running_pushgateway() as server:
        httpx.put(f"{server.url}/metrics/job/other", content=f"# TYPE {name} counter\n{name} 1\n")

        held = asyncio.run(pushgateway(server).read("metrics"))
        with pytest.raises(NotPushed, match=r"answered 400.*delete that group"):
            asyncio.run(pushgateway(server).push(snapshot))

    assert differing_types(held) == [name]


def test_receiver_that_takes_no_metrics__is_told_with_its_words_and_a_remedy(
    snapshot: Snapshot, receiver: Receiver
) -> None:
    receiver.status, receiver.answer = 404, b"404 page not found"

    with pytest.raises(NotPushed, match=r"/v1/metrics took no metrics \(.*404.*otlp: never"):
        asyncio.run(otlp(receiver).push(snapshot))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: OtlpConfig(f"{closed_port()}/v1/metrics"), r"Connection refused\)\. Start the receiver"),
        (
            lambda: OtlpConfig("http://gone.invalid/v1/metrics"),
            r"(Name or service not known|Temporary failure in name resolution)\)\. Start the receiver",
        ),
        (
            lambda: OtlpConfig("https://127.0.0.1:9/v1/metrics", ca_file="/gone/ca.pem"),
            r"invalid path: /gone/ca\.pem\)\. Start the receiver, or correct its address, its authorities",
        ),
    ],
    ids=["refused", "unknown host", "no authorities"],
)
def test_receiver_that_can_not_be_had__is_told_with_its_cause_after_one_try(
    snapshot: Snapshot, config: Callable[[], OtlpConfig], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)  # weaker than the file that is configured
    way, clock = OtlpMetrics(config(), version="1.2.3", mask=Masker().mask), SystemClock()
    began = clock.monotonic()

    with pytest.raises(NotPushed, match=rf"took no metrics \(.*{words}"):
        asyncio.run(way.push(snapshot))

    assert clock.monotonic() - began < 5


def test_receiver_that_fails__is_asked_once(snapshot: Snapshot, receiver: Receiver) -> None:
    receiver.status, receiver.answer = 503, b"full. Come back."

    with pytest.raises(NotPushed, match=r"503 .*full; Come back\)\. Look at the receiver's log\."):
        asyncio.run(otlp(receiver).push(snapshot))

    assert len(receiver.taken) == 1


def test_points_that_are_rejected__are_told(snapshot: Snapshot, receiver: Receiver) -> None:
    partial = ExportMetricsPartialSuccess(rejected_data_points=3, error_message="too old")
    receiver.answer = ExportMetricsServiceResponse(partial_success=partial).SerializeToString()

    with pytest.raises(NotPushed, match="3 of its points were rejected: too old"):
        asyncio.run(otlp(receiver).push(snapshot))


def test_knock__sends_no_metric(receiver: Receiver) -> None:
    asyncio.run(otlp(receiver).knock(SystemClock().now()))

    assert [one.path for one in receiver.taken] == ["/v1/metrics"]
    assert of_otlp(receiver.taken[0].body) == {}


def test_two_replicas__scraped_by_one_prometheus__are_counted_once(tmp_path: Path) -> None:
    url, clock = f"sqlite:///{tmp_path / 'intake.db'}", SystemClock()
    probers = (every_state.PROBER, "ams-1")

    async def shown(number: int) -> list[Snapshot]:
        """What either replica shows, the second time after both saw more."""
        async with open_store(url, clock=clock, prober=every_state.PROBER) as store:
            await (
                every_state.grow(store, number, clock.now())
                if number
                else every_state.fill(store, clock.now())
            )
            figures = [every_state.process_figures(clock.now(), prober=one) for one in probers]
            return [await every_state.snapshots(store, clock, figures=one).fresh() for one in figures]

    pages = asyncio.run(shown(0))
    name, portal = metrics.CANARY_LAUNCHED.prometheus, (("path", every_state.PORTAL),)
    with (
        served(lambda: pages[0]) as here,
        served(lambda: pages[1]) as there,
        running_prometheus(here, there) as prometheus,
    ):

        def both_show(value: int) -> bool:
            query = f'count({name}{{path="{every_state.PORTAL}"}} == {value}) == 2'
            return bool(prometheus.query(query))

        wait_until(lambda: both_show(11), what="first scrapes", child=prometheus.child)
        pages[:] = asyncio.run(shown(1))
        wait_until(lambda: both_show(15), what="next scrapes", child=prometheus.child)
        launched = prometheus.query(f"max by (path) ({name})")
        doubled = prometheus.query(f"sum by (path) ({name})")
        requests = prometheus.query(f"sum by (place) ({metrics.TICKET_API_REQUESTS.prometheus})")

    assert launched[portal] == 15
    assert doubled[portal] == 30  # which is why the rules take the maximum
    assert requests == {(("place", "desk"),): 8}  # of each process its own: these are summed


def test_purge__leaves_every_counter_as_it_is(tmp_path: Path) -> None:
    async def main() -> tuple[Snapshot, int, Snapshot]:
        clock = SystemClock()
        async with open_store(
            f"sqlite:///{tmp_path / 'intake.db'}", clock=clock, prober=every_state.PROBER
        ) as store:
            await every_state.fill(store, clock.now())
            before = await every_state.snapshots(store, clock).fresh()
            ids = [one.canary.id for one in await store.outstanding(clock.now())]
            await store.finish_clean(*ids, at=clock.now())
            gone = 0
            for _ in range(20):
                gone += await store.forget(clock.now() + timedelta(days=100))
            return before, gone, await every_state.snapshots(store, clock).fresh()

    before, gone, after = asyncio.run(main())

    counted = {one.prometheus for one in METRICS if one.kind.value != "gauge"}

    def counters(snapshot: Snapshot) -> Series:
        return {
            key: value
            for key, value in of_snapshot(snapshot).items()
            if key[0].removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") in counted
        }

    assert gone > 15
    assert counters(after) == counters(before)
