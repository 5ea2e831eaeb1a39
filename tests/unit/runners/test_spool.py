"""What is seen while the store is away is kept on disk, within a bound, and stored once it is back."""

import asyncio
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from canary.observation import Observation
from runners.spool import Spool
from tests.contracts.store_cases import make_canary, recorded, seen_at
from tests.fakes.memory_store import MemoryStore


def stored(store: MemoryStore, canary_id: str) -> int:
    return len(asyncio.run(store.observations(canary_id)))  # type: ignore[arg-type]


def test_observations__are_stored_when_the_store_is_back_and_the_file_is_gone(tmp_path: Path) -> None:
    store, canary = MemoryStore(), make_canary()
    asyncio.run(recorded(store, canary))
    spool = Spool(tmp_path / "spool")

    assert spool.add([seen_at(canary), seen_at(canary, attempt=2)])
    assert spool.has_some
    new = asyncio.run(spool.drain(store))

    assert new == 2
    assert stored(store, canary.id) == 2
    assert list(tmp_path.iterdir()) == []


def test_what_the_store_had_already__is_not_counted_twice(tmp_path: Path) -> None:
    store, canary = MemoryStore(), make_canary()
    asyncio.run(recorded(store, canary))
    spool = Spool(tmp_path / "spool")
    asyncio.run(store.append(seen_at(canary)))
    spool.add([seen_at(canary)])

    assert asyncio.run(spool.drain(store)) == 0
    assert stored(store, canary.id) == 1


def test_observation_of_a_canary_that_was_never_recorded__is_dropped(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add([seen_at(make_canary())])

    assert asyncio.run(spool.drain(MemoryStore())) == 0
    assert not spool.has_some


def test_line_that_a_crash_tore__is_passed_over(tmp_path: Path) -> None:
    store, canary = MemoryStore(), make_canary()
    asyncio.run(recorded(store, canary))
    file = tmp_path / "spool"
    Spool(file).add([seen_at(canary)])
    with file.open("ab") as torn:
        torn.write(b'{"canary_id":"abc","hop":')

    assert asyncio.run(Spool(file).drain(store)) == 1


def test_above_its_bound__nothing_more_is_kept_and_it_says_so(tmp_path: Path) -> None:
    canary = make_canary()
    spool = Spool(tmp_path / "spool", most_bytes=600)
    kept = [spool.add([seen_at(canary, attempt=number)]) for number in range(1, 9)]

    assert kept[0] is True
    assert kept[-1] is False
    assert spool.why_lost == f"the spool {tmp_path}/spool is full (0.000572205 MiB)"
    assert (tmp_path / "spool").stat().st_size <= 600


def test_folder_that_is_not_there__loses_it_and_says_why(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "no" / "spool")

    assert spool.add([seen_at(make_canary())]) is False
    assert spool.why_lost == f"the spool {tmp_path}/no/spool can't be written: No such file or directory"


def test_file__is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.add([seen_at(make_canary())])

    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o600


def test_what_is_added_while_it_is_stored__is_not_lost_with_it(tmp_path: Path) -> None:
    canary = make_canary()
    spool = Spool(tmp_path / "spool")

    class Slow(MemoryStore):
        async def append(self, *observations: Observation) -> Sequence[bool]:
            spool.add([seen_at(canary, attempt=2)])
            return await super().append(*observations)

    store = Slow()
    asyncio.run(recorded(store, canary))
    spool.add([seen_at(canary)])

    assert asyncio.run(spool.drain(store)) == 1
    assert spool.has_some


def test_what_a_crash_left_aside__is_stored_by_whoever_comes_next(tmp_path: Path) -> None:
    store, canary = MemoryStore(), make_canary()
    asyncio.run(recorded(store, canary))
    Spool(tmp_path / "spool").add([seen_at(canary)])
    (tmp_path / "spool").rename(tmp_path / "spool.4711-1")

    spool = Spool(tmp_path / "spool")

    assert spool.has_some
    assert asyncio.run(spool.drain(store)) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_a_process_of_the_same_pid_left_aside__is_not_overwritten(tmp_path: Path) -> None:
    store, canary = MemoryStore(), make_canary()
    asyncio.run(recorded(store, canary))
    Spool(tmp_path / "spool").add([seen_at(canary)])
    (tmp_path / "spool").rename(tmp_path / f"spool.{os.getpid()}-1")
    spool = Spool(tmp_path / "spool")
    spool.add([seen_at(canary, attempt=2)])

    assert asyncio.run(spool.drain(store)) == 2
