"""How often, and how long: from the paths' schedules and deadlines."""

from pathlib import Path

import pytest

from runners import pinging
from runners.alerts import delivery
from runners.deploy.cronjob import render_cronjob
from runners.deploy.refusal import CannotRender
from runners.deploy.timing import cron_schedule, end_seconds, run_parts, run_seconds
from runners.oneshot import CLEAN_SECONDS
from runners.telemetry import exporting, pushing
from tests.unit.runners.deploy.scene import PATHS, config_of, only, text_of, work_of

EVERY = "every: 10m\n    deadline: 10m"
BUDGETS = "    budgets: {smtp.accept: 10s, ticket.created: 2m}\n"


def scheduled(folder: Path, schedule: str, deadline: str = "10m") -> str:
    text = text_of(changes={EVERY: f"{schedule}\n    deadline: {deadline}", BUDGETS: ""})
    return cron_schedule(config_of(folder, text))


@pytest.mark.parametrize(
    ("schedule", "deadline", "cron"),
    [
        ("every: 10m", "10m", "*/5 * * * *"),
        ("every: 6m", "6m", "*/3 * * * *"),
        ("every: 5m", "5m", "*/2 * * * *"),
        ("every: 3m", "3m", "* * * * *"),
        ("every: 1m", "1m", "* * * * *"),
        ("every: 24h", "10m", "*/5 * * * *"),
        ('cron: "*/4 8-20 * * mon-fri Europe/Berlin"', "2m", "*/2 * * * *"),
        ('cron: "30 2 * * * Europe/Berlin"', "10m", "*/5 * * * *"),
    ],
)
def test_tick__is_at_most_half_an_interval_and_five_minutes(
    tmp_path: Path, schedule: str, deadline: str, cron: str
) -> None:
    assert scheduled(tmp_path, schedule, deadline) == cron


def test_path_that_is_due_more_often_than_every_minute__is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match="every 30 s") as refused:
        scheduled(tmp_path, "every: 30s", "20s")

    assert "deployment" in refused.value.remedy


def test_paths_without_a_schedule__are_refused(tmp_path: Path) -> None:
    text = text_of(changes={EVERY: "deadline: 10m"})

    with pytest.raises(CannotRender, match="no path has a schedule"):
        cron_schedule(config_of(tmp_path, text))


def test_disabled_path__decides_nothing(tmp_path: Path) -> None:
    text = text_of(
        changes={BUDGETS: "", EVERY: "enabled: false\n    every: 30s\n    deadline: 20s"},
        paths=PATHS["browser"],
    )

    assert cron_schedule(config_of(tmp_path, text)) == "*/5 * * * *"


def test_run__has_time_for_the_longest_deadline_the_look_after_it_and_cleaning(tmp_path: Path) -> None:
    job = only(render_cronjob(work_of(tmp_path, text_of())), "CronJob")["spec"]

    # 60 to start, 120 to launch, 600 of deadline, 120 to look, 120 to clean, and 137 afterwards
    assert run_seconds(config_of(tmp_path, text_of())) == 1200
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 1200


def test_run__has_time_for_each_thing_that_it_does(tmp_path: Path) -> None:
    parts = run_parts(config_of(tmp_path, text_of()))

    assert parts == {
        "start": 60,
        "launches": 120,
        "deadline": 600,
        "look": 120,
        "cleaning": CLEAN_SECONDS,
        "alerts": delivery.DRAIN_SECONDS + 1,
        "retention": 60,
        "heartbeat": pinging.START_SECONDS + pinging.END_SECONDS,
        "traces": exporting.DRAIN_SECONDS,
        "figures": pushing.LAST_SECONDS,
    }
    assert 0 <= run_seconds(config_of(tmp_path, text_of())) - sum(parts.values()) < 60


def test_run_of_many_paths__has_time_for_launches_that_wait_for_one_another(tmp_path: Path) -> None:
    one = text_of().partition("paths:\n")[2].partition("alerts:")[0]
    many = "".join(one.replace("support-email", f"path-{number}") for number in range(20))
    text = text_of(paths=many)

    assert run_seconds(config_of(tmp_path, text)) == 1200 + 2 * 120


def test_cronjob__never_runs_two_at_once_nor_a_second_try(tmp_path: Path) -> None:
    job = only(render_cronjob(work_of(tmp_path, text_of())), "CronJob")["spec"]

    assert (job["schedule"], job["timeZone"]) == ("*/5 * * * *", "Etc/UTC")
    assert job["concurrencyPolicy"] == "Forbid"
    assert job["startingDeadlineSeconds"] == 300
    assert job["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert job["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_run_that_may_outlast_the_interval__is_said_to(tmp_path: Path) -> None:
    quick = text_of(changes={EVERY: "every: 1h\n    deadline: 10m"})

    assert "# MIND: a run may take longer" in render_cronjob(work_of(tmp_path, text_of()))
    assert "# MIND" not in render_cronjob(work_of(tmp_path, quick))


def test_end_of_the_daemon__takes_as_long_as_its_guide_says() -> None:
    assert end_seconds() == 60
