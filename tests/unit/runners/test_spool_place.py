"""Where the spool lies: in the service's own folder, else beside the configuration."""

from pathlib import Path

import pytest

from runners.serving import spool_file
from tests.unit.runners.config.examples import FULL, read


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"STATE_DIRECTORY": "/var/lib/intake-prober"}, "/var/lib/intake-prober"),
        ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b"}, "/var/lib/a"),
        ({"STATE_DIRECTORY": ""}, None),
        ({}, None),
    ],
)
def test_spool__lies_in_the_services_folder_else_beside_the_configuration(
    tmp_path: Path, environ: dict[str, str], folder: str | None
) -> None:
    config = read(tmp_path, FULL)

    assert spool_file(config, environ) == (Path(folder) if folder else tmp_path) / ".fra-1.spool"
