"""What stands in a transcript in place of a value: something of the same type and shape that tells nothing.

Letters become ``a``, digits ``1``, a word of both ``x``; punctuation stays, for it is what a format consists of.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from canary.signature import TOKEN_LENGTH, find_tokens, unsigned
from probes.masking import MASK, Masker
from probes.origins import origin_of
from runners.transcript_words import Vocabulary

OUR_ADDRESS: Final = "ours@example.invalid"
SYSTEM: Final = "https://system.invalid"
"""Stands for the system's own origin: RFC 6761 section 6.4 keeps the domain free."""
_LONGEST: Final = 120
_FEWEST_ROWS: Final = 2
_MOST_ROWS: Final = 5
_DEEPEST: Final = 40
_SMALL: Final = 100
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T .]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?)( ?(?:Z|UTC|[+-]\d\d:?\d\d))?", re.ASCII
)
_NAME: Final = re.compile(r"[@$]?[A-Za-z_][\w.$:-]{0,59}|\d{1,4}", re.ASCII)
_PIECE: Final = re.compile(r"(?P<word>[^\W_]+)|(?P<rest>[\W_])")
_PLAIN_MARKS: Final = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \n\t")
_CAMEL: Final = re.compile(r"([a-z0-9])([A-Z])")
_CREDENTIALS: Final = frozenset(
    {
        "apikey",
        "assertion",
        "auth",
        "authentication",
        "authorization",
        "bearer",
        "cookie",
        "credential",
        "credentials",
        "jwt",
        "key",
        "pass",
        "passwd",
        "password",
        "pwd",
        "secret",
        "session",
        "sessionid",
        "sid",
        "sig",
        "signature",
        "token",
    }
)
_MARKS_OF_NAMES: Final = re.compile(r"^[@$]")
_COUNTED: Final = frozenset({"number", "list"})
_VERSION: Final = re.compile(r"v\d{1,3}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Puts shapes in place of values.

    Attributes:
        origin: the system's, by its configured address.
        addresses: ours, lower case.
        is_ours: whether a word of a token's shape is a token of ours.
    """

    vocabulary: Vocabulary
    origin: tuple[str, str, int | None]
    marker: str
    addresses: Collection[str]
    is_ours: Callable[[str], bool]
    masker: Masker
    _ours: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = [re.escape(one) for one in sorted(self.addresses, key=len, reverse=True) if one]
        parts = [rf"(?<![a-z0-9])k[a-z2-7]{{{TOKEN_LENGTH - 1}}}(?![a-z0-9])", *known]
        object.__setattr__(self, "_ours", re.compile("|".join(parts), re.IGNORECASE | re.ASCII))

    def value(self, value: object, depth: int = 0) -> object:
        """The shape of a value of JSON; of a long list its first members, and how many more there are."""
        match value:
            case None | bool():
                return value
            case int() | float():
                return _number(value)
            case str():
                return self.text(value)
            case list() if depth < _DEEPEST:
                kept = [self.value(one, depth + 1) for one in value[:_MOST_ROWS]]
                left = len(value) - len(kept)
                return [*kept, f"… {left} more"] if left else kept
            case dict() if depth < _DEEPEST:
                return self._mapping(value, depth)
            case _:
                return "…"

    def text(self, text: str) -> str:
        """The shape of a text of an answer: a known word, a time or an address of the system keeps its form."""
        if text.lower() in self.vocabulary.whole or text in {"", MASK}:
            return text
        found = _TIME.fullmatch(text)
        if found is not None:
            return re.sub(r"\d", "0", found[1]) + (found[2] or "")
        if self._is_own_link(text):
            return self.link(text)
        return self.words(text, frozenset())

    def spoken(self, text: str) -> str:
        """The shape of a text of our own request, or of a header field: known words stay."""
        found = _TIME.fullmatch(text)
        if found is not None:
            return re.sub(r"\d", "0", found[1]) + (found[2] or "")
        return self.words(text, self.vocabulary.words)

    def parameter(self, name: str, text: str) -> str:
        """The shape of what a parameter, a header field or a field of our own request says."""
        return MASK if is_credential(name) else self.spoken(text)

    def link(self, url: str) -> str:
        """An address, unquoted: its known words and small numbers stay; another origin than the system's is a shape."""
        try:
            parts = urlsplit(url)
            is_own = not parts.netloc or origin_of(url) == self.origin
        except ValueError:
            return self.words(url, frozenset())
        if not is_own:
            return self.words(url, frozenset({"http", "https"}))
        shown = SYSTEM if parts.netloc else ""
        shown += "/".join(self.spoken(unquote(one)) for one in parts.path.split("/"))
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        if pairs:
            shown += "?" + "&".join(f"{self.spoken(name)}={self.parameter(name, one)}" for name, one in pairs)
        elif parts.query:
            shown += f"?{self.spoken(parts.query)}"
        return shown

    def name(self, name: str) -> str:
        """A field's name; what does not look like one is a value, and a shape."""
        masked = self.masker.mask_known(name)
        if masked == name and _NAME.fullmatch(name) and not find_tokens(name):
            return name
        return self.words(name, frozenset())

    def words(self, text: str, known: Collection[str]) -> str:
        """The shape of a text, word by word; tokens of ours without their signature, our addresses as one."""
        masked = self.masker.mask_known(text)
        shown, end = [], 0
        for found in self._ours.finditer(masked):
            shown += [self._pieces(masked[end : found.start()], known), self._own(found[0])]
            end = found.end()
        whole = "".join([*shown, self._pieces(masked[end:], known)])
        return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}… ({len(text)} characters)"

    def _own(self, text: str) -> str:
        if text.lower() in self.addresses:
            return OUR_ADDRESS
        return unsigned(text) if self.is_ours(text.lower()) else "x" * len(text)

    def _pieces(self, text: str, known: Collection[str]) -> str:
        return "".join(
            self._word(found["word"], known) if found["word"] else _mark(found["rest"])
            for found in _PIECE.finditer(text)
        )

    def _word(self, word: str, known: Collection[str]) -> str:
        folded = word.lower()
        if folded == self.marker.lower() or folded in known:
            return word
        if known and (_VERSION.fullmatch(word) or (word.isascii() and word.isdigit() and len(word) <= 2)):  # noqa: PLR2004 -- a small number
            return word
        if word.isdigit():
            return "1" * len(word)
        if any(one.isdigit() for one in word):
            return "x" * len(word)
        return "".join("A" if one.isupper() else "a" for one in word)

    def _is_own_link(self, text: str) -> bool:
        if text.startswith("/") and not text.startswith("//") and not re.search(r"\s", text):
            return True
        try:
            return "://" in text and origin_of(text) == self.origin
        except ValueError:
            return False

    def _mapping(self, value: Mapping[str, object], depth: int) -> dict[str, object]:
        is_table = _is_table(value) or self._is_count(value)
        shown: dict[str, object] = {}
        for number, (name, one) in enumerate(value.items(), 1):
            key = self.words(name, frozenset()) if is_table else self.name(name)
            is_hidden = isinstance(one, str) and is_credential(name)  # though it be a word of the protocol
            shown[key if key not in shown else f"{key} #{number}"] = (
                self.words(str(one), frozenset()) if is_hidden else self.value(one, depth + 1)
            )
        return shown

    def _is_count(self, value: Mapping[str, object]) -> bool:
        """Whether names that we don't know are data: what is counted, or listed, by whoever or whatever it is of."""
        kinds = {_kind(one) for one in value.values()}
        is_known = any(_MARKS_OF_NAMES.sub("", name).lower() in self.vocabulary.words for name in value)
        return bool(value) and len(kinds) == 1 and kinds <= _COUNTED and not is_known


def is_credential(name: str) -> bool:
    """Whether what is called so may be a credential, whoever wrote it down."""
    words = _CAMEL.sub(r"\1 \2", name).replace("-", " ").replace("_", " ").lower().split()
    return any(one in _CREDENTIALS for one in words) or "".join(words[-2:]) in _CREDENTIALS


def _is_table(value: Mapping[str, object]) -> bool:
    """Whether names are no fields' but data: objects of one kind, called by whoever they are of."""
    rows = list(value.values())
    if len(rows) < _FEWEST_ROWS or not all(isinstance(one, dict) and len(one) > 1 for one in rows):
        return False
    return len({frozenset(one) for one in rows if isinstance(one, dict)}) == 1


def _kind(value: object) -> str:
    match value:
        case bool() | None:
            return "mark"
        case int() | float():
            return "number"
        case list():
            return "list"
        case str():
            return "text"
        case _:
            return "object"


def _mark(mark: str) -> str:
    return mark if mark in _PLAIN_MARKS else "·"


def _number(value: float) -> int | float:
    """Small numbers stay: they are states, counts and flags. Of others as many ones as they have digits."""
    if isinstance(value, int):
        sign = -1 if value < 0 else 1
        return value if abs(value) < _SMALL else sign * int("1" * min(18, len(str(abs(value)))))
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124 -- no number
        return 0.0
    whole, _, part = f"{abs(value):f}".rstrip("0").partition(".")
    return float(f"{'-' if value < 0 else ''}{'1' * len(whole)}.{'1' * max(1, len(part))}")
