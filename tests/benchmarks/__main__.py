"""`python -m tests.benchmarks [--write] [PART…]`: print the tables of all parts, or of some; --write keeps them in docs."""

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.benchmarks import cold_start, exchange, finding, form, portal, telemetry, ticketing
from tests.benchmarks.report import Table, write
from tests.benchmarks.scene import running_sandbox
from tests.sandbox import Sandbox

PARTS: dict[str, Callable[[Sandbox], Iterator[Table]]] = {
    "exchange": exchange.tables,
    "finding": finding.tables,
    "form": form.tables,
    "portal": portal.tables,
    "cold-start": cold_start.tables,
    "telemetry": telemetry.tables,
    "ticketing": ticketing.tables,
    "busy": ticketing.busy,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="also write the tables into docs/benchmarks.md")
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    measured: list[Table] = []
    for name in given.parts or PARTS:
        sys.stderr.write(f"measuring {name}\n")
        with running_sandbox() as sandbox:
            for table in PARTS[name](sandbox):
                sys.stdout.write(f"\n{table.markdown()}")
                sys.stdout.flush()
                measured.append(table)
    if given.write:
        write(measured)


if __name__ == "__main__":
    main()
