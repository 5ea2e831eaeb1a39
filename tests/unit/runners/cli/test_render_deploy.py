"""`render cronjob|deployment|cron|systemd` as a user types it: where it goes, what is refused, how it ends."""

from pathlib import Path

import pytest
import yaml

from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import ENVIRON
from tests.unit.runners.deploy.scene import text_of


@pytest.fixture(autouse=True)
def _written(tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(text_of())


def test_cronjob__goes_to_standard_output(run: Run) -> None:
    said = run("render", "cronjob", "--namespace", "probing", "--image", "registry.example/p:1")

    assert said.status == 0
    assert {one["metadata"]["namespace"] for one in yaml.safe_load_all(said.out)} == {"probing"}
    assert said.err == ""


def test_text__is_the_same_wherever_the_configuration_lies(run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/intake.yaml").write_text(text_of())

    assert run("render", "cronjob").out == run("--config", "elsewhere/intake.yaml", "render", "cronjob").out


@pytest.mark.parametrize("words", [("cronjob",), ("prometheus-rules",)])
def test_text__is_the_same_whatever_telemetry_the_renderer_has(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "intake.yaml").write_text(text_of(changes={'otlp: "http://collector:4318", ': ""}))
    before = run("render", *words)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://mine:4999")

    assert run("render", *words).out == before.out
    assert before.status == 0


def test_secrets__need_not_be_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRON:
        if name != "PATH":
            monkeypatch.delenv(name)

    assert run("render", "deployment").status == 0


@pytest.mark.parametrize("kind", ["cronjob", "deployment", "cron", "systemd"])
def test_literal_secret__also_where_it_is_allowed__is_refused(run: Run, tmp_path: Path, kind: str) -> None:
    text = text_of(changes={"{env: DESK_TOKEN}": "planted-desk-token"})
    (tmp_path / "intake.yaml").write_text(text)

    said = run("--allow-literal-secrets", "render", kind)

    assert said.status == 2
    assert "ticketing.desk.token" in said.err
    assert "planted" not in said.out + said.err


def test_secret_in_a_comment__is_not_rendered_as_no_comment_is(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(f"{text_of()}# it is {ENVIRON['DESK_TOKEN']}\n")

    said = run("render", "cronjob", "--output", "prober.yaml")

    assert said.status == 0
    assert ENVIRON["DESK_TOKEN"] not in (tmp_path / "prober.yaml").read_text()


def test_file_that_is_there__is_left_as_it_is_unless_forced(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "prober.yaml"
    there.write_text("mine")

    refused = run("render", "cronjob", "--output", "prober.yaml")
    assert (refused.status, there.read_text()) == (2, "mine")
    assert "prober.yaml exists and is left as it is. Give --force" in refused.err

    forced = run("render", "cronjob", "--output", "prober.yaml", "--force")
    assert (forced.status, forced.out) == (0, "")
    assert there.read_text().startswith("# Made by `intake-prober render cronjob`")
    assert there.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".prober")] == []


def test_folder_that_is_not_there__is_said(run: Run) -> None:
    said = run("render", "cronjob", "--output", "no/such/prober.yaml")

    assert said.status == 2
    assert "no/such/prober.yaml can't be written: No such file or directory" in said.err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("cronjob", "--name", "watch"), ["watch.yaml"]),
        (("deployment",), ["intake-prober.yaml"]),
        (("cron",), ["intake-prober"]),
        (("systemd", "--oneshot"), ["intake-prober.service", "intake-prober.timer"]),
    ],
)
def test_folder__gets_the_files_under_their_own_names(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], names: list[str]
) -> None:
    monkeypatch.setattr("runners.deploy.systemd._HIDDEN", ())  # which the tests' own folder is
    (tmp_path / "out").mkdir()

    said = run("render", *words, "--output", "out")

    assert said.status == 0, said.err
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == names


def test_json__is_one_object(run: Run) -> None:
    printed = run("render", "cronjob", "--json").answer("render")
    written = run("render", "cronjob", "--json", "--output", "prober.yaml").answer("render")

    assert printed["text"].startswith("# Made by")
    assert (written["written"], written["text"]) == (["prober.yaml"], None)


def test_refusal__with_json__is_one_object_of_errors(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(text_of(web=""))

    answer = run("render", "deployment", "--json").answer("errors")

    assert answer["exit"] == 2
    assert "where the kubelet's probes don't reach the page" in answer["errors"][0]["message"]
    assert "listen: 0.0.0.0:8080" in answer["errors"][0]["remedy"]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (("cronjob", "--name", "Prober"), "--name 'Prober' is no name in Kubernetes"),
        (("cronjob", "--name", "a" * 46), "is no name in Kubernetes"),
        (("cronjob", "--namespace", "a_b"), "--namespace 'a_b' is no name in Kubernetes"),
        (("cronjob", "--image", "a b"), "'a b' is no image"),
        (("cronjob", "--cidr", "acme.example"), "--cidr acme.example is not a network"),
        (("deployment", "--reader", "A"), "--reader 'A' is no name in Kubernetes"),
        (("deployment", "--replicas", "2"), "2 replicas can't share a SQLite store"),
        (("deployment", "--replicas", "0"), "Invalid value for '--replicas'"),
        (("cron", "--mail-to", "a b"), "'a b' is no address"),
        (("cron", "--log", "here"), "'here' is no log file"),
        (("cron", "--program", "intake-prober"), "the path intake-prober has letters"),
        (("cron", "--user", "root;"), "root; is no user's name"),
        (("systemd", "--output", "unit"), "unit is no name for a service"),
    ],
)
def test_wrong_option__is_refused_with_its_remedy(run: Run, words: tuple[str, ...], cause: str) -> None:
    said = run("render", *words)

    assert (said.status, said.out) == (2, "")
    assert cause in said.err


def test_wrong_configuration__is_told_as_by_every_command(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(text_of(changes={"deadline: 10m": "deadline: x"}))

    said = run("render", "cronjob")

    assert said.status == 2
    assert "paths.support-email.deadline" in said.err


def test_timer__is_written_beside_its_service(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runners.deploy.systemd._HIDDEN", ())  # which the tests' own folder is

    said = run("render", "systemd", "--oneshot", "--json", "--output", "prober.service")

    assert said.answer("render")["written"] == ["prober.service", "prober.timer"]
    assert (tmp_path / "prober.timer").read_text().startswith("# /etc/systemd/system/prober.timer\n[Unit]")
    assert f"--config {tmp_path}/intake.yaml" in (tmp_path / "prober.service").read_text()


def test_files_that_the_service_would_not_see__are_said_and_nothing_is_written(
    run: Run, tmp_path: Path
) -> None:
    said = run("render", "systemd", "--oneshot", "--output", "prober.service")

    assert said.status == 2
    assert "is hidden from the service" in said.err
    assert not list(tmp_path.glob("prober.*"))


@pytest.mark.parametrize("kind", ["cronjob", "deployment", "cron", "systemd"])
def test_help__has_an_example(run: Run, kind: str) -> None:
    said = run("render", kind, "--help")

    assert said.status == 0
    assert "Example: intake-prober" in said.out
