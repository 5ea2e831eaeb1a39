"""Slack, by an incoming webhook."""

import json
from dataclasses import dataclass
from typing import Any, Final

from canary.alert import Alert
from runners.alerts.contracts import ReadSecret
from runners.alerts.posting import Poster
from runners.alerts.wording import Known, words

_HEADER_CHARACTERS: Final = 150
_SECTION_CHARACTERS: Final = 3000
"""Limits of Block Kit's header and section (Slack, Block Kit reference; read 2026-11-30)."""
PACE_SECONDS: Final = 1.0
"""Slack takes about one message a second for each webhook (Slack, Rate limits; read 2026-11-30)."""


@dataclass(frozen=True, slots=True)
class Slack:
    """One message an alert. Slack returns no id: nothing is updated, and a message sent twice is seen twice.

    So each says its incident and what it tells of it.
    """

    name: str
    url: ReadSecret
    poster: Poster
    known: Known
    pace_seconds: float = PACE_SECONDS

    async def deliver(self, alert: Alert) -> None:
        """Post one message. Raises `Undelivered`: 403, 404 and 410 (webhook or channel gone) are for good."""
        await self.poster.post(await self.url(), json.dumps(message_of(alert, self.known)).encode())


def message_of(alert: Alert, known: Known) -> dict[str, Any]:
    """The message of an alert: ``text`` is what a notification shows, ``blocks`` what the channel does."""
    said = words(alert, known)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(said.title, _HEADER_CHARACTERS)}}
    ]
    lines = [f"*{escaped(one.label)}*: {escaped(one.text)}" for one in said.lines]
    lines += [f"<{escaped(one.url).replace('|', '%7C')}|{escaped(one.text)}>" for one in said.links]
    blocks += [{"type": "section", "text": {"type": "mrkdwn", "text": one}} for one in _sections(lines)]
    return {"text": escaped(said.title), "blocks": blocks}


def escaped(text: str) -> str:
    """Without control sequences: the three characters that Slack gives a meaning (Formatting text; 2026-11-30)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _sections(lines: list[str]) -> list[str]:
    """The lines in as few texts as a section's limit allows."""
    sections: list[str] = []
    for line in (_cut(one, _SECTION_CHARACTERS) for one in lines):
        if sections and len(sections[-1]) + 1 + len(line) <= _SECTION_CHARACTERS:
            sections[-1] = f"{sections[-1]}\n{line}"
        else:
            sections.append(line)
    return sections


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
