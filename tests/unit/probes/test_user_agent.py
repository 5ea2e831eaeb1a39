"""Who asks: a target's operator finds the program, its version and where to complain."""

from importlib.metadata import version

from probes.user_agent import user_agent


def test_contact__is_where_to_complain() -> None:
    told = user_agent("https://www.acme.example/prober")

    assert told == f"intake-prober/{version('intake-prober')} (synthetic; +https://www.acme.example/prober)"


def test_without_a_contact__it_is_said_that_it_is_no_customer() -> None:
    assert user_agent() == f"intake-prober/{version('intake-prober')} (synthetic)"
