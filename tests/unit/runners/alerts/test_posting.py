"""What an answer means: taken, for now or for good; and where a webhook may go."""

import asyncio

import pytest

from runners.alerts.contracts import Undelivered
from runners.alerts.outward import is_public, public_addresses
from runners.alerts.posting import Answer, Poster
from tests.fakes.clock import FakeClock

SECRET = "planted-secret"


def judged(status: int, text: str = "", retry_after: str | None = None) -> Undelivered | None:
    poster = Poster("pager", FakeClock(), lambda said: said.replace(SECRET, "***"))
    try:
        poster._judge(Answer(status, text), retry_after)
    except Undelivered as error:
        return error
    return None


@pytest.mark.parametrize("status", [200, 202, 204])
def test_answer_2xx__is_taken(status: int) -> None:
    assert judged(status) is None


@pytest.mark.parametrize("status", [302, 408, 425, 429, 500, 502, 503, 504])
def test_answer_that_may_pass__is_tried_again(status: int) -> None:
    error = judged(status)

    assert error is not None
    assert error.permanent is False


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_answer_that_stays__is_for_good(status: int) -> None:
    error = judged(status)

    assert error is not None
    assert error.permanent is True


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("999999", 3600.0),
        ("9" * 400, 3600.0),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120.0),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("Mon, 02 Mar 99999999999999999999 12:00:00 GMT", None),
        ("Mon, 02 Mar 10000 12:00:00 GMT", None),
        ("Mon, 02 Mar 9999 12:00:00 -2359", 3600.0),
    ],
)
def test_retry_after__is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    error = judged(429, retry_after=header)

    assert error is not None
    assert error.retry_after_seconds == seconds


def test_answer_that_repeats_a_secret__is_masked_and_short() -> None:
    error = judged(400, f"invalid key {SECRET}\n" + "x" * 5000)

    assert str(error).startswith("pager: answered 400: invalid key *** xxx")
    assert len(str(error)) < 260


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 -- refused
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "64:ff9b::7f00:1",
        "ff02::1",
        "::7f00:1",
        "::10.0.0.1",
        "::8.8.8.8",
        "64:ff9b:1::a00:1",
        "64:ff9b:1:ffff::808:808",
        "fec0::1",
        "feff::1",
    ],
)
def test_address_of_our_own_network__is_not_public(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_address_of_the_internet__is_public(address: str) -> None:
    assert is_public(address) is True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.1", "2130706433", "0x7f.1"])
def test_loopback_in_any_writing__has_no_public_address(host: str) -> None:
    assert asyncio.run(public_addresses(host, 80)) == ()


def test_host_with_addresses_of_both_families__is_tried_by_each_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = ["2606:4700::1", "2606:4700::2", "2606:4700::2", "1.1.1.1", "1.0.0.1", "9.9.9.9"]

    async def answered(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (one, 443)) for one in given]

    async def main() -> tuple[str, ...]:
        # What a name resolves to can't be provoked without a name server of our own.
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answered)
        return await public_addresses("hook.example", 443)

    assert asyncio.run(main()) == ("2606:4700::1", "1.1.1.1", "2606:4700::2", "1.0.0.1")
    given.append("10.0.0.1")
    assert asyncio.run(main()) == ()
