"""One canary, several processes: one trace, sent at least once and the same each time, whoever dies in between."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.otlp_receiver import Receiver, attributes, receiving
from tests.sandbox import ROOT

HOUR_NS = 3600 * 10**9


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def run(
    home: Path,
    receiver: Receiver,
    *,
    hours: float,
    launches: bool = False,
    dies: tuple[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """A process that is begun so many hours from now; its exit status and its answer."""
    asked = {
        "store": f"sqlite:///{home / 'intake.db'}",
        "receiver": f"{receiver.url}/v1/traces",
        "hours": hours,
        "launches": launches,
        "dies": dies,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.trace_child", json.dumps(asked)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def test_hops_seen_by_different_processes_hours_apart__are_one_trace_sent_as_a_whole(
    tmp_path: Path, receiver: Receiver
) -> None:
    launched = run(tmp_path, receiver, hours=0, launches=True)
    assert (launched[0], launched[1]["verdicts"]) == (0, ["pending"])
    assert receiver.taken == []

    swept = run(tmp_path, receiver, hours=5)

    assert (swept[0], swept[1]["verdicts"]) == (0, ["confirmed"])
    main = next(one for one in receiver.taken if any(span.name.startswith("canary ") for span in one.spans))
    by_name = {span.name: span for span in main.spans}
    assert {"dns", "smtp.accept", "ticket.created", "ticket.content"} <= set(by_name)
    assert len({span.trace_id for span in receiver.spans}) == 1
    assert len({span.span_id for span in receiver.spans}) == len(receiver.spans)
    launching, watching = by_name["dns"], by_name["ticket.created"]
    assert attributes(launching)["intake.observer"] != attributes(watching)["intake.observer"]
    assert watching.end_time_unix_nano - launching.end_time_unix_nano > 4 * HOUR_NS
    assert by_name["canary support-email"].end_time_unix_nano >= watching.end_time_unix_nano


@pytest.mark.parametrize(
    ("dies", "sent_before"),
    [
        (("claim_traces", "after"), 0),
        (("freeze_traces", "after"), 0),
        (("trace_sent", "before"), 1),
    ],
    ids=str,
)
def test_killed_at_any_point_of_the_sending__another_process_sends_the_same_to_the_byte(
    tmp_path: Path, receiver: Receiver, dies: tuple[str, str], sent_before: int
) -> None:
    run(tmp_path, receiver, hours=0, launches=True)

    struck, _ = run(tmp_path, receiver, hours=5, dies=dies)
    assert struck == -9
    assert len(receiver.taken) == sent_before
    again, _ = run(tmp_path, receiver, hours=6)

    assert again == 0
    assert {"canary support-email", "ticket.cleanup"} <= {span.name for span in receiver.spans}
    bodies: dict[tuple[bytes, ...], set[bytes]] = {}
    for one in receiver.taken:
        bodies.setdefault(tuple(span.span_id for span in one.spans), set()).add(one.body)
    assert [len(found) for found in bodies.values()] == [1] * len(bodies)
    assert len(receiver.taken) == len(bodies) + sent_before
    last, _ = run(tmp_path, receiver, hours=7)
    assert last == 0
    assert len(receiver.taken) == len(bodies) + sent_before


def test_nothing_of_opentelemetry__is_loaded_before_a_canary_has_left(
    tmp_path: Path, receiver: Receiver
) -> None:
    _, first = run(tmp_path, receiver, hours=0, launches=True)
    _, second = run(tmp_path, receiver, hours=5, launches=True)

    assert first["loaded_at_launch"] == second["loaded_at_launch"] == []
    assert first["loaded_at_end"] == []
    assert "opentelemetry" in second["loaded_at_end"]
