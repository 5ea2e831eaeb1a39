"""YAML as people read it: long expressions as blocks, keys in the order in which they were put."""

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def written(value: Any, *, head: str = "") -> str:  # noqa: ANN401 -- mappings and lists, as deep as a file is
    """The value as YAML, below comment lines; the same bytes each time."""
    comments = "".join(f"# {line}".rstrip() + "\n" for line in head.splitlines())
    body = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, width=1000, allow_unicode=True, default_flow_style=False
    )
    return f"{comments}{body}"
