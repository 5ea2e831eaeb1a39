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
SCRIPT = "async def choose(page, canary):\n    await page.title()\n"


def portal_file(folder: Path, portal: str = PORTAL) -> str:
    """The text of a file with a path of each channel that is here; the script lies beside it."""
    (folder / "steps.py").write_text(SCRIPT)
    return FULL.replace("alerts:", f"{portal}alerts:", 1)
