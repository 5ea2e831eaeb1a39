"""What every test of the command line needs."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from runners.answer_schemas import ANSWERS
from runners.cli.app import main
from tests.unit.runners.config.examples import ENVIRON


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    def answer(self, kind: str) -> Any:  # noqa: ANN401 -- whatever JSON holds
        """The one JSON object on standard output, of the published shape."""
        (line,) = self.out.splitlines()
        value = json.loads(line)
        return TypeAdapter(ANSWERS[kind]).validate_python(value, strict=True)


Run = Callable[..., Said]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command line in an empty folder, with the examples' environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INTAKE_PROBER_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in ENVIRON.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def call(*words: str) -> Said:
        capsys.readouterr()
        status = main(list(words))
        captured = capsys.readouterr()
        return Said(int(status), captured.out, captured.err)

    yield call
    root.handlers[:] = handlers
    root.setLevel(level)
