"""The JSON Schema of the configuration, and the page that explains every key (docs/configuration.md)."""

from pathlib import Path
from typing import Any

from runners.config.document import Document
from runners.config.document_alerts import SINK_DOCUMENTS
from runners.config.document_channels import PATH_DOCUMENTS
from runners.config.document_paths import PathDocument
from runners.config.document_places import SystemDocument, TicketingDocument
from runners.config.document_ticketing import TICKETING_DOCUMENTS
from runners.config.document_ticketing_http import HttpTicketingDocument
from runners.config.fields import duration_text
from runners.config.presets import preset_names

_WORDS_IN_A_CELL = 6
_SHOWN = {
    "control",
    "duration",
    "hours",
    "listen",
    "locale",
    "network",
    "rate",
    "resolver",
    "rule",
    "share",
    "size",
    "viewport",
}
_PHRASES = {"text or `/regex/`", "template", "template or secret", "text or secret", "any JSON"}
_TYPED = "template, secret or `{totp: secret}`"
_TITLES = _SHOWN | _PHRASES | {_TYPED, "address", "command", "host", "name", "proxy", "secret", "URL", "word"}
_LOCATOR = "LocatorDocument"
_REQUEST = "HttpRequestDocument"
_LOOK = "LookDocument"
_SHARED = {
    "ServerDocument": ("A mail server", "mail server"),
    "AuthDocument": ("OAuth 2.0", "OAuth 2.0"),
    "StepDocument": ("A step", "step"),
    _LOCATOR: ("A locator", "locator"),
    "RouteDocument": ("A route", "route"),
    "HttpRequestDocument": ("A request", "request"),
    "PickDocument": ("A pick", "pick"),
    "TicketMapDocument": ("Fields of a ticket", "fields of a ticket"),
    "LookDocument": ("A look", "look"),
    "DivertedDocument": ("A look aside", "look aside"),
    "ReadDocument": ("A reading", "reading"),
    "HttpStepDocument": ("A clean-up request", "clean-up request"),
    "SightDocument": ("A proof", "proof"),
    "ExchangeDocument": ("A log-in request", "log-in request"),
    "VarDocument": ("A variable", "variable"),
    "WindowDocument": ("A window of requests", "window of requests"),
    "FailureDocument": ("A failure", "failure"),
}
"""Mappings that stand in several places: a section of their own, and how a cell names them."""

_INTRODUCTION = """\
# Configuration

One YAML file, `intake.yaml` unless `--config` or `INTAKE_PROBER_CONFIG` names another. Unknown keys, wrong values and
missing names are errors with line, column and remedy, all at once: `intake-prober check` shows them.
`intake-prober init` writes a commented one to begin with; `intake-prober schema config` prints the JSON Schema.

- **Names of files** are relative to the folder of the configuration, wherever the prober is started.
- **Secrets** are `{env: NAME}`, `{file: PATH}` or `{exec: [command, argument]}`. The last line break is not part of
  them. A command is run without a shell and again when what it printed is refused. A secret as plain text is an error
  unless `--allow-literal-secrets` is given, which is for the sandbox.
- **Durations** are `30s`, `10m`, `24h`, `1h30m`, `500ms`; **shares** `99.5%`; **rates** `12/h`; **sizes** `2GiB`, `500MB`.
- **Templates** are texts with words of the canary: `{{ subject }}`, `{{ body }}`, `{{ token }}`, `{{ sender }}`, `{{ name }}`.
  A **text or `/regex/`** is looked for as a part of what is there, without case; between slashes it is a regular
  expression of Python, and its group `(?P<ticket>…)` is the ticket's number.
- Words are those of YAML 1.2: `no` and `on` are words, `true` and `false` are not. Anchors, aliases and tags are refused.

This page is generated from the models in `runners/config`; a test compares it.
"""


def configuration_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration file (draft 2020-12)."""
    schema = Document.model_json_schema(by_alias=True, mode="validation")
    for block in (schema, *schema["$defs"].values()):
        for value in block.get("properties", {}).values():
            if "default" in value:
                value["default"] = _as_written(value)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def configuration_page() -> str:
    """docs/configuration.md as text."""
    schema = configuration_schema()
    definitions: dict[str, Any] = schema["$defs"]
    sections = [_INTRODUCTION]
    for key, value in schema["properties"].items():
        by_name = "patternProperties" in value
        title = f"## `{key}.NAME`" if by_name else f"## `{key}`"
        if key == "paths":
            sections += _paths_sections(title, definitions)
        elif key == "ticketing":
            sections += _ticketing_sections(title, definitions)
        else:
            sections.append(_section(title, _definition(value, definitions), definitions))
        if key == "alerts":
            sections += _alerts_sections(definitions)
    for name, (title, _) in _SHARED.items():
        sections.append(_section(f"## {title}", _besides(name, definitions), definitions))
    return "\n".join(sections)


def _paths_sections(title: str, definitions: dict[str, Any]) -> list[str]:
    """What all paths have in common, then what those of each channel have besides."""
    blocks = {channel: definitions[model.__name__] for channel, model in PATH_DOCUMENTS.items()}
    common = set(PathDocument.model_fields)
    shared = _part(next(iter(blocks.values())), common)
    shared["description"] = PathDocument.__doc__
    shared["properties"]["channel"] = {
        "enum": [channel.value for channel in blocks],
        "description": shared["properties"]["channel"]["description"],
    }
    sections = [_section(title, shared, definitions)]
    for channel, block in blocks.items():
        own = _part(block, set(block["properties"]) - common)
        sections.append(_section(f"## `paths.NAME` with `channel: {channel}`", own, definitions))
    return sections


def _ticketing_sections(title: str, definitions: dict[str, Any]) -> list[str]:
    """What all systems have in common, then what those of each type have besides."""
    known, generic = (definitions[one.__name__] for one in (TicketingDocument, HttpTicketingDocument))
    common = set(SystemDocument.model_fields)
    shared = _part(known, {*common, "type"})
    shared["description"] = SystemDocument.__doc__
    shared["properties"]["type"] = {
        "enum": [*(kind.value for kind in TICKETING_DOCUMENTS), *preset_names()],
        "description": known["properties"]["type"]["description"],
    }
    own = _part(known, set(known["properties"]) - common - {"type"})
    by_configuration = _part(generic, set(generic["properties"]) - common - {"type"})
    return [
        _section(title, shared, definitions),
        _section(f"{title} with `type: helpdesk` or `type: rt`", own, definitions),
        _section(f"{title} with `type: http`, or that of a preset", by_configuration, definitions),
    ]


def _besides(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """A mapping's schema without the keys of what it also is: a request, or a look."""
    block: dict[str, Any] = definitions[name]
    for base in (_LOOK, _REQUEST):
        inherited = set(definitions[base]["properties"])
        if name != base and inherited <= set(block["properties"]):
            title = _SHARED[base][0]
            text = f"{block.get('description', '')} Besides these keys it has those of [{title.lower()}](#{_anchor(title)})."
            own = (set(block["properties"]) - inherited) | ({"when"} if base == _LOOK else set())
            return {**_part(block, own), "description": text}
    return block


def _alerts_sections(definitions: dict[str, Any]) -> list[str]:
    """The sinks, by their type."""
    return [
        _section(f"## `alerts.sinks.NAME` with `type: {kind}`", definitions[model.__name__], definitions)
        for kind, model in SINK_DOCUMENTS.items()
    ]


def _part(block: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    """A mapping's schema with only these keys."""
    kept = {key: value for key, value in block["properties"].items() if key in keys}
    return {**block, "properties": kept}


def _section(title: str, block: dict[str, Any], definitions: dict[str, Any]) -> str:
    lines = [title, "", str(block.get("description", "")), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    lines += _rows(block, definitions, "")
    return "\n".join([*lines, ""])


def _rows(block: dict[str, Any], definitions: dict[str, Any], prefix: str) -> list[str]:
    rows = []
    needed = set(block.get("required", []))
    for key, value in block.get("properties", {}).items():
        name = _reference(value)
        inner = definitions.get(name, {})
        is_block = "properties" in inner and name not in _SHARED
        has_locator = is_block and (
            _is_a(_LOCATOR, inner, definitions) or _is_a(_REQUEST, inner, definitions)
        )
        default = "needed" if key in needed else _default(value)
        meaning = str(value.get("description", inner.get("description", "")))
        shown = "mapping" if is_block and not has_locator else _kind(value, definitions)
        rows.append(f"| `{prefix}{key}` | {shown} | {default} | {_cell(meaning)} |")
        if has_locator:
            base = _LOCATOR if _is_a(_LOCATOR, inner, definitions) else _REQUEST
            own = set(inner["properties"]) - set(definitions[base]["properties"])
            rows += _rows(_part(inner, own), definitions, f"{prefix}{key}.")
        elif is_block:
            rows += _rows(inner, definitions, f"{prefix}{key}.")
    return rows


def _reference(value: dict[str, Any]) -> str:
    """The name of the definition that a value is of, also if it is optional; empty if it is of none."""
    for one in (value, *value.get("anyOf", [])):
        if "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return ""


def _is_a(base: str, block: dict[str, Any], definitions: dict[str, Any]) -> bool:
    """Whether a mapping holds the keys of another (a locator, a request), which have a section of their own."""
    return set(definitions[base]["properties"]) <= set(block["properties"])


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _definition(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What a schema means, its references followed, an optional one taken as what it may be."""
    if "$ref" in value:
        found: dict[str, Any] = definitions[value["$ref"].rpartition("/")[2]]
        return found
    if "patternProperties" in value:
        (named,) = value["patternProperties"].values()
        return _definition(named, definitions)
    for one in value.get("anyOf", []):
        if "$ref" in one:
            return _definition(one, definitions)
    return value


def _kind(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if value.get("title") in _TITLES:
        return _named(value)
    if "anyOf" in value:
        kinds = [_kind(one, definitions) for one in value["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if (name := _shared_name(value, definitions)) is not None:
        return f"[{_SHARED[name][1]}](#{_anchor(_SHARED[name][0])})"
    meant = _definition(value, definitions) if "$ref" in value else value
    words = [_word(one) for one in meant.get("enum", [meant["const"]] if "const" in meant else [])]
    if words:
        return ", ".join(f"`{one}`" for one in words) if len(words) <= _WORDS_IN_A_CELL else "a word"
    match meant.get("type"):
        case "array":
            kind = f"list of {_kind(meant['items'], definitions)}" if "items" in meant else "list"
        case "object":
            keys = meant.get("properties", {})
            kind = " or ".join(f"`{{{key}: …}}`" for key in keys) if keys else _mapping(meant, definitions)
        case "boolean":
            kind = "`true`, `false`"
        case "integer":
            kind = "whole number"
        case _:
            kind = "text"
    return kind


def _mapping(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    """A mapping whose keys are names; of what, where that has a section of its own."""
    inner = [*value.get("patternProperties", {}).values(), value.get("additionalProperties", {})]
    names = [_shared_name(one, definitions) for one in inner if isinstance(one, dict)]
    shared = next((one for one in names if one is not None), None)
    return f"mapping of [{_SHARED[shared][1]}](#{_anchor(_SHARED[shared][0])})" if shared else "mapping"


def _shared_name(value: dict[str, Any], definitions: dict[str, Any]) -> str | None:
    """Which mapping with a section of its own a reference is to; a locator also where keys are added to it."""
    name = _reference(value)
    if name in _SHARED or not name:
        return name or None
    if "properties" not in definitions[name]:
        return None
    return next((one for one in (_LOCATOR, _REQUEST) if _is_a(one, definitions[name], definitions)), None)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named(value: dict[str, Any]) -> str:
    examples = ", ".join(f"`{one}`" for one in value.get("examples", []))
    return f"{value['title']}: {examples}" if examples and value["title"] in _SHOWN else str(value["title"])


def _as_written(value: dict[str, Any]) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """A default as it would be written in the file: the models hold seconds, shares and rules."""
    written: Any
    match value["default"], value.get("title"):
        case float() as default, "duration":
            written = duration_text(default)
        case float() as default, "share":
            written = f"{default * 100:g}%"
        case int() as default, "size":
            written = f"{default // 10**6}MB"
        case (str() as host, int() as port) | [str() as host, int() as port], "address:port":
            written = f"{host}:{port}"
        case [int() as width, int() as height], "viewport":
            written = f"{width}x{height}"
        case [{"failed": failed, "of": of}], _:
            written = [f"{failed} of {of}"]
        case "ignored", _:
            written = False
        case default, _:
            written = default
    return written


def _default(value: dict[str, Any]) -> str:
    match value.get("default"):
        case None | [] | "" | dict():
            return ""
        case bool() as default:
            text = str(default).lower()
        case list() as default:
            text = ", ".join(str(one) for one in default)
        case default:
            text = str(default)
    return f"`{text}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def write_page(page: Path) -> None:
    """Write docs/configuration.md anew: ``python -m runners.config.schema``, after a change of the models."""
    page.write_text(configuration_page(), encoding="utf-8")


if __name__ == "__main__":
    write_page(Path(__file__).parents[2] / "docs" / "configuration.md")
