"""Walk through a recording in the order in which Python would run it, and collect what it does and what can't be said."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from runners.portal_import.acts import BY_SCRIPT, SILENT, Act, acts_of, assertion_of
from runners.portal_import.browser_options import BrowserOptions, options_of, session_note
from runners.portal_import.locators import CHAINED
from runners.portal_import.source import Chain, Note, Untranslatable, chain_code, code_of, unroll

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_QUIET_ROOTS: Final = frozenset({"print", "logging", "logger", "breakpoint"})
_OTHER_WINDOW: Final = Untranslatable(
    "this happens in a second window that no click has opened, and a journey is in one",
    "Record it with one window.",
)
_POPUPS: Final = frozenset({"expect_popup", "expect_page"})
_WINDOWS: Final = {
    "expect_download": Untranslatable("a download is waited for", "Leave it out: a request needs none."),
    "expect_file_chooser": Untranslatable(
        "a file chooser is waited for", "Name the file field: upload: {label: …}."
    ),
}
"""What a `with` waits for beside what its body does; all others are covered by the steps' own waiting."""
_NO_STEP: Final = (
    ast.Import,
    ast.ImportFrom,
    ast.Pass,
    ast.Return,
    ast.Global,
    ast.Nonlocal,
    _Function,
    ast.ClassDef,
)
_MOST_ACTS: Final = 1000


@dataclass(slots=True)
class Walked:
    """What was found."""

    acts: list[Act] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    options: BrowserOptions = field(default_factory=BrowserOptions)


def walk(module: ast.Module) -> Walked:
    """Walk through it; what can't be said becomes a note. Raises `RecursionError` where it is nested beyond reason."""
    walker = _Walker(_functions(module.body))
    walker.body(module.body)
    for function in walker.never_called(module):
        if walker.found.acts and _uses_page(function):
            walker.note(
                function.lineno, f"def {function.name}", "a second journey stands in this file",
                "Record it into a file of its own, or leave it out.",
            )  # fmt: skip
        else:
            walker.call_function(function, ())
    return walker.found


def _functions(body: Iterable[ast.stmt]) -> dict[str, _Function]:
    found: dict[str, _Function] = {}
    for node in body:
        if isinstance(node, _Function):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            found.update(_functions(node.body))
    return found


def _uses_page(function: _Function) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "page" for one in ast.walk(function))


class _Walker:
    def __init__(self, functions: Mapping[str, _Function]) -> None:
        self.found = Walked()
        self._functions = functions
        self._names: dict[str, ast.expr] = {}
        self._pages = {"page"}
        self._others: set[str] = set()
        self._popups: set[str] = set()
        self._window = ""
        self._has_page = False
        self._active: set[str] = set()

    def note(self, line: int, code: str, why: str, remedy: str) -> None:
        self.found.notes.append(Note(line, code, why, remedy))

    def _can_not(self, node: ast.stmt | ast.expr, cause: Untranslatable, code: str = "") -> None:
        self.note(node.lineno, code or code_of(node), cause.why, cause.remedy)

    def never_called(self, module: ast.Module) -> Sequence[_Function]:
        called = {
            chain.links[0].name or chain.root if chain.root == "self" and chain.links else chain.root
            for node in ast.walk(module)
            if isinstance(node, ast.Call) and (chain := unroll(node)) is not None
        }
        return [one for name, one in self._functions.items() if name not in called]

    def body(self, statements: Iterable[ast.stmt]) -> None:
        for node in statements:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=value):
                self._expression(value)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._assign(name, value)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.Try():
                self.body([*node.body, *node.orelse, *node.finalbody])
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                self.body(node.body)
            case _ if isinstance(node, _NO_STEP):
                pass
            case _:
                self._can_not(
                    node,
                    Untranslatable(
                        "steps have neither loops, conditions nor assertions of Python's",
                        "Write the steps one by one; `optional: true` at a step leaves it out where its element is not there.",
                    ),
                )

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            chain = unroll(item.context_expr)
            last = chain.links[-1] if chain is not None and chain.links else None
            bound = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else None
            if last is not None and last.name in _POPUPS:
                self._popups.add(bound or "")
                continue
            if last is not None and last.name in _WINDOWS:
                self._can_not(node, _WINDOWS[last.name], code_of(item.context_expr))
            elif bound is not None:
                self._assign(bound, item.context_expr)
        self.body(node.body)

    def _assign(self, name: str, value: ast.expr) -> None:
        chain = unroll(value)
        if chain is not None and chain.root in self._popups:
            self._pages.add(name)
            self._window = name
        elif chain is not None and chain.root in self._others:
            self._others.add(name)
        elif chain is not None and chain.links and chain.links[-1].name == "new_page":
            (self._others if self._has_page else self._pages).add(name)
            self._has_page = True
        elif chain is None or chain.root == name or not chain.links or self._is_locator(chain):
            self._names[name] = value
        else:
            self._expression(value)
            self._names[name] = value

    def _is_locator(self, chain: Chain) -> bool:
        chain = self._resolved(chain)
        return chain.root in self._pages and all(link.name in CHAINED for link in chain.links)

    def _resolved(self, chain: Chain) -> Chain:
        """A chain that begins with a variable, from what the variable stands for."""
        for _ in range(len(self._names) + 1):
            if chain.root == "self" and chain.links and not chain.links[0].is_call:
                chain = replace(chain, root=chain.links[0].name, links=chain.links[1:])
            origin = unroll(self._names[chain.root]) if chain.root in self._names else None
            if origin is None or chain.root in self._pages:
                return chain
            chain = replace(chain, root=origin.root, links=(*origin.links, *chain.links))
        return chain

    def _expression(self, node: ast.expr) -> None:
        own = unroll(node)
        if own is None:
            return
        chain = self._resolved(own)
        try:
            act = self._act(chain, own)
        except Untranslatable as cause:
            self._can_not(node, cause, chain_code(chain))
            return
        if act is not None and len(self.found.acts) < _MOST_ACTS:
            self.found.acts.append(act)

    def _act(self, chain: Chain, own: Chain) -> Act | None:
        if chain.root in self._others:
            if chain.links and chain.links[-1].name in SILENT:
                return None
            raise _OTHER_WINDOW
        if chain.root in self._pages:
            act = acts_of(chain.links, chain.line, self._names)
            if act is not None:
                self._stay(chain)
            return act
        if chain.root == "expect" and len(chain.links) > 1 and chain.links[0].args:
            return self._assertion(chain)
        function = self._functions.get(
            chain.root if chain.root != "self" or not chain.links else chain.links[0].name
        )
        if function is not None:
            self.call_function(function, chain.links[0].args if chain.links else ())
        elif chain.root == "asyncio" and chain.links and chain.links[0].args:
            self._expression(chain.links[0].args[0])
        elif chain.root not in _QUIET_ROOTS:
            self._around(own)
        return None

    def _stay(self, chain: Chain) -> None:
        """The journey goes on in a window that a click has opened; a step in the one before is told, once."""
        if self._window and chain.root != self._window:
            self._window = ""
            self.note(
                chain.line,
                chain_code(chain),
                "this is in the window before, and a journey goes on in the one that was opened",
                "Leave the click out that opens it, if the request does without.",
            )

    def _assertion(self, chain: Chain) -> Act:
        target = unroll(chain.links[0].args[0])
        target = self._resolved(target) if target is not None else None
        if target is not None and target.root in self._others:
            raise _OTHER_WINDOW
        if target is None or target.root not in self._pages:
            raise Untranslatable("what is expected here is none of the page", BY_SCRIPT)
        return assertion_of(target.links, chain.links[-1], chain.line, self._names)

    def _around(self, chain: Chain) -> None:
        """What is done with the browser or its context."""
        for link in chain.links:
            note = session_note(chain, link)
            if note is not None:
                self.found.notes.append(note)
            if link.name == "new_context":
                self._options(link.keywords, chain.line)

    def _options(self, keywords: Mapping[str, ast.expr], line: int) -> None:
        self.found.options, causes = options_of(keywords, self._names)
        for name, cause in causes:
            self.note(line, f"{name}=…", cause.why, cause.remedy)

    def call_function(self, function: _Function, arguments: Sequence[ast.expr]) -> None:
        """Walk through a function of the file as if it were called."""
        if function.name in self._active:
            return
        self._active.add(function.name)
        if function.name == "browser_context_args":
            self._fixture(function)
        else:
            self._pages.update(one.arg for one in function.args.args if _is_page(one.annotation))
            for parameter, argument in zip(_parameters(function), arguments, strict=False):
                self._names.pop(parameter, None)
                if isinstance(argument, ast.Name) and argument.id in self._pages:
                    self._pages.add(parameter)
                elif not isinstance(argument, ast.Name) or argument.id != parameter:
                    self._names[parameter] = argument
            self.body(function.body)
        self._active.discard(function.name)

    def _fixture(self, function: _Function) -> None:
        for one in function.body:
            if isinstance(one, ast.Return) and isinstance(one.value, ast.Dict):
                keywords = {
                    key.value: value
                    for key, value in zip(one.value.keys, one.value.values, strict=True)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str)
                }
                self._options(keywords, one.lineno)


def _is_page(annotation: ast.expr | None) -> bool:
    return (isinstance(annotation, ast.Name) and annotation.id == "Page") or (
        isinstance(annotation, ast.Attribute) and annotation.attr == "Page"
    )


def _parameters(function: _Function) -> Sequence[str]:
    names = [one.arg for one in function.args.args]
    return names[1:] if names[:1] == ["self"] else names
