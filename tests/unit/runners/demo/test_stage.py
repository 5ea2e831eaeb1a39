"""The demonstration's stage: the configuration that it writes, its secrets, and a browser that is missing."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.cli.exits import Exit
from runners.demo import story
from runners.demo.hand import WAYS
from runners.demo.portal_acts import as_long_as_it_takes
from runners.demo.stage import Endpoints, Patience, Stage, write_configuration, write_secrets

RAW: dict[str, Any] = {
    "control": "http://127.0.0.1:1",
    "smtp": {"host": "localhost", "submission_port": 2},
    "imap": {"host": "localhost", "port": 3},
    "ca_file": "ca.pem",
    "desk": {"url": "http://127.0.0.1:4", "token": "desk-secret"},
    "portal": {"url": "http://127.0.0.1:4/", "username": "canary", "password": "portal-secret"},
    "contact_form": {"url": "http://localhost:5/"},
    "accounts": {
        "canary": {"address": "canary@probe.test", "password": "canary-secret"},
        "support": {"address": "support@acme.test", "password": "support-secret"},
    },
}


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    process = subprocess.Popen([sys.executable, "-c", ""], text=True)
    process.wait()
    return Stage(
        process, Endpoints("http://127.0.0.1:1", "support@acme.test", "http://localhost:5/", RAW), tmp_path
    )


def written(stage: Stage, patience: Patience) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(write_configuration(stage, patience).read_text())
    return found


def test_configuration__has_the_three_ways_in(stage: Stage) -> None:
    paths = written(stage, Patience())["paths"]

    assert set(paths) == set(WAYS)
    assert {name: path["channel"] for name, path in paths.items()} == {
        "support-email": "email",
        "support-portal": "portal",
        "contact-form": "form",
    }


def test_configuration__keeps_the_words_of_a_request_and_patterns_with_the_tickets_number(
    stage: Stage,
) -> None:
    paths = written(stage, Patience())["paths"]
    steps = paths["support-portal"]["steps"]
    number = {
        text: re.compile(pattern.strip("/")).search(text)
        for text, pattern in (
            ("[support-7] . help", steps[-1]["confirm"]["text"]),
            ("number support-8.", paths["contact-form"]["confirm"]["text"]),
        )
    }

    assert steps[1] == {"fill": {"label": "Summary of the problem", "with": "{{ subject }}"}}
    assert paths["contact-form"]["fields"]["message"] == "{{ body }}"
    assert [found and found["ticket"] for found in number.values()] == ["7", "8"]


def test_patience__is_what_the_paths_are_told(stage: Stage) -> None:
    paths = written(stage, Patience(deadline_seconds=6, portal_deadline_seconds=9, portal_load_seconds=4))[
        "paths"
    ]

    assert [paths[name]["deadline"] for name in WAYS] == ["6s", "9s", "6s"]
    assert paths["support-portal"]["limits"] == {"load": "4s"}


def test_secrets__are_files_of_the_owner_alone__and_not_in_the_configuration(stage: Stage) -> None:
    write_secrets(stage)
    text = write_configuration(stage, Patience()).read_text()
    files = [*(stage.directory / "secrets").iterdir()]

    assert {file.name for file in files} == {"signing-key", "canary", "support", "desk-token", "portal"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert not any(file.read_text() in text for file in files)


@pytest.mark.parametrize(("measured", "load"), [(0.2, 3), (0.8, 4), (2.6, 11)])
def test_time_for_a_slow_page__is_some_times_a_healthy_one__and_a_launch_has_room_for_it(
    measured: float, load: int
) -> None:
    patience = as_long_as_it_takes(measured)

    assert patience.portal_load_seconds == load
    assert 0.75 * patience.portal_deadline_seconds > load


def test_screenshots__are_looked_for_where_the_prober_keeps_them(stage: Stage) -> None:
    before = stage.has_screenshots
    folder = (
        Path(written(stage, Patience())["prober"]["artifacts"]["directory"]) / "support-portal" / "canary"
    )
    folder.mkdir(parents=True)
    (folder / "screenshot.png").write_bytes(b"")

    assert (before, stage.has_screenshots) == (False, True)


def test_no_browser__is_said_with_the_line_that_installs_it__before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.delenv("INTAKE_PROBER_CHROMIUM", raising=False)

    assert story.main() == Exit.USAGE
    assert "apt-get install -y --no-install-recommends chromium fonts-dejavu-core" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []
