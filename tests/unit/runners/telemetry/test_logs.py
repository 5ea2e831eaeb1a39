"""Log lines: one event a fact, with its context, without secrets and strangers' addresses."""

import asyncio
import base64
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from probes.masking import Masker, Secret
from runners.telemetry.logs import log_context, set_up_logging

SECRET = "planted-secret/with+signs"


@pytest.fixture
def root() -> Iterator[None]:
    """Leaves the root logger as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def _open(*, as_json: bool = True, **environ: str) -> io.StringIO:
    stream = io.StringIO()
    masker = Masker([Secret(SECRET)])
    own = frozenset({"canary@probe.example"})
    set_up_logging(masker, own, prober="fra-1", as_json=as_json, stream=stream, environ=environ)
    return stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("root")
def test_event__has_its_time_level_context_and_facts() -> None:
    stream = _open()

    with log_context(run_id="r1", path="support-email"):
        logging.getLogger("runners.launch").info(
            "canary_launched", extra={"canary_id": "abc", "seconds": 1.5}
        )

    (line,) = _lines(stream)
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "INFO",
        "event": "canary_launched",
        "logger": "runners.launch",
        "msg": "canary launched",
        "prober": "fra-1",
        "run_id": "r1",
        "path": "support-email",
        "canary_id": "abc",
        "seconds": 1.5,
    }


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("as_json", [True, False])
def test_secrets__in_message_fields_and_traceback__are_masked(as_json: bool) -> None:
    stream = _open(as_json=as_json)
    log = logging.getLogger("x")

    log.warning("login with %s failed", SECRET)
    log.warning("planned", extra={"detail": f"https://u:{SECRET}@h/?token={SECRET}"})
    error = ValueError(f"bad answer to {SECRET} of stranger@elsewhere.example")
    log.error("launch_failed", exc_info=error)

    text = stream.getvalue()
    assert "planted" not in text
    assert "stranger" not in text
    assert "***" in text
    assert "ValueError" in text


@pytest.mark.usefixtures("root")
def test_addresses__of_ours_are_shown_and_of_strangers_hashed() -> None:
    stream = _open()

    logging.getLogger("x").info(
        "from Canary@probe.example, canary+k123@probe.example to jane.doe@acme.example"
    )

    (line,) = _lines(stream)
    assert line["msg"].startswith("from Canary@probe.example, canary+k123@probe.example to ")
    assert "jane" not in line["msg"]
    assert line["msg"].endswith("@acme.example")


@pytest.mark.usefixtures("root")
def test_context__in_two_tasks_at_once__stays_with_its_task() -> None:
    stream = _open()

    async def work(name: str, entered: asyncio.Event, other: asyncio.Event) -> None:
        with log_context(canary_id=name):
            entered.set()
            await other.wait()
            logging.getLogger("x").info("hop_observed")

    async def both() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(work("a", first, second))
            group.create_task(work("b", second, first))

    asyncio.run(both())

    assert {line["canary_id"] for line in _lines(stream)} == {"a", "b"}


@pytest.mark.usefixtures("root")
def test_level_of_the_environment__holds_also_if_it_is_nonsense() -> None:
    _open(INTAKE_PROBER_LOG_LEVEL="debug")
    debug = logging.getLogger().level
    _open(INTAKE_PROBER_LOG_LEVEL="loud")

    assert (debug, logging.getLogger().level) == (logging.DEBUG, logging.INFO)


@pytest.mark.usefixtures("root")
def test_set_up_twice__writes_each_line_once() -> None:
    _open()
    stream = _open()

    logging.getLogger("x").info("canary_launched")

    assert len(_lines(stream)) == 1


@pytest.mark.usefixtures("root")
def test_text__is_one_line_a_person_reads() -> None:
    stream = _open(as_json=False, INTAKE_PROBER_LOG_LEVEL="info")

    logging.getLogger("x").info("canary_launched", extra={"path": "p"})

    assert stream.getvalue()[8:] == " INFO    canary launched prober=fra-1 path=p\n"


@pytest.mark.usefixtures("root")
def test_every_line__has_the_run_that_wrote_it() -> None:
    stream = _open()

    logging.getLogger("a").warning("one_thing")
    logging.getLogger("b").warning("another_thing")

    first, second = _lines(stream)
    assert first["run_id"] == second["run_id"]
    assert len(first["run_id"]) == 16


@pytest.mark.parametrize("before", ["", "u", "us", "canary@probe.example:"])
@pytest.mark.parametrize("after", ["", "\n", "\0\0"])
@pytest.mark.usefixtures("root")
def test_secret_within_base64__is_masked_wherever_it_begins_and_ends(before: str, after: str) -> None:
    stream = _open()
    packed = base64.b64encode(f"{before}{SECRET}{after}".encode()).decode()

    logging.getLogger("a").warning("sent %s", packed)
    logging.getLogger("a").warning("sent %s", packed.replace("+", "-").replace("/", "_"))

    for line in _lines(stream):
        assert "***" in line["msg"]
        assert SECRET not in line["msg"]
        assert base64.b64encode(SECRET.encode()).decode()[4:20] not in line["msg"]
