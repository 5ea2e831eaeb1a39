"""Every query of every panel and annotation, asked of a real Prometheus that scraped a store in which every state is."""

import asyncio
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from canary.instruments import metrics
from runners.clock import SystemClock
from runners.store import open_store
from runners.telemetry.families import Snapshot
from runners.telemetry.process_figures import ProcessFigures
from tests.fakes import every_state
from tests.real.metrics_pages import served
from tests.real.servers.process import wait_until
from tests.real.servers.prometheus import Prometheus, running_prometheus
from tests.unit.dashboards.dashboard_queries import ANNOTATIONS, PANELS, Asked, variables

PATHS = tuple(str(one.name) for one in every_state.PATHS)
PLACES = ("support", "desk", "example.com", "www.example.com:443")
EITHER = f"({'|'.join(PATHS)})"
"""As Grafana writes several values into a regular expression."""
NEVER_MEASURED = ("mailbox.arrival", "reply.received")
"""Hops that the store of every state has no times of."""


Answer = dict[tuple[tuple[str, str], ...], float]


@dataclass
class Shown:
    """What the page shows now, and what Prometheus said of the paths while nothing had happened yet."""

    snapshots: list[Snapshot]
    number: int = 0
    at_first: Answer = field(default_factory=dict)

    def current(self) -> Snapshot:
        return self.snapshots[self.number]


def begun() -> dict[str, list[dict[str, str]]]:
    """Series that a daemon begins at 0: of a histogram that was never seen at 0, nothing has grown."""
    paths = every_state.PATHS
    by_path = [{"path": str(one.name)} for one in paths]
    return {
        metrics.SLO_ELIGIBLE.name: by_path,
        metrics.SLO_GOOD.name: by_path,
        metrics.INCIDENT_DETECTION_DELAY.name: by_path,
        metrics.CANARY_DURATION.name: [
            {"path": str(one.name), "channel": one.channel.value, "verdict": "confirmed"} for one in paths
        ],
        metrics.HOP_DURATION.name: [
            {"path": str(one.name), "hop": hop.value, "outcome": "ok"} for one in paths for hop in one.route
        ],
    }


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """A store in which nothing is yet, two hours of life in it, and a while more."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'intake.db'}"

    async def main() -> list[Snapshot]:
        clock = SystemClock()
        idle = ProcessFigures(
            every_state.PROBER, build=every_state.BUILD, systems=["desk"], began_at=clock.now()
        )
        async with open_store(url, clock=clock, prober=every_state.PROBER) as store:
            await store.seed(begun(), at=clock.now())
            nothing = await every_state.snapshots(store, clock, figures=idle).current()
            await every_state.fill(store, clock.now())
            await every_state.grow(store, 0, clock.now())
            return [nothing, await every_state.snapshots(store, clock).current()]

    return Shown(asyncio.run(main()))


@pytest.fixture(scope="module")
def prometheus(shown: Shown) -> Iterator[Prometheus]:
    """One that scraped the first and the last of it."""
    (states,) = asked_by("intake-overview", "Is intake up?")
    eligible = metrics.SLO_ELIGIBLE.prometheus
    with served(shown.current) as target, running_prometheus(target) as server:
        wait_until(lambda: bool(server.query(eligible)), what="first page", child=server.child)
        shown.at_first = server.query(states.sent(path=EITHER))
        shown.number = 1
        # Two scrapes of it: nothing of what is new there has grown before.
        twice = f"count_over_time({metrics.CANARY_FAILURES.prometheus}[1m]) >= 2"
        wait_until(lambda: bool(server.query(twice)), what="second page, twice", child=server.child)
        yield server


def asked_by(uid: str, title: str) -> list[Asked]:
    return [one for one in PANELS if (one.uid, one.title) == (uid, title)]


def answers(prometheus: Prometheus, asked: Asked) -> list[dict[str, str]]:
    """The labels of all series with a value: with all paths where several may be chosen, else with each in its turn."""
    chosen = [EITHER] if variables(asked.uid).get("path", {}).get("multi") else PATHS
    found = []
    for path in chosen:
        sent = asked.sent(path=path, place=".*", prober=".*", hop=".+")
        found += [dict(labels) for labels, value in prometheus.query(sent).items() if not math.isnan(value)]
    return found


@pytest.mark.parametrize("asked", PANELS, ids=str)
def test_panel__has_data(prometheus: Prometheus, asked: Asked) -> None:
    found = answers(prometheus, asked)

    assert found or any(f'hop="{hop}"' in asked.expression for hop in NEVER_MEASURED)
    for label in re.findall(r"{{(\w+)}}", asked.legend):
        assert all(one.get(label) for one in found), f"a series has no {label}: {found}"


@pytest.mark.parametrize("asked", [one for one in PANELS if one.has_dots], ids=str)
def test_curve__has_dots_that_lead_to_traces(prometheus: Prometheus, asked: Asked) -> None:
    path = EITHER if variables(asked.uid)["path"].get("multi") else str(every_state.MAIL)

    found = prometheus.exemplars(asked.sent(path=path, hop=".+"))

    assert found
    assert all(re.fullmatch(r"[0-9a-f]{32}", one["trace_id"]) for one in found)


@pytest.mark.parametrize("asked", ANNOTATIONS, ids=str)
def test_annotation__has_data(prometheus: Prometheus, asked: Asked) -> None:
    found = answers(prometheus, asked)

    assert found
    for label in re.findall(r"{{(\w+)}}", asked.legend):
        assert all(one.get(label) for one in found)


def test_series_that_nobody_has__is_no_data(prometheus: Prometheus) -> None:
    assert answers(prometheus, Asked("intake-overview", "", "max(intake_path_upp)", "")) == []


def test_overview__says_of_each_path_what_it_is(shown: Shown, prometheus: Prometheus) -> None:
    (states,) = asked_by("intake-overview", "Is intake up?")
    (broken,) = asked_by("intake-overview", "Broken paths")

    assert shown.at_first == {(("path", one),): 2 for one in PATHS}, "nobody knows yet"
    assert prometheus.query(states.sent(path=EITHER)) == {
        (("path", every_state.MAIL),): 0,
        (("path", every_state.PORTAL),): 1,
        # The prober can't see it.
        (("path", every_state.FORM),): 2,
    }
    assert list(prometheus.query(broken.sent(path=EITHER)).values()) == [1]


def test_overview_without_figures__is_empty_and_not_healthy(prometheus: Prometheus) -> None:
    (broken,) = asked_by("intake-overview", "Broken paths")

    assert prometheus.query(broken.sent(path="nobody")) == {}


def test_open_incident__names_its_hop_and_since_when(prometheus: Prometheus) -> None:
    which, since, *_ = asked_by("intake-overview", "Open incidents")
    labels = (("blame", "smtp.accept"), ("path", every_state.MAIL), ("reason", "mailbox_full"))

    assert prometheus.query(which.sent(path=EITHER)) == {labels: 1}
    assert list(prometheus.query(since.sent(path=EITHER))) == [labels]
    assert 1800 <= prometheus.query(since.sent(path=EITHER))[labels] < 1900


def test_failures__are_whole_numbers_that_see_the_first_of_a_kind(prometheus: Prometheus) -> None:
    (failures,) = asked_by("intake-path", "Failures in the time shown")
    shown = prometheus.query(metrics.CANARY_FAILURES.prometheus + f'{{path="{every_state.MAIL}"}}')

    assert sorted(prometheus.query(failures.sent(path=every_state.MAIL)).values()) == sorted(shown.values())


def test_variable__has_the_values_that_there_are(prometheus: Prometheus) -> None:
    assert {dict(one)["path"] for one in prometheus.query(metrics.PATH_INFO.prometheus)} == set(PATHS)
    assert {dict(one)["place"] for one in prometheus.query(metrics.PLACE_INFO.prometheus)} == set(PLACES)
