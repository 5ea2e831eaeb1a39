"""A prober on a host of its own: its program, user, files and folders, for cron and for systemd."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Final

from runners.config.alerting import HeartbeatConfig
from runners.config.config import Config
from runners.deploy.refusal import CannotRender
from runners.deploy.secrets import PASSWORD
from runners.deploy.sizing import needs_browser
from runners.deploy.workload import refuse_literals

PROGRAM: Final = PurePosixPath("/opt/intake-prober/bin/intake-prober")
ENVIRONMENT_FILE: Final = PurePosixPath("/etc/intake-prober/secrets.env")
FILE: Final = PurePosixPath("/etc/intake-prober/intake.yaml")
USER: Final = "intake-prober"
# No colon: BindReadOnlyPaths, StateDirectory and LoadCredential part their words by it.
_PLAIN: Final = re.compile(r"/[A-Za-z0-9_./@+,=-]+")
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True, slots=True)
class Host:
    """A prober on a host.

    Attributes:
        program: the whole path of `intake-prober` there.
        file: of the configuration, as a whole path.
        environment_file: has the variables, a line NAME='value' each.
    """

    config: Config
    program: PurePosixPath = PROGRAM
    file: PurePosixPath = FILE
    user: str = USER
    environment_file: PurePosixPath = ENVIRONMENT_FILE

    def __post_init__(self) -> None:
        """Hold that no name means something of its own to cron, to a shell or to systemd.

        Raises:
            CannotRender: a secret stands in the configuration as text, or a path has letters that would be read.
        """
        refuse_literals(self.config)
        places = (
            self.program,
            self.file,
            self.environment_file,
            *self.secret_files,
            *self.written,
            self.shared,
        )
        for path in (one for one in places if one is not None):
            if not _PLAIN.fullmatch(str(path)):
                raise CannotRender(
                    f"the path {path} has letters that cron, a shell or systemd would read as their own",
                    "Write a whole path of letters, digits and ./@+,=_-.",
                )
        if not _USER.fullmatch(self.user):
            raise CannotRender(f"{self.user} is no user's name", "Write one like intake-prober.")
        if self.user == "root":
            raise CannotRender("root is not to run a prober", "Make a user of its own: intake-prober.")

    @property
    def folder(self) -> PurePosixPath:
        """What relative names in the configuration are relative to."""
        return self.file.parent

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that the environment file must have."""
        return tuple(sorted(self.config.needs.variables))

    @property
    def reads_environment(self) -> bool:
        """Whether there is an environment file at all: a PostgreSQL's password may be in it."""
        return bool(self.variables) or self.config.needs.store_name is None

    @property
    def secret_files(self) -> tuple[PurePosixPath, ...]:
        """The files with secrets."""
        return tuple(sorted({self._place(one.name) for one in self.config.needs.secret_files}))

    @property
    def state_folder(self) -> PurePosixPath:
        """The folder that is written to: a SQLite store's, else one of the system's."""
        store = self.config.needs.store_name
        return self._place(store).parent if store is not None else PurePosixPath("/var/lib/intake-prober")

    @property
    def written(self) -> tuple[PurePosixPath, ...]:
        """The folders of our own that are written to, the state's first."""
        found = [self.state_folder]
        artifacts = self.config.needs.artifacts_name
        if needs_browser(self.config) and artifacts is not None:
            found.append(self._place(artifacts))
        return tuple(dict.fromkeys(found))

    @property
    def shared(self) -> PurePosixPath | None:
        """A folder of somebody else's that is written into: where the node exporter looks for the textfile."""
        textfile = self.config.telemetry.textfile
        folder = self._place(textfile).parent if textfile is not None else None
        return folder if folder not in self.written else None

    @property
    def tells_of_breaches(self) -> bool:
        """Whether somebody is told of a breach, so that the exit code 1 need not tell it again."""
        return any(not isinstance(one, HeartbeatConfig) for one in self.config.alerts.sinks)

    def words(self, *words: str) -> str:
        """The command line."""
        return " ".join((str(self.program), "--config", str(self.file), "--log-format", "json", *words))

    def remarks(self) -> list[str]:
        """What must be there before."""
        said = [f"Made by `intake-prober render`, of {self.file}; make it anew when that changes."]
        if self.reads_environment:
            names = list(self.variables)
            if self.config.needs.store_name is None and PASSWORD not in names:
                names.append(f"{PASSWORD} (if the store wants a password)")
            said += [
                f"{self.environment_file} must be there, a line NAME='value' each, in single quotes: {', '.join(names)}",
            ]
        if self.shared is not None:
            said.append(
                f"{self.shared} stays its owner's; let {self.user} write there: setfacl -m u:{self.user}:rwx {self.shared}"
            )
        return said

    def _place(self, name: str) -> PurePosixPath:
        return PurePosixPath(normpath(str(self.folder / name)).replace("//", "/"))
