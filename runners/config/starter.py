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
    every: 10m                         # by `serve`, or `run --due` from cron; without a schedule by hand only
    deadline: 10m                      # from launch to the intact ticket
    horizon: 24h                       # after this a breached canary is lost
    objective: 99.5%
    # budgets: {smtp.accept: 10s, ticket.created: 2m}   # a hop that takes longer is slow
    # runbook: https://wiki.acme.example/support-intake

  # support-portal:                    # a customer's journey, in a headless browser; `intake-prober portal import` writes one
  #   channel: portal
  #   url: https://support.acme.example/
  #   login:                           # leave it out where none is needed
  #     - fill: {label: User name, with: canary}
  #     - fill: {label: Password, with: {env: PORTAL_PASSWORD}}
  #     - click: {role: button, name: Log in}
  #     - wait: {text: Log out}        # what only a user who is logged in sees
  #   steps:
  #     - click: {role: link, name: Submit a request}
  #     - fill: {label: Subject, with: "{{ subject }}"}
  #     - fill: {label: Description, with: "{{ body }}"}
  #     - submit: {role: button, name: Send}                   # once in a canary's life
  #     - confirm: {text: '/request #(?P<ticket>\\d+)/'}       # what the portal shows then; between slashes, a regular expression
  #   proof: reply                     # or, stronger, `ticketing: desk`
  #   every: 15m
  #   deadline: 5m

  # contact-form:                      # a form, an API or a webhook, by plain HTTP: type html, json, web_to_case, inbound_parse
  #   channel: form
  #   url: https://www.acme.example/contact
  #   fields: {title: "{{ subject }}", body: "{{ body }}", email: "{{ sender }}", name: "{{ name }}"}   # by the form's field names
  #   confirm: {text: Thank you}
  #   proof: reply                     # or, stronger, `ticketing: desk`
  #   every: 15m
  #   deadline: 5m

# alerts:
#   open: 2 of 3                       # breached among those that count
#   resolve: 2                         # confirmed in a row
#   sinks:                             # also slack, webhook, email, alertmanager
#     pager: {type: pagerduty, routing_key: {env: PD_KEY}}
#     alive: {type: heartbeat, url: {env: PING_URL}}   # somebody else notices when the prober itself is dead
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
