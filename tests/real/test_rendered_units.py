"""The rendered units, as systemd's own tools see them; no systemd runs here, so none was started by one."""

import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from runners.deploy.host import Host
from runners.deploy.systemd import render_oneshot, render_service
from tests.real.servers.needed import SYSTEMD
from tests.unit.runners.deploy.scene import PATHS, STORES, config_of, text_of

KEY_FILE = {"{env: INTAKE_SIGNING_KEY}": "{file: intake.key}"}
LIMIT_SECONDS = 60
MOST_EXPOSED = {"mail": 1.6, "browser": 2.4}
"""What systemd-analyze counts: 10 is a service without any of it; below 3 it says OK."""


@pytest.fixture
def units(tmp_path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """The service, the one-shot service and its timer, of a store and paths."""
    SYSTEMD.require()
    store, paths = request.param
    sqlite = "sqlite:////var/lib/intake-prober/intake.db"
    text = text_of(store=sqlite if store == "sqlite" else STORES[store], paths=PATHS[paths], changes=KEY_FILE)
    # A program that is there: systemd-analyze looks for it, and does not ask what it is.
    host = Host(config_of(tmp_path, text), program=PurePosixPath("/bin/true"))
    service, timer = render_oneshot(host, "once")
    files = {
        "intake-prober.service": render_service(host),
        "once.service": service,
        "once.timer": timer,
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return [tmp_path / name for name in files]


MATRIX = [(store, paths) for store in STORES for paths in PATHS]


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )


@pytest.mark.parametrize("units", MATRIX, indirect=True, ids="-".join)
def test_unit__is_one_that_systemd_takes_without_a_word(units: list[Path]) -> None:
    for unit in units:
        checked = analyzed("verify", "--recursive-errors=no", str(unit))

        assert checked.returncode == 0, checked.stderr
        assert unit.name not in checked.stderr


@pytest.mark.parametrize("units", MATRIX[:1], indirect=True, ids="-".join)
def test_wrong_unit__would_be_found(units: list[Path]) -> None:
    units[0].write_text(units[0].read_text().replace("ProtectSystem=strict", "ProtectSystems=strict"))

    assert "ProtectSystems" in analyzed("verify", "--recursive-errors=no", str(units[0])).stderr


@pytest.mark.parametrize("units", MATRIX, indirect=True, ids="-".join)
def test_service__is_exposed_little(units: list[Path], request: pytest.FixtureRequest) -> None:
    most = MOST_EXPOSED["browser" if "browser" in request.node.name else "mail"]
    for unit in units[:2]:
        said = analyzed("security", "--offline=yes", str(unit)).stdout

        level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
        assert level is not None, said
        assert float(level[1]) <= most


@pytest.mark.parametrize("units", MATRIX[:1], indirect=True, ids="-".join)
def test_timer__comes_every_five_minutes_on_the_minute(units: list[Path]) -> None:
    [calendar] = re.findall(r"^OnCalendar=(.*)$", units[2].read_text(), re.MULTILINE)

    said = analyzed("calendar", "--iterations=3", "--base-time=2026-03-02 12:01:00 UTC", calendar).stdout

    assert [one for one in ("12:05:00", "12:10:00", "12:15:00") if one not in said] == []
