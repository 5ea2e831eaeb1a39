"""A configuration without its comments says the same, and nothing else."""

from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from runners.config.starter import write_starter
from runners.deploy.comments import without_comments

LINES = st.sampled_from(
    [
        "a: 1",
        "b: 'x # y'  # one",
        'c: "#"',
        "# two",
        "  # three",
        "d: |  # four",
        "e: >-",
        "f: |+",
        "  text  # stays",
        "  # stays, too",
        "",
        "g: [1,  # five",
        "  2]",
        "h: &x#y z#w",
        "i: *x#y",
        "- 1 # six",
        "--- # seven",
        "j: # eight",
        "  k: ü # neun",
    ]
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("# one\na: 1 # two\n  # three\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1\n\n# one\n\nb: 2 # end", "a: 1\n\n\nb: 2"),
        ("a: 'x # y'  # one\nb: z#w\n", "a: 'x # y'\nb: z#w\n"),
        ("a: |  # one\n  x # stays\n  # stays\n# two\nb: 2\n", "a: |\n  x # stays\n  # stays\nb: 2\n"),
        ("# one\r\na: 1 # two\r\n", "a: 1\r\n"),
        ("a: &x 1 # one\nb: *x # two\n", "a: &x 1\nb: *x\n"),
        ("# one\N{LINE SEPARATOR}a: 1\n", "a: 1\n"),
        ("# one", ""),
    ],
)
def test_comments__are_gone_and_all_else_stays_to_the_letter(text: str, left: str) -> None:
    assert without_comments(text) == left


def test_comment__without_which_a_text_would_end_in_more_blank_lines__leaves_its_bare_sign() -> None:
    assert without_comments("a: |+\n  x\n\n# one\n\nb: 2\n") == "a: |+\n  x\n\n#\n\nb: 2\n"


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_any_document__means_the_same_without_them(text: str) -> None:
    try:
        meant = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        assume(False)

    left = without_comments(text)

    assert list(yaml.safe_load_all(left)) == meant
    assert without_comments(left) == left
    # what is indented may be the text of a block, in which a sign is a sign
    may_be_text = ("three", "neun") if "|" in text or ">" in text else ()
    words = {"one", "two", "three", "five", "six", "seven", "eight", "neun"} - set(may_be_text)
    assert not any(word in left for word in words)


def test_configuration_that_init_writes__says_the_same_without_them(tmp_path: Path) -> None:
    file = tmp_path / "intake.yaml"
    write_starter(file, randomness=bytes)
    text = file.read_text()

    left = without_comments(text)

    assert yaml.safe_load(left) == yaml.safe_load(text)
    assert "# " in text
    assert "# " not in left
