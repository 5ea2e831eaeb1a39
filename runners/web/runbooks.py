"""The runbook as pages: its Markdown as HTML, in which only what the page itself serves, or the web, is linked."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
"""What stands in the runbook as HTML is shown as text."""
_WEB: Final = ("https://", "http://")
_FIRST: Final = "README"


def runbook_markup(text: str) -> Markup:
    """A page of the runbook as HTML, without its place in a layout."""
    tokens = _MARKDOWN.parse(text)
    for one in tokens:
        if one.children is not None:
            one.children = list(_linked(one.children))
    made: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(made)  # noqa: S704 -- of our own files, and without their HTML


def runbook_title(text: str) -> str:
    """The first line, without its marks."""
    return text.partition("\n")[0].lstrip("# ").replace("`", "")


def _linked(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same with the addresses of this site; a link to a file that is not served loses its link, not its words."""
    is_kept: list[bool] = []
    for one in tokens:
        if one.type == "link_open":
            address = _address(str(one.attrGet("href") or ""))
            is_kept.append(address is not None)
            if address is None:
                continue
            one.attrSet("href", address)
        elif one.type == "link_close" and not is_kept.pop():
            continue
        yield one


def _address(href: str) -> str | None:
    if href.startswith(_WEB):
        return href
    place = PurePosixPath(href.partition("#")[0])
    is_of_the_runbook = place.suffix == ".md" and place.parent.name in {"", ".", "..", "alerts"}
    if not is_of_the_runbook:
        return None
    return "/runbook" if place.stem == _FIRST else f"/runbook/{place.stem}"
