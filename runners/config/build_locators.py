"""Make locators of their documents, and note where one has none of its keys, or several."""

from probes.portal.steps import By, Locator
from runners.config.document_steps import LocatorDocument
from runners.config.reading import Loc
from runners.config.sources import Surroundings

_KEYS = tuple(one.value for one in By)
_NOWHERE = Locator(By.CSS, "html")
"""Stands for a locator that is a mistake, so that the others are found too."""


def locator_keys(document: LocatorDocument) -> tuple[str, ...]:
    """The keys by which the document finds its element; a right one has one."""
    return tuple(key for key in _KEYS if getattr(document, key) is not None)


def has_locator(document: LocatorDocument) -> bool:
    """Whether it says anything of an element."""
    return bool(document.model_fields_set & set(LocatorDocument.model_fields))


def build_locator(document: LocatorDocument, around: Surroundings, loc: Loc) -> Locator:
    """How an element is found."""
    keys = locator_keys(document)
    if len(keys) != 1:
        if not keys:
            finding = "it is not said which element is meant"
            remedy = f"Write one of {', '.join(_KEYS)}; a button is {{role: button, name: Send}}."
        else:
            finding = f"an element is found by one key, not by {' and '.join(keys)}"
            remedy = "Keep one of them; beside role, the text of the element is its name."
        around.note(loc, finding, remedy, at_key=True)
        return _NOWHERE
    by = By(keys[0])
    if document.name is not None and by is not By.ROLE:
        around.note((*loc, "name"), f"name has no effect beside {by}", "It goes with role.", at_key=True)
    return Locator(by, getattr(document, by.value), document.name, document.exact, document.nth)
