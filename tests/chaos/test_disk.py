"""A store that can't be written: the run says so with the remedy, exits 3, and sends nothing that it could not record."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.intake import Intake, left_of, new_intake, tell_until_clean
from tests.real.servers.needed import SMALL_DISK
from tests.sandbox import Sandbox, start_sandbox

DISK_BYTES = 1024 * 1024


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("disk") / "sandbox") as running:
        yield running


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A file system of a mebibyte."""
    SMALL_DISK.require()
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)],
        check=True,
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> None:
    """Write until not a byte is free."""
    with (place / "filler").open("wb", buffering=0) as file:
        for size in (65536, 512, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def intake_on(disk: Path, sandbox: Sandbox) -> Intake:
    return new_intake(disk / "prober", sandbox.endpoints)


def test_full_disk__before_the_run__is_said_and_nothing_is_sent(tmp_path: Path, sandbox: Sandbox) -> None:
    with small_disk(tmp_path / "disk") as disk:
        intake = intake_on(disk, sandbox)
        assert intake.tell("run").exit == 0
        before = len(sandbox.tickets())
        fill(disk)

        answer = intake.tell("run")

        assert answer.exit == 3
        assert "disk" in str(answer.said["errors"])
        (disk / "filler").unlink()
        tell_until_clean(intake)
        assert len(sandbox.tickets()) == before


def test_disk_that_fills_while_a_canary_is_out__is_said__and_the_next_run_settles_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        intake = intake_on(disk, sandbox)
        process = intake.start("--json", "run")
        assert process.stderr is not None
        for line in process.stderr:
            if '"hop": "smtp.connect"' in line:
                break
        fill(disk)
        said, notes = process.communicate(timeout=120)

        assert process.returncode == 3, notes
        assert "Traceback" not in notes
        assert said.strip()
        (disk / "filler").unlink()
        tell_until_clean(intake)
        [canary] = intake.tell("canaries").said["canaries"]
        assert canary["verdict"] in {"confirmed", "inconclusive"}
        assert left_of(sandbox, [canary["id"]]) == []


def test_store_that_is_garbage__is_said_and_left_alone(tmp_path: Path, sandbox: Sandbox) -> None:
    intake = new_intake(tmp_path, sandbox.endpoints)
    store = tmp_path / "intake.db"
    store.write_bytes(os.urandom(8192))
    garbage, before = store.read_bytes(), len(sandbox.tickets())

    answer = intake.tell("run")

    assert (answer.exit, store.read_bytes()) == (3, garbage)
    assert "intake.db" in str(answer.said) + answer.notes
    assert len(sandbox.tickets()) == before


def test_directory_that_is_missing__is_named(tmp_path: Path, sandbox: Sandbox) -> None:
    changes = {"prober": {"store": f"sqlite:///{tmp_path}/nowhere/intake.db"}}
    intake = new_intake(tmp_path, sandbox.endpoints, changes)

    answer = intake.tell("run")

    assert answer.exit == 3
    assert "nowhere" in str(answer.said) + answer.notes
