"""The runbook is found where the program is installed, and in a clone."""

from pathlib import Path

import pytest

from canary.reason import Reason
from runners import runbook


@pytest.mark.parametrize("reason", Reason)
def test_every_reason__has_a_page(reason: Reason) -> None:
    assert (runbook.runbook_text(reason) or "").startswith(f"# `{reason}`")


@pytest.mark.parametrize("word", ["../../README", "mailbox_full.md", "", "nothing"])
def test_word_that_is_no_reason__has_none(word: str) -> None:
    assert runbook.runbook_text(word) is None


def test_place__of_an_installed_package_is_the_file_that_came_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert runbook.runbook_place("mailbox_full") == "docs/runbook/mailbox_full.md"
    (tmp_path / "mailbox_full.md").touch()
    monkeypatch.setattr(runbook, "_PACKAGED", tmp_path)

    assert runbook.runbook_place("mailbox_full") == str(tmp_path / "mailbox_full.md")
