"""The command line's manners: where words go, how it exits, what a mistake costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import FULL, changed

COMMANDS = (
    "init",
    "check",
    "run",
    "sweep",
    "status",
    "canaries",
    "trace",
    "incidents",
    "audit",
    "portal",
    "demo",
    "schema",
)
HEAVY = (
    "sqlalchemy",
    "httpx",
    "playwright",
    "opentelemetry",
    "prometheus_client",
    "pydantic",
    "rich",
    "asyncio",
    "yaml",
)


def test_unknown_command__exits_2_and_names_the_help(run: Run) -> None:
    said = run("chek")

    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("intake-prober: No such command 'chek'")
    assert "See intake-prober --help." in said.err


def test_command_that_is_almost_one__is_asked_about_without_a_stray_full_stop(run: Run) -> None:
    assert run("serv").err.strip().endswith("'serv'. Did you mean 'serve'? See intake-prober --help.")


def test_unknown_option__with_json__is_one_object_of_errors(run: Run) -> None:
    said = run("run", "--json", "--dew")

    answer = said.answer("errors")
    assert said.status == answer["exit"] == 2
    assert answer["errors"][0]["message"].startswith("No such option: --dew")
    assert said.err == ""


def test_no_command__shows_the_help_and_exits_2(run: Run) -> None:
    said = run()

    assert said.status == 2
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command__has_an_example(run: Run, command: str) -> None:
    said = run(command, "--help")

    assert said.status == 0
    assert f"Example: intake-prober {command}" in said.out


def test_missing_configuration__is_told_with_the_remedy(run: Run) -> None:
    said = run("status")

    assert said.status == 2
    assert said.err == (
        "intake.yaml: there is no such file. Write one with `intake-prober init`, or name it with --config.\n"
    )


def test_mistakes__with_json__are_listed_with_file_line_and_column(run: Run) -> None:
    text = changed("deadline: 10m", "deadline: 10x", changed("to: support", "too: support"))
    Path("intake.yaml").write_text(text)

    said = run("run", "--json")

    answer = said.answer("errors")
    assert said.status == 2
    assert [(one["file"], one["line"], one["column"], one["key"]) for one in answer["errors"]] == [
        ("intake.yaml", 21, 3, "paths.support-email.to"),
        ("intake.yaml", 24, 5, "paths.support-email.too"),
        ("intake.yaml", 30, 15, "paths.support-email.deadline"),
    ]


def test_literal_secret__shows_in_no_output(run: Run) -> None:
    Path("intake.yaml").write_text(changed("{env: DESK_TOKEN}", "hunter2-token"))

    said = run("run")

    assert said.status == 2
    assert "a secret stands here as text" in said.err
    assert "hunter2" not in said.out + said.err


def test_configuration__named_before_or_after_the_command_or_by_the_environment__is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run("--config", "a.yaml", "status")
    after = run("status", "--config", "b.yaml")
    monkeypatch.setenv("INTAKE_PROBER_CONFIG", "c.yaml")
    by_environment = run("status")

    assert [said.err[:7] for said in (before, after, by_environment)] == ["a.yaml:", "b.yaml:", "c.yaml:"]


def test_unknown_path__is_told_with_the_nearest(run: Run) -> None:
    Path("intake.yaml").write_text(FULL)

    said = run("run", "suport-email")

    assert (said.status, said.err) == (
        2,
        "intake-prober: there is no path suport-email. Did you mean support-email?\n",
    )


def test_detach_and_until_horizon__contradict_each_other(run: Run) -> None:
    Path("intake.yaml").write_text(FULL)

    assert run("run", "--detach", "--until-horizon").status == 2


def test_init__writes_what_check_reads_and_overwrites_nothing(run: Run) -> None:
    first = run("init", "--json")
    second = run("init")

    assert json.loads(first.out) == {"written": ["intake.yaml", "intake.key"], "exit": 0}
    assert second.status == 2
    assert second.err.startswith("intake-prober: intake.yaml exists and is left as it is.")


def test_init__where_nothing_can_be_written__is_told(run: Run) -> None:
    said = run("init", "no/such/folder/intake.yaml")

    assert said.status == 2
    assert said.err.startswith("intake-prober: no/such/folder/intake.yaml can't be written: No such file")


def test_schema__prints_json_schemas(run: Run) -> None:
    said = run("schema")

    assert set(json.loads(said.out)) == {"configuration", "answers", "alert"}
    assert json.loads(run("schema", "config", "--json").out)["required"] == ["prober", "accounts", "paths"]


def test_version__is_printed(run: Run) -> None:
    said = run("--version")

    assert said.status == 0
    assert said.out.startswith("intake-prober ")


def test_help__imports_nothing_heavy() -> None:
    code = (
        "import sys; from runners.cli.app import main; status = main(['--help']);"
        f"print(status, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- ourselves

    assert ended.stderr == "0 []\n"
