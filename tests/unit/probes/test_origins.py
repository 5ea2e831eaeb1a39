"""What an answer calls an address is looked at, and is never more than a text that leads nowhere."""

import pytest

from probes.origins import is_loopback, origin_of, shown_origin

BROKEN = [
    "https://[bad/",
    "https://[::1",
    "http://[v1.x]x/",
    "//[",
    "https://a:b:c/",
    "",
    "::",
    "https://h:99999/",
]


@pytest.mark.parametrize("url", BROKEN)
def test_text_that_is_no_address__has_an_origin_that_is_nobodys(url: str) -> None:
    assert origin_of(url) != origin_of("https://desk.acme.test")
    assert not is_loopback(url)
    assert isinstance(shown_origin(url), str)
