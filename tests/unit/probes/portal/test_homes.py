"""The browser's folder: what earlier probers left goes, what is somebody's stays."""

import asyncio
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from probes.portal.homes import make_home, remove_left
from tests.fakes.clock import FakeClock


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Not pytest's own folder, whose name is too long for a browser's socket."""
    with tempfile.TemporaryDirectory(prefix="h-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def left(place: Path, name: str) -> Path:
    folder = place / f"intake-browser-{name}"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "lock").touch()
    return folder


def test_home__is_ours_alone__and_goes(place: Path) -> None:
    home = make_home()
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700

    asyncio.run(home.remove(clock=FakeClock()))

    assert list(place.iterdir()) == []


def test_home_of_a_prober_that_lives__stays(place: Path) -> None:
    home = make_home()

    remove_left(FakeClock())

    assert list(place.iterdir()) == [home.folder]
    asyncio.run(home.remove(clock=FakeClock()))


def test_home_that_is_left__goes__and_what_has_another_name_stays(place: Path) -> None:
    left(place, "a")
    (place / "other").mkdir()

    remove_left(FakeClock())

    assert [one.name for one in place.iterdir()] == ["other"]


def test_home_without_a_lock__stays_for_an_hour__as_somebody_may_be_making_it(place: Path) -> None:
    clock = FakeClock()
    folder = place / "intake-browser-b"
    folder.mkdir()
    os.utime(folder, (clock.now().timestamp(),) * 2)

    clock.step(3599)
    remove_left(clock)
    assert folder.exists()

    clock.step(2)
    remove_left(clock)
    assert not folder.exists()


def test_link_of_such_a_name__is_not_followed(place: Path) -> None:
    """Anybody may lay one among temporary files; a lock at its end would be emptied."""
    aside = place / "aside"
    aside.mkdir()
    (aside / "lock").write_text("not ours to empty")
    (place / "intake-browser-c").symlink_to(aside)

    remove_left(FakeClock())

    assert (aside / "lock").read_text() == "not ours to empty"


def test_folder_of_another_account__is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = left(place, "d")
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)  # only root could give the folder away

    remove_left(FakeClock())

    assert folder.exists()


def test_lock_that_another_process_holds__keeps_the_folder(place: Path) -> None:
    folder = left(place, "e")
    with FileLock(folder / "lock"):
        remove_left(FakeClock())
        assert folder.exists()
    remove_left(FakeClock())
    assert not folder.exists()
