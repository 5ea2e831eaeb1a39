"""cron's line and systemd's units: what they run, as whom, and where it may write."""

from pathlib import Path, PurePosixPath

import pytest

from runners.deploy.cron import cron_line, render_cron
from runners.deploy.host import Host
from runners.deploy.refusal import CannotRender
from runners.deploy.systemd import render_oneshot, render_service
from tests.unit.runners.deploy.scene import PATHS, POSTGRESQL, SINKS, config_of, text_of

STATE = "sqlite:////var/lib/intake-prober/intake.db"
OLD_ALERTS = "alerts: {open: [2 of 3, 3 of 10], resolve: 2, at_once: [mailbox_full]}\n"


def host_of(folder: Path, **of_text: object) -> Host:
    return Host(config_of(folder, text_of(**of_text)))  # type: ignore[arg-type] # as `text_of` has them


def values(unit: str, key: str) -> list[str]:
    return [one.partition("=")[2] for one in unit.splitlines() if one.startswith(f"{key}=")]


@pytest.mark.parametrize(
    "file",
    [
        "/etc/in take.yaml",
        "/etc/100%/intake.yaml",
        "/etc/a;b.yaml",
        "/etc/$HOME.yaml",
        "intake.yaml",
        "/etc/a:b.yaml",
    ],
)
def test_path_that_cron_a_shell_or_systemd_would_read__is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(CannotRender, match="would read as their own"):
        Host(config_of(tmp_path, text_of()), file=PurePosixPath(file))


@pytest.mark.parametrize("user", ["", "Root", "a b", "root;id", "-u"])
def test_user_that_is_none__is_refused(tmp_path: Path, user: str) -> None:
    with pytest.raises(CannotRender, match="is no user's name"):
        Host(config_of(tmp_path, text_of()), user=user)


def test_root__is_not_to_run_a_prober(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match="root is not to run a prober"):
        Host(config_of(tmp_path, text_of()), user="root")


def test_cron__runs_what_is_due_with_its_secrets_and_keeps_its_words(tmp_path: Path) -> None:
    line = cron_line(host_of(tmp_path, store=STATE))

    assert line == (
        "*/5 * * * * intake-prober cd /var/lib/intake-prober && set -a && . /etc/intake-prober/secrets.env && set +a"
        " && /opt/intake-prober/bin/intake-prober --config"
        " /etc/intake-prober/intake.yaml --log-format json run --due >>/var/log/intake-prober.log 2>&1 ||"
        ' { s=$?; echo "intake-prober ended with $s: see /var/log/intake-prober.log"; }'
    )


def test_cron__where_sinks_tell_of_breaches__mails_the_probers_own_troubles_alone(tmp_path: Path) -> None:
    line = cron_line(host_of(tmp_path, changes={OLD_ALERTS: SINKS}))

    assert '{ s=$?; [ "$s" = 1 ] || echo' in line


def test_cron_file__names_path_mail_and_the_variables_that_must_be_there(tmp_path: Path) -> None:
    text = render_cron(host_of(tmp_path), mail_to="ops@acme.example")

    assert 'MAILTO="ops@acme.example"' in text.splitlines()
    assert "SHELL=/bin/sh" in text.splitlines()
    assert "in single quotes: CANARY_PASSWORD, DESK_TOKEN, INTAKE_PAGE_TOKEN" in text
    assert "chmod 0600 /etc/intake-prober/secrets.env" in text
    assert text.endswith("\n")


def test_service__is_watched_ends_in_time_and_is_not_restarted_for_a_wrong_configuration(
    tmp_path: Path,
) -> None:
    unit = render_service(host_of(tmp_path, store=STATE))

    assert values(unit, "Type") == ["notify"]
    assert values(unit, "WatchdogSec") == ["60"]
    assert values(unit, "TimeoutStopSec") == ["60"]
    assert values(unit, "RestartPreventExitStatus") == ["2"]
    assert values(unit, "ExecStart") == [
        "/opt/intake-prober/bin/intake-prober --config /etc/intake-prober/intake.yaml --log-format json serve"
    ]


def test_store_below_var_lib__is_a_state_directory(tmp_path: Path) -> None:
    unit = render_service(host_of(tmp_path, store=STATE))

    assert values(unit, "StateDirectory") == ["intake-prober"]
    assert values(unit, "ReadWritePaths") == []
    assert values(unit, "WorkingDirectory") == ["/var/lib/intake-prober"]


NODE_EXPORTER = "/var/lib/prometheus/node-exporter"
TEXTFILE = {'listen: "127.0.0.1:9464"': f"textfile: {NODE_EXPORTER}/intake.prom"}


def test_folder_of_the_node_exporter__stays_its_own_and_may_be_written_to(tmp_path: Path) -> None:
    host = host_of(tmp_path, store=STATE, changes=TEXTFILE)
    unit, table = render_service(host), render_cron(host, mail_to="root")

    assert values(unit, "StateDirectory") == ["intake-prober"]
    assert values(unit, "ReadWritePaths") == [NODE_EXPORTER]
    for text in (unit, table):
        assert f"setfacl -m u:intake-prober:rwx {NODE_EXPORTER}" in text
        assert f"0700 {NODE_EXPORTER}" not in text
        assert f"0700 /var/lib/intake-prober {NODE_EXPORTER}" not in text


def test_timer_whose_runs_may_last_longer_than_an_interval__says_that_slots_are_late(tmp_path: Path) -> None:
    long, _ = render_oneshot(host_of(tmp_path, store=STATE, changes={"deadline: 10m": "deadline: 45m"}))

    assert "# MIND: a run may take longer than the shortest interval" in long


def test_store_elsewhere__may_be_written_to_by_name(tmp_path: Path) -> None:
    unit = render_service(host_of(tmp_path))

    assert values(unit, "ReadWritePaths") == ["/etc/intake-prober"]
    assert values(unit, "WorkingDirectory") == ["/etc/intake-prober"]


def test_file_with_a_secret__is_handed_out_by_systemd_where_the_configuration_names_it(
    tmp_path: Path,
) -> None:
    unit = render_service(host_of(tmp_path, changes={"{env: INTAKE_SIGNING_KEY}": "{file: intake.key}"}))

    assert values(unit, "LoadCredential") == ["1-intake.key:/etc/intake-prober/intake.key"]
    assert values(unit, "BindReadOnlyPaths") == ["%d/1-intake.key:/etc/intake-prober/intake.key"]


def test_colon_in_the_name_of_a_secret__which_systemd_parts_its_words_by__is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match=r"/etc/intake-prober/in:take\.key has letters"):
        host_of(tmp_path, changes={"{env: INTAKE_SIGNING_KEY}": '{file: "in:take.key"}'})


def test_server_as_the_store__keeps_the_spool_in_a_state_directory(tmp_path: Path) -> None:
    unit = render_service(host_of(tmp_path, store=POSTGRESQL))

    assert values(unit, "StateDirectory") == ["intake-prober"]
    assert "PGPASSWORD (if the store wants a password)" in unit


@pytest.mark.parametrize("folder", ["/home", "/root", "/run/user/1000", "/var/tmp"])  # noqa: S108 -- refused
def test_file_that_the_service_would_not_see__is_refused(tmp_path: Path, folder: str) -> None:
    host = Host(config_of(tmp_path, text_of(store=STATE)), file=PurePosixPath(folder) / "intake.yaml")

    with pytest.raises(CannotRender, match="is hidden from the service"):
        render_service(host)


def test_browser__may_compile_and_shut_itself_in(tmp_path: Path) -> None:
    mail, portal = (
        render_service(host_of(tmp_path)),
        render_service(host_of(tmp_path, paths=PATHS["browser"])),
    )

    assert values(mail, "MemoryDenyWriteExecute") == ["yes"]
    assert values(portal, "MemoryDenyWriteExecute") == []
    assert (values(mail, "MemoryMax"), values(portal, "MemoryMax")) == (["384M"], ["2048M"])


def test_timer__begins_a_run_that_may_take_its_time(tmp_path: Path) -> None:
    service, timer = render_oneshot(host_of(tmp_path, changes={OLD_ALERTS: SINKS}))

    assert values(timer, "OnCalendar") == ["*-*-* *:00/5:00"]
    assert values(service, "Type") == ["oneshot"]
    assert values(service, "TimeoutStartSec") == ["1200"]
    assert values(service, "SuccessExitStatus") == ["1"]


def test_timer_without_sinks__lets_a_breach_fail_the_unit(tmp_path: Path) -> None:
    service, _ = render_oneshot(host_of(tmp_path))

    assert values(service, "SuccessExitStatus") == []
