"""A user's password for an API goes out by the Basic scheme, and never into a text."""

from probes.masking import Masker, Secret
from probes.ticketing.basic import basic


def test_password__is_encoded_with_its_user_and_masked_in_that_form() -> None:
    masker = Masker()

    headers = basic("prober", masker)(Secret("pässword-of-rt"))

    assert headers == {"Authorization": "Basic cHJvYmVyOnDDpHNzd29yZC1vZi1ydA=="}
    assert "cHJvYmVy" not in masker.mask(str(headers))
