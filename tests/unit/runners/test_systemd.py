"""States go to systemd's socket as sd_notify(3) says; without one nothing happens."""

import socket
from pathlib import Path

from runners.systemd import Notify


def test_states__arrive_as_datagrams(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        notify = Notify({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        notify.ready()
        notify.reloading(12.5)
        notify.status("watching\nas pod-1")
        notify.alive()
        notify.stopping()

        states = [heard.recv(200).decode() for _ in range(5)]

    assert states == [
        "READY=1",
        "RELOADING=1\nMONOTONIC_USEC=12500000",
        "STATUS=watching",
        "WATCHDOG=1",
        "STOPPING=1",
    ]
    assert notify.watchdog_seconds == 30.0


def test_abstract_address__is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0intake-prober-test-notify")
        Notify({"NOTIFY_SOCKET": "@intake-prober-test-notify"}).ready()

        assert heard.recv(200) == b"READY=1"


def test_without_systemd__nothing_happens(tmp_path: Path) -> None:
    notify = Notify({})
    notify.ready()
    Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()

    assert notify.watchdog_seconds is None
    assert Notify({"WATCHDOG_USEC": "soon"}).watchdog_seconds is None
