"""The rendered file for /etc/cron.d, read and run by Debian's own cron in a tree of its own."""

import asyncio
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from runners.clock import SystemClock
from runners.contracts import CanaryQuery, Record, StoreError
from runners.store import open_store
from tests.real.own_tree import PROGRAM, OwnTree
from tests.real.servers.needed import CRON
from tests.real.test_rendered_pod import Prepared, prepared, render
from tests.real.test_serve import until
from tests.sandbox import Sandbox, start_sandbox

USER = "nobody"
PLACE = PurePosixPath("/srv")
"""Where the prober lies in that tree; an empty folder of ours takes its place."""
A_MINUTE_AND_A_RUN_SECONDS = 150.0
"""cron looks once a minute; then a cold start, the canary and its verdict."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def rendered(tmp_path: Path, sandbox: Sandbox) -> tuple[Prepared, str]:
    """A prober for that tree, and its file for /etc/cron.d."""
    changes = {
        "prober": {"signing_keys": [{"env": "INTAKE_SIGNING_KEY"}]},
        "mailboxes": {"support": {"imap": {"password": {"file": None, "env": "SUPPORT_PASSWORD"}}}},
        "paths": {"support-email": {"every": "1m"}},
    }
    one = prepared(tmp_path, sandbox, changes)
    options = ["--program", str(PROGRAM), "--user", USER, "--mail-to", ""]
    text = render(one, "cron", *options, "--env-file", f"{PLACE}/secrets.env", "--log", f"{PLACE}/run.log")
    # The configuration is taken to lie where it is rendered: here that is a folder of this test.
    return one, text.replace(str(tmp_path), str(PLACE))


def given_to(user: str, folder: Path, one: Prepared) -> None:
    """The folder as an operator prepares it: secrets for the user alone."""
    secrets = {
        **one.variables,
        "INTAKE_SIGNING_KEY": one.files["intake.key"],
        "SUPPORT_PASSWORD": one.files["password"],
    }
    file = folder / "secrets.env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in secrets.items()))
    file.chmod(0o600)
    found = pwd.getpwnam(user)
    folder.chmod(0o700)
    for each in (folder, *folder.iterdir()):
        os.chown(each, found.pw_uid, found.pw_gid)


async def canaries(store: Path) -> list[Record]:
    clock = SystemClock()
    async with open_store(f"sqlite:///{store}", clock=clock, read_only=True) as opened:
        return list(await opened.canaries(CanaryQuery()))


def test_rendered_line__is_taken_by_crontab_itself(tmp_path: Path, sandbox: Sandbox) -> None:
    CRON.require()
    _, text = rendered(tmp_path, sandbox)
    # A user's own table has no column for the user.
    file = tmp_path / "table"
    file.write_text(text.replace(f" {USER} cd ", " cd "))

    checked = subprocess.run(
        ["crontab", "-n", str(file)], capture_output=True, text=True, check=False, timeout=20
    )
    wrong = subprocess.run(
        ["crontab", "-n", "-"],
        input="61 * * * * true\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert checked.returncode == 0, checked.stderr
    assert wrong.returncode != 0


def test_rendered_line__in_a_real_cron__launches_a_canary_within_the_next_minute(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    CRON.require()
    folder = tmp_path / "prober"
    folder.mkdir()
    one, text = rendered(folder, sandbox)
    given_to(USER, folder, one)
    tables = tmp_path / "cron.d"
    tables.mkdir()
    (tables / "intake-prober").write_text(text)
    (tables / "intake-prober").chmod(0o644)
    nothing = tmp_path / "crontab"
    nothing.touch(mode=0o644)
    tree = OwnTree()
    tree.bind(folder, PLACE)
    tree.bind(tables, PurePosixPath("/etc/cron.d"), is_read_only=True)
    tree.bind(nothing, PurePosixPath("/etc/crontab"), is_read_only=True)
    tree.empty(PurePosixPath("/var/spool/cron"))
    tree.empty(PurePosixPath("/run"))
    with subprocess.Popen(
        tree.command(["/usr/sbin/cron", "-f", "-L", "15"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as cron:
        try:
            until(
                lambda: cron.poll() is not None or _is_confirmed(folder / "intake.db"),
                seconds=A_MINUTE_AND_A_RUN_SECONDS,
            )
        finally:
            cron.kill()
            said, _ = cron.communicate(timeout=30)

    log = folder / "run.log"
    assert _is_confirmed(folder / "intake.db"), said + (log.read_text() if log.exists() else "no log")
    assert (folder / "intake.db").stat().st_uid == pwd.getpwnam(USER).pw_uid
    assert "confirmed" in log.read_text()


def _is_confirmed(store: Path) -> bool:
    try:
        return store.exists() and any(one.verdict == "confirmed" for one in asyncio.run(canaries(store)))
    except StoreError:  # it is just being made
        return False
