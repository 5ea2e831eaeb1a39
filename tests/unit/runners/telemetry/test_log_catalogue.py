"""Every event that the program logs, and every field, stands in the catalogue: nobody searches for a name in vain."""

import ast
from pathlib import Path

from canary.incident import Transition
from canary.instruments import LOG_EVENTS, LOG_FIELDS

ROOT = Path(__file__).parents[4]
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def _calls() -> list[tuple[str, ast.Call]]:
    modules = [one for folder in ("runners", "probes") for one in (ROOT / folder).rglob("*.py")]
    return [
        (str(module.relative_to(ROOT)), node)
        for module in modules
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "_log"
        and node.func.attr in _LEVELS
    ]


def test_events__are_those_of_the_catalogue() -> None:
    known = {one.name for one in LOG_EVENTS}

    strange = {
        (module, call.args[0].value)
        for module, call in _calls()
        if isinstance(call.args[0], ast.Constant) and call.args[0].value not in known
    }

    assert strange == set()
    assert len(_calls()) > 10


def test_every_event_of_the_catalogue__is_named_by_somebody_who_logs() -> None:
    """One may be built of a transition's name, as `incident_opened`."""
    words = {
        node.value
        for folder in ("runners", "probes")
        for module in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert {one.name for one in LOG_EVENTS} - words - {f"incident_{one.value}" for one in Transition} == set()


def test_fields__are_those_of_the_catalogue() -> None:
    strange = {
        (module, key.value)
        for module, call in _calls()
        for word in call.keywords
        if word.arg == "extra" and isinstance(word.value, ast.Dict)
        for key in word.value.keys
        if isinstance(key, ast.Constant) and key.value not in LOG_FIELDS
    }

    assert strange == set()
