"""The sandbox as a process: its start, its control, its end, and what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.sandbox import CACHE, ROOT, Sandbox, start_sandbox

pytestmark = pytest.mark.real

END_SECONDS = 3.0


def command(directory: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "sandbox", "--directory", str(directory), "--cache", str(CACHE), *more]


def desks_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes: list[psutil.Process]) -> bool:
    ends_at = time.perf_counter() + END_SECONDS
    while time.perf_counter() < ends_at:
        if not any(
            process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes
        ):
            return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal__ends_all_processes_with_exit_0(tmp_path: Path, number: signal.Signals) -> None:
    with start_sandbox(tmp_path / "s") as sandbox:
        desks = desks_of(sandbox.process)
        os.kill(sandbox.process.pid, number)
        began = time.perf_counter()
        code = sandbox.process.wait(END_SECONDS)

    assert code == 0
    assert time.perf_counter() - began < 2
    assert desks
    assert gone(desks)


def test_stop_order__ends_it(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "s") as sandbox:
        httpx.post(f"{sandbox.endpoints.control}/stop", trust_env=False)

        assert sandbox.process.wait(END_SECONDS) == 0


def test_killed_sandbox__takes_its_desk_along(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "s") as sandbox:
        desks = desks_of(sandbox.process)
        sandbox.process.kill()
        sandbox.process.wait(END_SECONDS)

        assert gone(desks)


def test_dead_parent__ends_the_sandbox(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, json; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, "
        "start_new_session=True); p.stdout.readline(); print(p.pid, flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent, *command(tmp_path / "s")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        process.kill()
        process.wait(END_SECONDS)

    assert len(family) == 2
    assert gone(family)


def test_seconds_to_live__end_it(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path / "s", "--seconds-to-live", "2"),
        cwd=ROOT,
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert done.returncode == 0
    assert done.stderr == b"sandbox: ended: it lived its seconds\n"
    assert set(json.loads(done.stdout)) >= {
        "control",
        "smtp",
        "imap",
        "desk",
        "portal",
        "contact_form",
        "accounts",
        "ca_file",
        "domain",
    }


def test_start__with_a_prepared_database__writes_only_below_its_folder(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with start_sandbox(tmp_path / "first", cache=cache):
        pass
    before = {file.name for file in cache.iterdir()}
    with start_sandbox(tmp_path / "second", cache=cache) as sandbox:
        assert sandbox.state()["desk"]["alive"] is True

    assert len(before) == 1
    assert {file.name for file in cache.iterdir()} == before
    assert {file.name for file in tmp_path.iterdir()} == {"cache", "first", "second"}


def test_passwords__are_new_at_each_start__and_in_no_log(tmp_path: Path) -> None:
    seen = []
    for name in ("one", "two"):
        with start_sandbox(tmp_path / name) as sandbox:
            ends = sandbox.endpoints
            secrets = (ends.desk_token, ends.portal_password, ends.portal_totp_secret)
            seen.append((sandbox.canary.password, sandbox.support.password, *secrets))
            lines = [
                Path(f"/proc/{process.pid}/cmdline").read_bytes()
                for process in (psutil.Process(sandbox.process.pid), *desks_of(sandbox.process))
            ]
        log = (tmp_path / name / "sandbox.log").read_text()
        assert not any(secret in log or secret.encode() in b"".join(lines) for secret in seen[-1])

    assert not set(seen[0]) & set(seen[1])


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def test_crashed_desk__is_visible_in_the_state(tmp_path: Path) -> None:
    with start_sandbox(tmp_path / "s") as sandbox:
        for desk in desks_of(sandbox.process):
            desk.kill()

        state = sandbox.until(lambda state: not state["desk"]["alive"])
        assert state["desk"]["exit_code"] == -signal.SIGKILL
        assert state["desk"]["polling"] is False


def test_unknown_switch__is_400_with_the_list__and_changes_nothing(sandbox: Sandbox) -> None:
    answer = httpx.post(
        f"{sandbox.endpoints.control}/faults",
        json={"imap_refuze": True, "imap_refuse": True},
        trust_env=False,
    )

    assert answer.status_code == 400
    assert "imap_refuze" in answer.json()["error"]
    assert "imap_refuse" in answer.json()["error"]
    assert sandbox.state()["faults"] == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", b"no json"),
        ("/faults", b'{"mailbox_full": "sometimes"}'),
        ("/faults", b'{"smtp_refuse": "yes"}'),
        ("/mailboxes/support@acme.test/quota", b'{"storage": 1}'),
        ("/mailboxes/support@acme.test/fill", b"{}"),
        ("/mailboxes/support@acme.test/quota", b'{"messages": -1}'),
        ("/desk/poller", b'{"interval_seconds": "soon"}'),
    ],
)
def test_senseless_orders__are_400_with_a_reason(sandbox: Sandbox, path: str, body: bytes) -> None:
    answer = httpx.post(sandbox.endpoints.control + path, content=body, trust_env=False)

    assert answer.status_code == 400
    assert answer.json()["error"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/mailboxes/nobody@acme.test/empty", "/mailboxes/support@acme.test/eat"]
)
def test_unknown_places__are_404(sandbox: Sandbox, path: str) -> None:
    assert httpx.post(sandbox.endpoints.control + path, json={}, trust_env=False).status_code == 404


def test_endpoints__are_what_the_first_line_said(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.endpoints.control}/endpoints", trust_env=False).json()

    assert answer == sandbox.endpoints.raw


def test_faults_in_force__are_named_in_the_state__tokens_only_counted(sandbox: Sandbox) -> None:
    sandbox.faults(imap_bearer_tokens=["s3cret"], clock_skew_seconds=5)
    state = sandbox.state()
    sandbox.clear_faults()

    assert state["faults"] == {"imap_bearer_tokens": "1 tokens", "clock_skew_seconds": 5.0}
    assert sandbox.state()["faults"] == {}
