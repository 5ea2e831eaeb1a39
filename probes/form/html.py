"""A web page: its text, and its forms as a browser sees them. Parsed by lxml; no network."""

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, cast
from urllib.parse import urljoin

import lxml.etree
import lxml.html
from lxml.html import FormElement, HtmlElement

_SUBMITS: Final = frozenset({"submit", "image"})
TITLE_CHARACTERS: Final = 80
_FEW: Final = 2
_HEAD_BYTES: Final = 4096
_NO_CHARSETS: Final = (
    "utf-16",
    "utf-32",
    "utf-7",
    "punycode",
    "idna",
    "unicode-escape",
    "raw-unicode-escape",
)
"""Codecs that HTML does not know, or reads as UTF-8; punycode takes quadratic time."""


@dataclass(frozen=True, slots=True)
class SubmitButton:
    """A button that submits its form (HTML, "submit button"): its own attributes outweigh the form's."""

    name: str | None
    value: str
    is_disabled: bool
    is_image: bool
    action: str | None
    method: str | None
    enctype: str | None


class Page:
    """A page as parsed; one that can't be parsed has no text and no forms."""

    def __init__(self, content: bytes, *, url: str, charset: str | None) -> None:
        """Keep it; it is parsed when something of it is asked for.

        Args:
            content: the body.
            url: where it came from.
            charset: as the answer's header says; None: as the page says, else UTF-8.
        """
        self.url = url
        self._charset = known_charset(charset) if charset else ""
        self._content = content

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see: no text and no form."""
        return self.root is None or (not self.text and not self.forms)

    @cached_property
    def root(self) -> HtmlElement | None:
        """The document; None: there is none."""
        return _parsed(self._content, self._charset)

    @property
    def encoding(self) -> str:
        """In which its forms are sent unless they say otherwise."""
        encoding = self.root.getroottree().docinfo.encoding if self.root is not None else None
        return self._charset or encoding or "utf-8"

    @property
    def title(self) -> str:
        """The title, else the first heading, on one line and short."""
        if self.root is None:
            return ""
        for tag in ("title", "h1", "h2"):
            for element in self.root.iter(tag):
                if text := _line([element.text_content()]):
                    return text[:TITLE_CHARACTERS]
        return ""

    @cached_property
    def text(self) -> str:
        """What a person reads, white space collapsed."""
        return _text(self.root) if self.root is not None else ""

    @property
    def base_url(self) -> str:
        """What relative addresses are relative to."""
        if self.root is not None:
            for element in self.root.iter("base"):
                if href := element.get("href"):
                    return urljoin(self.url, href.strip())
        return self.url

    @cached_property
    def forms(self) -> tuple["Form", ...]:
        """Every form of the page, in order."""
        if self.root is None:
            return ()
        return tuple(Form(form, self) for form in self.root.iter("form") if isinstance(form, FormElement))

    @cached_property
    def members(self) -> Mapping[HtmlElement, Sequence[HtmlElement]]:
        """The fields and buttons of each form: those inside it, and those elsewhere that name it (attribute ``form``).

        One pass for all forms: a page may have hundreds, as where each product has one.
        """
        found: dict[HtmlElement, list[HtmlElement]] = {}
        if self.root is None:
            return found
        by_id: dict[str | None, HtmlElement] = {}
        for form in self.root.iter("form"):
            if form.get("id"):
                by_id.setdefault(form.get("id"), form)
        for one in self.root.iter("input", "select", "textarea", "button"):
            named = one.get("form")
            owner = next(one.iterancestors("form"), None) if named is None else by_id.get(named)
            if owner is not None:
                found.setdefault(owner, []).append(one)
        return found

    @property
    def request_forms(self) -> tuple["Form", ...]:
        """The forms that are none to log in or to search by: with a text area, or three fields and more."""
        return tuple(
            form
            for form in self.forms
            if not any(input_type(one) == "password" for one in form.controls)
            and (len(form.names) > _FEW or any(one.tag == "textarea" for one in form.controls))
        )

    @property
    def asks_for_password(self) -> bool:
        """Whether it is a log-in: a field for a password, to be seen."""
        return self.root is not None and any(
            (element.get("type") or "").lower() == "password" for element in self.root.iter("input")
        )


class Form:
    """One form of a page."""

    def __init__(self, element: FormElement, page: Page) -> None:
        self._element = element
        self._page = page

    @property
    def form_id(self) -> str | None:
        """Its ``id``."""
        return self._element.get("id")

    @property
    def name(self) -> str | None:
        """Its ``name``."""
        return self._element.get("name")

    @property
    def written_action(self) -> str:
        """Its ``action`` as the page writes it."""
        return (self._element.get("action") or "").strip()

    @property
    def action(self) -> str:
        """Where it is sent to, absolute; without an ``action``, to the page itself."""
        return self.absolute(self.written_action)

    @property
    def method(self) -> str:
        """``GET`` or ``POST``, or what else the page says."""
        return (self._element.get("method") or "GET").strip().upper()

    @property
    def enctype(self) -> str:
        """How it is written into the request; empty: as by default."""
        return (self._element.get("enctype") or "").strip().lower()

    @property
    def charset(self) -> str:
        """How its text is encoded."""
        accepted = (self._element.get("accept-charset") or "").split()
        return known_charset(accepted[0] if accepted else self._page.encoding)

    @property
    def page(self) -> Page:
        """The page that it is on."""
        return self._page

    def absolute(self, action: str) -> str:
        """An ``action`` made absolute."""
        return urljoin(self._page.base_url, action) if action else self._page.url

    @cached_property
    def controls(self) -> tuple[HtmlElement, ...]:
        """Its fields in the page's order."""
        return tuple(
            one for one in self._members if one.tag in {"input", "select", "textarea"} and not _submits(one)
        )

    @cached_property
    def buttons(self) -> tuple[SubmitButton, ...]:
        """Its submit buttons in the page's order."""
        return tuple(_button(one) for one in self._members if _submits(one))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its fields."""
        return frozenset(name for one in self.controls if (name := one.get("name")))

    @property
    def required(self) -> frozenset[str]:
        """The names of fields that a browser does not leave empty, and that are empty on the page."""
        return frozenset(
            name
            for one in self.controls
            if (name := one.get("name"))
            and one.get("required") is not None
            and not is_disabled(one)
            and not (one.get("value") or (one.tag == "textarea" and one.text) or one.tag == "select")
        )

    def named(self, name: str) -> tuple[HtmlElement, ...]:
        """The fields of that name: several for radio buttons and boxes."""
        return tuple(one for one in self.controls if one.get("name") == name)

    @property
    def _members(self) -> Sequence[HtmlElement]:
        return self._page.members.get(self._element, ())


def is_disabled(control: HtmlElement) -> bool:
    """Whether it can't be used: by itself, or by the group that it is in (HTML, "disabled form controls")."""
    if control.get("disabled") is not None:
        return True
    for group in control.iterancestors("fieldset"):
        if group.get("disabled") is None:
            continue
        legend = next(iter(group.iterchildren("legend")), None)
        if legend is None or not any(above is legend for above in control.iterancestors("legend")):
            return True
    return False


def texts_of(elements: Sequence[HtmlElement]) -> tuple[str, ...]:
    """What a person reads in each of them; the empty ones and repetitions left out."""
    return tuple(dict.fromkeys(text for one in elements if (text := _text(one))))


def input_type(control: HtmlElement) -> str:
    """The type of an ``input``; of another element its tag."""
    return (control.get("type") or "text").strip().lower() if control.tag == "input" else str(control.tag)


def _submits(element: HtmlElement) -> bool:
    if element.tag == "button":
        return (element.get("type") or "submit").strip().lower() not in {"button", "reset"}
    return element.tag == "input" and input_type(element) in _SUBMITS


def _button(element: HtmlElement) -> SubmitButton:
    return SubmitButton(
        name=element.get("name") or None,
        value=element.get("value") or "",
        is_disabled=is_disabled(element),
        is_image=input_type(element) == "image",
        action=(element.get("formaction") or "").strip() or None,
        method=(element.get("formmethod") or "").strip().upper() or None,
        enctype=(element.get("formenctype") or "").strip().lower() or None,
    )


def _parsed(content: bytes, charset: str) -> HtmlElement | None:
    if not content.strip():
        return None
    if charset:
        # lxml knows fewer names than there are, and the answer's header outweighs what the page says.
        content = content.decode(charset, "replace").encode()
    says = not charset and b"charset" in content[:_HEAD_BYTES].lower()
    parser = lxml.html.HTMLParser(encoding=None if says else "utf-8")
    try:
        return lxml.html.document_fromstring(content, parser=parser)
    except (lxml.etree.LxmlError, ValueError):  # lxml's "Document is empty" is both
        return None


def known_charset(name: str) -> str:
    """The charset, if text can be written and read in it; else UTF-8, which stands for UTF-16, too (as in HTML)."""
    try:
        b"a".decode(name, "replace")
        "é€".encode(name, "xmlcharrefreplace")
    except (LookupError, UnicodeError):
        return "utf-8"
    is_odd = codecs.lookup(name).name.replace("_", "-").startswith(_NO_CHARSETS)
    return "utf-8" if is_odd else name


_SEEN = lxml.etree.XPath(
    ".//text()[not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::template or ancestor::head)]",
    smart_strings=False,
)


def _text(element: HtmlElement) -> str:
    """What a person reads in it, white space collapsed."""
    return _line(cast("list[str]", _SEEN(element)))


def _line(parts: Sequence[str]) -> str:
    return " ".join(" ".join(parts).split())
