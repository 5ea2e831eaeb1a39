"""The files of `dashboards/rendered/grafana`: every dashboard as JSON, ready to import; `render grafana` makes them yours.

For development alone, as `dashboards.panels`: what is installed is the JSON, and `dashboards.provisioning`, which reads it.
"""

import json
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.boards.explorer import explorer
from dashboards.boards.overview import overview
from dashboards.boards.path import path
from dashboards.boards.places import places
from dashboards.boards.prober import prober
from dashboards.boards.slo import slo
from dashboards.layout import Board
from dashboards.provisioning import FOLDER

BOARDS: Final = (overview, path, explorer, places, slo, prober)


def boards() -> list[Board]:
    """All dashboards, the first to look at first."""
    return [make() for make in BOARDS]


def grafana_files() -> dict[str, str]:
    """Each dashboard's JSON by the name of its file; the same bytes each time."""
    return {
        f"{one.uid}.json": json.dumps(one.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
        for one in boards()
    }


def write_grafana(folder: Path) -> None:
    """Write them anew: ``python -m dashboards.grafana``, after a change of the dashboards or of the instruments."""
    for name, text in grafana_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_grafana(FOLDER)
    sys.stderr.write(f"Wrote {FOLDER}.\n")
