"""Slack, by an incoming webhook."""

import json
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from canary.alert import Alert
from runners.alerts.contracts import ReadSecret
from runners.alerts.posting import Poster
from runners.alerts.wording import Known, Line, Link, words

_HEADER_CHARACTERS: Final = 150
_SECTION_CHARACTERS: Final = 3000
"""Limits of Block Kit's header and section (Slack, Block Kit reference)."""
PACE_SECONDS: Final = 1.0
"""Slack takes about one message a second for each webhook (Slack, Rate limits)."""


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
    lines = [_line(one) for one in said.lines] + [_link(one) for one in said.links]
    # Verbatim: nothing that a remote said becomes a link or a mention.
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": one, "verbatim": True}}
        for one in _sections(lines)
    ]
    return {
        "text": escaped(said.title),
        "blocks": blocks,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str) -> str:
    """Without control sequences: the three characters that Slack gives a meaning (Formatting text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(line: Line) -> str:
    label = f"*{escaped(line.label)}*: "
    return label + _escaped_within(line.text, _SECTION_CHARACTERS - len(label))


def _link(link: Link) -> str:
    """A link, or its words alone where it would be too long: a part of an address leads nowhere."""
    written = f"<{escaped(link.url).replace('|', '%7C')}|{escaped(link.text)}>"
    return written if len(written) <= _SECTION_CHARACTERS else _escaped_within(link.text, _SECTION_CHARACTERS)


def _escaped_within(text: str, most: int) -> str:
    """Escaped, and cut before that, so that nothing which escaping made is torn."""
    whole = escaped(text)
    if len(whole) <= most:
        return whole
    kept = [escaped(one) for one in text[:most]]
    ends = list(accumulate(len(one) for one in kept))
    return "".join(kept[: bisect_right(ends, most - 1)]) + "…"


def _sections(lines: list[str]) -> list[str]:
    """The lines in as few texts as a section's limit allows."""
    sections: list[str] = []
    for line in lines:
        if sections and len(sections[-1]) + 1 + len(line) <= _SECTION_CHARACTERS:
            sections[-1] = f"{sections[-1]}\n{line}"
        else:
            sections.append(line)
    return sections


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
