"""The JSON Schema of the configuration, and the page that explains every key (docs/configuration.md)."""

from typing import Any

from runners.config.document import Document
from runners.config.fields import duration_text

_WORDS_IN_A_CELL = 6

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
- Words are those of YAML 1.2: `no` and `on` are words, `true` and `false` are not. Anchors, aliases and tags are refused.

This page is generated from the models in `runners/config`; a test compares it.
"""


def configuration_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration file (draft 2020-12)."""
    schema = Document.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def configuration_page() -> str:
    """docs/configuration.md as text."""
    schema = configuration_schema()
    definitions: dict[str, Any] = schema["$defs"]
    sections = [_INTRODUCTION]
    for key, value in schema["properties"].items():
        block = _definition(value, definitions)
        by_name = "additionalProperties" in value
        title = f"## `{key}`" if not by_name else f"## `{key}.NAME`"
        sections.append(_section(title, block, definitions, prefix=""))
    return "\n".join(sections)


def _section(title: str, block: dict[str, Any], definitions: dict[str, Any], *, prefix: str) -> str:
    lines = [title, "", str(block.get("description", "")), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    lines += _rows(block, definitions, prefix)
    return "\n".join([*lines, ""])


def _rows(block: dict[str, Any], definitions: dict[str, Any], prefix: str) -> list[str]:
    rows = []
    needed = set(block.get("required", []))
    for key, value in block.get("properties", {}).items():
        inner = _definition(value, definitions)
        has_rows = inner.get("type") == "object" and "properties" in inner and "anyOf" not in value
        nested = has_rows or _is_optional_block(value, definitions)
        default = "needed" if key in needed else _default(value)
        kind = "mapping" if nested else _kind(value, definitions)
        meaning = str(value.get("description", inner.get("description", "")))
        rows.append(f"| `{prefix}{key}` | {kind} | {default} | {_cell(meaning)} |")
        if nested:
            rows += _rows(inner, definitions, f"{prefix}{key}.")
    return rows


def _is_optional_block(value: dict[str, Any], definitions: dict[str, Any]) -> bool:
    return "anyOf" in value and "properties" in _definition(value, definitions)


def _definition(value: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What a schema means, its references followed, an optional one taken as what it may be."""
    if "$ref" in value:
        found: dict[str, Any] = definitions[value["$ref"].rpartition("/")[2]]
        return found
    if "additionalProperties" in value and isinstance(value["additionalProperties"], dict):
        return _definition(value["additionalProperties"], definitions)
    for one in value.get("anyOf", []):
        if "$ref" in one:
            return _definition(one, definitions)
    return value


def _kind(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "anyOf" in value:
        kinds = [_kind(one, definitions) for one in value["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    meant = _definition(value, definitions) if "$ref" in value else value
    words = [str(one) for one in meant.get("enum", [meant["const"]] if "const" in meant else [])]
    if words:
        return ", ".join(f"`{one}`" for one in words) if len(words) <= _WORDS_IN_A_CELL else "a word"
    match meant.get("type"):
        case "array":
            kind = f"list of {_kind(meant['items'], definitions)}" if "items" in meant else "list"
        case "object":
            keys = meant.get("properties", {})
            kind = " or ".join(f"`{{{key}: …}}`" for key in keys) if keys else "mapping"
        case "boolean":
            kind = "`true`, `false`"
        case "integer":
            kind = "whole number"
        case _:
            kind = ", ".join(f"`{one}`" for one in meant.get("examples", [])) or "text"
    return kind


def _default(value: dict[str, Any]) -> str:
    match value.get("default"):
        case None | [] | "" | dict():
            text = ""
        case bool() as default:
            text = str(default).lower()
        case float() as default if default <= 1:
            text = f"{default * 100:g}%"
        case float() as default:
            text = duration_text(default)
        case list() as default:
            text = " or ".join(str(one) for one in default)
        case default:
            text = str(default)
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
