"""Two runs at once, each a process of its own: of a vendor's small window they take the share together."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.clock import SystemClock
from tests.real.intake import Intake, new_intake
from tests.sandbox import Sandbox, start_sandbox
from tests.simulators.gateway import Asked, Told
from tests.simulators.serving import served
from tests.simulators.zendesk import CLIENT_ID, CLIENT_SECRET, Zendesk

LIMIT = 60
SHARE = 15
"""A quarter of it: a run alone looks oftener than that, for a ticket that never comes."""
PATH = {"mailbox": None, "reply": False, "every": None, "deadline": "20s", "horizon": "60s"}
MOST_SECONDS = 120


class Timed(Zendesk):
    """Keeps when it was asked what its window counts."""

    def __init__(self) -> None:
        super().__init__(SystemClock(), calls_a_minute=LIMIT)
        self.asked_at: list[float] = []

    def throttle(self, asked: Asked) -> Told | None:
        if asked.path != "/oauth/tokens":
            self.asked_at.append(self.clock.monotonic())
        return super().throttle(asked)

    @property
    def is_minute_over(self) -> bool:
        return bool(self.asked_at) and self.clock.monotonic() - self.asked_at[0] > 60

    @property
    def worst(self) -> int:
        """The most that it was asked in any minute."""
        return max(sum(end - 60 < one <= end for one in self.asked_at) for end in self.asked_at)


@dataclass(frozen=True, slots=True)
class Scene:
    vendor: Timed
    intake: Intake

    def run_at_once(self, processes: int) -> None:
        """Runs that begin together, each with a canary of its own, until the vendor's first minute is over."""
        running = [self.intake.start("--json", "run", "support-email") for _ in range(processes)]
        try:
            # nothing tells when a minute is over
            for _ in range(MOST_SECONDS):
                threading.Event().wait(1.0)
                if self.vendor.is_minute_over:
                    return
        finally:
            for one in running:
                one.kill()
                one.communicate()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("share") / "sandbox") as running:
        yield running


@pytest.fixture
def scene(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("ZENDESK_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("ZENDESK_CLIENT_SECRET", CLIENT_SECRET)
    vendor = Timed()
    with served(vendor) as url:
        desk = {"type": "zendesk", "url": url, "token": None, "throttle": {"share": "25%"}}
        intake = new_intake(
            tmp_path, sandbox.endpoints, {"ticketing": {"desk": desk}, "paths": {"support-email": PATH}}
        )
        yield Scene(vendor, intake)


def test_two_runs_at_once_on_one_store__take_the_share_together(scene: Scene) -> None:
    scene.run_at_once(2)

    assert sum(one.startswith("POST /oauth/tokens") for one in scene.vendor.calls) == 2  # both have asked
    assert SHARE / 2 < scene.vendor.worst <= SHARE
