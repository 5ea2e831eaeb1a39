"""A tree of its own for a process: the machine's, read-only, with folders of ours in it, seen by that process alone.

It is as near to a container as one comes without an engine: a mount namespace, a user without any right, and nothing
that may be written to but what is named. The program lies at `PROGRAM` there, since a user without rights need not be
able to reach the interpreter and the environment where they are.
"""

import shlex
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.real.servers.needed import NAMESPACES
from tests.sandbox import ROOT

PLACE = PurePosixPath("/mnt")
PROGRAM = PLACE / "bin/intake-prober"
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass
class OwnTree:
    """What is mounted, in order: the outer folders first.

    Attributes:
        site: the installed packages that the program runs with.
        code: the program itself; None: it is among them.
    """

    lines: list[str] = field(default_factory=list)
    site: Path = field(default_factory=lambda: Path(sysconfig.get_paths()["purelib"]))
    code: Path | None = ROOT

    def __post_init__(self) -> None:
        """Begin with the program.

        Raises:
            NotHere: this machine can't.
        """
        NAMESPACES.require()
        self.lines += ["set -eu", "mount --make-rprivate /", f"mount -t tmpfs -o mode=755 tmpfs {PLACE}"]
        for name, folder in (
            ("python", Path(sys.base_prefix)),
            ("site", self.site),
            ("code", self.code if self.code is not None else self.site),
        ):
            self.lines.append(f"mkdir {PLACE}/{name}")
            self.bind(folder, PLACE / name, is_read_only=True)
        wrapper = (
            "#!/bin/sh\\n"
            f"export PYTHONPATH={PLACE}/code:{PLACE}/site LD_LIBRARY_PATH={PLACE}/python/lib PYTHONDONTWRITEBYTECODE=1\\n"
            f'exec {PLACE}/python/bin/{_PYTHON} -m runners "$@"\\n'
        )
        self.lines += [
            f"mkdir {PROGRAM.parent}",
            f"printf {shlex.quote(wrapper)} >{PROGRAM}",
            f"chmod 755 {PROGRAM}",
        ]

    def empty(self, folder: PurePosixPath, *, mode: str = "755") -> None:
        """An empty folder in memory in the place of one that is there."""
        self.lines.append(f"mount -t tmpfs -o mode={mode} tmpfs {folder}")

    def make(self, folder: PurePosixPath) -> None:
        """A folder, where its place may still be written to."""
        self.lines.append(f"mkdir -p {folder}")

    def bind(self, source: Path, place: PurePosixPath, *, is_read_only: bool = False) -> None:
        """A file or folder of ours in the place of one that is there."""
        self.lines.append(f"mount --bind {shlex.quote(str(source))} {place}")
        if is_read_only:
            self.lines.append(f"mount -o remount,bind,ro {place}")

    def seal(self) -> None:
        """From here on nothing else may be written to, by root neither."""
        self.lines.append("mount -o remount,bind,ro /")
        self.lines.append(f"mount -o remount,ro {PLACE}")

    def command(
        self,
        words: Sequence[str],
        *,
        user: int = 0,
        environment: Mapping[str, str] | None = None,
        folder: str = "/",
    ) -> list[str]:
        """The whole command: it ends with all that it started when it is ended."""
        given = [f"{name}={value}" for name, value in (environment or {}).items()]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        rights = [
            *("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"),
            *("--bounding-set=-all", "--inh-caps=-all", "--"),
        ]
        run = ["env", "-i", path, *given, *(rights if user else []), *words]
        script = "\n".join([*self.lines, f"cd {folder}", f"exec {shlex.join(run)}"])
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
