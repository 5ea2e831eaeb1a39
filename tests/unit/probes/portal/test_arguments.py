"""The browser's arguments: ours replace none of Playwright's."""

import re
from pathlib import Path

import playwright

from probes.portal.arguments import PLAYWRIGHTS, arguments

DRIVER = Path(playwright.__file__).parent / "driver" / "package" / "lib" / "coreBundle.js"


def test_features_that_playwright_switches_off__are_all_said_again() -> None:
    """Chromium takes the last such argument only. Fails when Playwright's own list has changed: take it over."""
    source = DRIVER.read_text()
    found = re.search(r"disabledFeatures(?:\d*) = \[(.*?)\]", source, re.DOTALL)

    assert found is not None
    assert tuple(re.findall(r'^\s*"(\w+)",?$', found[1], re.MULTILINE)) == PLAYWRIGHTS


def test_features_that_the_configuration_switches_off__join_them__and_other_arguments_stay() -> None:
    made = arguments(("--force-dark-mode", "--disable-features=Translate,HttpsUpgrades"))

    assert made[0] == "--force-dark-mode"
    (off,) = (one for one in made if one.startswith("--disable-features="))
    names = off.partition("=")[2].split(",")
    assert {"Translate", *PLAYWRIGHTS} <= set(names)
    assert len(names) == len(set(names))
