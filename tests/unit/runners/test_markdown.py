"""Markdown out of texts that anybody may have written."""

import pytest

from runners.markdown import code, escaped, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a | b", r"a \| b"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("<img src=x onerror=y>", r"\<img src=x onerror=y\>"),
        ("[a](http://b.example)", r"\[a\](http\://b.example)"),
        ("two\nlines\r\n|cell", r"two lines \|cell"),
        ("mailbox_full *now*", r"mailbox\_full \*now\*"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_text_that_means_something_to_markdown__is_text(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a|b", "`a¦b`"), ("a\nb", "`a b`"), ("", "")],
)
def test_code__holds_any_text(text: str, expected: str) -> None:
    assert code(text) == expected


def test_table__has_a_row_a_line() -> None:
    assert list(table(("a", "b"), [("1", escaped("2|3"))])) == ["| a | b |", "|---|---|", r"| 1 | 2\|3 |"]
