"""`render cron`: a file for /etc/cron.d."""

from pathlib import PurePosixPath
from typing import Final

from runners.deploy.host import Host
from runners.deploy.timing import cron_schedule, run_seconds, tick_minutes

LOG: Final = PurePosixPath("/var/log/intake-prober.log")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def render_cron(host: Host, *, mail_to: str, log: PurePosixPath = LOG) -> str:
    """The file. A value is quoted, since an empty one ends the whole table (cron 3.0pl1: "bad minute").

    Raises:
        CannotRender: it can't be made of this configuration.
    """
    said = [
        *host.remarks(),
        *(
            [f"  chown {host.user} {host.environment_file} && chmod 0600 {host.environment_file}"]
            if host.reads_environment
            else []
        ),
        f"  test -e {log} || install -o {host.user} -m 0640 /dev/null {log}   (and let logrotate keep it small)",
        f"  install -d -o {host.user} -m 0700 {' '.join(map(str, host.written))}",
        "Put it into /etc/cron.d with a name without dots, owned by root, mode 0644.",
        *(f"{one} must be readable for {host.user} alone." for one in host.secret_files),
        (
            f"Every {tick_minutes(host.config)} min, whatever the paths' schedules say: `run --due` launches what is due in them, in"
            " their own time zones; CRON_TZ would change nothing."
        ),
        (
            "Overlapping runs don't interfere: each slot is claimed once. No flock, and no timeout below"
            f" {run_seconds(host.config)} s: a run that waits for its verdict is at work."
        ),
        _told(host),
    ]
    lines = [*(f"# {one}" for one in said), "SHELL=/bin/sh", f"PATH={_PATH}", f'MAILTO="{mail_to}"']
    return "\n".join([*lines, cron_line(host, log), ""])


def cron_line(host: Host, log: PurePosixPath = LOG) -> str:
    """The line itself: schedule, user and command. A % would end the command (crontab(5)); there is none."""
    environment = f"set -a && . {host.environment_file} && set +a && " if host.reads_environment else ""
    told = '[ "$s" = 1 ] || ' if host.tells_of_breaches else ""
    command = (
        f"cd {host.state_folder} && {environment}{host.words('run', '--due')}"
        f' >>{log} 2>&1 || {{ s=$?; {told}echo "intake-prober ended with $s: see {log}"; }}'
    )
    return f"{cron_schedule(host.config)} {host.user} {command}"


def _told(host: Host) -> str:
    if host.tells_of_breaches:
        return "cron mails when the prober itself is in trouble (2 or 3); of a breach (1) alerts.sinks tell."
    return "cron mails every end that is not 0: 1 a breach, 2 configuration, 3 inconclusive. There are no alerts.sinks."
