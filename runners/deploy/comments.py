"""A configuration without its comments: what people wrote beside it need not be read by all who may read a ConfigMap."""

import re
from collections.abc import Iterator
from typing import Final

import yaml

_BLOCK: Final = ("|", ">")
_HEADER_COMMENT: Final = re.compile(r"[ \t]+#.*")


_BREAK: Final = re.compile("[\r\n\x85\u2028\u2029]")
"""All that ends a comment, to the scanner."""


def without_comments(text: str) -> str:
    """The same document, else to the letter: order, quotes, anchors and blank lines stay.

    A line that was a comment alone is gone; where that would change a value (a text whose blank lines at its end
    count), its bare sign stays.

    Raises:
        yaml.YAMLError: the text is no YAML.
    """
    shorter = _cut(text, keeps_sign=False)
    return shorter if _meaning(shorter) == _meaning(text) else _cut(text, keeps_sign=True)


def _cut(text: str, *, keeps_sign: bool) -> str:
    """The text without what stands between a sign of a comment and the end of its line."""
    kept, end = [], 0
    for begin, finish in _comments(text):
        before = text[end:begin]
        line = before[_line_begin(before) :] if end == 0 or _BREAK.search(before) else None
        is_whole = line is not None and not line.strip(" \t")
        end = finish
        if is_whole and keeps_sign:
            before += "#"
        elif is_whole and line is not None:
            before = before[: len(before) - len(line)]
            end += text[finish : finish + 2] == "\r\n"
            end = min(end + 1, len(text))
        else:
            before = before.rstrip(" \t")
        kept.append(before)
    return "".join([*kept, text[end:]])


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Where comments are: what lies between the scanner's tokens, and in the head of a block of text."""
    end = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        yield from _within(text, end, token.start_mark.index)
        end = max(end, token.end_mark.index)
        if isinstance(token, yaml.ScalarToken) and token.style in _BLOCK:
            head = _line_end(text, token.start_mark.index)
            found = _HEADER_COMMENT.search(text, token.start_mark.index, head)
            if found is not None:
                yield text.index("#", found.start()), head
    yield from _within(text, end, len(text))


def _within(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """In a gap there are blanks and comments alone."""
    while (sign := text.find("#", begin, end)) >= 0:
        begin = _line_end(text, sign)
        yield sign, begin


def _line_begin(text: str) -> int:
    return max((one.end() for one in _BREAK.finditer(text)), default=0)


def _line_end(text: str, begin: int) -> int:
    found = _BREAK.search(text, begin)
    return found.start() if found is not None else len(text)


def _meaning(text: str) -> list[tuple[object, ...]]:
    """What a reader gets of it: its events, without where they stand."""
    return [
        (
            type(one),
            getattr(one, "anchor", None),
            getattr(one, "tag", None),
            getattr(one, "value", None),
            getattr(one, "implicit", None),
        )
        for one in yaml.parse(text, Loader=yaml.SafeLoader)
    ]
