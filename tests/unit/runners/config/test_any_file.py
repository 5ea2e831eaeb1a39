"""Whatever a file says, loading it ends with a configuration or with mistakes that have a place, never otherwise."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runners.config.examples import mistakes, read
from tests.unit.runners.config.examples_web import CASE, FORM, JSON, PARSE, PORTAL, portal_file

WHOLE = PORTAL + FORM + JSON + CASE + PARSE
WORDS = (
    "true", "null", "[]", "{}", "[[]]", "0", "-1", "1e999", "''", "'{{'", "'{{ subject }}'", "/(/", "//", "/[[a]/",
    "/a{99999999999}/", "{env: A}", "{totp: 1}", "https://[", "http://é.example:0/", "'\\x00'", "email", "portal",
    "form", "json", "html", "main", "- a", "? b", "{label: x}", "{text: /x/, url: /y/}", "9" * 400, "\u00e9\u202e", "1h",
    '"\\ud800"', '"\\U00110000"',
)  # fmt: skip


def outcome(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        portal_file(Path(folder), "")
        found = mistakes(Path(folder), text)
    assert all(one.line and one.column and one.message for one in found)


def whole() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return portal_file(Path(folder), WHOLE).splitlines()


LINES = whole()


def _without_line(lines: list[str], at: int, _word: str) -> list[str]:
    return lines[:at] + lines[at + 1 :]


def _with_value(lines: list[str], at: int, word: str) -> list[str]:
    key, colon, _ = lines[at].partition(":")
    return [*lines[:at], f"{key}{colon} {word}", *lines[at + 1 :]]


def _with_inner_value(lines: list[str], at: int, word: str) -> list[str]:
    head, colon, tail = lines[at].rpartition(": ")
    end = tail[len(tail.rstrip("}]")) :]
    return [*lines[:at], f"{head}{colon}{word}{end}", *lines[at + 1 :]]


def _twice(lines: list[str], at: int, _word: str) -> list[str]:
    return lines[: at + 1] + lines[at:]


def _swapped(lines: list[str], at: int, _word: str) -> list[str]:
    return [*lines[:at], *reversed(lines[at : at + 2]), *lines[at + 2 :]]


def test_whole_file__is_right(tmp_path: Path) -> None:
    config = read(tmp_path, portal_file(tmp_path, WHOLE))

    assert list(config.paths) == ["support-email", "support-portal", "contact-form", "api", "case", "parse"]


@given(
    change=st.sampled_from([_without_line, _with_value, _with_inner_value, _twice, _swapped]),
    at=st.integers(0, len(LINES) - 1),
    word=st.sampled_from(WORDS),
)
def test_changed_file__is_a_configuration_or_told_its_mistakes(
    change: Callable[[list[str], int, str], list[str]], at: int, word: str
) -> None:
    outcome("\n".join(change(LINES, at, word)) + "\n")


@given(at=st.integers(0, len("\n".join(LINES))), inserted=st.text(max_size=4))
def test_file_with_any_text_in_it__is_a_configuration_or_told_its_mistakes(at: int, inserted: str) -> None:
    text = "\n".join(LINES)
    outcome(text[:at] + inserted.encode("utf-8", "ignore").decode() + text[at:] + "\n")
