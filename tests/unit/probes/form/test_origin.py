"""Where a launch may be sent on to, and what of an address is shown."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.reason import Reason
from probes.form.origin import Origin, allowed, shown
from probes.reasons import Failure

BASE = httpx.URL("https://support.acme.test/help/form?x=1")
HOSTS = frozenset({"support.acme.test", "www.acme.test"})


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/thanks?id=1", "https://support.acme.test/thanks?id=1"),
        ("thanks", "https://support.acme.test/help/thanks"),
        ("//www.acme.test/", "https://www.acme.test/"),
        ("https://SUPPORT.acme.test/a", "https://support.acme.test/a"),
    ],
)
def test_expected_host__is_allowed(target: str, url: str) -> None:
    assert str(allowed(target, base=BASE, expect_hosts=HOSTS)) == url


@pytest.mark.parametrize(
    "target",
    [
        "https://acme.test/",
        "https://support.acme.test.evil.example/",
        "https://support.acme.test@evil.example/",
        "http://support.acme.test/",
        "javascript:alert(1)",
        "mailto:support@acme.test",
        "file:///etc/passwd",
        "https://[::1",
        "https://support.acme.test:99999/",
    ],
)
def test_anything_else__is_redirected(target: str) -> None:
    with pytest.raises(Failure) as caught:
        allowed(target, base=BASE, expect_hosts=HOSTS)

    assert caught.value.fault.reason is Reason.REDIRECTED


@given(st.text(max_size=60))
def test_any_target__is_of_an_expected_host_or_refused(target: str) -> None:
    try:
        found = allowed(target, base=BASE, expect_hosts=HOSTS)
    except Failure:
        return
    assert (found.host in HOSTS, found.scheme) == (True, "https")


def test_shown_address__has_no_user_query_or_fragment() -> None:
    assert shown(httpx.URL("https://u:p@a.test:8443/x?token=1#f")) == "https://a.test:8443/x"


def test_origin__has_its_default_port_and_an_address_without_brackets() -> None:
    assert Origin.of("https://A.test/x") == Origin("https", "a.test", 443)
    assert Origin.of("http://[::1]:80/").place == "[::1]:80"
