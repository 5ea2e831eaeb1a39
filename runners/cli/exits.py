"""Exit statuses: what a command's end says to cron, a CronJob or a script."""

from enum import IntEnum


class Exit(IntEnum):
    """The statuses of design: commands."""

    OK = 0
    BREACH = 1
    USAGE = 2
    BLIND = 3
    INTERRUPTED = 130
    TERMINATED = 143
