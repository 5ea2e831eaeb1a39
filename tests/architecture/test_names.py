"""Names and sizes: one job a file, said in its first line, and nothing of how or where it is developed."""

import ast
import re
from pathlib import Path

import pytest

import canary
from tests.architecture.tree import PACKAGES, ROOT, files, modules

MOST_LINES = 400
MOST_LINES_OF_A_TEST = 600
"""Cases are read one by one; what makes them hard to follow is not their number."""
EMPTY_ROOMS = ("utils", "util", "helpers", "helper", "common", "base", "misc", "part2")
"""A function goes to the noun that it serves; these are no nouns."""
SHIPPED = [one for one in modules() if one.parts[0] in PACKAGES]
TESTS = [one for one in modules() if one.parts[0] == "tests"]
IN_MIGRATIONS = ("runners", "store", "migrations", "versions")

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home)/|/tmp/(?!\.)\w", re.IGNORECASE)
REGISTRIES = re.compile(
    r"files\.pythonhosted\.org|pypi\.org/simple|proxy\.golang\.org|deb\.debian\.org|\bartifactory\b|\bnexus\b",
    re.IGNORECASE,
)
AUTHORSHIP = re.compile(
    r"\b(?:anthropic|claude|chatgpt|copilot|language model|as an ai|prompt engineering)\b",
    re.IGNORECASE,
)
UNFINISHED = re.compile(r"\b(?:FIXME|XXX|HACK)\b|\bTODO\b(?!.*#\d)")
HERE = Path("tests/architecture/test_names.py")

PUBLIC = [
    "CAUSES",
    "Canary",
    "Channel",
    "Evidence",
    "Hop",
    "Judgement",
    "Observation",
    "Outcome",
    "Path",
    "PathName",
    "Reason",
    "Side",
    "Slo",
    "Ticket",
    "TicketRef",
    "Verdict",
    "advance",
    "judge",
    "new_canary",
    "route",
]


@pytest.mark.parametrize("module", modules(), ids=str)
def test_module__is_named_for_a_noun(module: Path) -> None:
    assert module.stem not in EMPTY_ROOMS
    assert not set(module.parent.parts) & set(EMPTY_ROOMS)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_module__has_no_more_lines_than_one_job_needs(module: Path) -> None:
    lines = (ROOT / module).read_text().count("\n")
    most = MOST_LINES_OF_A_TEST if module in TESTS else MOST_LINES

    assert lines <= most, f"{module} has {lines} lines: split it by subject"


@pytest.mark.parametrize("module", [one for one in SHIPPED if one.parts[:4] != IN_MIGRATIONS], ids=str)
def test_module__says_its_one_job_in_its_first_line(module: Path) -> None:
    said = ast.get_docstring(ast.parse((ROOT / module).read_text()))

    assert said, f"{module} does not say what it is for"
    assert said.splitlines()[0].endswith((".", "?", "…")), f"{module}: {said.splitlines()[0]}"


@pytest.mark.parametrize("module", [one for one in TESTS if one.name.startswith("test_")], ids=str)
def test_test__states_a_behaviour_in_its_name(module: Path) -> None:
    source = (ROOT / module).read_text()
    found = [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]

    assert found or "from tests.contracts" in source, f"{module} tests nothing"
    assert not [name for name in found if "__" not in name.removeprefix("test_")], "given__when__then"


@pytest.mark.parametrize("module", TESTS, ids=str)
def test_folder_of_tests__is_a_package(module: Path) -> None:
    assert (ROOT / module.parent / "__init__.py").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_package__ships_its_types(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize("file", [one for one in files() if one != HERE], ids=str)
def test_file__speaks_of_the_project_alone(file: Path) -> None:
    text = (ROOT / file).read_text()

    for what, pattern in (
        ("a path of some machine", MACHINE_PATHS),
        ("a registry's host", REGISTRIES),
        ("how it is developed", AUTHORSHIP),
        ("what is unfinished, without an issue", UNFINISHED),
    ):
        found = pattern.search(text)
        assert found is None, f"{file}:{text[: found.start()].count(chr(10)) + 1}: {what}: {found.group()}"


def test_front_door_of_the_domain__is_what_it_was() -> None:
    assert canary.__all__ == PUBLIC
