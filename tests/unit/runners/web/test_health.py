"""What machines ask: whether it is alive, whether it is ready, what it measures; and that commands stay light."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from runners.contracts import StoreError
from runners.web.access import Access
from runners.web.app import build_metrics_app
from tests.fakes.page_scene import Scene
from tests.unit.runners.web.asked import Asker

HEAVY = ("starlette", "uvicorn", "jinja2")


def test_process_that_is_alive_and_ready__says_so() -> None:
    page = Asker(Scene())

    assert (page.ask("/healthz").status_code, page.ask("/healthz").text) == (200, "alive\n")
    assert (page.ask("/readyz").status_code, page.ask("/readyz").text) == (200, "ready\n")


def test_process_that_is_stuck__is_to_be_killed() -> None:
    page = Asker(Scene())
    page.scene.health.is_alive = False

    assert page.ask("/healthz").status_code == 503


def test_scheduler_that_is_stuck__is_named_and_masked() -> None:
    page = Asker(Scene())
    page.scene.health.problems = ("the scheduler has not run for 3 min", "store: page-secret-planted-9f31")

    answer = page.ask("/readyz")

    assert answer.status_code == 503
    assert answer.text == "the scheduler has not run for 3 min\nstore: ***\n"


def test_metrics__are_what_the_daemon_gives_for_what_is_accepted() -> None:
    answer = Asker(Scene()).ask("/metrics", accept="application/openmetrics-text")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text == "# asked for application/openmetrics-text\n"


def test_metrics_at_their_own_address__are_all_that_is_there(tmp_path: Path) -> None:
    scene = Scene()
    page = Asker(scene, app=build_metrics_app(scene.parts(access=Access(), artifacts=tmp_path)))

    assert page.ask("/metrics", accept="text/plain").text == "# asked for text/plain\n"
    assert (page.ask("/").status_code, page.ask("/").text) == (404, "Here is /metrics alone.\n")
    assert page.ask("/healthz").status_code == 404
    assert page.ask("/metrics", method="POST").status_code == 405
    assert page.ask("/metrics", base="http://evil.example").status_code == 421


def test_store_that_can_not_be_read__is_said_to_who_scrapes_and_masked() -> None:
    async def gone(_: str) -> tuple[str, bytes]:
        raise StoreError("store: page-secret-planted-9f31 is gone.")

    scene = Scene()
    page = Asker(scene, app=build_metrics_app(replace(scene.parts(), metrics=gone)))

    assert (page.ask("/metrics").status_code, page.ask("/metrics").text) == (503, "store: *** is gone.\n")


def test_other_commands__import_nothing_of_the_page() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from runners.cli.app import build_app;"
        "CliRunner().invoke(build_app(), ['run', '--help']);"
        f"print([one for one in {HEAVY!r} if one in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert said.stdout.strip() == "[]"
