"""`render systemd`: the daemon's service; or, with a timer, one run after the other."""

from pathlib import PurePosixPath
from typing import Final

from runners.deploy.host import Host
from runners.deploy.refusal import CannotRender
from runners.deploy.sizing import needs_browser, size_of
from runners.deploy.timing import end_seconds, overlaps, run_seconds, tick_minutes

NAME: Final = "intake-prober"
_STATE: Final = PurePosixPath("/var/lib")
_HIDDEN: Final = tuple(
    PurePosixPath(one)
    for one in ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 -- refused
)
_WRONG_CONFIGURATION: Final = 2
"""The exit status that no restart makes better."""
_WATCHDOG_SECONDS: Final = 60
_START_SECONDS: Final = 600
"""A migration of a large store."""

_HARDENING: Final = """\
# It may read the system, write its own folder, and speak over the network: nothing else.
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
KeyringMode=private
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
"""
_WITHOUT_BROWSER: Final = """\
ProcSubset=pid
PrivateUsers=yes
RestrictNamespaces=yes
MemoryDenyWriteExecute=yes
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
"""
_WITH_BROWSER: Final = """\
# Chromium compiles as it runs, and shuts itself in by namespaces of its own.
RestrictNamespaces=user pid net
SystemCallFilter=@system-service chroot unshare
"""
_LATE: Final = (
    "# MIND: a run may take longer than the shortest interval, and the timer begins no second one beside it: its slots\n"
    "# are launched late, or kept as missed. Without --oneshot there is no such gap."
)


def render_service(host: Host, name: str = NAME) -> str:
    """The unit of the daemon.

    Raises:
        CannotRender: it can't be made of this configuration.
    """
    lines = [
        *_head(host, f"{name}.service", start=f"{name}.service"),
        *_unit("intake-prober: is our support intake open?"),
        "[Service]",
        "# From systemd 253 on: Type=notify-reload, and no ExecReload.",
        "Type=notify",
        f"ExecStart={host.words('serve')}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        f"WatchdogSec={_WATCHDOG_SECONDS}",
        "Restart=on-failure",
        "RestartSec=5",
        f"RestartPreventExitStatus={_WRONG_CONFIGURATION}",
        f"TimeoutStartSec={_START_SECONDS}",
        f"TimeoutStopSec={end_seconds()}",
        *_body(host),
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join([*lines, ""])


def render_oneshot(host: Host, name: str = NAME) -> tuple[str, str]:
    """The unit of one run, and its timer, which never begins a second one beside it.

    Raises:
        CannotRender: they can't be made of this configuration.
    """
    minutes = tick_minutes(host.config)
    service = [
        *_head(host, f"{name}.service", start=f"{name}.timer"),
        *_unit("intake-prober: one run of what is due"),
        "[Service]",
        "Type=oneshot",
        f"ExecStart={host.words('run', '--due')}",
        *([_LATE] if overlaps(host.config) else []),
        "# The longest deadline, with launches, the look after it, and cleaning.",
        f"TimeoutStartSec={run_seconds(host.config)}",
        *(["# Of a breach alerts.sinks tell.", "SuccessExitStatus=1"] if host.tells_of_breaches else []),
        *_body(host),
    ]
    timer = [
        f"# /etc/systemd/system/{name}.timer",
        "[Unit]",
        f"Description=intake-prober: every {minutes} min",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* *:00/{minutes}:00",
        "AccuracySec=1s",
        "# What a machine that was off has missed is kept as missed: there is no burst.",
        "Persistent=false",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(service), "\n".join([*timer, ""])


def _unit(description: str) -> list[str]:
    return [
        "[Unit]",
        f"Description={description}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
    ]


def _head(host: Host, file: str, *, start: str) -> list[str]:
    said = [
        f"/etc/systemd/system/{file}",
        *host.remarks(),
        *(
            [f"  chown root {host.environment_file} && chmod 0600 {host.environment_file}"]
            if host.reads_environment
            else []
        ),
        f"  useradd --system --home-dir {host.state_folder} --shell /usr/sbin/nologin {host.user}",
        *(
            f"{one} may stay root's alone (0600): systemd hands out a copy, at each start."
            for one in host.secret_files
        ),
        f"Then: systemctl daemon-reload && systemctl enable --now {start}",
        *([_mind(host)] if needs_browser(host.config) else []),
    ]
    return [f"# {one}" for one in said]


def _mind(host: Host) -> str:
    return f"A portal path needs Chromium on this host; {host.user} must not be root."


def _body(host: Host) -> list[str]:
    """User, files and folders, and what the process may not do."""
    _refuse_hidden(host)
    lines = [f"User={host.user}", f"Group={host.user}"]
    if host.reads_environment:
        lines.append(f"EnvironmentFile={host.environment_file}")
    for number, path in enumerate(host.secret_files, 1):
        name = f"{number}-{path.name}"
        lines += [f"LoadCredential={name}:{path}", f"BindReadOnlyPaths=%d/{name}:{path}"]
    lines += _folders(host)
    lines.append(f"MemoryMax={size_of(host.config).most_memory_mib}M")
    of_browser = _WITH_BROWSER if needs_browser(host.config) else _WITHOUT_BROWSER
    return [*lines, "", *f"{_HARDENING}{of_browser}".splitlines(), ""]


def _folders(host: Host) -> list[str]:
    lines = []
    state = [one for one in host.written if one != _STATE and one.is_relative_to(_STATE)]
    if state:
        names = " ".join(str(one.relative_to(_STATE)) for one in state)
        lines += [f"StateDirectory={names}", "StateDirectoryMode=0700"]
    others = [one for one in host.written if one not in state]
    if others:
        lines += [
            f"# {host.user} must own them: install -d -o {host.user} -m 0700 …",
            f"ReadWritePaths={' '.join(map(str, others))}",
        ]
    if host.shared is not None:
        lines.append(f"ReadWritePaths={host.shared}")
    lines.append(f"WorkingDirectory={host.state_folder}")
    return lines


def _refuse_hidden(host: Host) -> None:
    places = (host.program, host.file, *host.secret_files, *host.written, host.shared)
    for path in (one for one in places if one is not None):
        if any(path.is_relative_to(one) for one in _HIDDEN):
            raise CannotRender(
                f"{path} is hidden from the service (ProtectHome, PrivateTmp)",
                "Keep the program below /opt, the configuration in /etc/intake-prober and the store in"
                " /var/lib/intake-prober.",
            )
