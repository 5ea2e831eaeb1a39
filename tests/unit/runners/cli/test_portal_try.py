"""`portal try`: which path it takes, and how it ends where nothing can be tried. No browser is started."""

from pathlib import Path

import pytest

from tests.unit.runners.cli.conftest import Run, Said
from tests.unit.runners.config.examples import changed
from tests.unit.runners.config.examples_web import FORM, PORTAL, portal_file, with_path


def tried(run: Run, folder: Path, text: str, *words: str) -> Said:
    (folder / "log.txt").write_text("smoke")
    (folder / "intake.yaml").write_text(text)
    return run("portal", "try", *words)


@pytest.fixture(autouse=True)
def totp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_TOTP", "JBSWY3DPEHPK3PXP")


def without_browser(text: str) -> str:
    return text.replace("prober:\n", "prober:\n  browser: {executable: /nowhere/chromium}\n", 1)


def test_missing_browser__exits_3_with_the_remedy_and_without_a_picture(run: Run, tmp_path: Path) -> None:
    said = tried(run, tmp_path, without_browser(portal_file(tmp_path)), "--json")

    answer = said.answer("portal try")
    assert said.status == answer["exit"] == 3
    assert (answer["reason"], answer["steps"], answer["screenshot"]) == ("browser_missing", [], None)


def test_window_without_a_display__exits_2_and_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    said = tried(run, tmp_path, portal_file(tmp_path), "--headed")

    assert said.status == 2
    assert "--headed needs a display" in said.err


def test_signing_key_that_can_not_be_had__exits_3_and_says_so(run: Run, tmp_path: Path) -> None:
    text = changed("{env: INTAKE_SIGNING_KEY}", '{exec: ["false"]}', without_browser(portal_file(tmp_path)))

    said = tried(run, tmp_path, text)

    assert said.status == 3
    assert "the command false" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["support-email"],
            "support-email is no portal path of the configuration. Portal paths: support-portal",
        ),
        (
            ["support-portl"],
            "support-portl is no portal path of the configuration. Portal paths: support-portal",
        ),
    ],
)
def test_another_path__exits_2_and_names_those_there_are(
    run: Run, tmp_path: Path, words: list[str], expected: str
) -> None:
    said = tried(run, tmp_path, portal_file(tmp_path), *words)

    assert said.status == 2
    assert expected in said.err


def test_several_portals__must_be_told_apart(run: Run, tmp_path: Path) -> None:
    two = PORTAL + PORTAL.replace("support-portal:", "other-portal:")

    said = tried(run, tmp_path, portal_file(tmp_path, two))

    assert said.status == 2
    assert "name one of the portal paths: support-portal, other-portal" in said.err


def test_no_portal__is_said(run: Run, tmp_path: Path) -> None:
    said = tried(run, tmp_path, with_path(FORM))

    assert said.status == 2
    assert "there is no path of channel portal" in said.err
