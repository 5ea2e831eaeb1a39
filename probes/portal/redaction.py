"""Take every secret out of what is kept as evidence: Playwright's trace, and the HAR made of it.

Two rules together. By structure: headers that carry credentials, cookies, bodies of requests and of what is no
picture or stylesheet, hidden and password fields of snapshots, telling query parameters. By word: every secret that
was configured, typed or handed out, wherever it still stands, also encoded. Texts are replaced in the parsed events,
so that what is kept is whole JSON whatever a secret looks like.
"""

import io
import json
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from probes.masking import MASK
from probes.portal.harvest import VALUES, is_secret_field, secrets_in
from probes.portal.words import LOOKS_RANDOM, TELLING, Words, clean_url

_KEPT_RESOURCES: Final = (
    ".css",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".svg",
    ".webp",
    ".ico",
    ".woff",
    ".woff2",
    ".ttf",
)
_TEXTS: Final = (".css", ".svg")
_FILE: Final = ("_file", "_sha1", "sha1")
"""By what key an event names a resource: Playwright 1.65, and before."""
_TYPED: Final = re.compile(r'^(\s*(?:fill|type|pressSequentially|insertText)\()"(.*)"\)$', re.DOTALL)
_CALL_SECRETS: Final = (
    "payloads",
    "streams",
    "localPaths",
    "expression",
    "arg",
    "storageState",
    "source",
    "httpCredentials",
    "cookies",
    "headers",
)


class _Cleaner:
    """Cleans the events of one trace."""

    def __init__(self, words: Words, harmless: Collection[str]) -> None:
        self._words = words
        self._harmless = harmless

    def event(self, line: str) -> dict[str, Any] | None:
        """One event; None: it can't be read, so it is not kept."""
        try:
            event = json.loads(line)
        except ValueError:
            return None
        if not isinstance(event, dict):
            return None
        match event.get("type"):
            case "before":
                event["params"] = self._params(event.get("params", {}))
            case "after":
                event.pop("result", None)  # cookies, storage, what a script returned
                if isinstance(event.get("error"), dict):
                    event["error"].pop("stack", None)
            case "log":
                event["message"] = self._log(str(event.get("message", "")))
            case "frame-snapshot":
                _clean_snapshot(event["snapshot"])
            case "resource-snapshot":
                _clean_exchange(event["snapshot"])
            case "context-options":
                event["options"] = {"viewport": event.get("options", {}).get("viewport")}
            case _:
                pass
        cleaned: dict[str, Any] = self.tree(event)
        return cleaned

    def tree(self, node: Any) -> Any:  # noqa: ANN401 -- JSON
        """Every text in it cleaned."""
        if isinstance(node, dict):
            return {self._words.replaced(key): self.tree(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self.tree(value) for value in node]
        return self._words.cleaned(node) if isinstance(node, str) else node

    def text(self, content: bytes) -> bytes:
        """A stylesheet or a drawing."""
        return self._words.replaced(content.decode(errors="replace")).encode()

    def _params(self, params: Any) -> Any:  # noqa: ANN401 -- JSON
        """Arguments of a call: what was typed stays only if it is the canary's own text."""
        if not isinstance(params, dict):
            return {}
        kept = {
            name: value
            for name, value in params.items()
            if name not in _CALL_SECRETS
            and not isinstance(value, dict)  # what a protocol's own call was given
        }
        for name in ("value", "text"):
            if isinstance(kept.get(name), str) and kept[name] not in self._harmless:
                kept[name] = MASK
        return kept

    def _log(self, message: str) -> str:
        typed = _TYPED.match(message)
        return f'{typed[1]}"{MASK}")' if typed is not None and typed[2] not in self._harmless else message


@dataclass(frozen=True, slots=True)
class CleanTrace:
    """What may be kept.

    Attributes:
        trace: an archive that opens in Playwright's trace viewer.
        har: HAR 1.2, in JSON.
        secrets: what the portal handed out, as far as it was found, to clean other evidence of it.
    """

    trace: bytes
    har: bytes
    secrets: frozenset[str] = field(repr=False)


def clean_trace(raw: bytes, secrets: Collection[str], *, harmless: Collection[str]) -> CleanTrace:
    """A Playwright trace without secrets, and a HAR 1.2 made of what it knows of the network.

    Args:
        raw: the zip archive that `Tracing.stop` wrote.
        secrets: every word that must not stay; what the portal handed out is found besides.
        harmless: texts that were typed and may stay: the canary's own subject and body.

    Raises:
        zipfile.BadZipFile: it is no archive.
    """
    cleaned = io.BytesIO()
    entries: list[Mapping[str, Any]] = []
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as source,
        zipfile.ZipFile(cleaned, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        found = frozenset(secrets_in(source, harmless=harmless))
        words = Words({*secrets, *found})
        cleaner = _Cleaner(words, harmless)
        for name in source.namelist():
            if name.endswith((".trace", ".network")):
                lines = source.read(name).decode(errors="replace").splitlines()
                events = [event for event in map(cleaner.event, lines) if event is not None]
                entries += [one["snapshot"] for one in events if one.get("type") == "resource-snapshot"]
                text = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in events)
                target.writestr(name, text.encode(errors="replace"))
            elif name.startswith("resources/") and name.endswith(_KEPT_RESOURCES):
                content = source.read(name)
                target.writestr(name, cleaner.text(content) if name.endswith(_TEXTS) else content)
            # the rest goes: pages, scripts, answers and what was posted, whose text may hold anything
    har = {
        "log": {
            "version": "1.2",
            "creator": {"name": "intake-prober", "version": "1"},
            "entries": [_har_entry(entry) for entry in entries],
        }
    }
    written = json.dumps(har, indent=1, ensure_ascii=False).encode(errors="replace")
    return CleanTrace(cleaned.getvalue(), written, found)


def _clean_snapshot(snapshot: dict[str, Any]) -> None:
    _clean_node(snapshot.get("html"))
    for override in snapshot.get("resourceOverrides", []):
        if isinstance(override, dict):
            _forget_file(override)


def _clean_node(node: Any) -> None:  # noqa: ANN401 -- the snapshot's tree: [name, attributes, children…], or a text
    if not isinstance(node, list) or not node:
        return
    if isinstance(node[0], str) and len(node) > 1 and isinstance(node[1], dict):
        _clean_attributes(node[0], node[1])
        if node[0].upper() == "TEXTAREA" and is_secret_field(node[0], node[1]):
            node[2:] = [MASK] * bool(node[2:])
    for child in node[1:]:
        _clean_node(child)


def _clean_attributes(tag: str, attributes: dict[str, Any]) -> None:
    hides = is_secret_field(tag, attributes)
    for name in list(attributes):
        is_told = name.startswith("data-") and TELLING.search(name) is not None
        if attributes[name] and ((hides and name in VALUES) or is_told):
            attributes[name] = MASK


def _clean_exchange(entry: dict[str, Any]) -> None:
    """One entry of the network log, in HAR's form."""
    for part in _parts(entry):
        part["cookies"] = []
        part["headers"] = [_clean_header(one) for one in part.get("headers", []) if isinstance(one, dict)]
        for one in part.get("queryString", []):
            if TELLING.search(str(one.get("name", ""))) or LOOKS_RANDOM.fullmatch(str(one.get("value", ""))):
                one["value"] = MASK
    posted = entry.get("request", {}).get("postData")
    if isinstance(posted, dict):
        entry["request"]["postData"] = {"mimeType": posted.get("mimeType", ""), "text": "", "params": []}
    content = entry.get("response", {}).get("content")
    if isinstance(content, dict):
        content.pop("text", None)
        _forget_file(content)


def _parts(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (entry[side] for side in ("request", "response") if isinstance(entry.get(side), dict))


def _forget_file(node: dict[str, Any]) -> None:
    """Drop the name of a resource that is not kept."""
    for key in _FILE:
        if key in node and not str(node[key]).endswith(_KEPT_RESOURCES):
            del node[key]


def _clean_header(header: dict[str, Any]) -> dict[str, Any]:
    name, value = str(header.get("name", "")), str(header.get("value", ""))
    if TELLING.search(name):
        value = MASK
    elif name.lower() in {"location", "referer", "refresh", "link"}:
        value = clean_url(value)
    return {"name": name, "value": value}


def _har_entry(node: Any) -> Any:  # noqa: ANN401 -- JSON
    """Without what only Playwright's trace knows."""
    if isinstance(node, dict):
        return {
            key: _har_entry(value)
            for key, value in node.items()
            if not key.startswith("_") and key != "pageref"
        }
    return [_har_entry(value) for value in node] if isinstance(node, list) else node
