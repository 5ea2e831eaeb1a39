"""Every log event and every field that a log line may bear."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of the log; ``level`` is the lowest at which it is written.

    WARNING: somebody should look tomorrow. ERROR: the prober failed. A breach is INFO, and an alert.
    """

    name: str
    level: str
    meaning: str


LOG_FIELDS = (
    "ts",
    "level",
    "event",
    "logger",
    "msg",
    "prober",
    "run_id",
    "path",
    "channel",
    "canary_id",
    "hop",
    "incident_id",
    "trace_id",
    "span_id",
    "outcome",
    "reason",
    "seconds",
    "place",
    "detail",
    "verdict",
    "gauge",
    "state",
    "value",
    "cause",
    "exc",
)
"""The fields of one line, in order; what does not apply is left out."""

LOG_EVENTS: tuple[LogEvent, ...] = (
    LogEvent("canary_launched", "INFO", "A canary was recorded and is being sent."),
    LogEvent("launch_ended", "DEBUG", "Its probe ended."),
    LogEvent("launch_failed", "ERROR", "A fault of the prober ended a launch; the traceback is with it."),
    LogEvent(
        "look_failed",
        "ERROR",
        "A fault of the prober ended a look, or a clean-up, at one place, which is blind, or not cleaned, until one succeeds;"
        " told once, with its type and the lines of the program that it came through.",
    ),
    LogEvent("launch_taken_over", "WARNING", "A launch of a process that is gone was ended."),
    LogEvent(
        "launch_dropped",
        "WARNING",
        "A canary was not recorded and not sent: its slot was taken over by another process meanwhile.",
    ),
    LogEvent("lease_not_renewed", "WARNING", "The store did not take a lease's renewal."),
    LogEvent("lease_not_given_up", "WARNING", "The store did not take a lease back at the end."),
    LogEvent("hop_observed", "INFO", "One hop was seen."),
    LogEvent("look_blind", "WARNING", "A place could not be read."),
    LogEvent(
        "quarantine_missed",
        "WARNING",
        "A canary's ticket was first seen without the mark of the vendor's quarantine rule.",
    ),
    LogEvent("verdict_reached", "INFO", "A canary got a verdict."),
    LogEvent("incident_opened", "INFO", "An incident opened."),
    LogEvent("incident_changed", "INFO", "An incident's blame became sharper."),
    LogEvent("incident_resolved", "INFO", "An incident ended."),
    LogEvent("incident_retired", "INFO", "An incident ended with its path."),
    LogEvent("gauge_read", "INFO", "A place was read."),
    LogEvent("removed", "INFO", "A mail or ticket of ours was removed."),
    LogEvent(
        "removal_failed", "WARNING", "A mail or ticket of ours could not be removed; it is tried again."
    ),
    LogEvent("slot_missed", "WARNING", "A slot was not launched."),
    LogEvent(
        "slot_taken_over",
        "WARNING",
        "A slot that a process had claimed and not launched is launched by another.",
    ),
    LogEvent("clock_stepped", "WARNING", "Our wall clock was set."),
    LogEvent("store_failed", "ERROR", "The store could not be read or written."),
    LogEvent("store_migrated", "INFO", "The store has a new revision."),
    LogEvent(
        "export_failed",
        "WARNING",
        "A trace or snapshot was not taken; told once an outage, and of each that is given up.",
    ),
    LogEvent("export_resumed", "INFO", "Traces are taken again."),
    LogEvent("alert_delivered", "INFO", "A sink took an alert."),
    LogEvent("alert_not_delivered", "WARNING", "A sink did not take an alert."),
    LogEvent("daemon_starting", "INFO", "The daemon begins: with how many paths and sinks, and which store."),
    LogEvent("page_opened", "INFO", "The daemon's page is open."),
    LogEvent("configuration_reloaded", "INFO", "The daemon works by the configuration that it read anew."),
    LogEvent(
        "reload_failed",
        "ERROR",
        "A fault of the prober ended the reading of a new configuration, the old one goes on; the traceback is with it.",
    ),
    LogEvent("daemon_stopping", "INFO", "The daemon was told to end; launches under way are let to."),
    LogEvent("daemon_stopped", "INFO", "The daemon ended in good order; whoever comes next goes on."),
    LogEvent(
        "loop_failed", "ERROR", "A loop of the daemon failed and is begun again; the traceback is with it."
    ),
    LogEvent("spool_failed", "WARNING", "An observation could not be kept on disk either."),
    LogEvent("spool_line_torn", "WARNING", "A line of the spool was torn by a crash, and is passed over."),
    LogEvent(
        "idle_ended", "DEBUG", "A mailbox's connection was lost while it was waited on; it is made again."
    ),
    LogEvent(
        "portal_session_not_kept",
        "WARNING",
        "A portal's log-in could not be kept; the next canary logs in anew.",
    ),
    LogEvent("heartbeat_failed", "WARNING", "The heartbeat could not be sent."),
)
