"""`render cronjob`: a run a tick, which launches what is due, waits for its verdicts, and ends."""

from collections.abc import Sequence
from typing import Any, Final

from runners.deploy.manifests import Manifest, heading, render
from runners.deploy.network_policy import network_policy, policy_remarks
from runners.deploy.pod import claim, pod_spec
from runners.deploy.sizing import disk_gib
from runners.deploy.timing import cron_schedule, end_seconds, overlaps, run_seconds, tick_minutes
from runners.deploy.workload import Workload

_KEPT_SECONDS: Final = 86400
_LEAST_STARTING_SECONDS: Final = 60


def render_cronjob(work: Workload, *, networks: Sequence[str] = ()) -> str:
    """The manifests.

    Raises:
        CannotRender: they can't be made of this configuration.
    """
    manifests = [Manifest([], work.config_map())]
    if not work.has_server:
        manifests.append(Manifest(_CLAIM_REMARKS, claim(work, disk_gib(work.config))))
    manifests += [
        Manifest(
            policy_remarks(work, networks=networks),
            network_policy(work, page_port=None, readers=(), networks=networks),
        ),
        Manifest(_remarks(work), _cronjob(work)),
    ]
    return render(heading(work, "cronjob"), manifests)


_CLAIM_REMARKS: Final = (
    "SQLite: one pod at a time writes. No network file system: its locks lie.",
    "Deleting the claim deletes the history, and what tells our own tickets from customers'.",
)


def _remarks(work: Workload) -> list[str]:
    said = [
        (
            f"Every {tick_minutes(work.config)} min, whatever the paths' own schedules say: `run --due` launches what is due in"
            " them, in their own time zones, and reads the gauges."
        ),
        (
            "Exit codes: 0 all confirmed, 1 a breach, 2 configuration, 3 inconclusive. A Job of 1 has failed too: exempt these Jobs"
            " from an alert on failed Jobs where alerts.sinks tell of breaches."
        ),
        "backoffLimit 0: what a run left is settled by the next one; a second pod would only repeat its launches' rest.",
        (
            f"activeDeadlineSeconds: the longest deadline, with launches, the look after it and cleaning ({run_seconds(work.config)} s)."
            " A run that is ended there has stored all."
        ),
    ]
    if overlaps(work.config):
        said.append(
            "MIND: a run may take longer than the shortest interval, and Forbid lets the next one wait: its slots are launched"
            " late, or kept as missed. `render deployment` has no such gap."
        )
    return said


def _cronjob(work: Workload) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": work.metadata(),
        "spec": {
            "schedule": cron_schedule(work.config),
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": max(_LEAST_STARTING_SECONDS, 60 * tick_minutes(work.config)),
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 5,
            "jobTemplate": {
                "metadata": {"labels": work.labels},
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": run_seconds(work.config),
                    "ttlSecondsAfterFinished": _KEPT_SECONDS,
                    "template": {
                        "metadata": {
                            "labels": work.labels,
                            "annotations": {"checksum/config": work.checksum},
                        },
                        "spec": pod_spec(work, ["run", "--due"], restart="Never", end_seconds=end_seconds()),
                    },
                },
            },
        },
    }
