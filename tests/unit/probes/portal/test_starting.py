"""What the browser's driver is given of our environment: nothing that may be a secret."""

import asyncio
import os
from pathlib import Path

import pytest
from playwright._impl import transport

from probes.portal.starting import driver_environment


def given_to_a_driver() -> dict[str, str]:
    found: dict[str, str] = transport.get_driver_env()  # type: ignore[attr-defined] # it has no public name
    return found


def test_driver__is_given_no_variable_that_may_be_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_PASSWORD", "planted")
    monkeypatch.setenv("NODE_AUTH_TOKEN", "planted")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/browsers")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")

    with driver_environment(tmp_path):
        given = given_to_a_driver()

    assert "planted" not in given.values()
    assert (given["PLAYWRIGHT_BROWSERS_PATH"], given["HTTPS_PROXY"]) == ("/browsers", "http://proxy:3128")
    assert given["TMPDIR"] == str(tmp_path)
    assert given["PW_LANG_NAME"] == "python"
    assert given["PATH"] == os.environ["PATH"]
    assert os.environ["PORTAL_PASSWORD"] == "planted"


def test_two_drivers_that_start_at_a_time__have_each_its_own_folder(tmp_path: Path) -> None:
    async def started(folder: Path) -> str:
        with driver_environment(folder):
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)
            return given_to_a_driver()["TMPDIR"]

    async def both() -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(started(tmp_path / one)) for one in ("a", "b")]
        return [one.result() for one in tasks]

    assert asyncio.run(both()) == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_driver_of_somebody_else__is_given_what_playwright_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING", "else")

    assert given_to_a_driver()["SOMETHING"] == "else"
