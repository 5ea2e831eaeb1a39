"""Take every secret out of what is kept as evidence: Playwright's trace, the HAR made of it, and the console.

Two rules together. By structure: headers that carry credentials, cookies, bodies of requests and of what is no
picture or stylesheet, hidden and password fields of snapshots, telling query parameters. By word: every secret that
was configured, typed or handed out as a cookie, wherever it still stands, also encoded.
"""

import base64
import html
import io
import json
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from probes.masking import MASK

_TELLING = re.compile(
    r"auth|cookie|token|secret|session|passw|pwd|csrf|xsrf|api.?key|signature|credential|jwt|otp|nonce|^key$|^sid$|^sig$|^code$|^state$",
    re.IGNORECASE,
)
"""Names of headers, parameters and fields whose values are taken out."""
_LOOKS_RANDOM = re.compile(r"(?=[^&=]*\d)(?=[^&=]*[A-Za-z])[A-Za-z0-9_.~+/-]{20,}=*")
_URL = re.compile(r"https?://[^\s\"'<>\\]+")
_PARAMETER = re.compile(
    r"([?&;](?:[\w.-]*(?:auth|token|secret|session|passw|csrf|xsrf|signature|jwt)[\w.-]*|key|sid|sig|code|state)=)"
    r"[^&\s\"'<>#\\]+",
    re.IGNORECASE,
)
"""In relative addresses and in prose."""
_SHORTEST = 4
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
_TEXTS: Final = (".trace", ".network", ".stacks", ".css", ".svg", ".json")
_OWN_FIELDS: Final = ("type",)


class Words:
    """The secrets to replace, in the forms in which evidence may hold them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found: set[str] = set()
        for secret in secrets:
            if len(secret) < _SHORTEST:
                continue
            plain = {secret, quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
            found |= plain | {json.dumps(one)[1:-1] for one in plain}
            found.add(base64.b64encode(secret.encode()).decode().rstrip("="))
        self._pattern = (
            re.compile("|".join(re.escape(one) for one in sorted(found, key=len, reverse=True)))
            if found
            else None
        )

    def replaced(self, text: str) -> str:
        """The text with each of them masked."""
        return self._pattern.sub(MASK, text) if self._pattern is not None else text


def clean_trace(raw: bytes, secrets: Collection[str], *, harmless: Collection[str]) -> tuple[bytes, bytes]:
    """A Playwright trace without secrets, and a HAR 1.2 made of what it knows of the network.

    Args:
        raw: the zip archive that `Tracing.stop` wrote.
        secrets: every word that must not stay.
        harmless: texts that were typed and may stay: the canary's own subject and body.

    Returns:
        The archive, which opens in Playwright's trace viewer, and the HAR file.
    """
    words = Words(secrets)
    cleaned = io.BytesIO()
    entries: list[Mapping[str, Any]] = []
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as source,
        zipfile.ZipFile(cleaned, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            if name.startswith("resources/") and not name.endswith(_KEPT_RESOURCES):
                continue  # pages, scripts, answers and what was posted: their text may hold anything
            content = source.read(name)
            if name.endswith((".trace", ".network")):
                lines = [
                    _clean_line(line, harmless) for line in content.decode(errors="replace").splitlines()
                ]
                entries += [
                    line["snapshot"]
                    for line in lines
                    if line is not None and line.get("type") == "resource-snapshot"
                ]
                text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines if line is not None)
                content = words.replaced(text).encode()
            elif name.endswith(_TEXTS):
                content = words.replaced(content.decode(errors="replace")).encode()
            target.writestr(name, content)
    har = {
        "log": {
            "version": "1.2",
            "creator": {"name": "intake-prober", "version": "1"},
            "entries": [_har_entry(entry) for entry in entries],
        }
    }
    return cleaned.getvalue(), words.replaced(json.dumps(har, indent=1, ensure_ascii=False)).encode()


def clean_url(url: str) -> str:
    """An address without userinfo, and with the values of telling parameters, and what looks random, masked."""
    parts = urlsplit(url)
    query = "&".join(_clean_parameter(one) for one in parts.query.split("&")) if parts.query else ""
    fragment = "&".join(_clean_parameter(one) for one in parts.fragment.split("&")) if parts.fragment else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, fragment))


def _clean_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if equals and (_TELLING.search(name) or _LOOKS_RANDOM.fullmatch(value)):
        return f"{name}={MASK}"
    return f"{name}{equals}{value}"


def _clean_line(line: str, harmless: Collection[str]) -> dict[str, Any] | None:
    """One event of the trace; None: it can't be read, so it is not kept."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    match event.get("type"):
        case "before":
            event["params"] = _clean_params(event.get("params", {}), harmless)
        case "frame-snapshot":
            _clean_snapshot(event["snapshot"])
        case "resource-snapshot":
            _clean_exchange(event["snapshot"])
        case "context-options":
            event["options"] = {"viewport": event.get("options", {}).get("viewport")}
        case _:
            pass
    cleaned: dict[str, Any] = _clean_urls(event)
    return cleaned


def _clean_params(params: Any, harmless: Collection[str]) -> Any:  # noqa: ANN401 -- JSON
    """Arguments of a call: what was typed stays only if it is the canary's own text."""
    if not isinstance(params, dict):
        return {}
    kept = dict(params)
    for name in ("value", "text"):
        if isinstance(kept.get(name), str) and kept[name] not in harmless:
            kept[name] = MASK
    for name in (
        "payloads",
        "streams",
        "localPaths",
        "expression",
        "arg",
        "storageState",
        "source",
        "httpCredentials",
    ):
        kept.pop(name, None)
    return kept


def _clean_snapshot(snapshot: dict[str, Any]) -> None:
    _clean_node(snapshot.get("html"))
    for override in snapshot.get("resourceOverrides", []):
        if isinstance(override, dict):
            override.pop("sha1", None) if not str(override.get("sha1", "")).endswith(
                _KEPT_RESOURCES
            ) else None


def _clean_node(node: Any) -> None:  # noqa: ANN401 -- the snapshot's tree: [name, attributes, children…], or a text
    if not isinstance(node, list) or not node:
        return
    if isinstance(node[0], str) and len(node) > 1 and isinstance(node[1], dict):
        _clean_attributes(node[0].upper(), node[1])
    for child in node[1:]:
        _clean_node(child)


def _clean_attributes(tag: str, attributes: dict[str, Any]) -> None:
    kind = str(attributes.get("type", "")).lower()
    named = " ".join(str(attributes.get(key, "")) for key in ("name", "id", "autocomplete"))
    is_secret = kind in {"hidden", "password"} or _TELLING.search(named) is not None
    for name in list(attributes):
        is_value = name in {"value", "content", "__playwright_value_"}
        is_told = _TELLING.search(name) is not None and name not in _OWN_FIELDS
        if (tag in {"INPUT", "META", "TEXTAREA"} and is_value and is_secret) or (
            is_told and name.startswith("data-")
        ):
            attributes[name] = MASK


def _clean_exchange(entry: dict[str, Any]) -> None:
    """One entry of the network log, in HAR's form."""
    for side in ("request", "response"):
        part = entry.get(side)
        if not isinstance(part, dict):
            continue
        part["cookies"] = []
        part["headers"] = [_clean_header(one) for one in part.get("headers", []) if isinstance(one, dict)]
        for one in part.get("queryString", []):
            if _TELLING.search(str(one.get("name", ""))) or _LOOKS_RANDOM.fullmatch(
                str(one.get("value", ""))
            ):
                one["value"] = MASK
    posted = entry.get("request", {}).get("postData")
    if isinstance(posted, dict):
        entry["request"]["postData"] = {"mimeType": posted.get("mimeType", ""), "text": "", "params": []}
    content = entry.get("response", {}).get("content")
    if isinstance(content, dict):
        content.pop("text", None)
        if not str(content.get("_sha1", "")).endswith(_KEPT_RESOURCES):
            content.pop("_sha1", None)


def _clean_header(header: dict[str, Any]) -> dict[str, Any]:
    name = str(header.get("name", ""))
    value = MASK if _TELLING.search(name) else str(header.get("value", ""))
    return {"name": name, "value": clean_url(value) if name.lower() in {"location", "referer"} else value}


def _clean_urls(node: Any) -> Any:  # noqa: ANN401 -- JSON
    """Every address in it cleaned."""
    if isinstance(node, dict):
        return {key: _clean_urls(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_clean_urls(value) for value in node]
    if isinstance(node, str) and "=" in node:
        return _PARAMETER.sub(rf"\1{MASK}", _URL.sub(lambda found: clean_url(found[0]), node))
    return node


def _har_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Without what only Playwright's trace knows."""
    return {
        key: {name: value for name, value in part.items() if not name.startswith("_")}
        if isinstance(part, dict)
        else part
        for key, part in entry.items()
        if not key.startswith("_") and key != "pageref"
    }
