"""Children: started without a shell, ready by a protocol line, stopped for sure.

A child is in a session of its own, and dies with its parent: the kernel sends it a signal when the *thread*
that started it ends. So start children from the main thread, or from one that lives as long as they do.
"""

import contextlib
import grp
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

HOST = "127.0.0.1"
ACCOUNT = "intake-tests"
# Below the range from which Linux takes the ports of outgoing connections (32768 up), so that none of those
# can take a port between our choosing it and the server's binding it.
_PORTS = range(20000, 32768)
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_handed_out: set[int] = set()
# Little, so that nothing of the caller's environment (PYTHONDONTWRITEBYTECODE, proxies, locales) changes a server.
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


class NotReadyError(RuntimeError):
    """A server did not become ready in time; the text ends with the last lines of its log."""


class CommandError(RuntimeError):
    """A command that a server needs ended with an error."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that servers run as."""

    name: str
    uid: int
    group: str
    gid: int


def free_port() -> int:
    """Choose a loopback port that nobody uses now and that was not handed out before, here or by another worker."""
    mine = _PORTS[_WORKER::_WORKERS]
    while True:
        port = mine[secrets.randbelow(len(mine))]
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        _handed_out.add(port)
        return port


def unprivileged_account() -> Account:
    """Give the account that servers run as: our own unless we are root, then a system account made for it."""
    if os.geteuid() != 0:
        return _account(pwd.getpwuid(os.geteuid()))
    with contextlib.suppress(KeyError):
        return _account(pwd.getpwnam(ACCOUNT))
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    options += ["--shell", "/usr/sbin/nologin"]
    subprocess.run(
        ["useradd", *options, ACCOUNT],
        check=False,  # another run may have made it at the same moment: the look-up below decides
        capture_output=True,
    )
    return _account(pwd.getpwnam(ACCOUNT))


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, grp.getgrgid(entry.pw_gid).gr_name, entry.pw_gid)


@contextlib.contextmanager
def server_directory(name: str, owner: Account | None = None) -> Iterator[Path]:
    """Give a folder that the account can enter, with a path short enough for Unix sockets; removed at the end.

    It is not pytest's `tmp_path`, whose parents only their owner may enter.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"intake-{name}-"))
    directory.chmod(0o755)
    if owner is not None and os.geteuid() == 0:
        os.chown(directory, owner.uid, owner.gid)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def hand_over(path: Path, owner: Account) -> None:
    """Give a file or folder to the account, if we are somebody else."""
    if os.geteuid() == 0:
        os.chown(path, owner.uid, owner.gid)


def run_as(
    account: Account | None,
    argv: Sequence[str],
    *,
    cwd: str | Path = "/",
    env: Mapping[str, str] | None = None,
    standard_input: bytes = b"",
    accept: Sequence[int] = (0,),
    limit_seconds: float = 60.0,
) -> bytes:
    """Run a command to its end as the account (None: as we are) and give its standard output.

    Raises:
        CommandError: its exit code is not one of `accept`; the text holds what it wrote.
    """
    is_other = account is not None and account.uid != os.geteuid()
    done = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        input=standard_input,
        cwd=cwd,
        env=_ENVIRONMENT | dict(env or {}),
        timeout=limit_seconds,
        user=account.uid if is_other and account else None,
        group=account.gid if is_other and account else None,
        extra_groups=[] if is_other else None,
    )
    if done.returncode not in accept:
        wrote = (done.stdout + done.stderr).decode(errors="replace")
        raise CommandError(f"{' '.join(argv[:4])} … ended with {done.returncode}:\n{wrote}")
    return done.stdout


class Child:
    """A running server: a process, the session it leads, and its log."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log_path: Path,
        account: Account | None = None,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        cwd: str | Path = "/",
    ) -> None:
        """Start it; `env` is added to the little that every child gets. Call from a thread that lives on."""
        self.name = Path(argv[0]).name
        self.log_path = log_path
        self._stop_signal = stop_signal
        command = ["setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG"), *argv]
        is_other = account is not None and account.uid != os.geteuid()
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=_ENVIRONMENT | dict(env or {}),
                start_new_session=True,
                user=account.uid if is_other and account else None,
                group=account.gid if is_other and account else None,
                extra_groups=[] if is_other else None,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its session and process group."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether it has not ended (and been reaped by this call)."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the leading process alone."""
        self._process.send_signal(number)

    def members(self) -> list[int]:
        """Process ids that live in its session or descend from it (PostgreSQL's lead sessions of their own)."""
        found = set(session_members(self.pid))
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {child.pid for child in psutil.Process(self.pid).children(recursive=True)}
        return sorted(pid for pid in found if _is_alive(pid))

    def stop(self, limit_seconds: float = 15.0) -> int:
        """Stop it: its own signal, a wait, then SIGKILL to the whole session. Returns its exit code. Repeatable."""
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(limit_seconds)
        return self.kill()

    def kill(self) -> int:
        """SIGKILL it and all its processes, and reap the leader. Repeatable."""
        known = set(self.members())
        for _ in range(100):
            known |= set(session_members(self.pid))
            if not (left := [pid for pid in known if _is_alive(pid)]):
                break
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        return self._process.wait(10)

    def log_tail(self, lines: int = 15) -> str:
        """The last lines that it wrote."""
        with contextlib.suppress(OSError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
        return ""


def session_members(session_id: int) -> list[int]:
    """Process ids of a session, without zombies: those only wait for a parent that is not us."""
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == session_id and _is_alive(pid):
                found.append(pid)
    return found


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(
    is_so: Callable[[], bool], *, what: str, limit_seconds: float = 20.0, child: Child | None = None
) -> None:
    """Ask until it is so.

    Raises:
        NotReadyError: the limit passed, or the child ended meanwhile.
    """
    ends_at = time.monotonic() + limit_seconds
    while not is_so():
        if child is not None and not child.is_running():
            raise NotReadyError(f"{child.name} ended while we waited for {what}:\n{child.log_tail()}")
        if time.monotonic() > ends_at:
            tail = child.log_tail() if child is not None else ""
            raise NotReadyError(f"no {what} within {limit_seconds} s\n{tail}")
        time.sleep(0.02)


def wait_for_greeting(
    port: int, starts_with: bytes, *, child: Child, limit_seconds: float = 20.0, host: str = HOST
) -> None:
    """Connect until the server's first line begins as it should: ready by its protocol, not by a guess."""

    def greets() -> bool:
        try:
            with socket.create_connection((host, port), timeout=2) as connection:
                return connection.recv(512).startswith(starts_with)
        except OSError:
            return False

    wait_until(greets, what=f"{starts_with!r} on port {port}", limit_seconds=limit_seconds, child=child)
