"""Our own files: the spool can be made before it is needed, and nobody else reads tokens or keys."""

from pathlib import Path

import pytest

from probes.contracts import CheckState
from runners import own_files
from runners.own_files import check_own_files, spool_file
from tests.unit.runners.config.examples import FULL, changed, read


def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere: only so is a folder closed to the tests too."""
    real = own_files.why_not_writable
    monkeypatch.setattr(
        own_files, "why_not_writable", lambda one: "Permission denied" if one == folder else real(one)
    )


def test_spool__lies_beside_the_configuration(tmp_path: Path) -> None:
    assert spool_file(read(tmp_path, FULL)) == tmp_path / ".fra-1.spool"


def test_spool__where_the_configuration_is_not_ours__lies_beside_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").mkdir()
    config = read(tmp_path, changed("sqlite:///intake.db", f"sqlite:///{tmp_path}/state/intake.db"))
    closed(tmp_path, monkeypatch)

    assert spool_file(config) == tmp_path / "state" / ".fra-1.spool"


def test_spool_that_can_be_made_nowhere__fails_with_the_true_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_files, "why_not_writable", lambda _: "Permission denied")

    (found,) = (one for one in check_own_files(read(tmp_path, FULL)) if one.name == "spool")

    assert found.state is CheckState.FAIL
    assert "can't be made: Permission denied" in found.finding
    assert str(tmp_path) in found.remedy


def test_store_and_key_that_others_can_read__are_warnings(tmp_path: Path) -> None:
    store, key = tmp_path / "intake.db", tmp_path / "intake.key"
    store.touch(0o644)
    key.write_text("k" * 32)
    key.chmod(0o640)
    text = changed("sqlite:///intake.db", f"sqlite:///{store}").replace(
        "{env: INTAKE_SIGNING_KEY}", "{file: intake.key}"
    )

    found = [one for one in check_own_files(read(tmp_path, text)) if one.state is CheckState.WARN]

    assert [(one.name, one.remedy) for one in found] == [
        ("mode", f"chmod 600 {store}"),
        ("signing_keys.mode", f"chmod 600 {key}"),
    ]


def test_private_files__are_no_warning(tmp_path: Path) -> None:
    store = tmp_path / "intake.db"
    store.touch(0o600)

    found = check_own_files(read(tmp_path, changed("sqlite:///intake.db", f"sqlite:///{store}")))

    assert {one.state for one in found} == {CheckState.OK}
