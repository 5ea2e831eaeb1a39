"""A test that needs what this machine lacks is left out, and the end says what was; with CI=true it fails."""

import os
from collections.abc import Generator

import pytest

from tests.real.servers.needed import NotHere

_left_out = pytest.StashKey[dict[str, tuple[str, int]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing left out."""
    config.stash[_left_out] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave a test out that could not be run here."""
    report = yield
    missing = call.excinfo.value if call.excinfo is not None else None
    if isinstance(missing, NotHere) and os.environ.get("CI") != "true":
        report.outcome = "skipped"
        report.longrepr = (__file__, 0, f"{missing}. Remedy: {missing.remedy}")  # one line for all of a kind
        left_out = item.config.stash[_left_out]
        left_out[str(missing)] = (missing.remedy, left_out.get(str(missing), ("", 0))[1] + 1)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """End with what was left out, how many tests that were, and what would run them."""
    yield
    left_out = config.stash[_left_out]
    if left_out:
        terminalreporter.section("left out")
    for finding, (remedy, tests) in sorted(left_out.items()):
        terminalreporter.line(f"{tests} tests, for {finding}. Remedy: {remedy}")
