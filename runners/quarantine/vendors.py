"""The vendors whose rule is known; each is a module of its own, loaded when it is asked for."""

from importlib import import_module

from runners.quarantine.facts import PRODUCTS, Facts
from runners.quarantine.guide import Rendered


def rendered_for(facts: Facts) -> Rendered:
    """The steps and files of a vendor, made of the facts.

    Raises:
        KeyError: its rule is not known.
    """
    if facts.vendor not in PRODUCTS:
        raise KeyError(facts.vendor)
    rendered: Rendered = import_module(f"runners.quarantine.{facts.vendor}").render(facts)
    return rendered
