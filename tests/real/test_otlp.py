"""Traces over real sockets: what a receiver gets, and what a receiver costs that refuses, hangs, drips or is not there."""

import asyncio
import importlib
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.reason import Reason
from canary.trace import span_id
from canary.verdict import Verdict
from probes.masking import Masker, Secret
from runners.clock import SystemClock
from runners.config.telemetry import Compression, OtlpConfig
from runners.contracts import Store
from runners.export_contracts import MAIN, PartKey
from runners.telemetry.exporting import IN_A_ROW, Exporter
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.span_rows import TraceBatch, nanoseconds
from runners.telemetry.spans import spans_of
from runners.telemetry.traces import OtlpSender, to_spans
from tests.contracts.store_cases import (
    MAIL,
    after,
    judged,
    make_canary,
    recorded,
    seen_at,
    settlement,
)
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.real.otlp_receiver import Receiver, attributes, receiving

RESOURCE = {"service.name": "intake-prober", "service.instance.id": "fra-1", "service.version": "1.2.3"}
CLOCK = SystemClock()
importlib.import_module(
    "opentelemetry.exporter.otlp.proto.http.trace_exporter"
)  # no limit here is of loading it


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def otlp(url: str, **changes: object) -> OtlpConfig:
    made = OtlpConfig(f"{url}/v1/traces", timeout_seconds=1.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def closed_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


async def filled(store: Store) -> Canary:
    """A breached canary: one hop passed, one refused."""
    canary = await recorded(store, make_canary())
    refused = replace(
        seen_at(canary, Hop.SMTP_ACCEPT, seconds=3.25, outcome=Outcome.FAILED),
        reason=Reason.MAILBOX_FULL,
        detail="552 5.2.2 full",
        facts={"intake.smtp.code": 552, "dns.answers": "a, b", "intake.page.lcp": 1.5},
        observer="host-a/1",
    )
    await store.append(seen_at(canary), refused)
    await store.settle(settlement(judged(canary, Verdict.BREACHED)))
    return canary


async def several(store: Store) -> list[Canary]:
    """Five confirmed canaries."""
    canaries = [await recorded(store, make_canary(number)) for number in range(1, 6)]
    for number, canary in enumerate(canaries):
        await store.append(seen_at(canary))
        _, version = await store.progress(MAIL)
        fresh = settlement(judged(canary, Verdict.CONFIRMED), version=version)
        await store.settle(replace(fresh, at=after(100 + number)))
    return canaries


async def batch_of(store: Store) -> TraceBatch:
    canary = await filled(store)
    made = spans_of((await store.trace_rows([canary.id]))[canary.id], MAIN)
    assert made is not None
    return replace(made, resource=RESOURCE, version="1.2.3")


BATCH = asyncio.run(batch_of(MemoryStore()))


def send(config: OtlpConfig, *, times: int = 1) -> None:
    async def main() -> None:
        sender = OtlpSender(config, clock=CLOCK)
        for _ in range(times):
            await sender.send(BATCH)
        sender.close()

    asyncio.run(main())


def test_receiver__gets_the_spans_with_their_ids_parents_times_kinds_and_status(receiver: Receiver) -> None:
    send(otlp(receiver.url))

    (one,) = receiver.taken
    canary = make_canary()
    root, hop = receiver.named("canary support-mail"), receiver.named("smtp.accept")
    assert one.path == "/v1/traces"
    assert one.headers["content-type"] == "application/x-protobuf"
    assert one.headers["content-encoding"] == "gzip"
    assert {span.trace_id.hex() for span in receiver.spans} == {canary.trace_id}
    assert root.span_id.hex() == span_id(canary.id, "canary")
    assert hop.span_id.hex() == span_id(canary.id, "smtp.accept")
    assert (root.parent_span_id, hop.parent_span_id) == (b"", root.span_id)
    assert root.start_time_unix_nano == nanoseconds(canary.launched_at)
    assert root.end_time_unix_nano == nanoseconds(after(60))
    assert hop.start_time_unix_nano == nanoseconds(after(2.75))
    assert hop.end_time_unix_nano == nanoseconds(after(3.25))
    assert (root.kind, hop.kind) == (Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
    assert hop.status.code == Status.STATUS_CODE_ERROR
    assert hop.status.message == "mailbox_full: 552 5.2.2 full"
    assert receiver.named("dns").status.code == Status.STATUS_CODE_UNSET


def test_receiver__gets_attributes_of_their_types_and_the_resource_of_the_prober(receiver: Receiver) -> None:
    send(otlp(receiver.url))

    told = attributes(receiver.named("smtp.accept"))
    assert told["intake.smtp.code"] == 552
    assert told["intake.page.lcp"] == 1.5
    assert told["dns.answers"] == ["a", "b"]
    assert told["error.type"] == "mailbox_full"
    (spans,) = receiver.taken[0].request.resource_spans
    assert {one.key: one.value.string_value for one in spans.resource.attributes} == RESOURCE
    assert (spans.scope_spans[0].scope.name, spans.scope_spans[0].scope.version) == ("intake_prober", "1.2.3")


def test_same_part_twice__is_the_same_to_the_byte(receiver: Receiver) -> None:
    send(otlp(receiver.url), times=2)
    send(otlp(receiver.url, compression=Compression.NONE))
    send(otlp(receiver.url, compression=Compression.DEFLATE))

    assert len({one.body for one in receiver.taken}) == 1
    assert [one.headers.get("content-encoding") for one in receiver.taken] == [
        "gzip",
        "gzip",
        None,
        "deflate",
    ]


def test_spans_of_the_sdk__can_be_made_without_a_tracer() -> None:
    made = to_spans(BATCH)

    assert [one.name for one in made] == [one.name for one in BATCH.spans]
    assert all(one.start_time is not None for one in made)


class Renewing:
    """A secret that changes when it is asked for anew."""

    def __init__(self) -> None:
        self.renewals = 0

    async def read(self, *, renew: bool = False) -> Secret:
        self.renewals += renew
        return Secret(f"Bearer {self.renewals}")


def test_secret_of_a_header__is_sent_and_read_anew_once_after_it_was_refused(receiver: Receiver) -> None:
    source = Renewing()
    config = otlp(receiver.url, headers=MappingProxyType({"authorization": source, "x-scope-orgid": "t1"}))

    async def main() -> list[int | None]:
        sender = OtlpSender(config, clock=CLOCK)
        said: list[int | None] = []
        for status in (200, 401, 200, 200):
            receiver.status = status
            try:
                await sender.send(BATCH)
            except NotSent as failure:
                said.append(failure.status)
        return said

    assert asyncio.run(main()) == [401]
    sent = [one.headers["authorization"] for one in receiver.taken]
    assert sent == ["Bearer 0", "Bearer 0", "Bearer 1", "Bearer 1"]
    assert {one.headers["x-scope-orgid"] for one in receiver.taken} == {"t1"}


def test_netrc_of_the_user__is_weaker_than_the_header_that_is_configured(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    send(otlp(receiver.url, headers={"authorization": "Bearer ours"}))

    assert receiver.taken[0].headers["authorization"] == "Bearer ours"


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(400, True), (413, True), (401, False), (404, False), (302, False), (500, False), (503, False)],
)
def test_status__decides_whether_it_is_tried_again_and_is_said(
    receiver: Receiver, status: int, permanent: bool
) -> None:
    receiver.status, receiver.answer = status, b"the reason"
    receiver.headers = {"Retry-After": "7"}

    with pytest.raises(NotSent) as caught:
        send(otlp(receiver.url))

    assert caught.value.permanent is permanent
    assert caught.value.retry_after_seconds == 7.0
    assert str(caught.value).startswith(f"{status} ")
    assert str(caught.value).endswith("the reason")
    assert len(receiver.taken) == 1


def test_retry_after_as_a_date__is_taken_by_the_receivers_own_clock(receiver: Receiver) -> None:
    receiver.status = 503
    receiver.headers = {
        "Retry-After": "Mon, 02 Mar 2026 12:02:00 GMT",
        "Date": "Mon, 02 Mar 2026 12:00:00 GMT",
    }

    with pytest.raises(NotSent) as caught:
        send(otlp(receiver.url))

    assert caught.value.retry_after_seconds == 120.0


def test_part_that_is_taken_in_part__is_not_sent_again_and_is_told(receiver: Receiver) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    receiver.answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()

    with pytest.raises(NotSent, match="2 spans were rejected: too old") as caught:
        send(otlp(receiver.url))

    assert caught.value.permanent


def test_dead_port__is_told_at_once_and_tried_once() -> None:
    began = CLOCK.monotonic()

    with pytest.raises(NotSent, match="refused") as caught:
        send(otlp(closed_port(), timeout_seconds=10.0))

    assert not caught.value.permanent
    assert CLOCK.monotonic() - began < 5


@pytest.mark.parametrize("way", ["is_silent", "trickles"])
def test_receiver_that_hangs_or_drips__is_left_when_its_time_is_over_and_the_next_one_goes(
    receiver: Receiver, way: str
) -> None:
    setattr(receiver, way, True)

    async def main() -> float:
        sender = OtlpSender(otlp(receiver.url), clock=CLOCK)
        began = CLOCK.monotonic()
        with pytest.raises(NotSent, match="no answer") as caught:
            await sender.send(BATCH)
        took = CLOCK.monotonic() - began
        assert not caught.value.permanent
        setattr(receiver, way, False)
        await sender.send(BATCH)
        return took

    assert asyncio.run(main()) < 6
    assert len({one.body for one in receiver.taken}) == 1


def test_garbage_instead_of_an_answer__is_told_and_tried_again() -> None:
    async def main() -> str:
        async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(b"no HTTP\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(garbage, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            with pytest.raises(NotSent) as caught:
                await OtlpSender(otlp(f"http://127.0.0.1:{port}"), clock=CLOCK).send(BATCH)
        assert not caught.value.permanent
        return str(caught.value)

    assert asyncio.run(main())


def exporter(
    store: Store, config: OtlpConfig, failures: list[int], *, masker: Masker | None = None
) -> Exporter:
    return Exporter(
        store=store,
        sender=OtlpSender(config, clock=CLOCK),
        clock=FakeClock(after(120)),
        holder="host-a",
        chance=lambda: 0.5,
        redact=(masker or Masker()).mask,
        resource=RESOURCE,
        version="1.2.3",
        failed=lambda: failures.append(1),
        counted_for="fra-1",
    )


def test_outbox__is_sent_and_empty(receiver: Receiver) -> None:
    store, failures = MemoryStore(), list[int]()

    async def main() -> None:
        await filled(store)
        await exporter(store, otlp(receiver.url), failures).drain()

    asyncio.run(main())

    assert len(receiver.taken) == 1
    assert asyncio.run(store.exports()).pending == 0
    assert failures == []


def test_planted_secret__reaches_no_receiver_and_no_store(receiver: Receiver) -> None:
    store, failures = MemoryStore(), list[int]()
    masker = Masker([Secret("planted-secret")])

    async def main() -> None:
        canary = await recorded(store, make_canary())
        told = replace(
            seen_at(canary, Hop.SMTP_ACCEPT, seconds=3, outcome=Outcome.FAILED),
            evidence=Evidence.OBSERVED,
            detail="said planted-secret",
            facts={"tls.server.subject": "planted-secret"},
        )
        await store.append(told)
        await store.settle(settlement(judged(canary, Verdict.BREACHED)))
        receiver.status = 500
        receiver.answer = b"planted-secret"
        await exporter(store, otlp(receiver.url), failures, masker=masker).drain()

    asyncio.run(main())

    assert b"planted" not in receiver.taken[0].body
    assert "planted" not in (asyncio.run(store.exports()).last_error or "")


def test_refused_for_good__is_dead_and_counted(receiver: Receiver) -> None:
    store, failures = MemoryStore(), list[int]()
    receiver.status, receiver.answer = 400, b"bad"

    async def main() -> None:
        await filled(store)
        await exporter(store, otlp(receiver.url), failures).drain()

    asyncio.run(main())

    state = asyncio.run(store.exports())
    assert (state.pending, state.dead, state.last_error) == (0, 1, "400 Bad Request bad")
    assert len(failures) == 1


def test_part_for_which_the_connection_is_reset__holds_up_no_other_one_of_a_run_that_ends(
    receiver: Receiver,
) -> None:
    store, failures = MemoryStore(), list[int]()

    async def main() -> None:
        canaries = await several(store)
        receiver.resets = canaries[2].id.encode()
        await exporter(store, otlp(receiver.url), failures).drain()
        wanted = {one.id for one in canaries if one is not canaries[2]}
        assert {attributes(span)["intake.canary.id"] for span in receiver.spans} == wanted

    asyncio.run(main())

    state = asyncio.run(store.exports())
    assert (state.pending, state.dead) == (1, 0)
    assert len(failures) == 1
    assert receiver.reset == 2  # with the others, and by itself


def test_receiver_that_resets_every_connection__ends_a_drain_after_a_few_tries(receiver: Receiver) -> None:
    store, failures = MemoryStore(), list[int]()
    receiver.resets = b""

    async def main() -> None:
        await several(store)
        await exporter(store, otlp(receiver.url), failures).drain()

    asyncio.run(main())

    assert asyncio.run(store.exports()).pending == 5
    assert receiver.reset == 1 + IN_A_ROW


def test_receiver_that_was_away__gets_the_part_as_it_was_first_made(
    receiver: Receiver,
) -> None:
    store, failures = MemoryStore(), list[int]()
    receiver.status, receiver.headers = 503, {"Retry-After": "60"}

    async def main() -> Canary:
        canary = await filled(store)
        one = exporter(store, otlp(receiver.url), failures)
        await one.drain()
        state = await store.exports()
        assert (state.pending, state.oldest_at) == (1, after(180))
        # What is learnt meanwhile is no part of it any more.
        late: Observation = replace(seen_at(canary, Hop.SMTP_CONNECT, seconds=2), detail="learnt later")
        await store.append(late)
        receiver.status = 200
        assert isinstance(one.clock, FakeClock)
        one.clock.advance(60)
        await one.drain()
        return canary

    canary = asyncio.run(main())

    assert [one.body for one in receiver.taken] == [receiver.taken[0].body] * 2
    assert asyncio.run(store.freeze_traces({PartKey(canary.id, MAIN): ""})) == {}
    assert len(failures) == 1
