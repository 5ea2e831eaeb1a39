"""The exact versions that the project is tested with: each within its range, none with an address."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.architecture.tree import ROOT

PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+]+)")
OURS = "intake-prober"


def ranges() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in chain(project["dependencies"], *project["optional-dependencies"].values()):
        one = Requirement(text)
        if one.name != OURS:
            yield one


def pinned() -> dict[str, Version]:
    found = [PIN.fullmatch(line) for line in PINS]
    return {canonicalize_name(one["name"]): Version(one["version"]) for one in found if one is not None}


def test_every_line__is_a_name_and_an_exact_version_without_an_address() -> None:
    assert [line for line in PINS if PIN.fullmatch(line) is None] == []


def test_names__are_sorted_and_each_is_there_once() -> None:
    names = [line.partition("==")[0].lower() for line in PINS]

    assert names == sorted(set(names))


@pytest.mark.parametrize("wanted", list(ranges()), ids=lambda one: one.name)
def test_dependency__is_pinned_within_its_range(wanted: Requirement) -> None:
    version = pinned().get(canonicalize_name(wanted.name))

    assert version is not None, f"constraints.txt has no {wanted.name}"
    assert wanted.specifier.contains(version), f"{wanted.name} {version} is not within {wanted.specifier}"


@pytest.mark.parametrize("wanted", list(ranges()), ids=lambda one: one.name)
def test_dependency__has_a_lowest_version(wanted: Requirement) -> None:
    assert {one.operator for one in wanted.specifier} & {">=", "==", "~="}
