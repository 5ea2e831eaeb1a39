"""Where in the configuration file what a finding is about stands: file and line before its key."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from runners.config.reading import Loc, Mark, dotted, read_tree

_KEY: Final = re.compile(r"\b(?:ticketing|mailboxes|accounts|paths)\.[^\s:`,;]+")


def placer(file: Path, keys: Mapping[Loc, Mark] | None = None) -> Callable[[str], str]:
    """What puts file and line before the first key that a finding names; a finding without one stays as it is.

    Args:
        file: the configuration; one that can't be read any more has no lines.
        keys: where its keys stood when it was read; None: they are read anew when they are first asked for.
    """
    marks: dict[str, Mark] | None = None

    def placed(finding: str) -> str:
        nonlocal marks
        found = _KEY.search(finding)
        if found is None:
            return finding
        if marks is None:
            marks = _marks(file) if keys is None else _dotted(keys)
        key = found[0]
        while key and key not in marks:
            key = key[: max(key.rfind("."), key.rfind("["), 0)]
        if "." not in key:
            return finding
        return f"{finding[: found.start()]}{file}:{marks[key].line}: {finding[found.start() :]}"

    return placed


def _marks(file: Path) -> dict[str, Mark]:
    try:
        tree = read_tree(str(file), file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return {}
    return _dotted(tree.keys)


def _dotted(keys: Mapping[Loc, Mark]) -> dict[str, Mark]:
    return {dotted(loc): mark for loc, mark in keys.items()}
