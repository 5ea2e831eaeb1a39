"""A canary's trace goes on in the target, where `propagate: true` allows it; and nobody else is told of it."""

import asyncio
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from canary.canary import Canary
from canary.hop import Hop
from canary.path import Path as IntakePath
from canary.trace import span_id
from canary.verdict import judge
from probes.form.settings import Confirmation, FormSettings
from probes.portal.settings import PortalSettings
from probes.portal.steps import By, Click, Locator, Step
from runners.clock import SystemClock
from runners.config.telemetry import OtlpConfig
from runners.export_contracts import MAIN, TraceRows
from runners.telemetry.span_rows import TraceBatch
from runners.telemetry.spans import spans_of
from runners.telemetry.traces import OtlpSender
from tests.real import forms, portal_scene
from tests.real.otlp_receiver import Receiver, attributes, receiving
from tests.real.scripted_http import Answering, Reply, Request, Site, running
from tests.real.servers.needed import CHROMIUM
from tests.real.traced_app import traced_form

pytestmark = pytest.mark.real
CLOCK = SystemClock()
TRACEPARENT = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-01")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


async def settled(canary: Canary, path: IntakePath, seen: forms.Seen | portal_scene.Seen) -> TraceBatch:
    """The trace of a canary of which nobody saw a ticket, as it is at its horizon."""
    rows = TraceRows(
        canary,
        judge(path, canary, seen.observations, canary.horizon_at),
        tuple(seen.observations),
    )
    made = spans_of(rows, MAIN)
    assert made is not None
    return replace(made, resource={"service.name": "intake-prober"}, version="1")


def server_spans(receiver: Receiver) -> Mapping[str, Span]:
    """What the target says that it served, by method and path."""
    return {
        f"{told['http.method']} {told['http.target']}": span
        for span in receiver.spans
        if span.kind == Span.SPAN_KIND_SERVER and (told := attributes(span))
    }


def form_settings(url: str, *, propagate: bool) -> FormSettings:
    return forms.settings(f"{url}/form", propagate=propagate, confirmation=Confirmation(text="Thank you"))


def test_instrumented_form__goes_on_with_the_canarys_trace_below_the_hop_that_posted(
    receiver: Receiver,
) -> None:
    async def scene(url: str) -> Canary:
        canary = forms.new()
        seen = await forms.launched(form_settings(url, propagate=True), canary)
        await OtlpSender(OtlpConfig(f"{receiver.url}/v1/traces"), clock=CLOCK).send(
            await settled(canary, forms.form_path(), seen)
        )
        return canary

    with traced_form(receiver) as url:
        canary = asyncio.run(scene(url))

    served = server_spans(receiver)
    ours = {span.name: span for span in receiver.spans if span.kind == Span.SPAN_KIND_CLIENT}
    assert set(served) == {"GET /form", "POST /contact", "GET /thanks"}
    assert {span.trace_id.hex() for span in receiver.spans} == {canary.trace_id}
    assert served["POST /contact"].parent_span_id == ours["form.submit"].span_id
    assert served["GET /form"].parent_span_id == ours["form.submit"].span_id
    assert served["GET /thanks"].parent_span_id == ours["form.confirmation"].span_id
    assert ours["form.submit"].start_time_unix_nano <= served["POST /contact"].start_time_unix_nano
    assert ours["form.submit"].end_time_unix_nano >= served["POST /contact"].start_time_unix_nano


def test_instrumented_form_without_propagate__begins_traces_of_its_own(receiver: Receiver) -> None:
    with traced_form(receiver) as url:
        canary = forms.new()
        asyncio.run(forms.launched(form_settings(url, propagate=False), canary))

    served = server_spans(receiver)
    assert len(served) == 3
    assert canary.trace_id not in {span.trace_id.hex() for span in served.values()}
    assert {span.parent_span_id for span in served.values()} == {b""}


def test_form_that_sends_us_to_another_host__tells_that_host_nothing_of_the_trace() -> None:
    async def scene() -> tuple[Canary, Site, Site]:
        canary = forms.new()
        async with running(Site({"GET /thanks": Reply(body=forms.THANKS)}, host="localhost")) as other:
            answers: dict[str, Answering] = {
                "GET /form": Reply(body=forms.PAGE),
                "POST /contact": Reply(303, headers={"Location": f"{other.url}/thanks"}),
            }
            async with running(Site(answers)) as here:
                of = form_settings(here.url, propagate=True)
                await forms.launched(of, canary)
        return canary, here, other

    canary, here, other = asyncio.run(scene())

    told = [one.headers.get("traceparent") for one in here.requests]
    assert told == [f"00-{canary.trace_id}-{span_id(canary.id, 'form.submit')}-01"] * 2
    assert [one.target for one in other.requests] == ["/thanks"]
    assert "traceparent" not in other.requests[0].headers


PAGE = """<!doctype html><html><head><title>Submit a request</title></head><body><h1>Submit a request</h1>
<form method="post" action="/requests"><label>Subject <input name="subject" required></label>
<label>Description <textarea name="body"></textarea></label><button>Send</button></form>
<script>
fetch("/api/own?token=secret"); fetch("OTHER/api/third");
fetch("/api/missing"); new Image().src = "OTHER/pixel.png";
</script></body></html>"""
OPEN = {"Access-Control-Allow-Origin": "*"}


def third_party() -> Site:
    return Site(
        {"GET /api/third": Reply(body="{}", headers=OPEN), "GET /pixel.png": Reply(404, headers=OPEN)},
        host="localhost",
    )


def portal(other: Site) -> Site:
    return Site(
        {
            "GET /": Reply(body=PAGE.replace("OTHER", other.url)),
            "GET /api/own": Reply(body="{}"),
            "GET /api/missing": Reply(500, body="{}"),
            "POST /requests": Reply(303, headers={"Location": "/thanks"}),
            "GET /thanks": Reply(body=portal_scene.THANKS),
        }
    )


def portal_settings(url: str, *, propagate: bool) -> PortalSettings:
    return portal_scene.settings(f"{url}/", expect_hosts=frozenset({"127.0.0.1"}), propagate=propagate)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    CHROMIUM.require()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def browsed(home: Path, *, propagate: bool) -> tuple[Canary, portal_scene.Seen, Site, Site]:
    canary = portal_scene.new()
    async with (
        running(third_party()) as other,
        running(portal(other)) as here,
        portal_scene.staged(home) as stage,
    ):
        seen = await stage.launched(portal_settings(here.url, propagate=propagate), canary)
    assert seen.is_confirmed, seen.story()
    return canary, seen, here, other


def told(request: Request) -> str | None:
    """The span that a request names as its parent."""
    match = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
    return match["span"] if match is not None else None


@pytest.mark.browser
def test_portal__own_origin_is_told_of_the_trace_and_third_parties_are_not(home: Path) -> None:
    canary, _, here, other = asyncio.run(browsed(home, propagate=True))

    spans = {hop: span_id(canary.id, hop) for hop in Hop}
    by_path = {one.path: told(one) for one in here.requests if "favicon" not in one.path}
    assert by_path == {
        "/": spans[Hop.PORTAL_LOAD],
        "/api/own": spans[Hop.PORTAL_LOAD],
        "/api/missing": spans[Hop.PORTAL_LOAD],
        "/requests": spans[Hop.PORTAL_SUBMIT],
        "/thanks": spans[Hop.PORTAL_SUBMIT],
    }
    assert {one.headers["traceparent"][3:35] for one in here.requests} == {canary.trace_id}
    assert {one.method for one in other.requests} == {"GET"}
    assert {"/api/third", "/pixel.png"} <= {one.path for one in other.requests}
    assert not any("traceparent" in one.headers for one in other.requests)


@pytest.mark.browser
def test_portal_without_propagate__is_told_of_no_trace(home: Path) -> None:
    _, _, here, other = asyncio.run(browsed(home, propagate=False))

    assert not any("traceparent" in one.headers for one in (*here.requests, *other.requests))


@pytest.mark.browser
def test_portals_steps_and_requests__are_spans_below_their_hops(home: Path, receiver: Receiver) -> None:
    async def scene() -> None:
        canary, seen, *_ = await browsed(home, propagate=False)
        await OtlpSender(OtlpConfig(f"{receiver.url}/v1/traces"), clock=CLOCK).send(
            await settled(canary, portal_scene.portal_path(), seen)
        )

    asyncio.run(scene())

    by_id = {span.span_id: span for span in receiver.spans}
    steps = [span for span in receiver.spans if span.name == "portal.step"]
    requests = [span for span in receiver.spans if span.name == "portal.request"]
    assert [(by_id[one.parent_span_id].name, attributes(one)["intake.step.text"]) for one in steps] == [
        ("portal.form", "fill {label: Subject}"),
        ("portal.form", "fill {label: Description}"),
        ("portal.submit", "submit {role: button, name: Send}"),
        ("portal.confirmation", "confirm {text: Thank you}"),
    ]
    asked = {attributes(one)["url.full"].partition("//")[2].partition("/")[2]: one for one in requests}
    assert {"", "api/own", "api/missing", "api/third", "pixel.png", "requests", "thanks"} <= set(asked)
    assert by_id[asked["requests"].parent_span_id].name == "portal.submit"
    assert attributes(asked["api/missing"])["http.response.status_code"] == 500
    assert asked["api/missing"].status.message == "500"
    assert not any(b"secret" in one.body for one in receiver.taken)
    for one in (*steps, *requests):
        parent = by_id[one.parent_span_id]
        assert parent.start_time_unix_nano <= one.start_time_unix_nano
        assert one.start_time_unix_nano <= one.end_time_unix_nano <= parent.end_time_unix_nano


@pytest.mark.browser
def test_step_that_can_not_be_done__is_an_error_below_its_hop(home: Path) -> None:
    async def scene() -> portal_scene.Seen:
        async with (
            running(third_party()) as other,
            running(portal(other)) as here,
            portal_scene.staged(home) as stage,
        ):
            of = portal_settings(here.url, propagate=False)
            gone = Step(1, Click(Locator(By.TEXT, "No such thing")), timeout_seconds=1.0)
            broken = replace(of, steps=(portal_scene.FILLED[0], replace(gone, number=2), *portal_scene.SENT))
            return await stage.launched(broken)

    seen = asyncio.run(scene())

    assert seen.end.hop is Hop.PORTAL_FORM
    assert [(one.text, one.is_done) for one in seen.end.steps] == [
        ("fill {label: Subject}", True),
        ("click {text: No such thing}", False),
    ]
