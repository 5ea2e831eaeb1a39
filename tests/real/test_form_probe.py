"""The form probe on sockets: what it sends, to whom, over which protocol, and what `check` says."""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from canary.hop import Hop
from canary.observation import Evidence, Outcome
from canary.reason import Reason, Side
from probes.contracts import Check, CheckState
from probes.form.settings import Confirmation, HtmlForm, JsonApi, JsonTree
from probes.masking import MASK, Masker, Secret
from probes.message.compose import AttachedFile
from probes.message.request import RequestSettings
from probes.selfcheck import Question, Ruling
from probes.servers import ClientCertificate, Password, SecretUnavailable
from tests.real.form_faults.fault import WHOLE
from tests.real.forms import FIELDS, FORM, PAGE, Seen, Source, launched, new, probe, settings
from tests.real.scripted_http import Break, Reply, Request, Site, closed_port, running
from tests.real.scripted_proxy import Proxy, proxying
from tests.real.servers.certificates import Certificates, Pair, make_certificates
from tests.real.servers.dns import running_dns
from tests.real.test_form_faults import server_context

pytestmark = pytest.mark.real
THANKED = Confirmation(text="Thank you")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(Path(tmp_path_factory.mktemp("tls")))


def site(answers: Mapping[str, Reply] | None = None, context: ssl.SSLContext | None = None) -> Site:
    return Site({**WHOLE, **(answers or {})}, context)


def own_certificate(directory: Path) -> Pair:
    """A certificate of a client, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "prober")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pair = Pair(directory / "client.pem", directory / "client.key")
    pair.certificate_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair.key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return pair


class Gone:
    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002
        raise SecretUnavailable("the environment variable KEY is not set")


def test_form__is_posted_as_the_page_would__once_and_on_one_connection() -> None:
    async def scene() -> tuple[Seen, Site]:
        async with running(site()) as here:
            return await launched(settings(f"{here.url}/form", confirmation=THANKED)), here

    seen, here = asyncio.run(scene())

    [post] = here.posts
    fields = parse_qs(post.body.decode(), keep_blank_values=True)
    assert fields["csrf"] == ["c5rf-t0ken"]
    assert fields["website"] == [""]
    assert fields["send"] == ["yes"]
    assert fields["title"][0].startswith("intakecanary ")
    assert (post.headers["referer"], post.headers["origin"]) == (f"{here.url}/form", here.url)
    assert not any("traceparent" in one.headers for one in here.requests)
    assert here.connections == 1
    assert [one.outcome for one in seen.observations] == ["ok", "ok", "skipped", "ok", "ok"]
    assert seen.last(Hop.FORM_SUBMIT).evidence is Evidence.REPORTED


def test_tls__with_our_own_authority__is_a_hop_with_its_facts(certificates: Certificates) -> None:
    async def scene() -> Seen:
        async with running(site(context=server_context(certificates.valid))) as here:
            of = settings(f"{here.url}/form", ca_files=(str(certificates.ca_path),), confirmation=THANKED)
            return await launched(of)

    seen = asyncio.run(scene())

    tls = seen.last(Hop.FORM_TLS)
    assert (tls.outcome, tls.facts["tls.protocol.version"]) == (Outcome.OK, "1.3")
    assert tls.facts["tls.server.subject"] == "localhost"
    assert seen.end.outcome is Outcome.OK


def test_name__is_asked_of_our_resolver__and_stays_in_the_request_and_in_tls(
    certificates: Certificates,
) -> None:
    async def scene() -> tuple[Seen, Site]:
        with running_dns() as names:
            names.set("mail.acme.test", "A", "127.0.0.1")
            async with running(site(context=server_context(certificates.valid))) as here:
                of = settings(
                    f"https://mail.acme.test:{here.port}/form",
                    expect_hosts=frozenset({"mail.acme.test"}),
                    ca_files=(str(certificates.ca_path),),
                    confirmation=THANKED,
                )
                return await launched(of, names_port=names.port), here

    seen, here = asyncio.run(scene())

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    assert seen.last(Hop.DNS).facts["dns.answers"] == "127.0.0.1"
    assert {one.headers["host"] for one in here.requests} == {f"mail.acme.test:{here.port}"}


def test_first_address_closed__the_second_is_tried() -> None:
    async def scene() -> Seen:
        with running_dns() as names:
            async with running(site()) as here:
                names.set("two.acme.test", "A", "127.0.0.9", "127.0.0.1")
                of = settings(
                    f"http://two.acme.test:{here.port}/form", expect_hosts=frozenset({"two.acme.test"})
                )
                return await launched(of, names_port=names.port)

    seen = asyncio.run(scene())

    assert seen.last(Hop.FORM_CONNECT).facts["network.peer.address"] == "127.0.0.1"
    assert seen.end.outcome is Outcome.OK


def test_client_certificate__is_shown_to_its_place__and_its_key_is_never_a_file(
    certificates: Certificates, tmp_path: Path
) -> None:
    own = own_certificate(tmp_path)
    context = server_context(certificates.valid)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(own.certificate_path)
    key = own.key_path.read_text()
    own.key_path.unlink()

    async def scene(*, shown: bool) -> Seen:
        async with running(site(context=context)) as here:
            shown_to = here.url if shown else "https://elsewhere.example"
            of = settings(
                f"{here.url}/form",
                ca_files=(str(certificates.ca_path),),
                client_certificate=ClientCertificate(shown_to, str(own.certificate_path), Source([key])),
                confirmation=THANKED,
            )
            return await launched(of)

    assert asyncio.run(scene(shown=True)).end.outcome is Outcome.OK
    refused = asyncio.run(scene(shown=False)).end
    assert (refused.outcome, refused.rules_out_ticket) == (Outcome.FAILED, True)


@pytest.mark.parametrize("key", ["no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_client_key_that_is_none__is_our_credential__and_is_not_told(
    certificates: Certificates, tmp_path: Path, key: str
) -> None:
    own = own_certificate(tmp_path)

    async def scene() -> Seen:
        async with running(site(context=server_context(certificates.valid))) as here:
            certificate = ClientCertificate(here.url, str(own.certificate_path), Source([key]))
            return await launched(settings(f"{here.url}/form", client_certificate=certificate))

    end = asyncio.run(scene()).end

    assert (end.hop, end.reason, end.cause_side) == (Hop.FORM_TLS, Reason.CREDENTIALS_REJECTED, Side.PROBER)
    assert key not in end.detail


def test_proxy__tunnels_https__and_resolves_the_name_itself(certificates: Certificates) -> None:
    async def scene() -> tuple[Seen, Proxy, Site]:
        proxy = Proxy({"mail.acme.test": "127.0.0.1"}, password="user:pass word")
        async with proxying(proxy), running(site(context=server_context(certificates.valid))) as here:
            of = settings(
                f"https://mail.acme.test:{here.port}/form",
                expect_hosts=frozenset({"mail.acme.test"}),
                ca_files=(str(certificates.ca_path),),
                proxy=Source([f"http://user:pass%20word@127.0.0.1:{proxy.port}"]),
                confirmation=THANKED,
            )
            return await launched(of), proxy, here

    seen, proxy, here = asyncio.run(scene())

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    assert proxy.asked == [f"CONNECT mail.acme.test:{here.port}"]
    assert seen.last(Hop.DNS).place == "127.0.0.1"
    assert seen.last(Hop.FORM_CONNECT).facts["network.peer.port"] == proxy.port


def test_proxy__forwards_plain_http() -> None:
    async def scene() -> tuple[Seen, Proxy]:
        proxy = Proxy()
        async with proxying(proxy), running(site()) as here:
            return await launched(settings(f"{here.url}/form", proxy=proxy.url)), proxy

    seen, proxy = asyncio.run(scene())

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    assert proxy.asked[0].startswith("GET http://127.0.0.1")


@pytest.mark.parametrize(
    ("proxy", "reason", "side"),
    [
        (Proxy(password="a:b"), Reason.CREDENTIALS_REJECTED, Side.PROBER),
        (Proxy(refusal=403), Reason.NETWORK_UNAVAILABLE, Side.PROBER),
        (Proxy(refusal=502), Reason.CONNECT_TIMEOUT, Side.EITHER),
    ],
    ids=["password", "forbidden", "can't reach"],
)
def test_proxy_that_lets_us_not_through__is_never_the_targets_fault(
    proxy: Proxy, reason: Reason, side: Side
) -> None:
    async def scene() -> Seen:
        async with proxying(proxy):
            return await launched(settings("https://127.0.0.1:1/form", proxy=proxy.url))

    end = asyncio.run(scene()).end

    assert (end.hop, end.reason, end.cause_side) == (Hop.FORM_CONNECT, reason, side)


def test_proxy_that_is_down__is_our_network() -> None:
    end = asyncio.run(launched(settings("https://a.example/", proxy=f"http://127.0.0.1:{closed_port()}"))).end

    assert (end.hop, end.reason) == (Hop.FORM_CONNECT, Reason.NETWORK_UNAVAILABLE)


def test_secrets__go_home_only__whatever_we_are_sent_on_to() -> None:
    async def scene() -> tuple[Site, Site]:
        async with running(site()) as other:
            away = other.url.replace("127.0.0.1", "localhost")
            answers = {"POST /contact": Reply(302, headers={"Location": f"{away}/thanks"})}
            async with running(site(answers)) as home:
                await launched(
                    settings(
                        f"{home.url}/form",
                        headers={"X-Let-Me": Source(["let-me-in"]), "X-Open": "open"},
                        http_login=Password("canary", Source(["pass-word"])),
                    )
                )
            return home, other

    home, other = asyncio.run(scene())

    assert {one.headers["x-let-me"] for one in home.requests} == {"let-me-in"}
    assert all(one.headers["authorization"].startswith("Basic ") for one in home.requests)
    [landed] = other.requests
    assert (landed.headers["x-open"], "x-let-me" in landed.headers) == ("open", False)
    assert "authorization" not in landed.headers


def test_address_of_the_page__is_told_whole_to_its_own_origin_only() -> None:
    async def scene() -> tuple[Site, Site]:
        async with running(site()) as other:
            away = other.url.replace("127.0.0.1", "localhost")
            answers = {"GET /form": Reply(body=PAGE.replace("/contact", f"{away}/contact"))}
            async with running(site(answers)) as home, running(site()) as whole:
                await launched(settings(f"{home.url}/form?invitation=k3y"))
                await launched(settings(f"{whole.url}/form?invitation=k3y"))
            return other, whole

    other, whole = asyncio.run(scene())

    [away] = other.posts
    assert away.headers["referer"].startswith(away.headers["origin"] + "/")
    assert "k3y" not in str(away.headers)
    assert whole.posts[0].headers["referer"] == f"{whole.url}/form?invitation=k3y"


class Asked:
    """Notes whether a control was asked."""

    def __init__(self) -> None:
        self.questions: list[Question] = []

    async def decide(self, question: Question, reason: Reason) -> Ruling:  # noqa: ARG002
        self.questions.append(question)
        return Ruling(Side.TARGET, "theirs")


@pytest.mark.parametrize("by_proxy", [True, False])
def test_lost_answer__is_disputed_with_the_controls__but_not_by_a_proxy_that_they_do_without(
    by_proxy: bool,
) -> None:
    controls = Asked()

    async def scene() -> Seen:
        proxy = Proxy()
        async with proxying(proxy), running(site({"GET /form": Reply(broken=Break.CLOSED)})) as here:
            of = settings(f"{here.url}/form", proxy=proxy.url if by_proxy else None)
            return await launched(of, controls=controls)

    assert asyncio.run(scene()).end.reason is Reason.CONNECTION_LOST
    assert bool(controls.questions) is not by_proxy


def test_refused_credential__is_read_anew_for_the_next_canary__and_shown_nowhere() -> None:
    source = Source(["old-pass-word", "new-pass-word"])
    masker = Masker([Secret("old-pass-word")])

    async def scene() -> Seen:
        def guarded(request: Request) -> Reply:
            return Reply(401, f"<h1>bad: {request.headers['x-key']}</h1>")

        async with running(Site({"GET /form": guarded})) as here:
            of = settings(f"{here.url}/form", headers={"X-Key": source})
            return await launched(of, masker=masker)

    end = asyncio.run(scene()).end

    assert (end.reason, end.rules_out_ticket) == (Reason.CREDENTIALS_REJECTED, True)
    assert MASK in end.detail
    assert (source.renewals, source.values) == (1, ["new-pass-word"])


def test_secret_that_can_not_be_had__is_ours__and_nothing_leaves() -> None:
    async def scene() -> tuple[Seen, Site]:
        async with running(site()) as here:
            of = settings(f"{here.url}/form", submission=HtmlForm({**FIELDS, "website": Gone()}))
            return await launched(of), here

    seen, here = asyncio.run(scene())

    end = seen.end
    assert (end.hop, end.reason, end.cause_side) == (
        Hop.FORM_SUBMIT,
        Reason.CREDENTIALS_REJECTED,
        Side.PROBER,
    )
    assert here.posts == []


def test_attachment__goes_with_a_multipart_form() -> None:
    page = PAGE.replace("<form ", '<form enctype="multipart/form-data" ').replace(
        "<button", "<input type=file name=file><button"
    )
    request = RequestSettings(attachment=AttachedFile("proof.txt", b"seen"))

    async def scene() -> Site:
        async with running(site({"GET /form": Reply(body=page)})) as here:
            of = settings(f"{here.url}/form", submission=replace(FORM, upload="file"), request=request)
            await launched(of)
            return here

    [post] = asyncio.run(scene()).posts

    assert post.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'filename="proof.txt"\r\nContent-Type: text/plain\r\n\r\nseen\r\n' in post.body


def test_json_interface__is_posted_with_its_words_filled_in__and_an_idempotency_key() -> None:
    tree: JsonTree = {
        "ticket": {"subject": "{{ subject }}", "tags": ["a", "{{ token }}"], "n": 1, "ok": True}
    }
    answers = {
        "POST /form": Reply(201, json.dumps({"ticket": {"id": 17}}), {"Content-Type": "application/json"})
    }
    confirmation = Confirmation(
        statuses=frozenset({201}), json={"ticket.id": re.compile(r"^(?P<ticket>\d+)$")}
    )
    canary = new()

    async def scene() -> tuple[Seen, Site]:
        async with running(site(answers)) as here:
            of = settings(
                f"{here.url}/form",
                submission=JsonApi(tree),
                confirmation=confirmation,
                idempotency_header="Idempotency-Key",
            )
            return await launched(of, canary), here

    seen, here = asyncio.run(scene())

    [post] = here.requests
    sent = json.loads(post.body)["ticket"]
    assert sent["subject"].startswith(canary.subject_prefix)
    assert (sent["tags"], sent["n"], sent["ok"]) == (["a", canary.token], 1, True)
    assert post.headers["idempotency-key"] == canary.token
    assert (seen.end.detail, seen.end.facts["intake.ticket.id"]) == ("ticket 17", "17")


def test_cancelled_launch__leaves_no_connection_and_reports_nothing_more() -> None:
    async def scene() -> tuple[Seen, int]:
        seen = Seen()
        async with running(site({"GET /form": Reply(broken=Break.SILENT)})) as here:
            task = asyncio.create_task(probe(settings(f"{here.url}/form")).launch(new(), seen))
            await here.asked.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return seen, len(asyncio.all_tasks())

    seen, tasks = asyncio.run(scene())

    assert seen.end.hop is Hop.FORM_TLS
    assert tasks <= 2


def checks(url: str, **changes: object) -> dict[str, Check]:
    async def scene() -> list[Check]:
        return list(await probe(settings(url, **changes)).check())

    return {one.name: one for one in asyncio.run(scene())}


async def _checked(here: Site, **changes: object) -> dict[str, Check]:
    return {one.name: one for one in await probe(settings(f"{here.url}/form", **changes)).check()}


def test_check__of_a_whole_form__says_where_it_goes__and_posts_nothing(certificates: Certificates) -> None:
    async def scene() -> tuple[dict[str, Check], Site]:
        async with running(site(context=server_context(certificates.valid))) as here:
            return await _checked(here, ca_files=(str(certificates.ca_path),)), here

    lines, here = asyncio.run(scene())

    assert list(lines) == [
        "dns.route",
        "form.connect",
        "form.tls",
        "tls.certificate",
        "form.page",
        "form.fields",
    ]
    assert {one.state for one in lines.values()} == {CheckState.OK}
    assert "posted to" in lines["form.fields"].finding
    assert here.posts == []


@pytest.mark.parametrize(
    ("page", "state", "words"),
    [
        (PAGE.replace('"title"', '"subject"'), CheckState.FAIL, "no field title"),
        (PAGE.replace("<textarea", "<input name=phone required><textarea"), CheckState.WARN, "demands phone"),
        (PAGE.replace("/contact", "https://x.example/"), CheckState.FAIL, "none of expect_host"),
    ],
    ids=["field gone", "new required field", "posts elsewhere"],
)
def test_check__of_a_changed_form__names_what_is_different(page: str, state: CheckState, words: str) -> None:
    async def scene() -> dict[str, Check]:
        async with running(site({"GET /form": Reply(body=page)})) as here:
            return await _checked(here)

    line = asyncio.run(scene())["form.fields"]

    assert line.state is state
    assert words in line.finding
    assert line.remedy


def test_check__of_a_page_with_a_captcha__warns() -> None:
    page = PAGE.replace("<button", "<div class=cf-turnstile></div><button")

    async def scene() -> dict[str, Check]:
        async with running(site({"GET /form": Reply(body=page)})) as here:
            return await _checked(here)

    line = asyncio.run(scene())["form.page"]

    assert (line.state, "captcha" in line.finding) == (CheckState.WARN, True)


def test_check__of_a_closed_port__ends_there_with_a_remedy() -> None:
    lines = checks(f"http://127.0.0.1:{closed_port()}/form")

    assert list(lines) == ["dns.route", "form.connect"]
    assert lines["form.connect"].state is CheckState.FAIL
    assert lines["form.connect"].remedy
