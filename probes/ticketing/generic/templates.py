"""Templates `{{ name | filter }}`: parsed and checked when the configuration is read, filled in when a request is made.

Jinja's sandbox does it, with everything taken away but names, their parts, our filters and the joining of texts: no
statements, calls, tests or arithmetic. A value that is one template alone keeps its type.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NoReturn
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from probes.contracts import Blind
from probes.ticketing.generic.filters import FILTERS, Unusable, as_text
from probes.ticketing.generic.mistakes import Mistake
from probes.ticketing.generic.oddness import ODD

Words = Mapping[str, object]
"""What a template may name, with its values."""
Vocabulary = Mapping[str, frozenset[str] | None]
"""What a template may name where it stands; with the parts that are known, or None: any part, or none at all."""

_KNOWN: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Const,
    nodes.Concat,
)
_UNFILLED: Final = (jinja2.UndefinedError, *ODD)
_SAFE_IN_PATH: Final = ",:@;=$!*'()~"


class _Environment(ImmutableSandboxedEnvironment):
    """Only data can be reached: a part of a mapping by its name, of a list by its number."""

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 -- Jinja's
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 -- Jinja's
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)


def _environment(finalize: Any) -> _Environment:  # noqa: ANN401 -- Jinja's
    found = _Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        finalize=finalize,
        keep_trailing_newline=True,
        comment_start_string="{\x00#",  # `{#` is text: whatever a body holds is sent
        comment_end_string="#\x00}",
    )
    found.globals.clear()
    found.filters.clear()
    found.filters.update(FILTERS)
    found.tests.clear()
    return found


def _in_text(value: object) -> str:
    if isinstance(value, jinja2.Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 -- its only way to say which name it is
    return as_text(value)


def _in_path(value: object) -> str:
    text = _in_text(value)
    if text in {"", ".", ".."}:
        raise Unusable(f"{text!r} can't stand in a path")
    return quote(text, safe=_SAFE_IN_PATH)


_TEXTS: Final = _environment(_in_text)
_PATHS: Final = _environment(_in_path)


@dataclass(frozen=True, slots=True)
class Template:
    """A text with names in it.

    Attributes:
        source: as it stands in the configuration.
        key: where it stands, for messages.
        names: what it needs: a name, and the part of it that is named first (empty: the whole).
        fixed: names whose values were known when it was read.
    """

    source: str
    key: str
    names: frozenset[tuple[str, str]]
    fixed: Words = field(repr=False, compare=False)
    _alone: Any = field(repr=False, compare=False)
    _text: Any = field(repr=False, compare=False)
    _path: Any = field(repr=False, compare=False)

    def value(self, words: Words) -> object:
        """What it comes to; of a template alone its value as it is, a number or a list.

        Raises:
            Blind: a name in it has no value.
        """
        if self._alone is None:
            return self.text(words)
        try:
            found = self._alone(**{**self.fixed, **words})
            if isinstance(found, jinja2.Undefined):
                found._fail_with_undefined_error()  # noqa: SLF001 -- its only way to say which name it is
        except _UNFILLED as error:
            self._blind(error, words)
        return found

    def text(self, words: Words) -> str:
        """What it comes to as a text; raises as `value`."""
        try:
            return str(self._text.render({**self.fixed, **words}))
        except _UNFILLED as error:
            self._blind(error, words)

    def path(self, words: Words) -> str:
        """As a path of a URL: each value is one piece of it, unless the template is one value alone; raises as `value`."""
        if self._alone is not None:
            return self.text(words)
        try:
            return str(self._path.render({**self.fixed, **words}))
        except _UNFILLED as error:
            self._blind(error, words)

    def _blind(self, error: Exception, words: Words) -> NoReturn:
        if words.get("answer", "") is None and any(name == "answer" for name, _ in self.names):
            raise Blind(
                f"{self.key}: `{self.source}` can't be filled in: the request before it was answered without content"
                " (as a 204 is), or there was none. Read what it needs by a request in between, or"
                " say ticket.… where the ticket as it was read has it."
            ) from None
        match error:
            case Unusable():
                cause = error.args[0]
            case jinja2.UndefinedError():
                cause = str(error.message)
            case TypeError() | OverflowError():
                cause = "a name in it has no value"
            case UnicodeError():
                cause = "a value in it holds half a character"
            case _:
                cause = (
                    "a value in it can't be used so"  # what it is stays untold: it may be a customer's word
                )
        raise Blind(
            f"{self.key}: `{self.source}` can't be filled in: {cause}."
            " Look whether the system still answers what is named there."
        ) from None


_NOTHING: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType({})


def compile_template(
    source: str, key: str, vocabulary: Vocabulary, fixed: Mapping[str, Mapping[str, object]] = _NOTHING
) -> Template:
    """The template of a text; ``fixed``: names beside the vocabulary, each with its parts, which never change.

    Raises:
        Mistake: it is no template, or names what is not known where it stands.
    """
    try:
        tree = _TEXTS.parse(source)
    except jinja2.TemplateError as error:
        raise Mistake(
            f"this is not a template: {error.message}", "Write names in braces: {{ since | iso }}."
        ) from None
    names: set[tuple[str, str]] = set()
    for node in _nodes(tree):
        _check_node(node)
        if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem):
            names |= _named(node, {**{name: frozenset(parts) for name, parts in fixed.items()}, **vocabulary})
    whole = {one for one, part in names if part}
    names = {(one, part) for one, part in names if part or one not in whole}
    return Template(
        source=source,
        key=key,
        names=frozenset(one for one in names if one[0] not in fixed),
        fixed=fixed,
        _alone=_alone(source, tree),
        _text=_TEXTS.from_string(source),
        _path=_PATHS.from_string(source),
    )


def _nodes(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _nodes(child)


def _check_node(node: nodes.Node) -> None:
    if not isinstance(node, _KNOWN):
        raise Mistake(
            f"a template fills in values; it has no {type(node).__name__.lower()}",
            "Write {{ name }}, {{ name.part }} or {{ name | filter }}; ~ joins texts.",
        )
    if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        raise Mistake("a part is named as it stands", "Write {{ name.part }} or {{ name[0] }}.")
    if isinstance(node, nodes.Filter):
        _check_filter(node)


def _check_filter(node: nodes.Filter) -> None:
    if node.name not in FILTERS:
        raise Mistake(f"there is no filter {node.name}", f"There are {', '.join(sorted(FILTERS))}.")
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise Mistake(f"the filter {node.name} takes no named arguments", "Write them in their order.")
    if node.name in {"strftime", "zone", "plus", "upto", "seconds_after"} and len(node.args) != 1:
        raise Mistake(f"the filter {node.name} takes one argument", f"Write {{{{ … | {node.name}('…') }}}}.")
    if node.name == "zone" and isinstance(node.args[0], nodes.Const):
        zone_of(node.args[0].value)


def zone_of(name: object) -> ZoneInfo:
    """A time zone by IANA's name.

    Raises:
        Mistake: there is none of that name.
    """
    try:
        return ZoneInfo(str(name))
    except (ValueError, OSError, KeyError):
        raise Mistake(f"there is no time zone {name}", "Write IANA's name, such as Europe/Berlin.") from None


def _named(node: nodes.Expr, vocabulary: Vocabulary) -> set[tuple[str, str]]:
    root, part = _root(node)
    if root is None:
        return set()
    if root not in vocabulary:
        raise Mistake(f"there is no {root} here", f"There are {', '.join(sorted(vocabulary))}.")
    parts = vocabulary[root]
    if parts is not None and part and part not in parts:
        known = ", ".join(sorted(parts)) or "none yet"
        raise Mistake(f"{root} has no {part} here", f"There are: {known}.")
    return {(root, part)}


def _root(node: nodes.Expr) -> tuple[str | None, str]:
    """The name that a chain of parts begins with, and its first part."""
    part = ""
    inner: nodes.Expr = node
    while isinstance(inner, nodes.Getattr | nodes.Getitem):
        argument = inner.attr if isinstance(inner, nodes.Getattr) else getattr(inner.arg, "value", "")
        part = str(argument)
        inner = inner.node
    return (inner.name, part) if isinstance(inner, nodes.Name) else (None, "")


def _alone(source: str, tree: nodes.Template) -> Any:  # noqa: ANN401 -- Jinja's
    """The expression of a text that is one template and nothing else, or None."""
    (output,) = tree.body if len(tree.body) == 1 else (None,)
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        return None
    if isinstance(output.nodes[0], nodes.TemplateData):
        return None
    inner = source.strip().removeprefix("{{").removesuffix("}}").strip("-")
    return _TEXTS.compile_expression(inner, undefined_to_none=False)


Shape = object
"""A value of a body: mappings and lists with templates at their leaves."""


def compile_shape(
    value: object, key: str, vocabulary: Vocabulary, fixed: Mapping[str, Mapping[str, object]] = _NOTHING
) -> Shape:
    """A body with its templates compiled, as `compile_template`; raises `Mistake`."""
    match value:
        case str():
            return compile_template(value, key, vocabulary, fixed) if "{" in value else value
        case Mapping():
            return MappingProxyType(
                {
                    str(name): compile_shape(one, f"{key}.{name}", vocabulary, fixed)
                    for name, one in value.items()
                }
            )
        case list() | tuple():
            return tuple(
                compile_shape(one, f"{key}[{index}]", vocabulary, fixed) for index, one in enumerate(value)
            )
        case _:
            return value


def filled(shape: Shape, words: Words) -> object:
    """The body with its values, ready to be sent; raises `Blind` where one is missing."""
    match shape:
        case Template():
            return _plain(shape.value(words))
        case Mapping():
            return {name: filled(one, words) for name, one in shape.items()}
        case tuple():
            return [filled(one, words) for one in shape]
        case _:
            return shape


def names_in(shape: Shape) -> frozenset[tuple[str, str]]:
    """All that the templates of a body need."""
    match shape:
        case Template():
            return shape.names
        case Mapping():
            return frozenset().union(*(names_in(one) for one in shape.values()))
        case tuple():
            return frozenset().union(*(names_in(one) for one in shape))
        case _:
            return frozenset()


def _plain(value: object) -> object:
    """A value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, Sequence | frozenset | set) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float) else as_text(value)
