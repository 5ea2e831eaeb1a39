"""The block `web`: where the page listens, and who may read it."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from runners.config.page import PageConfig, is_loopback
from tests.unit.runners.config.examples import ENVIRON, FULL, mistakes, read

TOKEN = "page-token-of-32-bytes-for-tests"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRON, "INTAKE_PAGE_TOKEN", TOKEN)
    monkeypatch.setitem(ENVIRON, "SHORT_TOKEN", "too-short")


def test_page_that_is_not_configured__listens_on_loopback_alone(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).web == PageConfig("127.0.0.1", 8080)


def test_page__has_its_address_names_token_and_proxy(tmp_path: Path) -> None:
    web = read(
        tmp_path,
        FULL
        + "web:\n  listen: '[::]:8443'\n  hosts: [Intake.ACME.example]\n  token: {env: INTAKE_PAGE_TOKEN}\n"
        + "  proxy: {header: Remote-User, from: [10.0.0.0/8, '::1']}\n",
    ).web

    assert (web.host, web.port) == ("::", 8443)
    assert web.hosts == {"intake.acme.example"}
    assert web.token is not None
    assert web.proxy is not None
    assert web.proxy.header == "Remote-User"
    assert web.proxy.sources == (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def test_token_of_the_page__is_masked_from_now_on(tmp_path: Path) -> None:
    config = read(tmp_path, FULL + "web: {token: {env: INTAKE_PAGE_TOKEN}}\n")

    assert TOKEN not in config.masker.mask(f"it said {TOKEN}")


@pytest.mark.parametrize(
    ("block", "line", "words"),
    [
        ("web: {listen: 0.0.0.0:8080}", 1, "anybody there could read the page. Add token:"),
        ("web: {listen: intake.acme.example:80}", 1, "reached from other machines"),
        ("web: {listen: 8080}", 1, "8080 is no address to listen on. Write address:port"),
        ("web: {listen: 127.0.0.1:70000}", 1, "is no address to listen on"),
        ("web:\n  token: {env: SHORT_TOKEN}", 2, "fewer than 16 bytes. Make one: openssl rand"),
        ("web:\n  proxy: {from: [acme]}", 2, "acme is not a network. Write an address, or a network"),
        ("web:\n  proxy: {from: [0.0.0.0/0]}", 2, "believed from every address"),
        ("web:\n  proxy: {header: X-User}", 2, "the key from is missing"),
        ("web:\n  proxy: {header: 'X User', from: [10.0.0.7]}", 2, "is not the name of a header"),
        ("web:\n  tokne: {env: SHORT_TOKEN}", 2, "Did you mean token?"),
        ("web: {hosts: ['https://intake.acme.example']}", 1, "is not a host"),
    ],
)
def test_mistake__is_told_with_its_line_and_remedy(tmp_path: Path, block: str, line: int, words: str) -> None:
    first = FULL.count("\n")

    (error,) = mistakes(tmp_path, f"{FULL}{block}\n")

    assert error.line == first + line
    assert error.key.startswith("web")
    assert words in str(error)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 -- refused
        ("::", False),
        ("10.0.0.7", False),
        ("intake.example", False),
    ],
)
def test_loopback__is_what_this_machine_alone_reaches(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def with_metrics(listen: str, more: str = "") -> str:
    return FULL.replace('metrics: {listen: "127.0.0.1:9464"}', f'metrics: {{listen: "{listen}"}}') + more


def test_metrics__have_an_address_of_their_own_where_one_is_named(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).telemetry.metrics_listen == ("127.0.0.1", 9464)


def test_metrics_that_other_machines_reach__need_the_page_s_token_or_proxy(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, with_metrics("0.0.0.0:9464"))

    assert mistake.key == "telemetry.metrics.listen"
    assert (
        mistake.message == "0.0.0.0 is reached from other machines, and anybody there could read the metrics"
    )

    token = "web: {token: {env: INTAKE_PAGE_TOKEN}}\n"
    assert read(tmp_path, with_metrics("[::]:9464", token)).telemetry.metrics_listen == ("::", 9464)


def test_metrics_at_the_page_s_address__are_refused(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, with_metrics("127.0.0.1:8080"))

    assert mistake.message == "that is the page's own address"
    assert mistake.remedy.startswith("Leave it out: the page has /metrics.")
