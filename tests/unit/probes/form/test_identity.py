"""What is shown to the servers: a secret that can't be sent is refused before anything could show it."""

import asyncio

import pytest

from probes.form.contexts import FormContexts
from probes.form.identity import identity_of
from probes.form.origin import Origin
from probes.form.settings import FormSettings, HtmlForm
from probes.servers import SecretUnavailable
from tests.real.forms import Source

URL = "https://support.acme.test/form"


def of(secret: str) -> FormSettings:
    return FormSettings(
        URL, frozenset({"support.acme.test"}), HtmlForm({}), headers={"X-Key": Source([secret])}
    )


CONTEXTS = FormContexts(ca_files=(), http2=False, client_certificate=None)


@pytest.mark.parametrize(
    "secret",
    ["k3y-of-ours\n", "k3y\r\nX-More: 1", "k3y-of-ours ", "\tk3y-of-ours", "grün-key", "k3y\x00more"],
)
def test_a_secret_that_can_not_stand_in_a_header_field__is_refused_by_the_name_of_its_key_and_not_shown(
    secret: str,
) -> None:
    with pytest.raises(SecretUnavailable, match=r"headers\.X-Key can't stand in a header field") as caught:
        asyncio.run(identity_of(of(secret), CONTEXTS))

    assert "k3y" not in str(caught.value)
    assert "grün" not in str(caught.value)


def test_a_secret_with_spaces_within__goes_home_only() -> None:
    identity = asyncio.run(identity_of(of("Bearer k3y of\tours"), CONTEXTS))

    assert identity.headers(Origin.of(URL)) == {"X-Key": "Bearer k3y of\tours"}
    assert identity.headers(Origin.of("https://other.acme.test/")) == {}
