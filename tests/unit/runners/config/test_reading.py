"""YAML that is no configuration is told, at its place, never thrown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.errors import ConfigErrors
from runners.config.load import load
from runners.config.reading import read_tree
from tests.unit.runners.config.examples import ENVIRON, FULL


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty"),
        ("# nothing\n", 1, 1, "the file is empty"),
        ("- a\n", 1, 1, "the file is not a mapping"),
        ("a\n", 1, 1, "the file is not a mapping"),
        ("prober:\n\tname: x\n", 2, 1, "this is not YAML: a tab can't indent YAML"),
        ("prober: {name: x\n", 2, 1, "this is not YAML: expected ',' or '}', but got '<stream end>'"),
        ('a: "\\d"\n', 1, 6, "this is not YAML: found unknown escape character 'd'"),
        ("prober: &a {}\n", 1, 9, "anchors (&) are not supported"),
        ("prober: *a\n", 1, 9, "aliases (*) are not supported"),
        ("prober: !!python/object:os.system x\n", 1, 9, "tags (!) are not supported"),
        ("a: 1\n---\nb: 2\n", 2, 1, "there is a second document"),
        ("{a: 1}: 2\n", 1, 1, "a key must be a word"),
        ("prober: {name: a, name: b}\n", 1, 19, "the key name stands here for the second time"),
        ("prober: \x07\n", 1, 9, "the character U+0007 is not allowed in YAML"),
        ("a: " + "[" * 40, 1, 33, "it is nested too deeply"),
        ('prober: {name: "\\ud800"}\n', 1, 16, "\\uD800 is half a character (a surrogate)"),
        ('prober:\n  "x\\udfff": 1\n', 2, 3, "\\uDFFF is half a character (a surrogate)"),
        ('paths: ["\\ud83d\\ude00"]\n', 1, 9, "\\uD83D is half a character (a surrogate)"),
        ('a: 1\nb: "\\U00110000"\n', 2, 5, "this is not YAML: there is no character of this number"),
        ('a: "\\Uffffffff"\n', 1, 5, "this is not YAML: there is no character of this number"),
    ],
)
def test_text_that_is_no_configuration__is_told_at_its_place(
    tmp_path: Path, text: str, line: int, column: int, message: str
) -> None:
    file = tmp_path / "intake.yaml"
    file.write_text(text)

    with pytest.raises(ConfigErrors) as caught:
        load(file, environ=ENVIRON)

    assert (line, column, message) in [(one.line, one.column, one.message) for one in caught.value.errors]


def test_bytes_that_are_no_utf8__are_told_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "intake.yaml"
    file.write_bytes(b"prober:\n  name: \xff\n")

    with pytest.raises(ConfigErrors) as caught:
        load(file, environ=ENVIRON)

    (error,) = caught.value.errors
    assert (error.line, error.column, error.message) == (2, 9, "the file is not UTF-8")


def test_words_of_yaml_1_1__stay_words() -> None:
    tree = read_tree("f", "a: no\nb: on\nc: 10:30\nd: 0o17\ne: true\nf: ~\ng: 12\nh: 1.5\ni: '12'\n")

    assert tree.value == {
        "a": "no",
        "b": "on",
        "c": "10:30",
        "d": "0o17",
        "e": True,
        "f": None,
        "g": 12,
        "h": 1.5,
        "i": "12",
    }
    assert tree.errors == []


@given(st.text(max_size=300))
def test_any_text__is_read_without_a_traceback(text: str) -> None:
    tree = read_tree("f", text)

    assert tree.value is None or tree.errors or tree.values


_FRAGMENTS = sorted(
    {
        *FULL.replace("{", " { ").replace("}", " } ").replace("[", " [ ").split(),
        "\n",
        "\n  ",
        "\t",
        "- ",
        "&a",
        "*a",
        "~",
    }
)


@given(data=st.data())
def test_damaged_configuration__is_loaded_or_told(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    begin = data.draw(st.integers(0, len(FULL)))
    end = data.draw(st.integers(begin, min(len(FULL), begin + 40)))
    middle = data.draw(st.lists(st.sampled_from(_FRAGMENTS), max_size=4).map(" ".join) | st.text(max_size=8))
    file = tmp_path_factory.mktemp("damaged", numbered=True) / "intake.yaml"
    file.write_bytes((FULL[:begin] + middle + FULL[end:]).encode("utf-8", "surrogatepass"))

    assert _outcome(file)


def _outcome(file: Path) -> object:
    """The paths, or the mistakes: never nothing, never another exception."""
    try:
        return load(file, environ=ENVIRON).paths
    except ConfigErrors as errors:
        return errors.errors
