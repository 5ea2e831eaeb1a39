"""The page that explains every metric (docs/metrics.md), out of the catalogue."""

from pathlib import Path

from canary.instrument_metrics import BLIND_CAUSES
from canary.instruments import METRICS, Instrument, Kind, Source, metrics
from runners.telemetry.snapshot import READ_SECONDS, REUSED_SECONDS
from runners.telemetry.snapshot_places import READ_EVERY, STALE_INTERVALS

_SECTIONS = (
    ("Canaries and hops", ("intake.canary.", "intake.hop.")),
    ("Paths", ("intake.path.", "intake.slo.")),
    ("Incidents", ("intake.incident",)),
    (
        "Places",
        (
            "intake.place.",
            "intake.mailbox.",
            "intake.certificate.",
            "intake.dns.",
            "intake.ticket_api.",
            "intake.traffic",
            "intake.clock.",
        ),
    ),
    ("Cleaning and quarantine", ("intake.cleanup.", "intake.quarantine.")),
    ("The prober", ("intake.prober.", "intake.build.")),
)


def _shown_minutes() -> float:
    """How long a reading is shown."""
    return STALE_INTERVALS * READ_EVERY.total_seconds() / 60


def _introduction() -> str:
    return f"""\
# Metrics

What `/metrics` shows, and what a Pushgateway, a textfile and OTLP get ([which way when](guides/metrics.md)), by Prometheus' names. In OpenTelemetry's they have dots, and neither the unit nor `_total` at the end:
`{metrics.HOP_DURATION.name}` is `{metrics.HOP_DURATION.prometheus}` here.

- **Source S**: out of the store, so the same from every replica, and no restart or crash changes it. Aggregate with `max by`,
  never `sum`; of a counter, take the increase first: `max by (path) (increase({metrics.CANARY_LAUNCHED.prometheus}[1h]))`.
- **Source P**: one process's own, with the label `prober`. In `serve`, counters begin at 0 with the process: `sum` them; take the
  `max` of gauges. Those of one-shot runs, and `{metrics.PROBER_MISFIRES.prometheus}` always, are kept in the store and outlive the
  process; replicas of one name show the same ones: `sum by (path) (max by (path, prober) (increase(…[1h])))`.
- Times are seconds since 1970, never ages: `time() - {metrics.PATH_LAST_SUCCESS.prometheus}`.
- A series is absent where there is nothing to say: no pending canary has no oldest, a mailbox that does not grow is never full,
  and `{metrics.PATH_UP.prometheus}` is there once a canary was confirmed, and not while the prober is blind or stands still.
- A path that is switched off has no gauges. A reading of a place is shown for {_shown_minutes():.0f} minutes; what is heard by the way,
  when a canary is looked for (the ticketing system's API, clocks), for {STALE_INTERVALS} times the longest interval of all paths, if
  that is longer. An older one, or one that failed, is not.
- A store that can't be read within {READ_SECONDS:.0f} s leaves the metrics of source P alone, with
  `{metrics.PROBER_BLIND.prometheus}{{cause="store"}} 1`: old figures that pass for fresh are worse than none.
- Figures are up to {REUSED_SECONDS:.0f} s old: many scrapers cost one reading of the store.
- Exemplars lead from the durations of hops and canaries to a trace; they are shown to whoever asks for OpenMetrics.

Labels come from closed sets and from the configuration: `hop`, `reason` and `verdict` are those of [the runbook](runbook/README.md) and
[how it judges](how-it-judges.md), `blame` is a hop, `place` a mailbox, server, mail domain or ticketing system, `cause` one of
{", ".join(f"`{one}`" for one in BLIND_CAUSES)}.

This page is generated from the catalogue; a test compares it.
"""


def metrics_page() -> str:
    """docs/metrics.md as text.

    Raises:
        ValueError: a metric belongs to no section of the page.
    """
    left = list(METRICS)
    sections = [_introduction()]
    for title, beginnings in _SECTIONS:
        mine = [one for one in left if one.name.startswith(beginnings)]
        left = [one for one in left if one not in mine]
        rows = [_row(one) for one in mine]
        head = ["| metric | type | source | labels | meaning |", "|---|---|---|---|---|"]
        sections.append("\n".join([f"## {title}", "", *head, *rows, ""]))
    if left:
        raise ValueError(f"the page has no section for {left[0].name}")
    sections.append(_bounds())
    return "\n".join(sections)


def _row(one: Instrument) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    source = "S" if one.source is Source.STORE else "P"
    meaning = one.meaning.replace("|", r"\|")
    return f"| `{one.prometheus}` | {one.kind} | {source} | {labels} | {meaning} |"


def _bounds() -> str:
    """The upper bounds of every histogram's buckets."""
    rows = [
        f"| `{one.prometheus}` | {', '.join(f'{bound:g}' for bound in one.bounds)} |"
        for one in METRICS
        if one.kind is Kind.HISTOGRAM
    ]
    head = ["| histogram | upper bounds in seconds |", "|---|---|"]
    return "\n".join(["## Buckets", "", *head, *rows, ""])


def write_page(page: Path) -> None:
    """Write docs/metrics.md anew: ``python -m runners.telemetry.metrics_page``, after a change of the catalogue."""
    page.write_text(metrics_page(), encoding="utf-8")


if __name__ == "__main__":
    write_page(Path(__file__).parents[2] / "docs" / "metrics.md")
