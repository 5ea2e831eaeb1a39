"""Make templates, expressions, picks and requests of their documents, and note what can't be used."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from probes.ticketing.generic.conversions import As, TimeForm, TimeFormat, text_of
from probes.ticketing.generic.expressions import MISSING, Expression, compile_expression
from probes.ticketing.generic.failures import Means
from probes.ticketing.generic.mistakes import Mistake
from probes.ticketing.generic.picking import Join, Pick
from probes.ticketing.generic.requests import Asking
from probes.ticketing.generic.templates import (
    Shape,
    Template,
    Vocabulary,
    compile_shape,
    compile_template,
    zone_of,
)
from runners.config.document_ticketing_picks import METHODS, HttpRequestDocument, JoinDocument, PickDocument
from runners.config.errors import did_you_mean
from runners.config.fields import shown
from runners.config.reading import Loc, dotted
from runners.config.sources import Surroundings

PAGE: Final = frozenset({"number", "rows", "size", "cursor", "from", "to"})
_SOURCES: Final = ("pick", "header", "status", "const", "join")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Parts:
    """Compiles the small parts of one system's configuration, and notes each mistake at its place.

    Attributes:
        fixed: what every template may name, with its values.
    """

    def __init__(
        self, around: Surroundings, fixed: Mapping[str, Mapping[str, object]] = MappingProxyType({})
    ) -> None:
        self.around = around
        self.fixed = fixed

    def template(self, source: str, loc: Loc, vocabulary: Vocabulary) -> Template:
        """A template; an empty one, and a mistake noted, where it can't be used."""
        try:
            return compile_template(source, dotted(loc), vocabulary, self.fixed)
        except Mistake as error:
            self.around.note(loc, error.message, error.remedy)
            return compile_template("", dotted(loc), {})

    def templates(
        self, sources: Mapping[str, str], loc: Loc, vocabulary: Vocabulary, *, are_headers: bool = False
    ) -> dict[str, Template]:
        """Templates by name."""
        if are_headers:
            for name in sources:
                if not _FIELD.fullmatch(name):
                    self.around.note(
                        (*loc, name),
                        f"{name} is no header field",
                        "Write a name like X-Api-Key.",
                        at_key=True,
                    )
        return {name: self.template(one, (*loc, name), vocabulary) for name, one in sources.items()}

    def shape(self, value: Any, loc: Loc, vocabulary: Vocabulary) -> Shape:  # noqa: ANN401 -- whatever YAML holds
        """A body, or a part of it."""
        match value:
            case dict():
                return {str(name): self.shape(one, (*loc, name), vocabulary) for name, one in value.items()}
            case list():
                return tuple(self.shape(one, (*loc, index), vocabulary) for index, one in enumerate(value))
            case _:
                try:
                    return compile_shape(value, dotted(loc), vocabulary, self.fixed)
                except Mistake as error:
                    self.around.note(loc, error.message, error.remedy)
                    return None

    def expression(self, source: str, loc: Loc) -> Expression:
        """A JMESPath; ``@``, and a mistake noted, where it is none."""
        try:
            return compile_expression(source, dotted(loc))
        except Mistake as error:
            self.around.note(loc, error.message, error.remedy)
            return compile_expression("@", dotted(loc))

    def optional(self, source: str | None, loc: Loc) -> Expression | None:
        """A JMESPath that need not be there."""
        return self.expression(source, loc) if source is not None else None

    def regex(self, source: str | None, loc: Loc) -> re.Pattern[str] | None:
        """A regular expression that need not be there."""
        if source is None:
            return None
        try:
            return re.compile(source)
        except (re.error, OverflowError, RecursionError) as error:
            self.around.note(
                loc, f"this is not a regular expression: {error}", "Escape what is meant as it stands."
            )
            return None

    def pick(
        self,
        document: PickDocument,
        loc: Loc,
        vocabulary: Vocabulary,
        *,
        usual: Sequence[As] = (),
        time: TimeFormat | None = None,
    ) -> Pick:
        """A pick; ``usual``, ``time``: how it is read where the configuration does not say."""
        given = [name for name in _SOURCES if name in document.model_fields_set]
        if len(given) != 1:
            what = " and ".join(given) if given else "none of them"
            self.around.note(
                loc, f"a pick has one source, not {what}", f"Keep one of {', '.join(_SOURCES)}.", at_key=True
            )
        steps, moment = tuple(usual), time
        if document.read_as is not None:
            steps, moment = self._as(document.read_as, (*loc, "as"))
        if document.among is not None or document.not_among is not None:
            steps, moment = (), None
        const = document.const if isinstance(document.const, str) else None
        return Pick(
            key=dotted(loc),
            expression=self.optional(document.pick, (*loc, "pick")),
            header=document.header,
            takes_status=document.status,
            const=self.template(const, (*loc, "const"), vocabulary) if const is not None else None,
            constant=MISSING if document.const is None or const is not None else document.const,
            join=self._join(document.join, (*loc, "join")) if document.join is not None else None,
            regex=self.regex(document.regex, (*loc, "regex")),
            steps=steps,
            time=moment,
            default=document.default if "default" in document.model_fields_set else MISSING,
            among=_words(document.among),
            others=_words(document.not_among),
        )

    def optional_pick(
        self, document: PickDocument | None, loc: Loc, vocabulary: Vocabulary, *, usual: Sequence[As] = ()
    ) -> Pick | None:
        """A pick that need not be there."""
        return self.pick(document, loc, vocabulary, usual=usual) if document is not None else None

    def asking(self, document: HttpRequestDocument, loc: Loc, vocabulary: Vocabulary) -> Asking:
        """A request."""
        given = [name for name in METHODS if getattr(document, name) is not None]
        if len(given) != 1:
            what = " and ".join(given) if given else "none"
            self.around.note(
                loc,
                f"a request has one method, not {what}",
                f"Write one of {', '.join(METHODS)}: and the path.",
            )
        method = given[0] if given else "get"
        if document.body is not None and document.form is not None:
            self.around.note(loc, "there is a json body and a form", "Keep one of them.", at_key=True)
        path = self.template(getattr(document, method) or "/", (*loc, method), vocabulary)
        headers = self.templates(document.headers, (*loc, "headers"), vocabulary, are_headers=True)
        query = self.shape(document.query, (*loc, "query"), vocabulary)
        form = self.shape(document.form, (*loc, "form"), vocabulary) if document.form is not None else None
        return Asking(
            key=dotted(loc),
            method=method.upper(),
            path=path,
            query=query if isinstance(query, dict) else {},
            headers=headers,
            json=self.shape(document.body, (*loc, "json"), vocabulary) if document.body is not None else None,
            form=form if isinstance(form, dict) else None,
            ok=self._ok(document.ok, (*loc, "ok")),
        )

    def _ok(self, values: Sequence[Any], loc: Loc) -> Mapping[int, Means]:
        found: dict[int, Means] = {}
        for index, value in enumerate(values):
            match value:
                case int() if not isinstance(value, bool):
                    found[value] = Means.OK
                case {"status": int() as status, "means": str() as means} if means in set(Means):
                    found[status] = Means(means)
                case _:
                    self.around.note(
                        (*loc, index),
                        f"{shown(value)} is not a status",
                        f"Write 204, or {{status: 404, means: gone}}; it means one of {', '.join(Means)}.",
                    )
        return found

    def _join(self, document: JoinDocument, loc: Loc) -> Join:
        return Join(
            table=self.expression(document.table, (*loc, "table")),
            key=self.expression(document.key, (*loc, "key")),
            on=self.expression(document.on, (*loc, "on")),
            pick=self.expression(document.pick, (*loc, "pick")),
        )

    def _as(self, value: Any, loc: Loc) -> tuple[tuple[As, ...], TimeFormat | None]:  # noqa: ANN401 -- whatever YAML holds
        if isinstance(value, dict):
            return (), self._time(value, loc)
        steps = []
        for one in value if isinstance(value, list) else [value]:
            if one not in [kind.value for kind in As]:
                self.around.note(
                    loc,
                    f"{shown(one)} is not a way to read a value",
                    did_you_mean(shown(one), [*As, "{time: …}"]),
                )
            else:
                steps.append(As(one))
        return tuple(steps), None

    def _time(self, value: Mapping[str, Any], loc: Loc) -> TimeFormat:
        for key in value:
            if key not in {"time", "zone"}:
                self.around.note(
                    (*loc, key), f"unknown key {key}", did_you_mean(str(key), ("time", "zone")), at_key=True
                )
        form = value.get("time", TimeForm.RFC3339.value)
        if form not in [one.value for one in TimeForm] and (not isinstance(form, str) or "%" not in form):
            self.around.note(
                (*loc, "time"),
                f"{shown(form)} is not a form of a time",
                f"Write one of {', '.join(TimeForm)}, or a format such as %Y-%m-%d %H:%M:%S.",
            )
        return TimeFormat(str(form), self._zone(value.get("zone"), (*loc, "zone")))

    def _zone(self, name: Any, loc: Loc) -> ZoneInfo | None:  # noqa: ANN401 -- whatever YAML holds
        if name is None:
            return None
        try:
            return zone_of(self.template(name, loc, {}).text({}) if isinstance(name, str) else name)
        except Mistake as error:
            self.around.note(loc, error.message, error.remedy)
            return None


def _words(values: list[Any] | None) -> frozenset[str] | None:
    if values is None:
        return None
    return frozenset(text_of(one, "among") or "" for one in values if not isinstance(one, dict | list))
