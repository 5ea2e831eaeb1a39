"""The grammar of `type: http` says what vendors' published contracts ask of it."""

from pathlib import Path

import pytest

from canary.observation import Depth
from tests.generic_desks import configured
from tests.unit.runners.config.vendor_systems import VENDORS


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_vendor__can_be_written_as_a_configuration(tmp_path: Path, vendor: str) -> None:
    settings = configured(tmp_path, VENDORS[vendor], {"KEY": "key-of-the-vendor-tests"}).settings

    assert {depth for one in settings.looks for depth in one.depths} == set(Depth)
