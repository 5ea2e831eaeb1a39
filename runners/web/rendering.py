"""Turn what a page shows into HTML: every word escaped and masked, except pictures, which are made of such words."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from canary.quantity import amount, duration
from canary.reason import CAUSES
from canary.signature import unsigned
from probes.masking import Masker
from runners.cli.output import plain
from runners.cli.words import gauge_words, leftovers_wait
from runners.web import drawing, pictures

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FIELD: Final = "intake.artifact."


class Renderer:
    """Renders templates with one masker."""

    def __init__(self, masker: Masker) -> None:
        self._environment = _environment(masker)

    def load(self) -> None:
        """Compile every template, so that no reader waits for it; takes a tenth of a second or more."""
        for name in self._environment.list_templates():
            self._environment.get_template(name)

    def __call__(self, template: str, **shown: object) -> str:
        """The page as text."""
        return self._environment.get_template(template).render(**shown)


def _environment(masker: Masker) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize(masker),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else each rendering looks at the files again
    )
    environment.filters |= {
        "moment": moment,
        "ago": lambda at, now: (
            "never" if at is None else f"{duration(max(0.0, (now - at).total_seconds()))} ago"
        ),
        "duration": duration,
        "amount": amount,
        "link": _link(masker),
        "percent": percent,
        "mark": lambda word: Markup(drawing.mark(str(word))),  # noqa: S704 -- fixed shapes
        "tone": lambda word: drawing.tone_of(str(word)),
        "gauge_words": gauge_words,
        "sentence": _sentence(masker),
        "leftovers": leftovers_wait,
        "segment": lambda text: quote(str(text), safe=""),
        "remedy": lambda reason: CAUSES[reason].remedy,
    }
    environment.globals |= {
        "drawn": Markup,  # of `pictures`, which escapes its words
        "left": lambda share: Markup(pictures.left(share)),  # noqa: S704 -- a number alone
        "bar": lambda hop, begin, end: Markup(pictures.bar(hop, begin, end)),  # noqa: S704 -- numbers alone
    }
    return environment


def _finalize(masker: Masker) -> Callable[[Any], Any]:
    """Mask whatever a template prints, also the signatures of tokens; `Markup` was made of masked words."""

    def finalized(value: Any) -> Any:  # noqa: ANN401 -- whatever a template prints
        if isinstance(value, Markup):
            return value
        if isinstance(value, str):
            return _clean(masker, value)
        return value

    return finalized


def _clean(masker: Masker, text: str) -> str:
    return unsigned(masker.mask(plain(text)))


def _sentence(masker: Masker) -> Callable[[str], str]:
    """The text as the begin of a sentence; masked before, for a secret may be what it begins with."""

    def sentence(text: str) -> str:
        clean = _clean(masker, text)
        return clean[:1].upper() + clean[1:]

    return sentence


def _link(masker: Masker) -> Callable[[str | None], Markup]:
    """A link to a page elsewhere; what is none (``javascript:``) stays text."""

    def link(url: str | None) -> Markup:
        if url is None:
            return Markup("")
        shown = escape(unsigned(plain(masker.mask_known(url))))
        if not url.lower().startswith(("https://", "http://")):
            return shown
        return Markup('<a href="{0}" rel="noreferrer noopener">{0}</a>').format(shown)

    return link


def moment(at: datetime | None) -> Markup:
    """A time in UTC to the second, as machines read it too."""
    if at is None:
        return Markup('<span class="none">not known</span>')
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    )


def percent(share: float | None, digits: int = 1) -> str:
    """A share in per cent; not rounded up to 100 where something is missing."""
    if share is None:
        return "-"
    text = f"{100 * share:.{digits}f}"
    if share < 1 and float(text) >= 100:  # noqa: PLR2004 -- all
        text = f"{100 - 10**-digits:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"
