"""A recorded Python file as its grammar sees it: parsed, taken apart into chains of calls, never run."""

import ast
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST_BYTES: Final = 1_000_000
"""A recording of an hour has some tens of kilobytes."""
_SHOWN = frozenset(
    {
        "get_by_role", "get_by_label", "get_by_placeholder", "get_by_text", "get_by_test_id", "get_by_alt_text",
        "get_by_title", "locator", "frame_locator", "filter", "nth",
    }
)  # fmt: skip
"""Calls whose arguments say where something is. Those of others may be what was typed, so they are not shown."""


class NoRecording(Exception):
    """The file can't be read as Python; the message says where, and never what stands there."""


class Untranslatable(Exception):
    """Something that steps don't have.

    Attributes:
        why: what it is, for people.
        remedy: what to write instead.
    """

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Note:
    """Something of the recording that a person must look at.

    Attributes:
        line: where it stands in the recording; 0: nowhere.
        code: it, without the arguments that may have been typed.
    """

    line: int
    code: str
    why: str
    remedy: str

    def __str__(self) -> str:
        """In one line, behind the file's name."""
        return ": ".join(
            [
                *([str(self.line)] if self.line else []),
                *([self.code] if self.code else []),
                f"{self.why}. {self.remedy}",
            ]
        )


@dataclass(frozen=True, slots=True)
class Guess:
    """Something that was decided without being told."""

    line: int
    what: str

    def __str__(self) -> str:
        """In one line."""
        return f"line {self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain: ``.name`` or ``.name(…)``.

    Attributes:
        name: empty: the root itself is called.
        is_call: False: an attribute.
    """

    name: str
    is_call: bool = False
    args: tuple[ast.expr, ...] = ()
    keywords: Mapping[str, ast.expr] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """``root.link(…).link.link(…)``."""

    root: str
    links: tuple[Link, ...]
    line: int


def parse(content: bytes) -> ast.Module:
    """Raises `NoRecording`."""
    if len(content) > MOST_BYTES:
        raise NoRecording(f"it has more than {MOST_BYTES} bytes: no recording is so long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's own oddities, such as "\d"
            return ast.parse(content)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise NoRecording(f"{where}it is not Python") from None
    except (ValueError, RecursionError, MemoryError):
        raise NoRecording("it is not Python") from None


def unroll(node: ast.expr) -> Chain | None:
    """The chain that an expression is; None: it begins with something else than a name."""
    line, links = node.lineno, list[Link]()
    while True:
        match node:
            case ast.Await():
                node = node.value
            case ast.Attribute():
                links.append(Link(node.attr))
                node = node.value
            case ast.Call():
                args = tuple(node.args)
                keywords = {one.arg: one.value for one in node.keywords if one.arg is not None}
                node = node.func
                if isinstance(node, ast.Attribute):
                    links.append(Link(node.attr, is_call=True, args=args, keywords=keywords))
                    node = node.value
                elif isinstance(node, ast.Name):
                    links.append(Link("", is_call=True, args=args, keywords=keywords))
            case ast.Name():
                return Chain(node.id, tuple(reversed(links)), line)
            case _:
                return None


def code_of(node: ast.AST) -> str:  # noqa: PLR0911 -- one case a kind of statement
    """The code of a statement or expression as a note may show it: without what was typed."""
    match node:
        case ast.Expr() | ast.Await():
            return code_of(node.value)
        case ast.With() | ast.AsyncWith():
            return f"with {', '.join(code_of(one.context_expr) for one in node.items)}"
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = code_of(node.value) if node.value is not None else "…"
            return f"{' = '.join(ast.unparse(one) for one in targets)} = {value}"
        case ast.For() | ast.AsyncFor() | ast.While():
            return "a loop"
        case ast.If() | ast.Match():
            return "a condition"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return f"def {node.name}"
        case ast.expr():
            chain = unroll(node)
            return chain_code(chain) if chain is not None else "…"
        case _:
            return type(node).__name__.lower()


def chain_code(chain: Chain) -> str:
    """A chain as a note may show it."""
    return chain.root + "".join(map(_link_code, chain.links))


def _link_code(link: Link) -> str:
    dot = f".{link.name}" if link.name else ""
    if not link.is_call:
        return dot
    if link.name in _SHOWN:
        words = [ast.unparse(one) for one in link.args]
        words += [f"{name}={ast.unparse(value)}" for name, value in link.keywords.items()]
        return f"{dot}({', '.join(words)})"
    if not link.name and len(link.args) == 1:
        return f"({code_of(link.args[0])})"
    return f"{dot}({'…' if link.args or link.keywords else ''})"


@dataclass(frozen=True, slots=True)
class Variable:
    """A value that comes from an environment variable."""

    name: str


Known = str | bool | int | float | re.Pattern[str] | Variable | None
"""What an argument is, if it can be told without running the file."""


class Unknown(Exception):
    """An argument's value can't be told without running the file."""


def value_of(node: ast.expr, names: Mapping[str, ast.expr]) -> Known:
    """The value of an argument; raises `Unknown`."""
    for _ in range(len(names) + 1):
        if isinstance(node, ast.Name) and node.id in names:
            node = names[node.id]
    match node:
        case ast.Constant(value=str() | bool() | int() | float() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
        case ast.BinOp(op=ast.Add()) | ast.JoinedStr():
            return "".join(_parts(node, names))
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str() as name)):
            return Variable(name)
        case ast.Call():
            return _called(node, names)
        case _:
            raise Unknown


def _parts(node: ast.expr, names: Mapping[str, ast.expr]) -> Sequence[str]:
    pieces = node.values if isinstance(node, ast.JoinedStr) else None
    if pieces is None and isinstance(node, ast.BinOp):
        pieces = [node.left, node.right]
    found = []
    for one in pieces or ():
        value = value_of(one.value if isinstance(one, ast.FormattedValue) else one, names)
        if not isinstance(value, str):
            raise Unknown
        found.append(value)
    return found


def _called(node: ast.Call, names: Mapping[str, ast.expr]) -> Known:
    chain = unroll(node)
    last = chain.links[-1] if chain is not None and chain.links else None
    if last is None or not last.args:
        raise Unknown
    first = value_of(last.args[0], names)
    if last.name in {"getenv", "get"} and isinstance(first, str):
        return Variable(first)
    if last.name == "compile" and isinstance(first, str):
        return _pattern(first, [*last.args[1:], *last.keywords.values()])
    raise Unknown


_FLAGS: Final = {"IGNORECASE": re.IGNORECASE, "I": re.IGNORECASE}


def _pattern(text: str, flags: Sequence[ast.expr]) -> re.Pattern[str]:
    flag = re.RegexFlag(0)
    for one in flags:
        if not isinstance(one, ast.Attribute) or one.attr not in _FLAGS:
            raise Unknown
        flag |= _FLAGS[one.attr]
    try:
        return re.compile(text, flag)
    except (re.error, RecursionError, OverflowError):
        raise Unknown from None
