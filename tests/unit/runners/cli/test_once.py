"""A run that was answered keeps its answer and its status, whatever becomes of the store."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import TypeAdapter

from canary.path import PathName
from canary.signature import CanaryId
from runners.answer_schemas import ANSWERS
from runners.cli import once as module
from runners.cli.options import Options
from runners.contracts import Leftover, RemovalKind, StoreError
from runners.oneshot import RunOptions, RunResult
from tests.fakes.clock import START
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


def test_leftover__is_in_the_answer_and_the_last_line_and_leaves_the_status_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [
        Leftover(
            CanaryId("c" * 26),
            PathName("support-email"),
            RemovalKind.TICKET,
            "desk",
            str(number),
            attempts=1,
            next_at=START,
            since=START,
            detail="answered 403",
        )
        for number in range(5)
    ]

    async def run(*words: Any) -> None:  # noqa: ANN401 -- as `_run`
        words[-1](RunResult((), (), (), leftovers=tuple(left)))

    monkeypatch.setattr(module, "_run", run)
    with pytest.raises(typer.Exit) as end:
        module.once(Options(as_json=True), read(tmp_path, FULL), RunOptions())

    said = capsys.readouterr()
    answer: Any = TypeAdapter(ANSWERS["run"]).validate_python(json.loads(said.out), strict=True)
    assert (end.value.exit_code, answer["exit"]) == (0, 0)
    assert [(one["place"], one["what"], one["detail"]) for one in answer["leftovers"]][:1] == [
        ("desk", "0", "answered 403")
    ]
    assert "5 leftovers wait to be removed: desk: ticket 0 (answered 403)" in said.err
    assert "and 2 more" in said.err
    assert "intake-prober audit" in said.err
