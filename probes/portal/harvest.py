"""Find the secrets that a portal handed out, in the trace of its pages: where they stand under their own names.

What is found here is masked wherever else it stands: a token that a page's script says on the console, too.
"""

import json
import zipfile
from collections.abc import Collection, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from probes.portal.words import LOOKS_RANDOM, TELLING, looks_secret, pairs_in

_TEXTS: Final = (".html", ".json", ".js", ".txt", ".dat", ".xml")
_MOST_TEXT_BYTES: Final = 2_000_000
_FIELDS: Final = frozenset({"INPUT", "META", "TEXTAREA", "BUTTON"})
VALUES: Final = ("value", "content", "__playwright_value_")


def secrets_in(archive: zipfile.ZipFile, *, harmless: Collection[str]) -> set[str]:
    """Every value that was handed out or posted under a telling name.

    Args:
        archive: a Playwright trace as it was written.
        harmless: texts that stay; what is a part of them is none.
    """
    found: set[str] = set()
    for name in archive.namelist():
        if name.endswith((".trace", ".network")):
            for line in archive.read(name).decode(errors="replace").splitlines():
                found |= set(_of_event(line))
        elif name.endswith(_TEXTS) and archive.getinfo(name).file_size <= _MOST_TEXT_BYTES:
            found |= set(_of_body(archive.read(name).decode(errors="replace")))
    return {one for one in found if one and not any(one in text for text in harmless)}


def _of_event(line: str) -> Iterator[str]:
    try:
        event = json.loads(line)
    except ValueError:
        return
    if not isinstance(event, dict) or not isinstance(event.get("snapshot"), dict):
        return
    if event.get("type") == "frame-snapshot":
        yield from _of_node(event["snapshot"].get("html"))
    if event.get("type") == "resource-snapshot":
        yield from _of_exchange(event["snapshot"])


def _of_exchange(entry: dict[str, Any]) -> Iterator[str]:
    for side in ("request", "response"):
        part = entry.get(side) or {}
        for cookie in part.get("cookies", []):
            yield from _if_secret(str(cookie.get("value", "")))
        for header in part.get("headers", []):
            name, value = str(header.get("name", "")), str(header.get("value", ""))
            if TELLING.search(name) and "cookie" not in name.lower():
                yield from (word for word in value.split() if looks_secret(word))
        yield from _of_url(str(part.get("url", "")))
        yield from _of_url(str(part.get("redirectURL", "")))


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    for name, value in (*parse_qsl(parts.query), *parse_qsl(parts.fragment)):
        if TELLING.search(name) or LOOKS_RANDOM.fullmatch(value):
            yield from _if_secret(value)


def _of_body(text: str) -> Iterator[str]:
    """An answer or what was posted: JSON by its keys, a form by its fields, anything else by what it says."""
    try:
        yield from _of_json(json.loads(text), is_told=False)
    except ValueError:
        if "=" in text[:200] and "<" not in text[:200]:
            yield from (
                value for name, value in parse_qsl(text) if TELLING.search(name) and looks_secret(value)
            )
    yield from pairs_in(text)


def _of_json(node: Any, *, is_told: bool) -> Iterator[str]:  # noqa: ANN401 -- JSON
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _of_json(value, is_told=TELLING.search(str(key)) is not None)
    elif isinstance(node, list):
        for value in node:
            yield from _of_json(value, is_told=is_told)
    elif isinstance(node, str) and is_told:
        yield from _if_secret(node)


def _of_node(node: Any) -> Iterator[str]:  # noqa: ANN401 -- the snapshot's tree: [name, attributes, children…], or a text
    if not isinstance(node, list) or not node:
        return
    if isinstance(node[0], str) and len(node) > 1 and isinstance(node[1], dict):
        attributes: dict[str, Any] = node[1]
        if is_secret_field(node[0], attributes):
            yield from (
                value
                for name in VALUES
                for value in _if_secret(str(attributes.get(name, "")))
                if is_certain(attributes) or LOOKS_RANDOM.fullmatch(value)
            )
        for name in ("href", "src", "action"):
            yield from _of_url(str(attributes.get(name, "")))
        for name, value in attributes.items():
            if name.startswith("data-"):
                yield from _if_secret(str(value)) if TELLING.search(name) else pairs_in(str(value))
    for child in node[1:]:
        yield from _of_node(child)


def is_secret_field(tag: str, attributes: dict[str, Any]) -> bool:
    """Whether an element's value must not stay: a hidden or password field, or one of a telling name."""
    kind = str(attributes.get("type", "")).lower()
    return tag.upper() in _FIELDS and (kind == "hidden" or is_certain(attributes))


def is_certain(attributes: dict[str, Any]) -> bool:
    """Whether its value is a secret wherever else it stands: many a hidden field holds a plain word."""
    named = " ".join(str(attributes.get(key, "")) for key in ("name", "id", "autocomplete", "property"))
    return str(attributes.get("type", "")).lower() == "password" or any(
        TELLING.search(one) for one in named.split()
    )


def _if_secret(value: str) -> Iterator[str]:
    if looks_secret(value):
        yield value
