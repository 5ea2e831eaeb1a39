"""Configurations of the web channels for tests."""

from pathlib import Path

from tests.unit.runners.config.examples import FULL

PORTAL = """\
  support-portal:
    channel: portal
    url: https://support.acme.example/
    expect_host: [support.acme.example, acme.example]
    login:
      - go: /login
      - fill: {label: User name, with: canary}
      - fill: {label: Password, with: {env: SUPPORT_PASSWORD}}
      - fill: {label: Code, with: {totp: {env: PORTAL_TOTP}}}
      - click: {role: button, name: Log in}
      - wait: {text: Log out}
    session: memory
    dismiss: [{role: button, name: Accept all}]
    steps:
      - click: {role: link, name: Submit a request}
        timeout: 10s
      - wait: {gone: {css: .spinner}}
      - wait: {url: /new/}
      - frame: {css: "iframe#form"}
      - fill: {label: Subject, with: "{{ subject }}"}
      - fill: {label: Description, with: "{{ body }}", exact: true}
      - select: {label: Priority, option: Normal}
      - select: {label: Product, value: "3"}
      - check: {label: I agree}
      - uncheck: {label: Newsletter}
        optional: true
      - upload: {label: Attachment}
      - press: Tab
      - press: {key: Enter, label: Tags, nth: -1}
      - script: steps.py:choose
      - submit: {role: button, name: Send}
      - frame: main
      - wait: {text: Thank you}
      - confirm: {text: "/request #(?P<ticket>\\\\d+)/"}
      - confirm: {url: "/requests/"}
      - confirm: {role: heading, name: "/Thank you/"}
    request: {subject: My printer, body: It burns., attachment: {name: log.txt, text: smoke}}
    headers: {X-Synthetic: {env: DESK_TOKEN}, X-Team: intake}
    http_login: {username: canary, password: {env: SUPPORT_PASSWORD}}
    pace: 3s
    limits: {load: 20s, step: 15s}
    locale: de-DE
    time_zone: Europe/Berlin
    user_agent: Mozilla/5.0 (canary)
    viewport: 1024x768
    ticketing: desk
    reply: true
    every: 15m
    deadline: 5m
    budgets: {portal.load: 5s}
"""
FORM = """\
  contact-form:
    channel: form
    url: https://www.acme.example/contact
    expect_host: [www.acme.example, thanks.acme.example]
    fields: {title: "{{ subject }}", body: "{{ body }}", mail: "{{ sender }}", key: {env: DESK_TOKEN}}
    form: {id: contact, name: contact, action: /send, nth: 0}
    button: {name: send, value: "1"}
    upload: attachment
    encoding: multipart
    pace: 3s
    confirm: {status: [200, 201], text: "/#(?P<ticket>\\\\d+)/", url: thanks, header: {X-Request: '/[0-9a-f]+/'}}
    request: {subject: My printer, attachment: {name: log.txt, text: smoke}}
    headers: {X-Team: intake, X-Synthetic: {env: DESK_TOKEN}}
    http_login: {username: canary, password: {env: SUPPORT_PASSWORD}}
    proxy: http://proxy.acme.example:3128
    http2: true
    idempotency_key: true
    limits: {connect: 5s, read: 20s}
    most_answer: 1MB
    redirects: 3
    ticketing: desk
    every: 15m
    deadline: 5m
    budgets: {form.submit: 5s}
"""
JSON = """\
  api:
    channel: form
    type: json
    url: http://api.acme.example/tickets
    json: {subject: "{{ subject }}", comment: {body: "{{ body }}", public: true}, tags: [a, 1, 2.5, null]}
    method: PUT
    confirm: {status: 201, json: {ticket.id: "/\\\\d+/", ok: true, "length(tags)": 4, state: null}}
    idempotency_key: X-Once
    ticketing: desk
    deadline: 5m
"""
CASE = """\
  case:
    channel: form
    type: web_to_case
    web_to_case: {organization: 00D000000000062}
    fields: {subject: "{{ subject }}", description: "{{ body }}", email: "{{ sender }}"}
    ticketing: desk
    deadline: 5m
"""
PARSE = """\
  parse:
    channel: form
    type: inbound_parse
    url: https://hooks.acme.example/mail
    inbound_parse: {shape: mailgun, to: Support@acme.example, key: {env: DESK_TOKEN}}
    request: {attachment: {name: log.txt, text: smoke}}
    ticketing: desk
    deadline: 5m
"""
SCRIPT = "async def choose(page, canary):\n    await page.title()\n"


def with_path(path: str) -> str:
    """The text of a file with one path more."""
    return FULL.replace("alerts:", f"{path}alerts:", 1)


def portal_file(folder: Path, portal: str = PORTAL) -> str:
    """The text of a file with a path through a portal; its script lies beside it."""
    (folder / "steps.py").write_text(SCRIPT)
    return with_path(portal)
