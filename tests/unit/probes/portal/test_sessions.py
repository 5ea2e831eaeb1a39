"""Log-ins that are kept: where, for whom, and how they are lost."""

import stat
from pathlib import Path

import pytest

from probes.portal.sessions import Sessions
from probes.portal.settings import Session
from tests.fakes.world import KEY

STATE = {
    "cookies": [{"name": "sid", "value": "c00kie-1a2b", "domain": "portal.test", "path": "/"}],
    "origins": [
        {"origin": "https://portal.test", "localStorage": [{"name": "token", "value": "t0ken-3c4d"}]}
    ],
}
OTHER_KEY = b"f" * 32


def test_session_file__is_read_again_by_the_next_process_of_the_same_key(tmp_path: Path) -> None:
    assert Sessions(tmp_path, key=KEY).keep("portal", Session.FILE, STATE) == ""

    assert Sessions(tmp_path, key=KEY).kept("portal", Session.FILE) == STATE
    assert Sessions(tmp_path, key=KEY).kept("other", Session.FILE) is None


def test_session_file__is_ours_alone__and_shows_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "sessions"
    Sessions(directory, key=KEY).keep("portal", Session.FILE, STATE)

    (file,) = directory.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    content = file.read_bytes()
    assert not [word for word in (b"sid", b"c00kie", b"portal.test", b"t0ken", b"cookies") if word in content]


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_session_file_that_is_spoilt__is_as_none(tmp_path: Path, content: bytes | None) -> None:
    sessions = Sessions(tmp_path, key=KEY)
    sessions.keep("portal", Session.FILE, STATE)
    file = tmp_path / "portal.session"
    file.write_bytes(file.read_bytes()[:-20] if content is None else content)

    assert sessions.kept("portal", Session.FILE) is None


def test_session_file_that_is_gone__is_as_none(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, key=KEY)
    sessions.keep("portal", Session.FILE, STATE)
    (tmp_path / "portal.session").unlink()

    assert sessions.kept("portal", Session.FILE) is None


def test_session_file_of_another_key__is_as_none(tmp_path: Path) -> None:
    Sessions(tmp_path, key=OTHER_KEY).keep("portal", Session.FILE, STATE)

    assert Sessions(tmp_path, key=KEY).kept("portal", Session.FILE) is None


def test_session_in_memory__touches_no_disk__and_ends_with_the_process(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, key=KEY)
    assert sessions.keep("portal", Session.MEMORY, STATE) == ""

    assert sessions.kept("portal", Session.MEMORY) == STATE
    assert list(tmp_path.iterdir()) == []
    assert Sessions(tmp_path, key=KEY).kept("portal", Session.MEMORY) is None


def test_no_session__keeps_nothing(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, key=KEY)
    sessions.keep("portal", Session.NONE, STATE)

    assert sessions.kept("portal", Session.NONE) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", [Session.MEMORY, Session.FILE])
def test_forgotten_session__is_gone__and_forgetting_may_be_repeated(tmp_path: Path, how: Session) -> None:
    sessions = Sessions(tmp_path, key=KEY)
    sessions.keep("portal", how, STATE)
    sessions.keep("other", how, STATE)

    sessions.forget("portal")
    sessions.forget("portal")

    assert sessions.kept("portal", how) is None
    assert sessions.kept("other", how) == STATE


def test_directory_that_can_t_be_written__is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    said = Sessions(tmp_path / "file", key=KEY).keep("portal", Session.FILE, STATE)

    assert said.startswith(f"the session can't be kept in {tmp_path}/file: ")
