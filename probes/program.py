"""Which version of this program runs."""

from functools import cache


@cache
def program_version() -> str:
    """By its installed metadata, which is a file that is read once."""
    from importlib.metadata import version

    return version("intake-prober")
