"""The tests of the import use the command line's own fixture."""

from tests.unit.runners.cli.conftest import run

__all__ = ["run"]
