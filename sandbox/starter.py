"""A configuration of intake-prober for a sandbox that runs: its ports and passwords are new at each start."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TEXT = """\
# For the sandbox that runs now; its ports and passwords are others at its next start, and this file is written anew.
# Its secrets are literal: intake-prober --allow-literal-secrets check --config {name}
prober:
  name: sandbox
  store: sqlite:///{directory}/intake.db
  ca: {ca}
  signing_keys: [{key}]
accounts:
  canary:
    address: {canary_address}
    smtp: {{host: {smtp_host}, port: {submission_port}, tls: starttls, password: {canary_password}}}
    imap: {{host: {imap_host}, port: {imap_port}, tls: starttls, password: {canary_password}}}
mailboxes:
  support:
    imap: {{host: {imap_host}, port: {imap_port}, tls: starttls, username: {support_address}, password: {support_password}}}
ticketing:
  desk: {{type: helpdesk, url: {desk_url}, token: {desk_token}, cleanup: close, tag: synthetic}}
paths:
  support-email:
    channel: email
    from: [canary]
    to: {support_address}
    mailbox: support
    ticketing: desk
    reply: true
    every: 1m
    deadline: 1m
    horizon: 10m
  contact-form:
    channel: form
    from: [canary]
    url: {form_url}
    fields: {{name: "{{{{ name }}}}", email: "{{{{ sender }}}}", subject: "{{{{ subject }}}}", message: "{{{{ body }}}}"}}
    confirm: {{text: '/number support-(?P<ticket>\\d+)/'}}
    ticketing: desk
    every: 1m
    deadline: 1m
    horizon: 10m
"""


def configuration(endpoints: Mapping[str, Any], file: Path) -> str:
    """The text of the configuration; every word of the sandbox's is quoted as JSON, which YAML takes."""
    accounts, smtp, imap = endpoints["accounts"], endpoints["smtp"], endpoints["imap"]
    quoted = {
        "ca": endpoints["ca_file"],
        "key": secrets.token_hex(32),
        "canary_address": accounts["canary"]["address"],
        "canary_password": accounts["canary"]["password"],
        "support_address": accounts["support"]["address"],
        "support_password": accounts["support"]["password"],
        "smtp_host": smtp["host"],
        "imap_host": imap["host"],
        "desk_url": endpoints["desk"]["url"],
        "desk_token": endpoints["desk"]["token"],
        "form_url": endpoints["contact_form"]["url"],
    }
    return _TEXT.format(
        name=file,
        directory=file.parent,
        submission_port=smtp["submission_port"],
        imap_port=imap["port"],
        **{name: json.dumps(value) for name, value in quoted.items()},
    )


def write_configuration(endpoints: Mapping[str, Any], file: Path) -> None:
    """Write it, readable by its owner alone: it holds passwords. Raises `OSError`."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(configuration(endpoints, file.resolve()))
