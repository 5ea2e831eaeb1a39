"""Tell systemd how it is: ready, reloading, stopping, alive (sd_notify(3))."""

import socket
from collections.abc import Mapping

_MICROSECONDS = 1_000_000


class Notify:
    """Sends states to the socket that systemd named; without one, nothing happens.

    Args:
        environ: the process's environment: NOTIFY_SOCKET, WATCHDOG_USEC.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog_seconds: float | None = (
            int(usec) / _MICROSECONDS if usec.isdigit() and int(usec) else None
        )
        """Within so many seconds systemd wants a sign of life; None: it does not."""

    def ready(self) -> None:
        """The start, or a reload, is done."""
        self._send("READY=1")

    def reloading(self, monotonic_seconds: float) -> None:
        """The configuration is read anew, since that time of the monotonic clock."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(monotonic_seconds * _MICROSECONDS)}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """A sign of life."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        first = text.partition("\n")[0]
        self._send(f"STATUS={first}")

    def _send(self, state: str) -> None:
        """Send; a socket that is gone is nobody's trouble."""
        if not self._address:
            return
        # An address that begins with @ is in Linux's abstract name space.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
                one.settimeout(1.0)
                one.connect(address)
                one.sendall(state.encode())
        except OSError:
            return
