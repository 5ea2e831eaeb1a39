"""The commented starter configuration that `intake-prober init` writes, and the signing key that goes with it."""

import os
from collections.abc import Callable
from pathlib import Path

KEY_BYTES = 32
KEY_FILE = "intake.key"

STARTER = """\
# intake-prober: is our support intake open, and if not, which hop is shut?
# Every key is explained in docs/configuration.md. `intake-prober check` tries all of this without sending anything.

prober:
  name: prober-1                       # which prober: in metrics, mails and tickets
  store: sqlite:///intake.db           # beside this file; or postgresql+psycopg://user@host/database
  signing_keys: [{file: intake.key}]   # secrets: {env: NAME}, {file: PATH} or {exec: [command, argument]}
  # controls: [dns:example.org, smtp:smtp.example.net:587]   # independent places: is it ours or theirs?

accounts:
  canary:                              # the customer that we play: an ordinary mailbox that never answers
    address: canary@probe.example
    smtp: {host: smtp.probe.example, port: 587, tls: starttls, username: canary, password: {env: CANARY_PASSWORD}}
    imap: {host: imap.probe.example, port: 993, tls: implicit, username: canary, password: {env: CANARY_PASSWORD}}

# mailboxes:                           # where the prober may read the support mailbox: arrival, capacity, backlog
#   support: {imap: {host: imap.acme.example, port: 993, tls: implicit, username: support, password: {env: SUPPORT_PASSWORD}}}

# ticketing:                           # without it, the acknowledgement is the proof, as below
#   desk: {type: helpdesk, url: "https://desk.acme.example", token: {env: DESK_TOKEN}, cleanup: close, tag: synthetic}

paths:
  support-email:
    channel: email
    from: [canary]
    to: support@acme.example
    proof: reply                       # the acknowledgement with our token; stronger, with ticketing: `proof: api`
    # mailbox: support
    # ticketing: desk
    # reply: true                      # with `proof: api`: wait for the acknowledgement too
    every: 10m                         # with `run --due`; without a schedule it is launched by hand only
    deadline: 10m                      # from launch to the intact ticket
    horizon: 24h                       # after this a breached canary is lost
    objective: 99.5%
    # budgets: {smtp.accept: 10s, ticket.created: 2m}   # a hop that takes longer is slow
    # runbook: https://wiki.acme.example/support-intake

# alerts:
#   open: 2 of 3                       # breached among those that count
#   resolve: 2                         # confirmed in a row
"""


def write_starter(path: Path, *, randomness: Callable[[int], bytes]) -> Path | None:
    """Write the starter configuration, and beside it a new signing key if none is there.

    Returns:
        The key file that was written; None where there was one already.

    Raises:
        FileExistsError: the configuration is there already; nothing was written.
        OSError: it can't be written.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(STARTER)
    key = path.parent / KEY_FILE
    try:
        handle = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(randomness(KEY_BYTES).hex() + "\n")
    return key
