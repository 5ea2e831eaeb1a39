"""The textfile: replaced as a whole, readable by all, and what is said where it can't be."""

import asyncio
import errno
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runners.telemetry.families import Snapshot
from runners.telemetry.routes import NotPushed
from runners.telemetry.textfile import Textfile, why
from tests.unit.runners.telemetry.test_every_state import SNAPSHOT


def push(file: Path, snapshot: Snapshot = SNAPSHOT) -> None:
    asyncio.run(Textfile(file).push(snapshot))


def failing(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_missing_folder__is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(
        NotPushed, match=r"gone/intake.prom can't be written: its folder does not exist\. Make it"
    ):
        push(tmp_path / "gone" / "intake.prom")


def test_full_disk__keeps_the_old_file_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "intake.prom"
    file.write_text("old\n")

    def full(_: int) -> None:
        raise failing(errno.ENOSPC)

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(NotPushed, match=r"the disk is full\. Free some of it"):
        push(file)

    assert file.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "may not write into its folder"),
        (errno.EROFS, "mounted for reading only"),
        (errno.EISDIR, "it is a folder"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EIO, "input/output error"),
    ],
)
def test_cause__is_said_with_what_to_do(number: int, words: str) -> None:
    said = why(failing(number))

    assert words in said
    assert said.endswith(".")
    assert ". " in said


def test_file__is_whole_and_for_all_to_read_whatever_the_umask(tmp_path: Path) -> None:
    file = tmp_path / "intake.prom"
    before = os.umask(0o077)
    try:
        push(file)
    finally:
        os.umask(before)

    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert text.endswith("\n")
    assert "intake_path_up{" in text
    assert "# EOF" not in text  # the older format, without exemplars and times of birth
    assert "_created" not in text
    assert list(tmp_path.iterdir()) == [file]


def test_thread_that_hung_until_its_push_was_given_up__replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, hangs, may_go_on = tmp_path / "intake.prom", threading.Event(), threading.Event()

    def hang(_: int) -> None:
        hangs.set()
        may_go_on.wait()

    monkeypatch.setattr(os, "fsync", hang)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            pushing = group.create_task(Textfile(file).push(SNAPSHOT))
            while not hangs.is_set():
                await asyncio.wait([pushing], timeout=0.01)
            pushing.cancel()

    asyncio.run(main())
    file.write_text("newer\n")
    [left] = [one for one in threading.enumerate() if one.name == "textfile"]
    may_go_on.set()
    left.join(10)

    assert file.read_text() == "newer\n"
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_run_left__goes_after_an_hour_and_not_before(tmp_path: Path) -> None:
    now = SNAPSHOT.at.timestamp()
    old, young, other = (
        tmp_path / name for name in ("intake.prom.123.abc", "intake.prom.124.def", "node.prom.1.x")
    )
    for file, age in ((old, 7200), (young, 60), (other, 7200)):
        file.write_text("half")
        os.utime(file, (now - age, now - age))

    push(tmp_path / "intake.prom")

    assert {one.name for one in tmp_path.iterdir()} == {"intake.prom", young.name, other.name}


def test_empty_snapshot__empties_the_file(tmp_path: Path) -> None:
    file = tmp_path / "intake.prom"
    file.write_text("old\n")

    push(file, Snapshot(datetime(2026, 3, 2, tzinfo=UTC), (), is_whole=False))

    assert file.read_text() == ""
