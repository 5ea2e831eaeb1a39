"""A test that needs what this machine lacks is left out, and the end says what was; with CI=true it fails."""

import json
import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.real.servers.needed import NotHere

_PROPERTY = "left out"
"""By it a report carries what was missing, also from a worker's process to the one that sums up."""


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing left out."""
    config.pluginmanager.register(LeftOut())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave a test out that could not be run here."""
    report = yield
    missing = call.excinfo.value if call.excinfo is not None else None
    if isinstance(missing, NotHere) and os.environ.get("CI") != "true":
        words = f"{missing}. Remedy: {missing.remedy}"
        report.outcome = "skipped"
        report.longrepr = (__file__, 0, words)  # one line for all of a kind
        report.user_properties.append((_PROPERTY, words))
    return report


class LeftOut:
    """Counts what was left out, and says it at the end."""

    def __init__(self) -> None:
        self._tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test."""
        self._tests.update(str(words) for name, words in report.user_properties if name == _PROPERTY)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """End with what was left out, how many tests that were, and what would run them; also by the calls before."""
        yield
        tests = self._tests + _of_calls_before(self._tests)
        if tests:
            terminalreporter.section("left out")
        for words, number in sorted(tests.items()):
            terminalreporter.line(f"{number} tests, for {words}")


def _of_calls_before(found: Counter[str]) -> Counter[str]:
    """What earlier calls of one `make test` left out; this one's is kept for the next. The file is named by LEFT_OUT."""
    name = os.environ.get("LEFT_OUT")
    if not name:
        return Counter()
    file = Path(name)
    before = Counter[str](json.loads(file.read_text()) if file.exists() else {})
    file.write_text(json.dumps(before + found))
    return before
