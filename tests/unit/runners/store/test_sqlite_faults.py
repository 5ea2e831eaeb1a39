"""A store in SQLite that can't be opened or written says why and what to do."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from runners.contracts import StoreError, TriedRemoval
from runners.store import NoStoreYet, open_store
from tests.contracts.store_cases import NOON, make_canary, recorded, removal, seen_at
from tests.fakes.clock import FakeClock


def create(path: Path, *, canaries: int = 1) -> None:
    async def main() -> None:
        async with open_store(f"sqlite:///{path}", clock=FakeClock()) as store:
            for number in range(canaries):
                await recorded(store, make_canary(number))

    asyncio.run(main())


def error_of(address: str, *, read_only: bool = False) -> StoreError:
    async def main() -> None:
        async with open_store(address, clock=FakeClock(), read_only=read_only) as store:
            await recorded(store, make_canary(99))

    with pytest.raises(StoreError) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize(
    ("address", "finding"),
    [
        ("intake.db", "the address can't be read"),
        ("mysql://u:geheim@h/d", "mysql is not supported"),
        ("sqlite:///intake.db?mode=rw", "no options"),
        ("sqlite://", "a store in memory forgets"),
        ("sqlite:///:memory:", "a store in memory forgets"),
    ],
)
def test_address_that_is_none__is_said_without_the_password(address: str, finding: str) -> None:
    error = error_of(address)

    assert finding in str(error)
    assert "geheim" not in str(error)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_file_that_is_deleted_or_replaced_under_us__is_refused_with_a_remedy(
    tmp_path: Path, *, is_replaced: bool
) -> None:
    path = tmp_path / "intake.db"

    async def main() -> None:
        async with open_store(f"sqlite:///{path}", clock=FakeClock()) as store:
            await recorded(store, make_canary(1))
            path.unlink()
            if is_replaced:
                path.touch()
            await recorded(store, make_canary(2))

    with pytest.raises(StoreError) as caught:
        asyncio.run(main())

    assert "was deleted or replaced while it was in use" in str(caught.value)
    assert "start this program anew" in str(caught.value)


def test_new_store__is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    modes: dict[str, int] = {}

    def look() -> None:
        modes.update({one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()})

    async def main() -> None:
        async with open_store(f"sqlite:///{tmp_path}/intake.db", clock=FakeClock()) as store:
            await recorded(store, make_canary(1))
            look()

    asyncio.run(main())

    assert modes == {"intake.db": 0o600, "intake.db-wal": 0o600, "intake.db-shm": 0o600}


def test_missing_directory__is_named(tmp_path: Path) -> None:
    error = error_of(f"sqlite:///{tmp_path}/nowhere/intake.db")

    assert "can't be opened" in str(error)
    assert f"{tmp_path}/nowhere" in str(error)


def test_file_that_is_no_database__is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    path.write_bytes(b"somebody's notes " * 100)

    assert "is no SQLite database" in str(error_of(f"sqlite:///{path}"))
    assert path.read_bytes() == b"somebody's notes " * 100


def test_newer_revision__is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    create(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for read_only in (False, True):
        assert "newer intake-prober" in str(error_of(f"sqlite:///{path}", read_only=read_only))


def test_read_only__without_a_store_says_so_and_creates_nothing(tmp_path: Path) -> None:
    error = error_of(f"sqlite:///{tmp_path}/intake.db", read_only=True)

    assert isinstance(error, NoStoreYet)
    assert list(tmp_path.iterdir()) == []


def test_read_only__reads_while_another_writes_and_refuses_to_write(tmp_path: Path) -> None:
    path = tmp_path / "in take #100%.db"
    create(path)

    async def main() -> None:
        async with (
            open_store(f"sqlite:///{path}", clock=FakeClock()) as writer,
            open_store(f"sqlite:///{path}", clock=FakeClock(), read_only=True) as reader,
        ):
            await recorded(writer, make_canary(2))
            assert len(await reader.outstanding(NOON)) == 2
            with pytest.raises(StoreError, match="reading only"):
                await reader.append(seen_at(make_canary(2)))

    asyncio.run(main())
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_locked_by_another_process__is_said_after_the_busy_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "intake.db"
    create(path)
    monkeypatch.setattr("runners.store.engine.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert "locked by another process" in str(error_of(f"sqlite:///{path}"))
    finally:
        other.close()


def test_damaged_row__is_a_store_error_that_names_the_kind(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    create(path)

    async def main() -> None:
        async with open_store(f"sqlite:///{path}", clock=FakeClock()) as store:
            await store.append(seen_at(make_canary(0)))
            with sqlite3.connect(path) as connection:
                connection.execute("UPDATE observation SET body = replace(body, '\"dns\"', '\"teleport\"')")
            connection.close()
            with pytest.raises(StoreError, match="Observation: 'teleport"):
                await store.observations(make_canary(0).id)

    asyncio.run(main())


def test_audit__can_be_neither_changed_nor_deleted(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"

    async def main() -> None:
        async with open_store(f"sqlite:///{path}", clock=FakeClock()) as store:
            await store.note_removed(TriedRemoval(removal(make_canary().id), next_at=None))

    asyncio.run(main())
    connection = sqlite3.connect(path)
    for statement in ("UPDATE audit SET what = 'x'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


_FILL = """
import asyncio, signal, resource, sys
from runners.contracts import StoreError
from runners.store import open_store
from tests.contracts.store_cases import NOON, make_canary, recorded
from tests.fakes.clock import FakeClock

async def main():
    async with open_store(sys.argv[1], clock=FakeClock()) as store:
        kept = []
        try:
            for number in range(1, 5000):
                kept.append((await recorded(store, make_canary(number))).id)
        except StoreError as error:
            print(error)
        known = await store.known(kept)
        print(len(kept) == len(known) == len(await store.outstanding(NOON)) - 1)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
asyncio.run(main())
"""


def test_disk_full__is_a_store_error_and_everything_before_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    create(path, canaries=1)
    limit = path.stat().st_size + 100_000

    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-W", "error", "-c", _FILL, f"sqlite:///{path}", str(limit)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    said, kept = done.stdout.splitlines()
    assert said.startswith(f"store sqlite:///{path}: ")
    assert "disk" in said
    assert kept == "True"


_RECORD = """
import asyncio, os, sys
from runners.contracts import StoreError
from runners.store import open_store
from tests.contracts.store_cases import make_canary, recorded
from tests.fakes.clock import FakeClock

async def record_into(address):
    async with open_store(address, clock=FakeClock()) as store:
        await recorded(store, make_canary(int(sys.argv[2])))

if len(sys.argv) > 3:
    asyncio.run(record_into(sys.argv[3]))  # everything is imported before we lose the right to read it
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
try:
    asyncio.run(record_into(sys.argv[1]))
except StoreError as error:
    print(error)
"""


def test_file_that_may_not_be_written__is_said(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "intake.db"
        create(path)
        path.chmod(0o444)
        Path(directory).chmod(0o555)

        done = subprocess.run(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", _RECORD, f"sqlite:///{path}", "5", f"sqlite:///{tmp_path}/other.db"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

        Path(directory).chmod(0o755)
    assert done.stderr == ""
    assert "may not be written" in done.stdout
    assert "write permission" in done.stdout


def test_overlapping_first_runs__make_one_store_with_all_their_canaries(tmp_path: Path) -> None:
    path = tmp_path / "intake.db"
    runs = [
        subprocess.Popen(  # noqa: S603 -- our own interpreter
            [sys.executable, "-W", "error", "-c", _RECORD, f"sqlite:///{path}", str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(4)
    ]

    assert [run.communicate(timeout=60)[0] for run in runs] == [""] * 4

    async def main() -> None:
        async with open_store(f"sqlite:///{path}", clock=FakeClock(), read_only=True) as store:
            assert len(await store.outstanding(NOON)) == 4

    asyncio.run(main())
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
