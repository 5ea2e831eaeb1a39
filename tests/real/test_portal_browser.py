"""The browser is missing, dies, hangs, is replaced, is stopped: the word is about ourselves, and nothing of it stays."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from canary.hop import Hop
from canary.observation import Observation, Outcome
from canary.reason import CAUSES, Reason, Side
from probes.portal import browser
from probes.portal.executable import INSTALL, VARIABLE
from tests.real.portal_scene import (
    Seen,
    Stage,
    browser_family,
    driver,
    homes,
    main_browser,
    new,
    renderers,
    settings,
    small_portal,
    staged,
)
from tests.real.scripted_http import Break, Reply, Request, running
from tests.real.servers.needed import CHROMIUM, NotHere
from tests.real.servers.process import run_as, server_directory, unprivileged_account
from tests.sandbox import ROOT

pytestmark = [pytest.mark.real, pytest.mark.browser]
SUBMITTED = {Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:  # noqa: ARG001 -- made before
    """The system's folder for temporary files, of this test alone: empty again in the end, and no process left."""
    CHROMIUM.require()
    folder = Path(tempfile.mkdtemp(prefix="pb-"))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv(VARIABLE, raising=False)
    yield folder
    assert homes(folder) == []
    folder.rmdir()
    assert browser_family() == []


def program(folder: Path, text: str) -> str:
    file = folder / "browser"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


async def one(tmp_path: Path, *, start_seconds: float = 30.0, executable: str | None = None) -> Seen:
    async with (
        running(small_portal()) as site,
        staged(tmp_path, executable=executable, start_seconds=start_seconds) as stage,
    ):
        return await stage.launched(settings(f"{site.url}/"))


def is_about_us(seen: Seen, reason: Reason) -> None:
    """The canary ends as ours, and no ticket can come of it."""
    end = seen.end
    assert (end.outcome, end.reason) == (Outcome.FAILED, reason), end.detail
    assert CAUSES[reason].side is Side.PROBER
    assert end.side in {None, Side.PROBER}
    assert end.rules_out_ticket


# It can't be started


def test_configured_browser_that_is_not_there__is_named__and_no_other_is_taken(tmp_path: Path) -> None:
    seen = asyncio.run(one(tmp_path, executable="/opt/nowhere/chromium"))

    is_about_us(seen, Reason.BROWSER_MISSING)
    assert "/opt/nowhere/chromium, which prober.browser.executable names" in seen.end.detail


def test_no_browser_at_all__is_said_with_the_command_that_installs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))

    seen = asyncio.run(one(tmp_path))

    is_about_us(seen, Reason.BROWSER_MISSING)
    assert seen.end.detail.endswith(INSTALL)


def test_browser_that_ends_at_once__is_said_with_its_last_words(tmp_path: Path) -> None:
    dies = program(tmp_path, "echo 'error while loading shared libraries: libnss3.so' >&2; exit 127")

    seen = asyncio.run(one(tmp_path, executable=dies))

    is_about_us(seen, Reason.BROWSER_CRASHED)
    assert "libnss3.so" in seen.end.detail
    assert "playwright install" not in seen.end.detail


def test_browser_that_hangs_at_its_start__costs_the_start_s_limit__and_does_not_stay(tmp_path: Path) -> None:
    hangs = program(tmp_path, "sleep 601 & sleep 600")
    began = time.monotonic()

    seen = asyncio.run(one(tmp_path, executable=hangs, start_seconds=4.0))

    is_about_us(seen, Reason.BROWSER_UNRESPONSIVE)
    assert "did not start within 4 s" in seen.end.detail
    assert time.monotonic() - began < 12
    assert not [p for p in psutil.process_iter() if "sleep 601" in " ".join(command(p))]


def test_browser_that_hangs_at_its_start__is_waited_for_once__however_many_canaries_want_it(
    tmp_path: Path,
) -> None:
    hangs = program(tmp_path, "sleep 600")

    async def four() -> list[Seen]:
        async with (
            running(small_portal()) as site,
            staged(tmp_path, executable=hangs, start_seconds=4.0) as stage,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(stage.launched(settings(f"{site.url}/"))) for _ in range(4)]
        return [task.result() for task in tasks]

    began = time.monotonic()
    for seen in asyncio.run(four()):
        is_about_us(seen, Reason.BROWSER_UNRESPONSIVE)
    assert time.monotonic() - began < 12


def test_driver_that_can_t_be_started__is_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", "/opt/nowhere/node")

    seen = asyncio.run(one(tmp_path))

    is_about_us(seen, Reason.BROWSER_MISSING)
    assert "/opt/nowhere/node" in seen.end.detail


def test_folder_for_temporary_files_that_is_gone__is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(tempfile, "tempdir", "/nowhere")
        seen = asyncio.run(one(tmp_path))

    is_about_us(seen, Reason.BROWSER_CRASHED)
    assert "folder" in seen.end.detail


def test_folder_for_temporary_files_with_a_long_name__is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))

    assert asyncio.run(one(tmp_path)).is_confirmed


# It dies or hangs in the middle


def kill_browser() -> None:
    main_browser().kill()


def kill_driver() -> None:
    driver().kill()


def kill_renderers() -> None:
    for process in renderers():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def stop_browser() -> None:
    main_browser().suspend()


def stop_everything() -> None:
    for process in browser_family():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()


@pytest.mark.parametrize(
    ("hurt", "reason"),
    [
        (kill_browser, Reason.BROWSER_CRASHED),
        (kill_driver, Reason.BROWSER_CRASHED),
        (kill_renderers, Reason.BROWSER_CRASHED),
        (stop_browser, Reason.BROWSER_UNRESPONSIVE),
        (stop_everything, Reason.BROWSER_UNRESPONSIVE),
    ],
)
def test_browser_hurt_while_the_form_is_filled_in__ends_the_canary_as_ours__and_the_next_is_confirmed(
    tmp_path: Path, hurt: Callable[[], None], reason: Reason
) -> None:
    async def both() -> tuple[Seen, Seen]:
        async with running(small_portal()) as site, staged(tmp_path) as stage:
            of = settings(f"{site.url}/")
            first = await stage.launched(of, then=_after(Hop.PORTAL_LOAD, hurt))
            second = await stage.launched(of)
            assert site.posts == site.posts[-1:]  # the second's
            return first, second

    began = time.monotonic()
    first, second = asyncio.run(both())

    is_about_us(first, reason)
    assert first.end.hop is Hop.PORTAL_FORM, first.end.detail
    assert second.is_confirmed, second.story()
    assert time.monotonic() - began < 90


@pytest.mark.parametrize("hurt", [kill_browser, kill_driver])
def test_browser_killed_while_the_answer_is_waited_for__leaves_it_open_whether_it_was_sent(
    tmp_path: Path, hurt: Callable[[], None]
) -> None:
    portal = small_portal()

    def silent(_: Request) -> Reply:
        hurt()
        return Reply(broken=Break.SILENT)

    portal.answers["POST /requests"] = silent

    async def told() -> Seen:
        async with running(portal) as site, staged(tmp_path) as stage:
            return await stage.launched(settings(f"{site.url}/"))

    seen = asyncio.run(told())

    assert (seen.end.hop, seen.end.outcome, seen.end.reason) == (
        Hop.PORTAL_SUBMIT,
        Outcome.UNKNOWN,
        Reason.BROWSER_CRASHED,
    )
    assert not seen.end.rules_out_ticket
    assert len(portal.posts) == 1


@pytest.mark.parametrize("hurt", [kill_browser, kill_driver])
def test_browser_killed_between_canaries__is_not_even_noticed(
    tmp_path: Path, hurt: Callable[[], None]
) -> None:
    async def both() -> tuple[Seen, Seen]:
        async with running(small_portal()) as site, staged(tmp_path) as stage:
            first = await stage.launched(settings(f"{site.url}/"))
            hurt()
            return first, await stage.launched(settings(f"{site.url}/"))

    first, second = asyncio.run(both())

    assert first.is_confirmed
    assert second.is_confirmed, second.story()


# It is shared, and renewed


def test_several_canaries_at_once__share_one_browser(tmp_path: Path) -> None:
    browsers: set[int] = set()

    async def four() -> list[Seen]:
        def note(_: Observation) -> None:
            if browser_family():
                browsers.add(main_browser().pid)

        async with running(small_portal()) as site, staged(tmp_path) as stage, asyncio.TaskGroup() as group:
            of = settings(f"{site.url}/")
            tasks = [group.create_task(stage.launched(of, then=note)) for _ in range(4)]
        return [task.result() for task in tasks]

    assert all(seen.is_confirmed for seen in asyncio.run(four()))
    assert len(browsers) == 1


def test_browser__is_renewed_after_its_number_of_canaries(tmp_path: Path) -> None:
    async def told() -> list[int]:
        pids = []
        async with running(small_portal()) as site, staged(tmp_path, recycle_after=2) as stage:
            for _ in range(4):
                seen = await stage.launched(
                    settings(f"{site.url}/"),
                    then=_after(Hop.PORTAL_LOAD, lambda: pids.append(main_browser().pid)),
                )
                assert seen.is_confirmed
            assert browser_family() == []  # the second pair's has ended with its last canary
        return pids

    first, again, second, last = asyncio.run(told())

    assert (first, second) == (again, last)
    assert first != second


@dataclass
class Waiting(Seen):
    """A canary that stays where it is, once it has loaded the page, until it may go on."""

    has_loaded: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, *observations: Observation) -> None:
        await super().__call__(*observations)
        if self.end.hop is Hop.PORTAL_LOAD:
            self.has_loaded.set()
            await self.may_go_on.wait()


def test_browser_that_has_served__ends_with_the_last_canary_in_it(tmp_path: Path) -> None:
    drivers: list[int] = []

    def count() -> None:
        drivers.append(len([p for p in browser_family() if "run-driver" in " ".join(command(p))]))

    async def told() -> Seen:
        seen = Waiting()
        async with running(small_portal()) as site, staged(tmp_path, recycle_after=2) as stage:
            of = settings(f"{site.url}/")
            async with asyncio.TaskGroup() as group:
                group.create_task(stage.probe(of).launch(new(), seen))
                await seen.has_loaded.wait()
                assert (await stage.launched(of)).is_confirmed
                assert (await stage.launched(of, then=_after(Hop.PORTAL_LOAD, count))).is_confirmed
                seen.may_go_on.set()
            count()
        return seen

    assert asyncio.run(told()).is_confirmed
    assert drivers == [2, 1]  # the old one with the waiting canary beside the new one; then the new one


def test_canary_that_waits_for_a_place_until_its_time_is_over__is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "_MOST_AT_ONCE", 1)

    async def told() -> tuple[Seen, Seen]:
        first = Waiting()
        async with running(small_portal()) as site, staged(tmp_path) as stage:
            of = settings(f"{site.url}/")
            async with asyncio.TaskGroup() as group:
                group.create_task(stage.probe(of).launch(new(), first))
                await first.has_loaded.wait()
                second = await stage.launched(of, new(deadline_seconds=12.0))
                first.may_go_on.set()
            assert len(site.posts) == 1
        return first, second

    first, second = asyncio.run(told())

    assert first.is_confirmed
    is_about_us(second, Reason.BROWSER_UNRESPONSIVE)
    assert "busy with other canaries" in second.end.detail


# It is told to stop


@pytest.mark.parametrize("hop", [Hop.DNS, Hop.PORTAL_LOAD, Hop.PORTAL_FORM])
def test_launch_that_is_cancelled__closes_everything_within_five_seconds(tmp_path: Path, hop: Hop) -> None:
    portal = small_portal()
    portal.answers["POST /requests"] = Reply(broken=Break.SILENT)

    async def told() -> tuple[Seen, int, float]:
        seen = Seen()
        async with running(portal) as site:
            reached = asyncio.Event()
            seen.then = _after(hop, reached.set)

            async def launch() -> None:
                async with staged(tmp_path) as stage:
                    await stage.probe(settings(f"{site.url}/")).launch(new(), seen)

            async with asyncio.TaskGroup() as group:
                task = group.create_task(launch())
                await reached.wait()
                await asyncio.sleep(0.1)  # into the next hop, or (dns) into the start of the browser
                cancelled_at, reported = time.monotonic(), len(seen.observations)
                task.cancel()
            return seen, reported, time.monotonic() - cancelled_at

    seen, reported, seconds = asyncio.run(told())

    assert hop in {one.hop for one in seen.observations}
    assert len(seen.observations) == reported, "whoever takes it over reports the hop that was cut off"
    assert seconds < 5


def test_prober_that_is_killed__takes_driver_and_browser_with_it__and_the_next_start_removes_their_folder(
    tmp_path: Path, temporary: Path
) -> None:
    prober = child("hold", tmp_path, temporary)
    assert prober.stdout is not None
    pids = json.loads(prober.stdout.readline())["pids"]
    family = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert any("run-driver" in " ".join(command(one)) for one in family)

    prober.kill()
    prober.wait()
    prober.stdout.close()

    _, alive = psutil.wait_procs(family, timeout=15)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert len(homes(temporary)) <= 1  # its own; what it held within is gone with the next start
    assert asyncio.run(one(tmp_path)).is_confirmed
    assert homes(temporary) == []


def test_two_probers__leave_each_other_s_browser_alone(tmp_path: Path, temporary: Path) -> None:
    prober = child("hold", tmp_path / "other", temporary)
    assert prober.stdout is not None
    try:
        pids = json.loads(prober.stdout.readline())["pids"]
        before = set(homes(temporary))

        assert asyncio.run(one(tmp_path)).is_confirmed

        assert set(homes(temporary)) == before
        assert any(
            "run-driver" in " ".join(command(psutil.Process(pid))) for pid in pids if psutil.pid_exists(pid)
        )
    finally:
        prober.send_signal(signal.SIGINT)
        prober.wait(120)
        prober.stdout.close()


def test_browser__gets_no_secret_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PASSWORD", "env-Passw0rd-1234")
    found: list[dict[str, str]] = []

    async def told() -> Seen:
        async with running(small_portal()) as site, staged(tmp_path) as stage:
            note = _after(Hop.PORTAL_LOAD, lambda: found.append(main_browser().environ()))
            return await stage.launched(settings(f"{site.url}/"), then=note)

    assert asyncio.run(told()).is_confirmed
    assert "PATH" in found[0]
    assert not [name for name, value in found[0].items() if "env-Passw0rd-1234" in value]


# Who it runs as


def test_root__has_no_sandbox__and_says_so(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        raise NotHere("these tests do not run as root", "run `make test` as root, in a container if need be")

    seen = asyncio.run(one(tmp_path))

    assert seen.is_confirmed
    assert seen.last(Hop.PORTAL_LOAD).facts["intake.browser.sandboxed"] is False


def test_ordinary_account__has_chromium_s_sandbox() -> None:
    """It may read everything (CAP_DAC_READ_SEARCH), as this interpreter may lie in a folder that is root's alone."""
    account = unprivileged_account()
    program = [sys.executable, "-B", "-m", "tests.real.portal_child", "once"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    ids = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    lowered = ["setpriv", *ids, *reading] if os.geteuid() == 0 else []
    with server_directory("portal", account) as directory:
        said = run_as(
            None,
            [*lowered, *program, str(directory)],
            cwd=ROOT,
            env={"TMPDIR": str(directory), "HOME": str(directory)},
            limit_seconds=180,
        )
        left = [
            path.name for path in directory.iterdir() if path.name != ".cache"
        ]  # where GLib's settings lie
    told = json.loads(said)

    assert told["confirmed"], told["story"]
    assert told["sandboxed"] is True
    assert (told["left"], left) == ([], [])


def child(how: str, directory: Path, temporary: Path) -> subprocess.Popen[bytes]:
    """A prober of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.real.portal_child", how, str(directory)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
    )


# Twenty in a row


def test_twenty_canaries_in_a_row__leave_no_process__no_file__and_bounded_memory(
    tmp_path: Path, temporary: Path
) -> None:
    async def told() -> tuple[list[tuple[int, int]], list[set[str]]]:
        held, files = [], []
        async with running(small_portal()) as site, staged(tmp_path) as stage:
            for number in range(20):
                seen = await stage.launched(settings(f"{site.url}/"))
                assert seen.is_confirmed, seen.story()
                assert renderers_at_most(3)
                if number in {4, 19}:
                    held.append((memory(stage), psutil.Process().memory_full_info().uss))
                    files.append(open_files() | {str(path) for path in homes(temporary)})
        return held, files

    before = len(list(Path("/proc/self/fd").iterdir()))
    held, files = asyncio.run(told())

    (browser_early, own_early), (browser_late, own_late) = held
    assert browser_late < 1.5 * browser_early
    assert own_late < own_early + 30 * 2**20
    assert len(files[1]) <= len(files[0]) + 3  # a connection of the portal may be closing
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def renderers_at_most(most: int) -> bool:
    return len([one for one in renderers() if one.status() != psutil.STATUS_ZOMBIE]) <= most


def memory(_stage: Stage) -> int:
    total = 0
    for process in browser_family():
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def open_files() -> set[str]:
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found.add(f"{link.name} {link.readlink()}")
    return found


def command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _after(hop: Hop, act: Callable[[], object]) -> Callable[[Observation], None]:
    """Act once this hop has been reported."""

    def then(observation: Observation) -> None:
        if observation.hop is hop and observation.outcome is Outcome.OK:
            act()

    return then
