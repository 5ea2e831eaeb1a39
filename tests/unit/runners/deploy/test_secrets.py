"""Secrets are referred to, by variable and by file; no value of one is ever rendered."""

from pathlib import Path

import pytest

from runners.deploy.cronjob import render_cronjob
from runners.deploy.deployment import DeploymentOptions, Scraping, render_deployment
from runners.deploy.host import Host
from runners.deploy.refusal import CannotRender
from tests.unit.runners.deploy.scene import (
    PATHS,
    POSTGRESQL,
    SINKS,
    WEB,
    config_of,
    container_of,
    only,
    pod_of,
    text_of,
    work_of,
)

LITERAL = {"{env: INTAKE_SIGNING_KEY}": "a-literal-key-that-is-planted-here"}


def test_literal_secret__is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match=r"prober\.signing_keys") as refused:
        work_of(tmp_path, text_of(changes=LITERAL))

    assert "planted" not in f"{refused.value}{refused.value.remedy}"
    with pytest.raises(CannotRender, match=r"prober\.signing_keys"):
        Host(config_of(tmp_path, text_of(changes=LITERAL)))


def test_password_in_the_stores_address__is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotRender, match=r"prober\.store"):
        work_of(tmp_path, text_of(store=POSTGRESQL.replace("intake@", "intake:planted-word@")))


def test_variable__is_a_reference_to_the_secret(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of()))

    environment = {one["name"]: one for one in container_of(text)["env"]}
    assert environment["CANARY_PASSWORD"]["valueFrom"]["secretKeyRef"] == {
        "name": "intake-prober-env",
        "key": "CANARY_PASSWORD",
    }
    assert {"INTAKE_SIGNING_KEY", "SUPPORT_PASSWORD", "DESK_TOKEN", "INTAKE_PAGE_TOKEN"} <= set(environment)
    assert "key a variable: CANARY_PASSWORD, DESK_TOKEN" in text


def test_variable_of_a_sink__is_among_them(tmp_path: Path) -> None:
    text = text_of(
        changes={"alerts: {open: [2 of 3, 3 of 10], resolve: 2, at_once: [mailbox_full]}\n": SINKS}
    )

    assert "SLACK_URL" in [
        one["name"] for one in container_of(render_cronjob(work_of(tmp_path, text)))["env"]
    ]


def test_relative_file__is_mounted_by_itself_beside_the_configuration(tmp_path: Path) -> None:
    text = render_cronjob(
        work_of(tmp_path, text_of(changes={"{env: INTAKE_SIGNING_KEY}": "{file: intake.key}"}))
    )

    [mount] = [one for one in container_of(text)["volumeMounts"] if one["name"] == "secrets"]
    assert mount == {
        "name": "secrets",
        "mountPath": "/var/lib/intake-prober/intake.key",
        "subPath": "intake.key",
        "readOnly": True,
    }
    [volume] = [one for one in pod_of(text)["volumes"] if one["name"] == "secrets"]
    assert volume["projected"] == {
        "defaultMode": 0o440,
        "sources": [
            {
                "secret": {
                    "name": "intake-prober-files",
                    "items": [{"key": "intake.key", "path": "intake.key"}],
                }
            }
        ],
    }


def test_files_in_folders_of_their_own__are_mounted_whole_so_that_they_may_change(tmp_path: Path) -> None:
    changes = {
        "{env: INTAKE_SIGNING_KEY}": "{file: /etc/intake-prober/keys/intake.key}",
        "{env: DESK_TOKEN}": "{file: /etc/intake-prober/token}",
        "{env: SUPPORT_PASSWORD}": "{file: /run/secrets/support/token}",
    }
    text = render_cronjob(work_of(tmp_path, text_of(changes=changes)))

    places = {one["mountPath"]: one for one in container_of(text)["volumeMounts"] if "secrets" in one["name"]}
    assert set(places) == {"/etc/intake-prober", "/run/secrets/support"}
    assert not any("subPath" in one for one in places.values())
    items = {
        one["name"]: one["projected"]["sources"][0]["secret"]["items"]
        for one in pod_of(text)["volumes"]
        if "projected" in one
    }
    assert items[places["/etc/intake-prober"]["name"]] == [
        {"key": "intake.key", "path": "keys/intake.key"},
        {"key": "etc.intake-prober.token", "path": "token"},
    ]
    assert items[places["/run/secrets/support"]["name"]] == [
        {"key": "run.secrets.support.token", "path": "token"}
    ]


@pytest.mark.parametrize("place", ["/etc/ssl/private/a.key", "/etc/a.key", "/run/secrets/a.key", "/a.key"])
def test_file_among_others_things__hides_none_of_them(tmp_path: Path, place: str) -> None:
    changes = {"{env: INTAKE_SIGNING_KEY}": f"{{file: {place}}}"}
    text = render_cronjob(work_of(tmp_path, text_of(changes=changes)))

    [mount] = [one for one in container_of(text)["volumeMounts"] if one["name"].startswith("secrets")]
    assert (mount["mountPath"], mount["subPath"]) == (place, "a.key")


def test_certificate_with_its_key__is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.pem").write_text("-----BEGIN PRIVATE KEY-----\nplanted\n")
    work = work_of(tmp_path, text_of(changes={"  name: fra-1\n": "  name: fra-1\n  ca: acme.pem\n"}))

    with pytest.raises(CannotRender, match=r"acme\.pem holds a private key"):
        render_cronjob(work)


def test_file_that_is_a_secret_too__is_no_part_of_the_config_map(tmp_path: Path) -> None:
    (tmp_path / "both.pem").write_text("-----BEGIN CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nplanted\n")
    changes = {
        "  name: fra-1\n": "  name: fra-1\n  ca: both.pem\n",
        "{env: INTAKE_SIGNING_KEY}": "{file: ./both.pem}",
    }
    text = render_cronjob(work_of(tmp_path, text_of(changes=changes)))

    assert "planted" not in text
    assert set(only(text, "ConfigMap")["data"]) == {"intake.yaml"}


def test_command_for_a_secret__is_said_to_be_the_images_matter(tmp_path: Path) -> None:
    changes = {"{env: INTAKE_SIGNING_KEY}": "{exec: [vault, read, intake]}"}

    assert "# The image must bear the command vault" in render_cronjob(
        work_of(tmp_path, text_of(changes=changes))
    )


@pytest.mark.parametrize(
    ("token", "found"),
    [
        ("{env: INTAKE_PAGE_TOKEN}", {"name": "intake-prober-env", "key": "INTAKE_PAGE_TOKEN"}),
        ("{file: page/token}", {"name": "intake-prober-files", "key": "token"}),
    ],
)
def test_service_monitor__shows_the_pages_token(tmp_path: Path, token: str, found: dict[str, str]) -> None:
    work = work_of(tmp_path, text_of(web=WEB.replace("{env: INTAKE_PAGE_TOKEN}", token)))
    text = render_deployment(
        work, DeploymentOptions(scraping=Scraping.SERVICE_MONITOR, readers=("monitoring",))
    )

    [endpoint] = only(text, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": found}


@pytest.mark.parametrize("web", ["proxy: {from: [10.0.0.5]}", "token: {exec: [vault, read, page]}"])
def test_service_monitor_without_a_token_in_a_secret__is_refused(tmp_path: Path, web: str) -> None:
    work = work_of(tmp_path, text_of(web=f'web: {{listen: "0.0.0.0:8080", {web}}}\n'))

    with pytest.raises(CannotRender, match="ServiceMonitor"):
        render_deployment(work, DeploymentOptions(scraping=Scraping.SERVICE_MONITOR, readers=("monitoring",)))


def test_secrets_of_all_channels__are_named(tmp_path: Path) -> None:
    names = {
        one["name"]
        for one in container_of(render_cronjob(work_of(tmp_path, text_of(paths=PATHS["browser"]))))["env"]
    }

    assert "PORTAL_TOTP" in names
