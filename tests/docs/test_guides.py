"""The guides' examples are configurations: whole paths load as they stand, and parts of one parse."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.config.reading import read_tree
from tests.docs.pages import text_of
from tests.unit.runners.config.examples import FULL, read

GUIDES = tuple(Path(f"docs/guides/{name}.md") for name in ("portal", "form", "alerts", "page", "incidents"))
ONE_MORE_DESK = 'ticketing:\n  rt: {type: rt, url: "https://rt.acme.example/", token: {env: DESK_TOKEN}}\n'


@dataclass(frozen=True)
class Example:
    """A block of YAML on a page."""

    page: Path
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.page.stem} {self.number}"

    @property
    def paths(self) -> set[str]:
        return set(re.findall(r"^  ([\w-]+):$", self.text, re.MULTILINE)) if self.is_whole else set()

    @property
    def is_whole(self) -> bool:
        return self.text.startswith("paths:\n")


def examples() -> list[Example]:
    block = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        Example(page, number, text)
        for page in GUIDES
        for number, text in enumerate(block.findall(text_of(page)), 1)
    ]


EXAMPLES = examples()


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.is_whole], ids=str)
def test_path_of_a_guide__loads_as_it_stands(tmp_path: Path, example: Example) -> None:
    text = FULL.replace("ticketing:\n", ONE_MORE_DESK, 1).replace("paths:\n", example.text, 1)

    config = read(tmp_path, text, needs_secrets=False)

    assert {str(one) for one in config.paths} == {"support-email", *example.paths}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_part_of_a_configuration__is_right_yaml(example: Example) -> None:
    assert read_tree(str(example), example.text).errors == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide__has_whole_paths(page: Path) -> None:
    assert len([one for one in EXAMPLES if one.page == page and one.is_whole]) >= 2
