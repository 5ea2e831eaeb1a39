"""Every configuration that a page shows is one that the program takes, whole or as the part that it is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from runners.config.load import load
from tests.docs.pages import pages, text_of

_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_TOP = {"prober", "accounts", "mailboxes", "ticketing", "paths", "alerts", "telemetry", "web", "maintenance"}
BLOCKS = [
    (page, number, block) for page in pages() for number, block in enumerate(_BLOCK.findall(text_of(page)))
]
BASE = yaml.safe_load(
    """
prober: {signing_keys: [{env: INTAKE_SIGNING_KEY}]}
accounts:
  canary:
    address: canary@probe.example
    smtp: {host: smtp.probe.example, password: {env: CANARY_PASSWORD}}
    imap: {host: imap.probe.example, password: {env: CANARY_PASSWORD}}
mailboxes: {support: {imap: {host: imap.acme.example, username: support, password: {env: SUPPORT_PASSWORD}}}}
ticketing:
  desk: {type: helpdesk, url: "https://desk.acme.example", token: {env: DESK_TOKEN}}
  rt: {type: rt, url: "https://rt.acme.example", token: {env: RT_TOKEN}}
"""
)
PORTAL = yaml.safe_load(
    """
channel: portal
url: https://support.acme.example/
steps:
  - fill: {label: Subject, with: "{{ subject }}"}
  - submit: {role: button, name: Send}
  - confirm: {text: Thank you}
ticketing: desk
deadline: 5m
"""
)
"""What a part of a portal path is read in; steps of its own come before these."""


def _whole(block: str) -> dict[str, Any]:
    """The block with what it leaves out."""
    part = yaml.safe_load(block)
    if set(part) <= _TOP:
        return {**BASE, "paths": {"portal": PORTAL}, **part}
    steps = [*part.get("steps", []), *PORTAL["steps"]]
    return {**BASE, "paths": {"portal": {**PORTAL, **part, "steps": steps}}}


@pytest.mark.parametrize(
    ("page", "number", "block"), BLOCKS, ids=[f"{page}-{number}" for page, number, _ in BLOCKS]
)
def test_configuration_on_a_page__is_one_that_the_program_takes(
    tmp_path: Path, page: Path, number: int, block: str
) -> None:
    file = tmp_path / f"{page.stem}-{number}.yaml"
    file.write_text(yaml.safe_dump(_whole(block), sort_keys=False))

    config = load(file, environ={}, needs_secrets=False)

    assert config.paths
