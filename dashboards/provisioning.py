"""The dashboards as an installation wants them: under its own uids and links, with the files that make Grafana read them.

The JSON was built when the program was; here it is only read, so nothing of what builds it is needed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dashboards.uids import UIDS, check_prefix
from dashboards.written import written

FOLDER: Final = Path(__file__).parent / "rendered" / "grafana"
PROVIDER_FILE: Final = "provisioning/dashboards/intake.yaml"
DATASOURCES_FILE: Final = "provisioning/datasources/intake.yaml.sample"
_ADDRESS: Final = re.compile(rf"/d/({'|'.join(UIDS)})\b")
_PROVIDER_HEAD: Final = """\
Made by `intake-prober render grafana`. Copy it to Grafana's provisioning/dashboards, and the dashboards to `path`."""
_DATASOURCES_HEAD: Final = """\
A sample: what Grafana's data sources need so that a dot on a curve opens its trace, and a trace its figures.
Put in your addresses, copy it to provisioning/datasources/intake.yaml; if you have both data sources already, take over
`exemplarTraceIdDestinations` alone. Prometheus keeps exemplars with --enable-feature=exemplar-storage."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What differs from one installation to the next.

    Attributes:
        folder: in which Grafana shows them.
        uid_prefix: before each uid, where several probers share one Grafana.
        page_url: where people reach the prober's page; None: no links to it.
        runbooks_url: where docs/runbook is published; None: no links to it.
        lookback: how long a gauge is remembered, as Prometheus writes durations.
        path: where Grafana finds the dashboards' files.
    """

    folder: str = "Support intake"
    uid_prefix: str = ""
    page_url: str | None = None
    runbooks_url: str | None = None
    lookback: str = "2m"
    path: str = "/var/lib/grafana/dashboards/intake"

    def __post_init__(self) -> None:
        """Refuse a prefix that Grafana would refuse.

        Raises:
            ValueError: it has other characters than a uid may have, or is too long.
        """
        check_prefix(self.uid_prefix)


def provisioned(setting: Setting) -> dict[str, str]:
    """All files by their paths: dashboards, the provider that reads them, and a sample of data sources."""
    found = {f"dashboards/{setting.uid_prefix}{uid}.json": dashboard_text(uid, setting) for uid in UIDS}
    return {
        **found,
        PROVIDER_FILE: written(_provider(setting), head=_PROVIDER_HEAD),
        DATASOURCES_FILE: written(_datasources(), head=_DATASOURCES_HEAD),
    }


def dashboard_text(uid: str, setting: Setting) -> str:
    """One dashboard's JSON for this installation."""
    tree = json.loads((FOLDER / f"{uid}.json").read_text(encoding="utf-8"))
    values = {"lookback": setting.lookback, "page": setting.page_url, "runbooks": setting.runbooks_url}
    absent = frozenset(name for name, value in values.items() if not value)
    tree["uid"] = setting.uid_prefix + uid
    variables = tree["templating"]["list"]
    tree["templating"]["list"] = [_set(one, values) for one in variables if one["name"] not in absent]
    return json.dumps(_linked(tree, setting.uid_prefix, absent), indent=2, ensure_ascii=False) + "\n"


def _set(variable: dict[str, Any], values: Mapping[str, str | None]) -> dict[str, Any]:
    value = values.get(variable["name"])
    return variable if value is None else {**variable, "query": value.rstrip("/")}


def _linked(value: Any, prefix: str, absent: frozenset[str]) -> Any:  # noqa: ANN401 -- whatever JSON holds
    """With links to dashboards under their own uids, and without links that lead nowhere."""
    if isinstance(value, dict):
        return {name: _linked(one, prefix, absent) for name, one in value.items()}
    if isinstance(value, list):
        return [_linked(one, prefix, absent) for one in value if not _leads_nowhere(one, absent)]
    if isinstance(value, str):
        return _ADDRESS.sub(rf"/d/{prefix}\1", value)
    return value


def _leads_nowhere(value: Any, absent: frozenset[str]) -> bool:  # noqa: ANN401 -- whatever JSON holds
    url = value.get("url") if isinstance(value, dict) else None
    return isinstance(url, str) and any(f"${{{name}}}" in url for name in absent)


def _provider(setting: Setting) -> dict[str, Any]:
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": f"{setting.uid_prefix}intake-prober",
                "folder": setting.folder,
                "type": "file",
                "disableDeletion": False,
                "allowUiUpdates": False,
                "updateIntervalSeconds": 60,
                "options": {"path": setting.path, "foldersFromFilesStructure": False},
            }
        ],
    }


def _datasources() -> dict[str, Any]:
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus",
                "uid": "prometheus",
                "type": "prometheus",
                "access": "proxy",
                "url": "http://prometheus.example:9090",
                "jsonData": {
                    "timeInterval": "60s",
                    "exemplarTraceIdDestinations": [{"name": "trace_id", "datasourceUid": "tempo"}],
                },
            },
            {
                "name": "Tempo",
                "uid": "tempo",
                "type": "tempo",
                "access": "proxy",
                "url": "http://tempo.example:3200",
            },
        ],
    }
