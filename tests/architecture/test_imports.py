"""Imports point one way: the contracts of the import linter, and the habit of importing absolutely."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, modules

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
LINT_SECONDS = 120


def test_contracts_of_the_import_linter__are_all_kept(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))",
    ]

    linted = subprocess.run(  # noqa: S603 -- our own interpreter and arguments
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LINT_SECONDS,
        check=False,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "COLUMNS": "120"},
    )

    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in linted.stdout


@pytest.mark.parametrize(
    "name",
    [
        "imports point down",
        "the domain does no IO",
        "the sandbox shares no line with the prober",
        "nobody imports the sandbox",
        "store and alerts know no probe",
        "dashboards speak to nobody",
    ],
)
def test_contract__is_still_among_those_that_are_linted(name: str) -> None:
    assert name in {one["name"] for one in CONTRACTS}


@pytest.mark.parametrize("module", modules(), ids=str)
def test_module__imports_absolutely_and_nobodys_private_names(module: Path) -> None:
    for node in ast.walk(ast.parse((ROOT / module).read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            ours = (node.module or "").split(".")[0] in {
                "canary",
                "probes",
                "runners",
                "dashboards",
                "sandbox",
                "tests",
            }
            private = [alias.name for alias in node.names if alias.name.startswith("_")]
            assert not (ours and private), f"{module}:{node.lineno}: {private} of {node.module} is private"
