"""A run that was answered keeps its answer and its status, whatever becomes of the store."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer

from runners.cli import once as module
from runners.cli.options import Options
from runners.contracts import StoreError
from runners.oneshot import RunOptions, RunResult
from tests.unit.runners.config.examples import FULL, read


def ended(folder: Path, monkeypatch: pytest.MonkeyPatch, *, has_answered: bool) -> int:
    """The status of a run whose store fails in the end."""

    async def run(*words: Any) -> None:  # noqa: ANN401 -- as `_run`
        if has_answered:
            words[-1](RunResult((), (), ()))
        raise StoreError("the disk is full. Free some of it.")

    monkeypatch.setattr(module, "_run", run)
    config = read(folder, FULL)
    with pytest.raises(typer.Exit) as end:
        module.once(Options(as_json=True), config, RunOptions())
    return end.value.exit_code


def test_store_that_fails_after_the_answer__changes_neither_answer_nor_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = ended(tmp_path, monkeypatch, has_answered=True)

    said = capsys.readouterr()
    assert (status, json.loads(said.out)["exit"]) == (0, 0)
    assert "after the run: the disk is full. Free some of it." in said.err


def test_store_that_fails_before__is_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = ended(tmp_path, monkeypatch, has_answered=False)

    assert status == 3
    assert "the disk is full" in capsys.readouterr().out
