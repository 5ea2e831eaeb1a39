"""The demo's browser is found, or installed by root; else one line says how, before anything has started."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox import ROOT

LINE = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core"


@dataclass(frozen=True)
class Machine:
    """A machine that has these programs alone."""

    path: Path

    def has(self, name: str, text: str = "exit 0") -> Path:
        program = self.path / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        return program

    def look(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 -- our own script
            ["/bin/sh", ROOT / "tests" / "setup" / "browser.sh"],
            env={"PATH": str(self.path), "HOME": str(self.path), **environment},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    @property
    def installed(self) -> str:
        log = self.path / "apt.log"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.has("id", "echo 1000")
    made.has("apt-get", f'echo "$@" >>{tmp_path}/apt.log')
    return made


def test_no_browser_and_no_root__says_the_line_and_ends_with_2(machine: Machine) -> None:
    result = machine.look()

    assert result.returncode == 2
    assert result.stderr.endswith(f"As root: {LINE}\n")
    assert machine.installed == ""


def test_no_browser_and_root__installs_the_packages(machine: Machine) -> None:
    machine.has("id", "echo 0")

    assert machine.look().returncode == 0
    assert machine.installed == f"update -qq\n{LINE.removeprefix('apt-get ')}\n"


def test_failed_install__says_the_line_and_ends_with_2(machine: Machine) -> None:
    machine.has("id", "echo 0")
    machine.has("apt-get", "exit 100")

    result = machine.look()

    assert result.returncode == 2
    assert LINE in result.stderr


def test_root_without_apt__says_the_line_and_ends_with_2(machine: Machine) -> None:
    machine.has("id", "echo 0")
    (machine.path / "apt-get").unlink()

    result = machine.look()

    assert (result.returncode, LINE in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
def test_browser_of_the_system__is_taken(machine: Machine, name: str) -> None:
    machine.has(name)

    assert (machine.look().returncode, machine.installed) == (0, "")


def test_browser_of_playwright__is_taken(machine: Machine) -> None:
    folder = machine.path / ".cache" / "ms-playwright" / "chromium-1200" / "chrome-linux"
    folder.mkdir(parents=True)
    Machine(folder).has("chrome")

    assert machine.look().returncode == 0


def test_named_browser__is_taken(machine: Machine) -> None:
    named = machine.has("my-browser")

    assert machine.look(INTAKE_PROBER_CHROMIUM=str(named)).returncode == 0


def test_named_browser_that_is_not_there__is_said_by_its_name__and_no_other_taken(machine: Machine) -> None:
    machine.has("chromium")

    result = machine.look(INTAKE_PROBER_CHROMIUM="/no/such/browser")

    assert result.returncode == 2
    assert "/no/such/browser" in result.stderr
    assert machine.installed == ""
