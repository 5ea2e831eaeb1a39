"""What the real tier needs of the machine, and what is said where it is not there."""

import os
from dataclasses import dataclass
from pathlib import Path


class NotHere(Exception):
    """This machine can't start a server or do a thing that a test needs.

    Attributes:
        remedy: what makes it possible.
    """

    def __init__(self, finding: str, remedy: str) -> None:
        super().__init__(finding)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing that tests need.

    Attributes:
        name: what it is called.
        programs: patterns of files, each of which must match one.
        packages: Debian's packages that bring them.
        is_for_root: whether only root can do it.
    """

    name: str
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    is_for_root: bool = False

    def require(self) -> None:
        """Check that it is here.

        Raises:
            NotHere: it is not.
        """
        if not all(any(Path("/").glob(pattern.removeprefix("/"))) for pattern in self.programs):
            raise NotHere(
                f"{self.name} is not installed",
                f"apt-get install -y --no-install-recommends {' '.join(self.packages)}",
            )
        if self.is_for_root and os.geteuid() != 0:
            raise NotHere(f"{self.name} needs root", "run `make test` as root, in a container if need be")


POSTFIX = Needed("Postfix", ("/usr/lib/postfix/sbin/master",), ("postfix",), is_for_root=True)
DOVECOT = Needed(
    "Dovecot",
    ("/usr/sbin/dovecot", "/usr/lib/dovecot/imap", "/usr/lib/dovecot/lmtp"),
    ("dovecot-imapd", "dovecot-lmtpd"),
)
REQUEST_TRACKER = Needed(
    "Request Tracker 5",
    (
        "/usr/sbin/rt-setup-database-5",
        "/usr/share/request-tracker5/libexec/rt-server",
        "/usr/bin/rt-mailgate*",
    ),
    ("request-tracker5", "rt5-db-sqlite", "rt5-standalone", "rt5-clients"),
)
REDMINE = Needed(
    "Redmine 5",
    (
        "/usr/share/redmine/config.ru",
        "/usr/share/doc/redmine-sqlite",
        "/usr/bin/puma",
    ),
    ("redmine", "redmine-sqlite", "puma"),
)
ROUNDUP = Needed("Roundup's interpreter", ("/usr/bin/python3",), ("python3",))
POSTGRESQL = Needed("PostgreSQL", ("/usr/lib/postgresql/*/bin/postgres",), ("postgresql-15",))
PROMETHEUS = Needed("Prometheus", ("/usr/bin/prometheus", "/usr/bin/promtool"), ("prometheus",))
CHROMIUM = Needed("Chromium", ("/usr/bin/chromium",), ("chromium", "fonts-dejavu-core"))
CRON = Needed("cron", ("/usr/sbin/cron", "/usr/bin/crontab"), ("cron",), is_for_root=True)
SYSTEMD = Needed("systemd-analyze", ("/usr/bin/systemd-analyze",), ("systemd",))
NAMESPACES = Needed(
    "a mount namespace of its own",
    ("/usr/bin/unshare", "/usr/bin/setpriv"),
    ("util-linux",),
    is_for_root=True,
)
SMALL_DISK = Needed("a small disk to fill", is_for_root=True)
ALERTMANAGER = Needed("Alertmanager", ("/usr/bin/prometheus-alertmanager",), ("prometheus-alertmanager",))
PUSHGATEWAY = Needed("Pushgateway", ("/usr/bin/prometheus-pushgateway",), ("prometheus-pushgateway",))
NODE_EXPORTER = Needed("node exporter", ("/usr/bin/prometheus-node-exporter",), ("prometheus-node-exporter",))
