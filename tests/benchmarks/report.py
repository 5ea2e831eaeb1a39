"""Tables of a benchmark, on the terminal and in docs/benchmarks.md between its marks."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.sandbox import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a title, a head, rows, and how it was measured."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    how: str

    def markdown(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"## {self.title}\n{self.how}\n\n{body}\n\n{machine()}"


def ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.2f}" if theirs else "-"


def machine() -> str:
    """Where and when it was measured."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m tests.benchmarks`, with Python"
        f" {platform.python_version()} on {platform.system()} {platform.machine()}, {psutil.cpu_count()} processors,"
        f" {memory:.0f} GiB. Servers and prober share them.\n"
    )


def write(tables: Sequence[Table], page: Path = PAGE) -> None:
    """Put the tables between the marks of the page, each in the place of the one with its title; the others stay."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    kept = {one.partition("\n")[0]: f"## {one.strip()}\n" for one in old.split("## ")[1:]}
    kept |= {one.title: one.markdown() for one in tables}
    page.write_text(f"{before}{BEGIN}" + "\n".join(kept.values()) + f"{END}{after}")
