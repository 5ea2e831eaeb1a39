"""`intake-prober`, also as `python -m runners`."""

import sys

from runners.cli.exits import Exit


def main() -> int:
    """Run the command line; returns the exit status, also when Ctrl-C comes before it has all been loaded."""
    try:
        from runners.cli.app import main as command_line

        return command_line()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
