"""The configuration of a prober that needs no sandbox: what is behind its one path need not work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.real.intake import Intake, merged, write_intake
from tests.real.scripted_http import closed_port


def bare_intake(directory: Path, url: str, changes: Mapping[str, Any] | None = None) -> Intake:
    """A contact form at that address, and a helpdesk that nobody can read."""
    tree: dict[str, Any] = {
        "prober": {
            "name": "tests",
            "store": f"sqlite:///{directory / 'intake.db'}",
            "signing_keys": ["a key of the tests, 32 bytes long at least"],
        },
        "accounts": {"canary": {"address": "canary@probe.example"}},
        "ticketing": {"desk": {"type": "helpdesk", "url": f"http://127.0.0.1:{closed_port()}", "token": "t"}},
        "paths": {
            "contact-form": {
                "channel": "form",
                "url": f"{url}/contact",
                "fields": {"message": "{{ body }}", "email": "{{ sender }}"},
                "confirm": {"text": "Thank you"},
                "ticketing": "desk",
                "deadline": "4s",
                "horizon": "60s",
            }
        },
    }
    return write_intake(directory, merged(tree, changes or {}))
