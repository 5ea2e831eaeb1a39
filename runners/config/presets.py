"""Ticketing systems that come as a file: `type: zendesk` is `type: http` with what its file says, under your own keys.

The files lie in `probes/ticketing/presets`. Whoever wants more than to change some keys copies one.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from runners.config.reading import Loc, Value, read_tree

_FOLDER: Final = files("probes.ticketing") / "presets"
_ENDING: Final = ".yaml"
_BY_NAME: Final = frozenset(
    {"given", "secrets", "headers", "vars", "ticket", "find", "diverted", "channel", "clean", "budget"}
    | {"throttle"}
)
"""Mappings of which each key can be changed by itself. All else is one thing, and given whole or not at all."""
_LOOKS: Final = frozenset({"find", "diverted"})
_OF_A_LOOK: Final = frozenset({"query", "headers", "ticket"})
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete", "options"})


@cache
def preset_names() -> tuple[str, ...]:
    """The systems that come as a file, in the order of the alphabet."""
    found = (one.name for one in _FOLDER.iterdir())
    return tuple(sorted(one.removesuffix(_ENDING) for one in found if one.endswith(_ENDING)))


def preset_text(name: str) -> str:
    """A preset as its file says it, for people and for who changes it."""
    return (_FOLDER / f"{name}{_ENDING}").read_text(encoding="utf-8")


def with_preset(value: Mapping[str, Any]) -> dict[str, Any]:
    """A system of `type: http` out of one whose type is the name of a preset; ``value`` itself stays as it is."""
    settings = {key: one for key, one in preset_tree(str(value["type"])).items() if key != "about"}
    merged = _merged((), settings, value)
    return {**merged, "type": "http"}


@cache
def preset_tree(name: str) -> Mapping[str, Value]:
    """A preset as what it says.

    Raises:
        ValueError: its file is no configuration.
    """
    tree = read_tree(f"{name}{_ENDING}", preset_text(name))
    if tree.errors or not isinstance(tree.value, dict):
        raise ValueError(f"the preset {name} is no configuration: {[str(one) for one in tree.errors]}")
    return tree.value


def _merged(loc: Loc, below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """One mapping over another; nothing (`null`) takes a key away."""
    hidden = _METHODS if _is_look(loc) and _METHODS & set(above) else frozenset()
    found = {key: one for key, one in below.items() if key not in hidden}
    for key, one in above.items():
        at = (*loc, key)
        under = found.get(key)
        if one is None and key in found:
            del found[key]
        elif isinstance(one, dict) and isinstance(under, dict) and _is_by_name(at):
            found[key] = _merged(at, under, one)
        else:
            found[key] = one
    return found


def _is_look(loc: Loc) -> bool:
    return len(loc) == 2 and loc[0] in _LOOKS  # noqa: PLR2004 -- section and name


def _is_by_name(loc: Loc) -> bool:
    """Whether a mapping there is one of things that have a name each."""
    match loc:
        case (str() as section,):
            return section in _BY_NAME
        case ("ticket", "also"):
            return True
        case (str() as section, _, str() as part):
            return section in _LOOKS and part in _OF_A_LOOK
        case _:
            return _is_look(loc)
