"""JMESPath, checked when the configuration is read: a typing error in it must not become a blind look at night."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

from probes.contracts import Blind
from probes.ticketing.generic.mistakes import Mistake
from probes.ticketing.generic.oddness import ODD

MISSING: Final = object()
"""What a plain path finds where one of its fields is not there (``null`` is there)."""

_PARSED: Final = re.compile(r"(.*?): Parse error at column (\d+)")
_SAID: Final = re.compile(r"^(Invalid|Bad) jmespath expression: ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Expression:
    """A JMESPath expression.

    Attributes:
        key: where it stands in the configuration, for messages.
    """

    source: str
    key: str
    _compiled: Any = field(repr=False, compare=False)
    _steps: tuple[str | int, ...] | None = field(repr=False, compare=False, default=None)

    def of(self, value: object) -> object:
        """What it finds; None for nothing, `MISSING` where a field of a plain path is not there.

        Raises:
            Blind: it can't be applied to what the system answered.
        """
        if self._steps is not None:
            return _walked(value, self._steps)
        try:
            return self._compiled.search(value)
        except (JMESPathError, AttributeError, *ODD):
            raise Blind(
                f"{self.key}: `{self.source}` can't be applied to the answer: its shape is not what the configuration"
                " expects. Compare with the system's documentation."
            ) from None

    def beside(self, value: object) -> list[str]:
        """The names of the fields that are there where a plain path ends in none; never a value."""
        for step in self._steps or ():
            if isinstance(value, Mapping) and step not in value:
                return [str(one) for one in value]
            value = _walked(value, (step,))
        return []

    def holds(self, value: object) -> bool:
        """Whether it finds something that is true by JMESPath: not null, false or empty; raises as `of`."""
        found = self.of(value)
        return found is not MISSING and found is not None and found is not False and found not in ("", [], {})


def compile_expression(source: str, key: str) -> Expression:
    """The expression of a text.

    Raises:
        Mistake: it is no JMESPath, or calls a function that there is not.
    """
    try:
        compiled = jmespath.compile(source)
    except (JMESPathError, ValueError, TypeError) as error:
        raise Mistake(
            f"this is not JMESPath: {_cause(error)}", 'Try it at jmespath.org; odd names are quoted: "x-y".'
        ) from None
    for name, count in _calls(compiled.parsed):
        known = Functions.FUNCTION_TABLE
        if name not in known:
            raise Mistake(f"JMESPath has no function {name}", f"It has {', '.join(sorted(known))}.")
        signature = known[name]["signature"]
        is_variadic = bool(signature) and bool(signature[-1].get("variadic"))
        if count != len(signature) and not (is_variadic and count >= len(signature)):
            raise Mistake(f"{name}() takes {len(signature)} arguments, not {count}", "See jmespath.org.")
    return Expression(source, key, compiled, _plain_steps(compiled.parsed))


def _cause(error: Exception) -> str:
    """What the parser says, without the words that ours and its own message have in common."""
    line = _SAID.sub("", str(error).partition("\n")[0]).rstrip(" :.")
    if (parsed := _PARSED.match(line)) is not None:
        line = f"{parsed[1]} at column {parsed[2]}"
    return (line[:1].lower() + line[1:]) or "it can't be read"


def _calls(node: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    if node.get("type") == "function_expression":
        yield str(node["value"]), len(node["children"])
    for child in node.get("children", ()):
        if isinstance(child, Mapping):
            yield from _calls(child)


def _plain_steps(node: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """The fields and numbers of a plain path such as ``a.b[0].c``; None for anything else."""
    match node["type"]:
        case "field":
            return (str(node["value"]),)
        case "index":
            return (int(node["value"]),)
        case "subexpression" | "index_expression":
            steps: list[str | int] = []
            for child in node["children"]:
                inner = _plain_steps(child)
                if inner is None:
                    return None
                steps += inner
            return tuple(steps)
        case _:
            return None


def _walked(value: object, steps: tuple[str | int, ...]) -> object:
    for step in steps:
        if value is None:
            return None
        if isinstance(step, int):
            if not isinstance(value, list):
                return MISSING
            value = value[step] if -len(value) <= step < len(value) else None
        elif isinstance(value, Mapping):
            if step not in value:
                return MISSING
            value = value[step]
        else:
            return MISSING
    return value
