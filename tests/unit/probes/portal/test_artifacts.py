"""Evidence on disk: who may read it, how long it stays, and what a full disk costs."""

import asyncio
import errno
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.canary import Canary, Token, new_canary
from canary.path import PathName
from canary.signature import mint_id, mint_token
from probes.portal.artifacts import Artifacts
from probes.portal.settings import ArtifactSettings
from tests.fakes.clock import FakeClock
from tests.fakes.world import KEY, SENDER, email_path


def canary(number: int, clock: FakeClock, path: str = "portal") -> Canary:
    of = replace(email_path(), name=PathName(path))
    canary_id = mint_id(clock.now(), number.to_bytes(4))
    token = Token(mint_token(canary_id, of.name, KEY))
    return new_canary(of, canary_id=canary_id, token=token, marker="m", sender=SENDER, prober="fra-1")


def save(artifacts: Artifacts, of: Canary, files: dict[str, bytes]) -> tuple[dict[str, str], str]:
    written, trouble = asyncio.run(artifacts.save(of, files))
    return dict(written), trouble


def test_evidence__is_for_our_own_account_only__whatever_umask_there_is(tmp_path: Path) -> None:
    clock = FakeClock()
    one, directory = canary(1, clock), tmp_path / "evidence"
    before = os.umask(0)
    try:
        written, trouble = save(
            Artifacts(ArtifactSettings(directory), clock=clock), one, {"console.txt": b"x"}
        )
    finally:
        os.umask(before)

    assert (written, trouble) == ({"console.txt": f"portal/{one.id}/console.txt"}, "")
    modes = {
        str(path.relative_to(tmp_path)): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")
    }
    assert modes == {
        "evidence": 0o700,
        "evidence/portal": 0o700,
        f"evidence/portal/{one.id}": 0o700,
        f"evidence/portal/{one.id}/console.txt": 0o600,
    }


@given(
    saved=st.lists(
        st.tuples(st.integers(0, 400), st.floats(0, 90), st.sampled_from(["portal", "other"])), max_size=12
    ),
    most=st.integers(1, 5),
    most_bytes=st.integers(200, 1500),
    age_seconds=st.floats(1, 300),
)
def test_evidence__stays_within_number_age_and_size__and_the_newest_stays(
    saved: list[tuple[int, float, str]], most: int, most_bytes: int, age_seconds: float
) -> None:
    clock = FakeClock()
    with TemporaryDirectory() as directory:
        settings = ArtifactSettings(
            Path(directory) / "e", most=most, age_seconds=age_seconds, most_bytes=most_bytes
        )
        artifacts = Artifacts(settings, clock=clock)
        at: dict[str, tuple[float, int]] = {}
        for number, (size, pause, path) in enumerate(saved):
            clock.advance(pause)
            one = canary(number, clock, path)
            written, trouble = artifacts._save(one, {"trace.zip": b"x" * size}, clock.now())
            at[one.id] = (clock.now().timestamp(), size)

            left = {folder.name for folder in settings.directory.glob("*/*")}
            assert len(left) <= most
            assert sum(at[name][1] for name in left) <= most_bytes
            assert all(clock.now().timestamp() - at[name][0] <= age_seconds for name in left)
            assert (one.id in left) == bool(written) == (size <= most_bytes)
            assert bool(trouble) == (size > most_bytes)


def test_forgetting__needs_no_new_evidence(tmp_path: Path) -> None:
    clock = FakeClock()
    artifacts = Artifacts(ArtifactSettings(tmp_path / "e", age_seconds=60), clock=clock)
    save(artifacts, canary(1, clock), {"console.txt": b"x"})
    clock.advance(61)

    asyncio.run(artifacts.forget())

    assert list((tmp_path / "e").iterdir()) == []


def test_forgetting__removes_nothing_of_others(tmp_path: Path) -> None:
    clock = FakeClock()
    for foreign in ("home/letters/will.txt", f"portal/{'a' * 16}/photo.jpg", "portal/notes/trace.zip"):
        file = tmp_path / foreign
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("theirs")
        os.utime(file.parent, (0, 0))
    aside = tmp_path / "aside"
    aside.mkdir()
    (tmp_path / "portal" / ("b" * 16)).symlink_to(aside)
    before = sorted(tmp_path.rglob("*"))

    artifacts = Artifacts(ArtifactSettings(tmp_path, most=0, age_seconds=1, most_bytes=0), clock=clock)
    asyncio.run(artifacts.forget())

    assert sorted(tmp_path.rglob("*")) == before


def test_directory_that_is_not_there__is_no_trouble_to_forget_in(tmp_path: Path) -> None:
    artifacts = Artifacts(ArtifactSettings(tmp_path / "nowhere"), clock=FakeClock())

    asyncio.run(artifacts.forget())

    assert not (tmp_path / "nowhere").exists()


def test_full_disk__costs_what_no_longer_fits__and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file system's own answer is tried in tests/real; here the second file meets it."""
    clock = FakeClock()
    opened = os.open

    def full(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("trace.zip.part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    one = canary(1, clock)
    written, trouble = save(
        Artifacts(ArtifactSettings(tmp_path), clock=clock),
        one,
        {"screenshot.png": b"s", "trace.zip": b"t", "console.txt": b"c"},
    )

    assert list(written) == ["screenshot.png"]
    assert trouble == f"evidence can't be kept in {tmp_path}: No space left on device"
    assert [file.name for file in (tmp_path / "portal" / one.id).iterdir()] == ["screenshot.png"]


def test_directory_that_is_a_file__is_said(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "file").write_text("x")

    written, trouble = save(
        Artifacts(ArtifactSettings(tmp_path / "file"), clock=clock), canary(1, clock), {"console.txt": b"x"}
    )

    assert written == {}
    assert "Not a directory" in trouble or "File exists" in trouble


def test_evidence_of_nothing__writes_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.step(timedelta(days=-1).total_seconds())

    assert save(Artifacts(ArtifactSettings(tmp_path / "e"), clock=clock), canary(1, clock), {}) == ({}, "")
    assert not (tmp_path / "e").exists()
