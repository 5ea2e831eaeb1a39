"""What a machine lacks leaves tests out, loudly; where all must run it fails them."""

import pytest

from tests.real.servers.needed import Needed, NotHere
from tests.sandbox import ROOT

NEEDING = """
import pytest
from tests.real.servers.needed import Needed

@pytest.fixture
def server():
    Needed("A server", ("/no/such/program",), ("a-package",)).require()

def test_one(server): pass
def test_two(server): pass
def test_without(): pass
"""


@pytest.fixture
def result(
    request: pytest.FixtureRequest, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> pytest.RunResult:
    monkeypatch.setenv("CI", request.param)
    pytester.makepyfile(NEEDING)
    return pytester.runpytest_inprocess("-p", "tests.left_out", "-p", "no:cacheprovider")


@pytest.mark.parametrize("result", ["false"], indirect=True)
def test_missing_server__by_hand__leaves_its_tests_out_and_ends_with_the_remedy(
    result: pytest.RunResult,
) -> None:
    result.assert_outcomes(passed=1, skipped=2)
    assert (
        "2 tests, for A server is not installed. Remedy: apt-get install -y --no-install-recommends a-package"
    ) in result.outlines[-3:]


@pytest.mark.parametrize("result", ["true"], indirect=True)
def test_missing_server__where_all_must_run__is_an_error(result: pytest.RunResult) -> None:
    result.assert_outcomes(passed=1, errors=2)


def test_what_only_root_can_do__for_another__is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    with pytest.raises(NotHere, match="a small disk needs root"):
        Needed("a small disk", is_for_root=True).require()


def test_what_is_installed__is_here() -> None:
    Needed("the root of the file system", ("/*",)).require()


def test_missing_server__in_workers__is_summed_up_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "false")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(NEEDING)

    result = pytester.runpytest_subprocess("-p", "tests.left_out", "-p", "no:cacheprovider", "-n", "2")

    result.assert_outcomes(passed=1, skipped=2)
    assert any(line.startswith("2 tests, for A server is not installed") for line in result.outlines[-3:])


def test_missing_server__in_two_calls_of_one_make__is_summed_up_by_the_last(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "false")
    monkeypatch.setenv("LEFT_OUT", str(pytester.path / "left-out"))
    pytester.makepyfile(NEEDING)
    arguments = ("-p", "tests.left_out", "-p", "no:cacheprovider")
    pytester.runpytest_inprocess(*arguments)

    result = pytester.runpytest_inprocess(*arguments)

    assert any(line.startswith("4 tests, for A server is not installed") for line in result.outlines[-3:])
