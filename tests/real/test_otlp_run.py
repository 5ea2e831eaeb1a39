"""`run`, `check` and `serve` with a receiver of traces that works, is down, hangs or refuses: the verdict is the same."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.clock import SystemClock
from runners.store import open_store
from tests.real.intake import Answer, Intake, new_intake
from tests.real.otlp_receiver import Receiver, attributes, receiving
from tests.real.test_otlp import closed_port
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def intake(home: Path, sandbox: Sandbox, otlp: object) -> Intake:
    return new_intake(home, sandbox.endpoints, {"telemetry": {"otlp": otlp}})


def finding(answer: Answer) -> dict[str, Any]:
    (found,) = [one for one in answer.said["checks"] if one["place"] == "telemetry"]
    return dict(found)


def test_run__sends_one_trace_a_canary_with_the_relays_of_its_mail(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    answer = intake(tmp_path, sandbox, receiver.url).tell("run")

    canary = answer.canary
    root = receiver.named("canary support-email")
    assert (answer.exit, canary["verdict"]) == (0, "confirmed")
    assert {span.trace_id.hex() for span in receiver.spans} == {canary["trace_id"]}
    assert attributes(root)["intake.ticket.id"] == canary["ticket"]["id"]
    by_id = {span.span_id: span for span in receiver.spans}
    relays = [span for span in receiver.spans if span.name == "relay"]
    assert relays
    assert {by_id[one.parent_span_id].name for one in relays} == {"mailbox.arrival"}
    hops = [span.name for span in receiver.spans if span.parent_span_id == root.span_id]
    assert {"smtp.connect", "smtp.tls", "smtp.auth", "smtp.accept", "mailbox.arrival"} < set(hops)
    assert {"ticket.created", "ticket.content", "ticket.cleanup"} < set(hops)


@pytest.mark.parametrize("way", ["down", "hangs", "refuses"])
def test_receiver_that_fails__costs_a_run_neither_verdict_nor_exit_but_its_own_counter(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver, way: str
) -> None:
    receiver.is_silent = way == "hangs"
    receiver.status = 400 if way == "refuses" else 200
    url = closed_port() if way == "down" else receiver.url
    intake_ = intake(tmp_path, sandbox, {"url": url, "timeout": "1s"})

    answer = intake_.tell("run")

    assert (answer.exit, answer.canary["verdict"]) == (0, "confirmed")
    assert "Traceback" not in answer.notes
    assert errors(intake_) >= 1


def errors(of: Intake) -> float:
    """What the store has counted."""

    async def count() -> float:
        async with open_store(of.store, clock=SystemClock(), read_only=True) as store:
            return sum(
                one.value for one in await store.samples() if one.name == "intake.prober.export.errors"
            )

    return asyncio.run(count())


def test_answer_of_a_run__does_not_wait_for_a_receiver_that_hangs(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.is_silent = True
    of = intake(tmp_path, sandbox, {"url": receiver.url, "timeout": "8s"})
    with of.start("--json", "run") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        answered = time.perf_counter()
        process.stdout.read()
        status = process.wait(60)

    assert line.startswith('{"canaries"')
    assert status == 0
    assert time.perf_counter() - answered > 2


def test_serve__sends_traces_too(tmp_path: Path, sandbox: Sandbox, receiver: Receiver) -> None:
    changes = {
        "telemetry": {"otlp": receiver.url},
        "paths": {"support-email": {"every": "10s"}},
        "web": {"listen": "127.0.0.1:0"},
    }
    with new_intake(tmp_path, sandbox.endpoints, changes).start("serve") as process:
        try:
            assert receiver.came.wait(60)
        finally:
            process.terminate()
            said = process.communicate(timeout=60)

    assert any(span.name == "canary support-email" for span in receiver.spans), said


def test_check__says_that_the_receiver_takes_traces(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    answer = intake(tmp_path, sandbox, receiver.url).tell("check")

    found = finding(answer)
    assert found["state"] == "ok"
    assert found["finding"] == f"{receiver.url}/v1/traces (telemetry.otlp) takes traces"
    assert receiver.spans == []


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "credential"), (404, "/v1/traces is added"), (500, "Start the receiver")],
)
def test_check__says_what_to_do_about_a_receiver_that_refuses(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver, status: int, remedy: str
) -> None:
    receiver.status, receiver.answer = status, b"no"

    answer = intake(tmp_path, sandbox, receiver.url).tell("check")

    assert (answer.exit, finding(answer)["state"]) == (2, "fail")
    assert remedy in finding(answer)["remedy"]


def test_check__refuses_grpc_with_a_clear_word(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with new_intake(tmp_path, sandbox.endpoints, {}).start("check") as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "telemetry  otlp: nothing is sent by OTLP: OTEL_EXPORTER_OTLP_PROTOCOL says grpc" in said
