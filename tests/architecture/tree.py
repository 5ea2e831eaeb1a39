"""The files of the project, as git would keep them: the tests of the architecture go over these."""

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("canary", "probes", "runners", "dashboards", "sandbox")
_OURS = (*PACKAGES, "tests", "benchmarks", "docs")
_TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".sh", ".txt", ".cfg", ".html", ".mako", ""}
_GENERATED = {"__pycache__", ".venv", ".git"}


@cache
def files() -> tuple[Path, ...]:
    """Every text file of ours, by its path below the root, without what tools leave behind."""
    found = [one for one in ROOT.iterdir() if one.is_file() and not one.name.startswith(".env")]
    for folder in (*_OURS, ".ci", ".github"):
        found += [one for one in (ROOT / folder).rglob("*") if one.is_file()]
    return tuple(
        sorted(
            one.relative_to(ROOT)
            for one in found
            if one.suffix in _TEXT
            and not _GENERATED & set(one.parts)
            and not any(part.startswith(".") and part.endswith("_cache") for part in one.parts)
        )
    )


@cache
def modules() -> tuple[Path, ...]:
    """Every Python module of the packages and the tests."""
    return tuple(one for one in files() if one.suffix == ".py")
