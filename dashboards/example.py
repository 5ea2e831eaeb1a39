"""The files of `dashboards/rendered`: rules and routes of an example, to be read, and imported by who has one like it."""

import sys
from pathlib import Path as FilePath
from typing import Final

from canary.hop import Channel, route
from canary.path import Path, PathName, Slo
from dashboards import alertmanager, rules
from dashboards.estate import Estate, WatchedMailbox, WatchedPath

FOLDER: Final = FilePath(__file__).parent / "rendered"
_MAIL: Final = Path(
    name=PathName("support-email"),
    channel=Channel.EMAIL,
    route=route(Channel.EMAIL),
    slo=Slo(600.0),
    interval_seconds=300.0,
    ticketing="desk",
    mailbox="support",
    team="support",
    domain="acme.example",
    runbook="https://wiki.acme.example/support-intake",
)
_FORM: Final = Path(
    name=PathName("contact-form"),
    channel=Channel.FORM,
    route=route(Channel.FORM),
    slo=Slo(300.0),
    interval_seconds=300.0,
    ticketing="desk",
    team="web",
    domain="www.acme.example",
)
EXAMPLE: Final = Estate(
    paths=(WatchedPath(_FORM, 300.0), WatchedPath(_MAIL, 300.0)),
    mailboxes=(WatchedMailbox("support"),),
    team="intake-ops",
    runbooks_url="https://runbooks.acme.example/intake-prober",
    dashboards_url="https://grafana.acme.example",
)
"""Two paths every five minutes and one mailbox."""


def example_files() -> dict[str, str]:
    """The files by their names."""
    return {
        rules.FILE: rules.prometheus_rules(EXAMPLE),
        alertmanager.FILE: alertmanager.alertmanager_text(EXAMPLE),
    }


def write_example(folder: FilePath) -> None:
    """Write them anew: ``python -m dashboards.example``, after a change of the rules."""
    for name, text in example_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_example(FOLDER)
    sys.stderr.write(f"Wrote {FOLDER}.\n")
