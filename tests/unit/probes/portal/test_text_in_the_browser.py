"""A regular expression of the configuration as the browser takes it."""

import re

import pytest

from probes.portal.elements import in_browser


@pytest.mark.parametrize(
    ("python", "browser"),
    [
        (r"Ticket (?P<ticket>\d+) created", r"Ticket (\d+) created"),
        (r"(?P<a>x)(y)(?P<b>z)(?P=b)(?P=a)", r"(x)(y)(z)\3\1"),
        (r"\(?P<5", r"\(?P<5"),
        (r"(?:a|b)+$", r"(?:a|b)+$"),
    ],
)
def test_named_groups__which_javascript_does_not_know__are_numbered_ones(python: str, browser: str) -> None:
    text = in_browser(re.compile(python, re.IGNORECASE))

    assert isinstance(text, re.Pattern)
    assert (text.pattern, text.flags & re.IGNORECASE) == (browser, re.IGNORECASE)


def test_plain_text__stays_as_it_is() -> None:
    assert in_browser("(?P<ticket>") == "(?P<ticket>"
