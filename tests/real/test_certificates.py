"""Certificates on sockets: how long they are good for, and what is wrong with those that are not."""

import asyncio
import ssl
from pathlib import Path

import pytest

from canary.gauge import Gauge, GaugeState, certificate_flaw
from canary.reason import Reason
from probes.certificates import CertificateReader, CertificateSettings, Start
from probes.tls import Contexts
from runners.clock import SystemClock
from tests.real.scripted_smtp import Script, scripted
from tests.real.servers.certificates import Certificates, Pair, make_certificates

pytestmark = pytest.mark.real

DAY = 86400.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(Path(tmp_path_factory.mktemp("tls")))


def reading(pair: Pair | None, ca: Path, *, start: Start = Start.SMTP) -> Gauge:
    context = None
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate_path, pair.key_path)

    async def main() -> Gauge:
        script = Script(context=context, implicit=start is Start.AT_ONCE)
        if context is None:
            script.answers["STARTTLS"] = ["502 5.5.1 not implemented"]
        async with scripted(script):
            settings = CertificateSettings("mx", "localhost", script.port, start, (str(ca),))
            (gauge,) = await CertificateReader(settings, clock=SystemClock(), contexts=Contexts()).read()
        return gauge

    return asyncio.run(main())


@pytest.mark.parametrize("start", [Start.SMTP, Start.AT_ONCE])
def test_valid_certificate__reads_the_time_that_is_left(certificates: Certificates, start: Start) -> None:
    gauge = reading(certificates.valid, certificates.ca_path, start=start)

    assert gauge.state is GaugeState.OK
    assert certificate_flaw(gauge) is None
    assert gauge.value == pytest.approx(90 * DAY, abs=600)


@pytest.mark.parametrize(
    ("which", "word", "days"),
    [("expired", "certificate_expired", -1), ("wrong_name", "certificate_wrong_name", 90)],
)
def test_certificate_that_is_not_valid__pages_with_the_reason_and_its_end(
    certificates: Certificates, which: str, word: str, days: int
) -> None:
    gauge = reading(getattr(certificates, which), certificates.ca_path)

    assert gauge.state is GaugeState.PAGE
    assert word in gauge.detail
    assert certificate_flaw(gauge) == word
    assert gauge.value == pytest.approx(days * DAY, abs=600)


def test_certificate_of_an_unknown_authority__pages_as_invalid(certificates: Certificates) -> None:
    gauge = reading(certificates.valid, certificates.other_ca_path)

    assert gauge.state is GaugeState.PAGE
    assert certificate_flaw(gauge) is Reason.CERTIFICATE_INVALID


def test_server_without_starttls__is_unknown_and_no_page(certificates: Certificates) -> None:
    gauge = reading(None, certificates.ca_path)

    assert (gauge.state, gauge.value) == (GaugeState.UNKNOWN, None)
    assert "tls_unavailable" in gauge.detail


def test_nobody_listening__is_unknown(certificates: Certificates) -> None:
    settings = CertificateSettings("mx", "127.0.0.1", 1, Start.AT_ONCE, (str(certificates.ca_path),))

    (gauge,) = asyncio.run(CertificateReader(settings, clock=SystemClock(), contexts=Contexts()).read())

    assert (gauge.state, gauge.value) == (GaugeState.UNKNOWN, None)
    assert "refused" in gauge.detail
