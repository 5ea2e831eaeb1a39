"""The documentation as the tests read it: pages, their code blocks, commands, links and headings."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT, files

PROGRAM = "intake-prober"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Command:
    """One command of ours as a page shows it."""

    page: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def pages() -> list[Path]:
    """Every Markdown page, by its path below the root."""
    return [one for one in files() if one.suffix == ".md"]


def text_of(page: Path) -> str:
    return (ROOT / page).read_text()


def commands(page: Path) -> Iterator[Command]:
    """The commands of ours in a page's blocks and in its lines."""
    text = text_of(page)
    for language, block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            shown = line.strip().removeprefix("$ ") if language == "console" else line
            if language == "console" and not line.startswith("$ "):
                continue
            for part in re.split(r"\s(?:&&|\|\|?|;|2?>>?)\s?", shown):
                if re.match(rf"{PROGRAM}(?:\s|$)", part.strip()):
                    yield _command(page, part.strip())
    for inline in _INLINE.findall(_FENCE.sub("", text)):
        if inline.startswith(f"{PROGRAM} "):
            yield _command(page, inline)


def _command(page: Path, line: str) -> Command:
    return Command(page, tuple(shlex.split(line, comments=True)[1:]))


def links(page: Path) -> list[str]:
    """The targets of a page's links that stay within the project."""
    found = _LINK.findall(_FENCE.sub("", text_of(page)))
    return [one for one in found if not re.match(r"[a-z]+:", one)]


def headings(page: Path) -> list[str]:
    return _HEADING.findall(_FENCE.sub("", text_of(page)))


def anchors(page: Path) -> set[str]:
    """The anchors that its headings make, as forges make them."""
    return {
        re.sub(r"[^\w\- .]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")
        for heading in headings(page)
    }
