"""Whose a ticket is, by its requester."""

import pytest

from canary.requester import Standing, standing

SENDER = "canary@probe.test"


@pytest.mark.parametrize(
    ("requester", "expected"),
    [
        ("canary@probe.test", Standing.OURS),
        ("Canary@Probe.Test", Standing.OURS),
        ("canary+k2345@probe.test", Standing.OURS),
        ("relay@forwarder.test", Standing.LISTED),
        ("support@acme.test", Standing.REWRITTEN),
        ("SRS0=Ab1=X7=probe.test=canary@forwarder.test", Standing.REWRITTEN),
        ("srs0+ab1=x7=probe.test=canary@forwarder.test", Standing.REWRITTEN),
        ("srs1=gh=first.test==ab1=x7=probe.test=canary@second.test", Standing.REWRITTEN),
        ("srs0=ab1=x7=customer.test=jane@forwarder.test", Standing.STRANGER),
        ("srs0=probe.test=canary@forwarder.test", Standing.STRANGER),
        ("srs1=gh=first.test=ab1=x7=probe.test=canary@second.test", Standing.STRANGER),
        ("jane@customer.test", Standing.STRANGER),
        ("xcanary@probe.test", Standing.STRANGER),
        ("canary@probe.test.evil.test", Standing.STRANGER),
        ("canary@probe.test@evil.test", Standing.STRANGER),
        (None, Standing.UNREADABLE),
        ("", Standing.UNREADABLE),
        ("no address", Standing.UNREADABLE),
    ],
)
def test_requester__stands_to_the_sender__as_expected(requester: str | None, expected: Standing) -> None:
    found = standing(
        requester, sender=SENDER, forwarders=("Relay@Forwarder.test",), target="Support@Acme.test"
    )

    assert found is expected


@pytest.mark.parametrize("one", list(Standing))
def test_only_ours_and_listed__may_be_cleaned(one: Standing) -> None:
    assert one.may_be_cleaned is (one in {Standing.OURS, Standing.LISTED})
