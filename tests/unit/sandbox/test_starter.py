"""What the sandbox says of itself: its switches, and a configuration by which the prober finds it."""

import stat
from pathlib import Path

from runners.config.load import load
from sandbox.certificates import Authority
from sandbox.described import ROUTES, description, switches
from sandbox.faults import HEALTHY
from sandbox.starter import write_configuration

ENDPOINTS = {
    "smtp": {"host": "localhost", "submission_port": 2525},
    "imap": {"host": "localhost", "port": 1143},
    "ca_file": "ca.pem",
    "desk": {"url": "http://127.0.0.1:8001", "token": "desk: token #1"},
    "contact_form": {"url": "http://localhost:8002/"},
    "accounts": {
        "canary": {"address": "canary@probe.test", "password": "it's: {secret}"},
        "support": {"address": "support@acme.test", "password": "planted"},
    },
}


def test_configuration__is_one_that_the_prober_takes_whatever_the_passwords_hold(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.make()
    file = tmp_path / "intake.yaml"

    write_configuration({**ENDPOINTS, "ca_file": str(authority.ca_file)}, file)

    config = load(file, allow_literal_secrets=True)
    assert set(config.paths) == {"support-email", "contact-form"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_every_switch__says_what_it_does() -> None:
    assert set(switches()) == set(HEALTHY.as_json())
    assert [name for name, one in switches().items() if not one["meaning"]] == []
    assert set(description()) == {"routes", "switches"}


def test_guide__names_every_route_and_switch() -> None:
    guide = (Path(__file__).parents[3] / "docs/guides/sandbox.md").read_text()

    assert [one for one in ROUTES if f"`{one}`" not in guide] == []
    assert [one for one in switches() if f"| `{one}` |" not in guide] == []
