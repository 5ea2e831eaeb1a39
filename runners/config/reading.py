"""Read a YAML text into plain values, each with its line and column; no YAML that would surprise a reader.

The scalars are those of YAML 1.2's core schema, so that `no`, `on` and `10:30` stay words. Anchors, tags, several
documents and keys given twice are mistakes.
"""

import re
import sys
from dataclasses import dataclass, field
from typing import NoReturn

import yaml

from runners.config.errors import ConfigError

Loc = tuple[str | int, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]

_MOST_CHARACTERS = 4 * 1024 * 1024
_DEEPEST = 30
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\U([0-9A-Fa-f]{8})")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]{1,18}(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the file, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Tree:
    """What a file says.

    Attributes:
        value: the top of it.
        keys: where each key (or list entry) stands.
        values: where each value begins.
        errors: what is wrong with it as YAML.
    """

    file: str
    value: Value = None
    keys: dict[Loc, Mark] = field(default_factory=dict)
    values: dict[Loc, Mark] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)

    def error(self, loc: Loc, message: str, remedy: str = "", *, at_key: bool = False) -> ConfigError:
        """A mistake at the given key, or at the nearest one above it that is in the file."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for length in range(len(loc), -1, -1):
            above = loc[:length]
            mark = first.get(above) if length == len(loc) else self.keys.get(above)
            mark = mark or second.get(above) or first.get(above)
            if mark is not None:
                return ConfigError(self.file, mark.line, mark.column, dotted(loc), message, remedy)
        return ConfigError(self.file, 1, 1, dotted(loc), message, remedy)


def dotted(loc: Loc) -> str:
    """A key as people write it: ``paths.support.from[0]``."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    loc: Loc
    value: dict[str, Value] | list[Value]
    key: str | None = None
    is_dropped: bool = False


def read_tree(file: str, text: str) -> Tree:
    """Read a YAML text. Never raises: what is wrong is in the tree's errors."""
    tree = Tree(file)
    if len(text) > _MOST_CHARACTERS:
        tree.errors.append(
            ConfigError(file, 1, 1, "", "the file is larger than 4 MiB", "Is it the right file?")
        )
        return tree
    reader = _Reader(tree)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        tree.errors.append(_syntax_error(file, error))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        # PyYAML hands over the character's number where it read text, and a word where it read bytes.
        message = f"the character U+{int(error.character):04X} is not allowed in YAML"
        tree.errors.append(ConfigError(file, line, column, "", message, "Remove it."))
    except _TooMuch as error:
        tree.errors.append(error.error)
    except (ValueError, OverflowError):  # PyYAML makes a character of any number that is escaped
        tree.errors.append(_no_character(file, text))
    return tree


class _TooMuch(Exception):
    """Reading on makes no sense."""

    def __init__(self, error: ConfigError) -> None:
        super().__init__(str(error))
        self.error = error


class _Reader:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event into account."""
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(event, "there is a second document", "Keep one configuration a file.")
            case yaml.AliasEvent():
                self._note(event, "aliases (*) are not supported", "Write the value out.")
                self._place(event, None)
            case yaml.ScalarEvent():
                self._refuse_decorations(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_decorations(event)
                self._start(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
            case _:
                return

    def _refuse_decorations(
        self, event: yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent
    ) -> None:
        if event.anchor is not None:
            self._note(event, "anchors (&) are not supported", "Write the value out where it is used.")
        if event.tag is not None:
            self._note(event, "tags (!) are not supported", "Remove the tag.")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_surrogates(event)
        current = self._open[-1] if self._open else None
        if current is not None and isinstance(current.value, dict) and current.key is None:
            self._key(event, current)
            return
        self._place(event, event.value if event.style is not None else _plain(event.value))

    def _refuse_surrogates(self, event: yaml.ScalarEvent) -> None:
        """Half a character, which only an escape can write: no file, log, header or database takes it."""
        halves = _SURROGATE.search(event.value)
        if halves is not None:
            # what is said of the rest must be fit to be printed
            event.value = _SURROGATE.sub("\ufffd", event.value)
            self._note(
                event,
                f"\\u{ord(halves[0]):04X} is half a character (a surrogate)",
                "Write the character itself, or its number as \\U and eight digits.",
                self._coming(),
            )

    def _coming(self) -> Loc:
        """The place of the scalar that comes next."""
        if not self._open:
            return ()
        current = self._open[-1]
        if isinstance(current.value, list):
            return (*current.loc, len(current.value))
        return current.loc if current.key is None else (*current.loc, current.key)

    def _key(self, event: yaml.ScalarEvent, current: _Open) -> None:
        key = event.value
        loc = (*current.loc, key)
        if key in current.value:
            first = self._tree.keys[loc]
            self._note(
                event,
                f"the key {key} stands here for the second time",
                f"The first is in line {first.line}.",
                loc,
            )
            loc = (*current.loc, f"{key} (again)")
        self._tree.keys[loc] = _mark(event)
        current.key = str(loc[-1])

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self._open) >= _DEEPEST:
            self._stop(event, "it is nested too deeply", "No key of the configuration is that deep.")
        current = self._open[-1] if self._open else None
        if current is not None and isinstance(current.value, dict) and current.key is None:
            self._stop(
                event, "a key must be a word", "Write `key: value`; quote a value that begins with { or [."
            )
        value: dict[str, Value] | list[Value] = {} if isinstance(event, yaml.MappingStartEvent) else []
        loc = self._place(event, value)
        self._open.append(_Open(loc, value))

    def _place(self, event: yaml.Event, value: Value) -> Loc:
        """Put a value where it belongs; returns its place."""
        if not self._open:
            self._tree.value = value
            self._tree.values[()] = _mark(event)
            return ()
        current = self._open[-1]
        if isinstance(current.value, list):
            loc: Loc = (*current.loc, len(current.value))
            self._tree.keys[loc] = _mark(event)
            current.value.append(value)
        elif current.key is None:
            self._stop(event, "a key must be a word", "Write `key: value`.")
        else:
            loc = (*current.loc, current.key)
            if not current.key.endswith(" (again)"):
                current.value[current.key] = value
            current.key = None
        self._tree.values[loc] = _mark(event)
        return loc

    def _note(self, event: yaml.Event, message: str, remedy: str, loc: Loc | None = None) -> None:
        mark = _mark(event)
        if loc is None:
            loc = self._open[-1].loc if self._open else ()
        self._tree.errors.append(
            ConfigError(self._tree.file, mark.line, mark.column, dotted(loc), message, remedy)
        )

    def _stop(self, event: yaml.Event, message: str, remedy: str) -> NoReturn:
        mark = _mark(event)
        raise _TooMuch(ConfigError(self._tree.file, mark.line, mark.column, "", message, remedy))


def _mark(event: yaml.Event) -> Mark:
    mark = event.start_mark
    return Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)


def _plain(text: str) -> Value:
    """What a scalar without quotes means (YAML 1.2.2 section 10.3.2, less octal, hexadecimal and infinity)."""
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE"}:
        return True
    if text in {"false", "False", "FALSE"}:
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _no_character(file: str, text: str) -> ConfigError:
    wrong = next((one for one in _ESCAPED.finditer(text) if int(one[1], 16) > sys.maxunicode), None)
    at = wrong.start() if wrong is not None else 0
    line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    message = "this is not YAML: there is no character of this number"
    return ConfigError(file, line, column, "", message, "The last one is \\U0010FFFF.")


def _syntax_error(file: str, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it is not YAML"
    if "'\\t'" in problem:
        problem, remedy = "a tab can't indent YAML", "Use spaces."
    elif "unknown escape character" in problem:
        remedy = "Write the text in single quotes, or each backslash twice."
    elif error.context is not None and error.context_mark is not None:
        remedy = f"It happened {error.context} that begins in line {error.context_mark.line + 1}."
    else:
        remedy = "Look at the indentation, the colons and the quotes of this line and the one above it."
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return ConfigError(file, line, column, "", f"this is not YAML: {problem}", remedy)
